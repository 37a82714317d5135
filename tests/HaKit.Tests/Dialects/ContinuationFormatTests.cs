using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HaKit.Dialects;

namespace HaKit.Tests.Dialects;

/// <summary>Tests continuation in OpenAI's and Anthropic's formats: its obstacles, the request for the rest, and the events of the rest.</summary>
public sealed class ContinuationFormatTests
{
    private const string Question = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    [Theory]
    [InlineData(null, "")]
    [InlineData(null, ""","temperature":0.3,"max_tokens":50,"tools":[{"type":"function","function":{"name":"f"}}],"n":1,"stop":null,"logprobs":false,"response_format":{"type":"text"},"reasoning_effort":"none" """)]
    [InlineData(NotContinuedReason.SeveralChoices, ""","n":2 """)]
    [InlineData(NotContinuedReason.StopSequences, ""","stop":"END" """)]
    [InlineData(NotContinuedReason.StopSequences, ""","stop":["END"]""")]
    [InlineData(NotContinuedReason.StructuredOutput, ""","response_format":{"type":"json_object"}""")]
    [InlineData(NotContinuedReason.StructuredOutput, ""","response_format":{"json_schema":{"type":"text"},"type":"json_schema"}""")]
    [InlineData(NotContinuedReason.StructuredOutput, ""","guided_json":{"type":"object"}""")]
    [InlineData(NotContinuedReason.LogProbabilities, ""","logprobs":true""")]
    [InlineData(NotContinuedReason.Audio, ""","modalities":["text","audio"]""")]
    [InlineData(NotContinuedReason.Audio, ""","audio":{"voice":"x"}""")]
    [InlineData(NotContinuedReason.Citations, ""","web_search_options":{"a":1}""")]
    [InlineData(NotContinuedReason.Citations, ""","web_search_options":{}""")]
    [InlineData(NotContinuedReason.Citations, ""","search_parameters":{"mode":"auto"}""")]
    [InlineData(NotContinuedReason.Citations, ""","plugins":[{"id":"web"}]""")]
    [InlineData(NotContinuedReason.Reasoning, ""","chat_template_kwargs":{"enable_thinking":true}""")]
    [InlineData(null, ""","chat_template_kwargs":{"enable_thinking":false},"web_search_options":null,"plugins":[]""")]
    [InlineData(NotContinuedReason.Reasoning, ""","reasoning_effort":"low" """)]
    [InlineData(NotContinuedReason.Reasoning, ""","reasoning":{"effort":"high"}""")]
    public void A_chat_request_that_cannot_be_continued_is_named(NotContinuedReason? reason, string more) =>
        ChatContinuation.Instance.FindObstacle(Encoding.UTF8.GetBytes("{\"model\":\"m\"," + Question + more + "}")).Should().Be(reason);

