using System.Text;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit.Tests.Faults;

public sealed class FaultMarksTests
{
    private static readonly string[] s_names =
    [
        "error", "type", "object", "code", "error_type", "raw_status_code", "detail", "message", "Message", "param", "__type", "choices", "candidates", "promptFeedback", "stop_reason",
        "stopReason", "done_reason", "incomplete_details", "response", "delta", "messageStop", "internalServerException", "ThrottlingException", "Exception", "status", "details", "innererror",
        "error_code", "reason", "@type", "retryDelay", "violations", "fieldViolations", "loc", "quotaId", "finish_reason", "native_finish_reason", "finishReason", "blockReason", "id", "usage",
        "content", "text", "output", "x", "err\\u006fr", "errors", "finish_reason ", "", "errorCode", "errcode", "status_code", "statusCode", "http_status", "msg", "error_msg", "errmsg", "error_message",
    ];

    private static readonly string[] s_texts =
    [
        "error", "stop", "STOP", "length", "content_filter", "SAFETY", "network_error", "abort", "end_turn", "refusal", "tool_calls", "tool_use", "cancelled", "", "hello", "a \\\" b",
        "ThrottlingException", "insufficient_quota", "429", "500", "chat.completion", "stop\\u0070", "max_tokens", "max_output_tokens", "in_progress", "sto", "PROHIBITED_CONTENT", "other", "\\\\",
    ];

    private static readonly string[] s_words = ["null", "true", "false"];

    private static readonly string[] s_numbers = ["0", "429", "-1", "7", "503", "0.0", "-0", "1e3", "1002", "200"];

    [Fact(Timeout = 60_000)]
    public async Task Where_no_word_might_tell_of_a_fault_the_classifier_finds_none()
    {
        await Task.Yield();
        var random = new Random(11);
        int silent = 0, faults = 0;
        for (var round = 0; round < 120_000; round++)
        {
            var text = new StringBuilder();
            Value(text, random, depth: 0);
            var body = Encoding.UTF8.GetBytes(Harm(text.ToString(), random));
            var fault = FaultClassifier.Default.Classify(new FaultEvidence { StatusCode = 200, Body = body });
            faults += fault is null ? 0 : 1;
            if (JsonOutline.Read(body).MightTellFault)
                continue;
            silent++;
            fault.Should().BeNull($"nothing in {Encoding.UTF8.GetString(body)} might tell of a fault");
        }

        silent.Should().BeGreaterThan(5_000, "otherwise nothing was tried");
        faults.Should().BeGreaterThan(3_000, "otherwise nothing was tried");
    }

    [Theory]
    [InlineData("""{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"an error"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}""")]
    [InlineData("""{"type":"message","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1}}""")]
    [InlineData("""{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}}""")]
    [InlineData("""{"object":"response","status":"completed","error":null,"incomplete_details":null,"output":[{"type":"message"}]}""")]
    [InlineData("""{"model":"m","message":{"role":"assistant","content":"x"},"done":true,"done_reason":"stop"}""")]
    public void A_good_answer_is_not_read_by_the_classifier(string answer) =>
        JsonOutline.Read(Encoding.UTF8.GetBytes(answer)).MightTellFault.Should().BeFalse();

    [Fact]
    public void The_reasons_that_are_passed_over_are_ends_of_whole_answers()
    {
        foreach (var reason in new[] { "stop", "STOP", "length", "tool_calls", "function_call", "end_turn", "max_tokens", "MAX_TOKENS", "max_output_tokens", "stop_sequence", "tool_use" })
        {
            FaultMarks.MightBe("finish_reason"u8, Encoding.UTF8.GetBytes($"\"{reason}\",")).Should().BeFalse();
            FinishReasons.MeaningOf(reason).Should().Be(FinishMeaning.End);
        }
    }

    private static void Value(StringBuilder text, Random random, int depth)
    {
        switch (depth == 0 ? 0 : depth > 4 ? 5 + random.Next(5) : random.Next(10))
        {
            case < 4:
                text.Append('{');
                for (var i = random.Next(4); i > 0; i--)
                {
                    text.Append('"').Append(s_names[random.Next(s_names.Length)]).Append("\":");
                    if (random.Next(5) == 0)
                        text.Append(' ');
                    Value(text, random, depth + 1);
                    if (i > 1)
                        text.Append(',');
                }

                text.Append('}');
                break;
            case 4:
                text.Append('[');
                for (var i = random.Next(3); i > 0; i--)
                {
                    Value(text, random, depth + 1);
                    if (i > 1)
                        text.Append(',');
                }

                text.Append(']');
                break;
            case 5:
                text.Append(s_words[random.Next(s_words.Length)]);
                break;
            case 6:
                text.Append(s_numbers[random.Next(s_numbers.Length)]);
                break;
            default:
                text.Append('"').Append(s_texts[random.Next(s_texts.Length)]).Append('"');
                break;
        }
    }

    // A third of the texts is cut, or has one changed character.
    private static string Harm(string text, Random random) => random.Next(6) switch
    {
        0 => text[..random.Next(text.Length + 1)],
        1 when text.Length > 0 => text.Remove(random.Next(text.Length), 1),
        _ => text,
    };
}