    [Theory]
    [InlineData(null, ""","max_tokens":10,"thinking":{"type":"disabled"},"stop_sequences":[]""")]
    [InlineData(NotContinuedReason.StopSequences, ""","stop_sequences":["x"]""")]
    [InlineData(NotContinuedReason.Reasoning, ""","thinking":{"type":"enabled","budget_tokens":2000}""")]
    [InlineData(NotContinuedReason.StructuredOutput, ""","output_format":{"type":"json_schema"}""")]
    [InlineData(NotContinuedReason.StoredState, ""","container":"c1" """)]
    [InlineData(NotContinuedReason.Citations, ""","messages":[{"role":"user","content":[{"type":"document","source":{},"citations": {"enabled": true}}]}]""")]
    [InlineData(null, ""","messages":[{"role":"user","content":[{"type":"document","source":{},"citations":{"enabled":false}},{"type":"text","text":"what is \"citations\":{\"enabled\":true}?"}]}]""")]
    public void A_messages_request_that_cannot_be_continued_is_named(NotContinuedReason? reason, string more) =>
        MessagesContinuation.Instance.FindObstacle(Encoding.UTF8.GetBytes("{\"model\":\"m\"," + Question + more + "}")).Should().Be(reason);

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"model":"m"}""")]
    [InlineData("""{"messages":[]}""")]
    [InlineData("""{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"He"}]}""")]
    public void A_request_of_another_shape_is_not_continued(string request) =>
        ChatContinuation.Instance.FindObstacle(Encoding.UTF8.GetBytes(request)).Should().Be(NotContinuedReason.OtherRequest);

    [Theory]
    [InlineData(NotContinuedReason.ToolCall, """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]}""")]
    [InlineData(NotContinuedReason.ToolCall, """{"choices":[{"index":0,"delta":{"function_call":{"name":"f"}}}]}""")]
    [InlineData(NotContinuedReason.Reasoning, """{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}""")]
    [InlineData(NotContinuedReason.Reasoning, """{"choices":[{"index":0,"delta":{"reasoning":"hm"}}]}""")]
    [InlineData(NotContinuedReason.ContentFilter, """{"choices":[{"index":0,"delta":{"refusal":"I"}}]}""")]
    [InlineData(NotContinuedReason.Audio, """{"choices":[{"index":0,"delta":{"audio":{"data":"AA"}}}]}""")]
    [InlineData(NotContinuedReason.Citations, """{"choices":[{"index":0,"delta":{"content":"x","annotations":[{"type":"url_citation"}]}}]}""")]
    [InlineData(NotContinuedReason.SeveralChoices, """{"choices":[{"index":1,"delta":{"content":"x"}}]}""")]
    [InlineData(NotContinuedReason.LogProbabilities, """{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[{"token":"x"}]}}]}""")]
    [InlineData(NotContinuedReason.OtherContent, """{"choices":[{"index":0,"delta":{"images":[1]}}]}""")]
    [InlineData(NotContinuedReason.OtherContent, """{"choices":[{"index":0,"delta":{"content":[{"type":"text"}]}}]}""")]
    [InlineData(NotContinuedReason.OtherContent, """{"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}""")]
    [InlineData(null, """{"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"x","refusal":null,"tool_calls":[],"reasoning_content":null},"logprobs":null,"finish_reason":null}],"obfuscation":"abc"}""")]
    public void A_chat_answer_that_cannot_be_continued_is_named(NotContinuedReason? reason, string data) => ObstacleAfter(ChatContinuation.Instance, data).Should().Be(reason);

    [Theory]
    [InlineData(NotContinuedReason.ToolCall, """{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}""")]
    [InlineData(NotContinuedReason.ToolCall, """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}""")]
    [InlineData(NotContinuedReason.Reasoning, """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}""")]
    [InlineData(NotContinuedReason.Reasoning, """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""")]
    [InlineData(NotContinuedReason.Citations, """{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}""")]
    [InlineData(NotContinuedReason.OtherContent, """{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}""")]
    [InlineData(null, """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""")]
    [InlineData(null, """{"type":"ping"}""")]
    public void A_messages_answer_that_cannot_be_continued_is_named(NotContinuedReason? reason, string data) => ObstacleAfter(MessagesContinuation.Instance, data).Should().Be(reason);

    [Theory]
    [InlineData(WireDialect.Mistral, null, """{"role":"assistant","content":"He said \"no","prefix":true}""", "")]
    [InlineData(WireDialect.OpenAI, "api.deepseek.com", """{"role":"assistant","content":"He said \"no","prefix":true}""", "")]
    [InlineData(WireDialect.Vllm, "localhost", """{"role":"assistant","content":"He said \"no"}""", ""","continue_final_message":true,"add_generation_prompt":false""")]
    [InlineData(WireDialect.Unknown, "openrouter.ai", """{"role":"assistant","content":"He said \"no"}""", "")]
    public void The_request_for_the_rest_ends_with_the_beginning_in_the_words_of_the_dialect(WireDialect dialect, string? host, string message, string flags)
    {
        var rest = new RestRequest { How = Continuation.AssistantPrefix, Dialect = dialect, Host = host, Beginning = "He said \"no", Tokens = 30, Model = "\"other\""u8.ToArray() };
        var written = ChatContinuation.Instance.WriteRequest("""{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":100,"stream":true}"""u8, in rest);
        Same(written, """{"model":"other","messages":[{"role":"user","content":"hi"},""" + message + """],"max_tokens":70,"stream":true""" + flags + "}");
    }

    [Fact]
    public void An_instruction_follows_the_beginning_in_the_applications_own_words()
    {
        var rest = new RestRequest { How = Continuation.Instruction, Instruction = "Bitte weiter.", Dialect = WireDialect.Anthropic, Beginning = "Es war", Tokens = 2 };
        var written = MessagesContinuation.Instance.WriteRequest("""{"max_tokens":2,"messages":[{"role":"user","content":"hi"}]}"""u8, in rest);
        Same(written, """{"max_tokens":1,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Es war"},{"role":"user","content":"Bitte weiter."}]}""");
    }

    [Fact]
    public void Without_a_beginning_the_request_stays_as_it_was()
    {
        var rest = new RestRequest { How = Continuation.AssistantPrefix, Dialect = WireDialect.Vllm, Beginning = "", Tokens = 0 };
        Same(ChatContinuation.Instance.WriteRequest("""{"messages":[{"role":"user","content":"hi"}]}"""u8, in rest), """{"messages":[{"role":"user","content":"hi"}]}""");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whatever_is_cut_wherever_the_caller_reads_one_answer(bool isMessages)
    {
        var format = isMessages ? (ContinuationFormat)MessagesContinuation.Instance : ChatContinuation.Instance;
        var random = new Random(5);
        foreach (var text in AnswerSeamTests.Texts.Where(t => !t.EnumerateRunes().Any(r => r.Value == 0xFFFD)))
        {
            for (var run = 0; run < 60; run++)
            {
                var delivered = new DeliveredText(100_000);
                var whole = Events(isMessages, text, "first", random).ToList();
                var seen = whole.Take(random.Next(1, whole.Count - 3)).ToList();
                foreach (var data in seen)
                    format.RecordDelivered(Encoding.UTF8.GetBytes(data), delivered);
                if (delivered.Obstacle is not null)
                    throw new InvalidOperationException($"{delivered.Obstacle}");
                delivered.TokensAtSeams.Add(delivered.Tokens);
                var seam = new AnswerSeam(delivered.Text);
                var rest = new RestState(delivered, seam);
                foreach (var data in Events(isMessages, text[seam.Beginning.Length..], "second", random))
                    seen.AddRange(DataOf(format.Rewrite(Encoding.UTF8.GetBytes(data), isMessages ? "x"u8 : default, rest)));
                (isMessages ? Anthropic(seen) : OpenAI(seen)).Should().Be(text);
            }
        }
    }

    [Theory]
    [InlineData("He said", " no.")]
    [InlineData("He said ", " no.")]
    [InlineData("", "He said no.")]
    [InlineData(" ", "He said no.")]
    public void Words_in_the_start_of_a_block_of_the_rest_are_not_lost(string first, string rest)
    {
        const string Start = """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""";
        foreach (var length in Enumerable.Range(0, rest.Length + 1))
        {
            List<string> seen = first.Length == 0 ? [] : [Start, "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + JsonSerializer.Serialize(first) + "}}"];
            var delivered = new DeliveredText(100_000);
            foreach (var data in seen)
                MessagesContinuation.Instance.RecordDelivered(Encoding.UTF8.GetBytes(data), delivered);
            delivered.TokensAtSeams.Add(delivered.Tokens);
            var state = new RestState(delivered, new AnswerSeam(delivered.Text));
            string[] events =
            [
                "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":" + JsonSerializer.Serialize(rest[..length]) + "}}",
                "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + JsonSerializer.Serialize(rest[length..]) + "}}",
                """{"type":"content_block_stop","index":0}""",
            ];
            foreach (var data in events)
                seen.AddRange(DataOf(MessagesContinuation.Instance.Rewrite(Encoding.UTF8.GetBytes(data), "x"u8, state)));
            var text = string.Concat(seen.Select(s => JsonNode.Parse(s)!).Select(n => (string?)n["delta"]?["text"] ?? (string?)n["content_block"]?["text"] ?? ""));
            text.Should().Be(first.TrimEnd() + (first.EndsWith(' ') && !rest.StartsWith(' ') ? " " : "") + rest, "{0} characters are in the start", length);
        }
    }

    [Theory]
    [InlineData("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\ud83d"}}""")]
    [InlineData("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"\ud83d"}}""")]
    [InlineData("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}""")]
    [InlineData("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}""")]
    public void Half_a_character_in_the_rest_throws_nothing(string data)
    {
        var delivered = new DeliveredText(100_000);
        MessagesContinuation.Instance.RecordDelivered("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"He"}}"""u8, delivered);
        delivered.TokensAtSeams.Add(delivered.Tokens);
        var state = new RestState(delivered, new AnswerSeam(delivered.Text));
        FluentActions.Invoking(() => MessagesContinuation.Instance.Rewrite(Encoding.UTF8.GetBytes(data), "x"u8, state)).Should().NotThrow();
    }

    // Gets the data of each event of the answer, as its server streams it.
    private static IEnumerable<string> Events(bool isMessages, string text, string id, Random random)
    {
        // A server never cuts a character within its JSON.
        var pieces = AnswerSeamTests.Pieces(new string('.', text.Length), random).Select(p => p.Length).ToList();
        var at = 0;
        var words = new List<string>();
        foreach (var length in pieces)
        {
            var end = at + length;
            if (end > at && end < text.Length && char.IsHighSurrogate(text[end - 1]))
                end++;
            end = Math.Min(end, text.Length);
            words.Add(at < end ? text[at..end] : "");
            at = Math.Max(at, end);
        }
        if (at < text.Length)
            words.Add(text[at..]);
        if (isMessages)
        {
            yield return $$$$"""{"type":"message_start","message":{"id":"{{{{id}}}}","model":"m-{{{{id}}}}","usage":{"input_tokens":10,"output_tokens":1}}}""";
            yield return """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""";
            foreach (var word in words)
                yield return "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + JsonSerializer.Serialize(word) + "}}";
            yield return """{"type":"content_block_stop","index":0}""";
            yield return """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}""";
            yield return """{"type":"message_stop"}""";
            yield break;
        }
        yield return Chunk("""{"role":"assistant","content":""}""");
        foreach (var word in words)
            yield return Chunk("{\"content\":" + JsonSerializer.Serialize(word) + "}");
        yield return Chunk("{}", "\"stop\"");
        yield return $$$"""{"id":"{{{id}}}","created":{{{id.Length}}},"model":"m-{{{id}}}","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}""";

        string Chunk(string delta, string finish = "null") =>
            $$$"""{"id":"{{{id}}}","created":{{{id.Length}}},"model":"m-{{{id}}}","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{finish}}}}]}""";
    }

    private static string OpenAI(List<string> seen)
    {
        var chunks = seen.ConvertAll(d => JsonNode.Parse(d)!);
        chunks.Select(c => $"{c["id"]} {c["created"]} {c["model"]}").Distinct().Should().Equal("first 5 m-first");
        var choices = chunks.SelectMany(c => c["choices"]!.AsArray()).ToList();
        choices.Count(c => c!["delta"]!["role"] is not null).Should().Be(1);
        choices.Count(c => c!["finish_reason"] is not null).Should().Be(1);
        chunks.Count(c => c["usage"] is not null).Should().Be(1);
        ((int)chunks[^1]["usage"]!["total_tokens"]!).Should().BeGreaterThan(15);
        return string.Concat(choices.Select(c => (string?)c!["delta"]!["content"]));
    }

    private static string Anthropic(List<string> seen)
    {
        var events = seen.ConvertAll(d => JsonNode.Parse(d)!);
        var types = events.ConvertAll(e => (string)e["type"]!);
        types.Count(t => t == "message_start").Should().Be(1);
        types.Count(t => t == "content_block_start").Should().Be(1);
        types.Count(t => t == "content_block_stop").Should().Be(1);
        types.Count(t => t == "message_delta").Should().Be(1);
        types[^1].Should().Be("message_stop");
        ((int)events.Single(e => (string)e["type"]! == "message_delta")["usage"]!["input_tokens"]!).Should().Be(20);
        return string.Concat(events.Select(e => (string?)e["delta"]?["text"]));
    }

    private static IEnumerable<string> DataOf(byte[] events) =>
        Encoding.UTF8.GetString(events).Split('\n').Where(l => l.StartsWith("data: ", StringComparison.Ordinal)).Select(l => l[6..]);

    private static NotContinuedReason? ObstacleAfter(ContinuationFormat format, string data)
    {
        var delivered = new DeliveredText(1000);
        format.RecordDelivered(Encoding.UTF8.GetBytes(data), delivered);
        return delivered.Obstacle;
    }

    private static void Same(byte[] written, string expected) =>
        JsonNode.DeepEquals(JsonNode.Parse(written), JsonNode.Parse(expected)).Should().BeTrue("{0} was written", Encoding.UTF8.GetString(written));
}
