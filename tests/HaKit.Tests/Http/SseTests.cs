using System.Text;
using HaKit.Faults;
using HaKit.Http;

namespace HaKit.Tests.Http;

public sealed class SseTests
{
    private const string Head = """{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[""";

    [Theory]
    // OpenAI, Azure, vLLM
    [InlineData("data: [DONE]\n\n", StreamSignal.End)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""" + "\n\n", StreamSignal.None)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}""" + "\n\n", StreamSignal.None)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data:" + Head + """{"delta": {"content": "Hi"}, "index": 0, "finish_reason": null}]}""" + "\r\n\r\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]},"finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"content":"say \"error\": \"finish_reason\":\"x\""},"finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n", StreamSignal.End)]
    [InlineData("data: " + Head + """{"index":0,"delta":{"content":"."},"finish_reason":"stop"}]}""" + "\n\n", StreamSignal.Content | StreamSignal.End)]
    [InlineData("data: " + Head + """{"index":0,"text":"Hi","finish_reason":null}]}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """],"usage":{"prompt_tokens":1}}""" + "\n\n", StreamSignal.None)]
    [InlineData("data: " + """{"id":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}""" + "\n\n", StreamSignal.None)]
    [InlineData("""data: {"error":{"message":"m","type":"server_error","code":null}}""" + "\n\n", StreamSignal.Error)]
    [InlineData("""data: {"object":"error","message":"m","type":"InternalServerError","code":500}""" + "\n\n", StreamSignal.Error)]
    // responses
    [InlineData("event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\n", StreamSignal.None)]
    [InlineData("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n", StreamSignal.Content)]
    [InlineData("data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n", StreamSignal.Content)]
    [InlineData("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"error\":null}}\n\n", StreamSignal.End)]
    [InlineData("event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n", StreamSignal.Error)]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\"}\n\n", StreamSignal.Error)]
    // Anthropic
    [InlineData("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n", StreamSignal.None)]
    [InlineData("event: ping\ndata: {\"type\": \"ping\"}\n\n", StreamSignal.None)]
    [InlineData("event: content_block_start\ndata: {\"type\":\"content_block_start\"}\n\n", StreamSignal.None)]
    [InlineData("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n", StreamSignal.Content)]
    [InlineData("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", StreamSignal.End)]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", StreamSignal.Error)]
    // Gemini
    [InlineData("""data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}]}""" + "\r\n\r\n", StreamSignal.Content)]
    [InlineData("""data: {"candidates":[{"content":{"parts":[{"text":"."}]},"finishReason":"STOP"}]}""" + "\r\n\r\n", StreamSignal.Content | StreamSignal.End)]
    // Other streams
    [InlineData(": keep-alive\n\n", StreamSignal.None)]
    [InlineData("\n", StreamSignal.None)]
    [InlineData("event: ping\n\n", StreamSignal.None)]
    [InlineData("""data: {"some":"thing"}""" + "\n\n", StreamSignal.Content)]
    [InlineData("data: hello\n\n", StreamSignal.Content)]
    [InlineData("data: " + Head + """{"index":0,"delta":{},"finish_reason":"stop""", StreamSignal.None)]
    [InlineData("data: [DONE]", StreamSignal.End)]
    public void Every_dialects_events_are_told_apart(string item, StreamSignal expected) => Reader().Read(Encoding.UTF8.GetBytes(item)).Should().Be(expected);

    [Theory]
    [InlineData("""{"index":0,"delta":{"content":"Hi"},"finish_reason":""}""", StreamSignal.Content)]
    [InlineData("""{"index":0,"delta":{},"finish_reason": ""}""", StreamSignal.None)]
    [InlineData("""{"index":0,"delta":{},"finish_reason": "stop"}""", StreamSignal.End)]
    public void A_finish_reason_that_says_nothing_is_no_end(string choice, StreamSignal expected) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: " + Head + choice + "]}\n\n")).Should().Be(expected);

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("\"FINISH_REASON_UNSPECIFIED\"")]
    public void Geminis_finish_reason_that_says_nothing_is_no_end(string reason) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\": " + reason + "}]}\n\n")).Should().Be(StreamSignal.Content);

    [Theory]
    [InlineData("[]")]
    [InlineData("[{}]")]
    [InlineData("[ ]")]
    [InlineData("[{\"text\":\"\"}]")]
    [InlineData("[{\"text\": \"\"},{}]")]
    public void Parts_of_Gemini_without_anything_are_nothing(string parts) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: {\"candidates\":[{\"content\":{\"parts\": " + parts + ",\"role\":\"model\"},\"index\":0}]}\n\n")).Should().Be(StreamSignal.None);

    [Theory]
    [InlineData("[{\"text\":\"a\"}]")]
    [InlineData("[ { \"text\" : \"a\" } ]")]
    [InlineData("[{\"text\":\"\"},{\"functionCall\":{\"name\":\"f\"}}]")]
    public void Parts_of_Gemini_with_anything_are_content(string parts) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: {\"candidates\":[{\"content\":{\"parts\": " + parts + ",\"role\":\"model\"},\"index\":0}]}\n\n")).Should().Be(StreamSignal.Content);

    // A gateway that wraps a long event, and loses the field name of the next line. Names that are half a surrogate cannot be decoded.
    [Theory]
    [InlineData("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":\n\n")]
    [InlineData("data: {\"type\":\"response.completed\",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":\n\n")]
    [InlineData("data: " + Head + "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"base_resp\":\n\n")]
    [InlineData("data: " + Head + "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"base_resp\":{\"status_code\":\n\n")]
    [InlineData("data: {\"choices\":[{\"\\ud800\":1,\"index\":1,\"delta\":{\"\\udc00\":\"\"}}]}\n\n")]
    [InlineData("data: {\"choices\":[{\"delta\":{\"\\ud800\":\"\"},\"index\":\"\\ud800\"}]}\n\n")]
    [InlineData("data: {\"\\ud800\":\"a\",\"code\":500,\"message\":\"m\"}\n\n")]
    [InlineData("data: {\"message\":\"m\",\"\\ud800\":1}\n\n")]
    [InlineData("{\"model\":\"m\",\"message\":{\"\\ud800\":\"\"},\"done\":false}\n")]
    public void No_event_makes_the_reader_throw(string item)
    {
        var reader = new SseReader(FaultClassifier.Default, WireDialect.OpenAI, TimeProvider.System);
        reader.Read(Encoding.UTF8.GetBytes("data: " + Head + """{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}""" + "\n\n"));
        reader.Invoking(r => r.Read(Encoding.UTF8.GetBytes(item))).Should().NotThrow();
    }

    [Theory]
    [InlineData("choices", "event: response.completed\n")]
    [InlineData("candidates", "event: response.completed\n")]
    [InlineData("choices", "")]
    [InlineData("candidates", "")]
    public void A_tool_whose_schema_names_choices_hides_no_events_meaning(string property, string name)
    {
        var rest = "\"response\":{\"error\":null,\"tools\":[{\"parameters\":{\"properties\":{\"" + property + "\":{\"type\":\"array\"}}}}]}}\n\n";
        Reader().Read(Encoding.UTF8.GetBytes(name.Replace("completed", "created", StringComparison.Ordinal) + "data: {\"type\":\"response.created\"," + rest)).Should().Be(StreamSignal.None);
        Reader().Read(Encoding.UTF8.GetBytes(name + "data: {\"type\":\"response.completed\"," + rest)).Should().Be(StreamSignal.End);
    }

    [Theory]
    [InlineData("""{"some":{"choices":[{"index":0,"finish_reason":"stop"}]}}""")]
    [InlineData("""{"some":[{"candidates":[{"finishReason":"STOP"}]}]}""")]
    public void Choices_and_candidates_mean_something_only_at_the_root(string data) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: " + data + "\n\n")).Should().Be(StreamSignal.Content, "nobody knows what it is");

    [Theory]
    [InlineData("""{"prompt_filter_results":[{"choices":1}],"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""")]
    [InlineData("""{"usageMetadata":{"a":[1]},"candidates":[{"finishReason":"STOP"}]}""")]
    public void Choices_and_candidates_at_the_root_are_found_behind_anything(string data) =>
        Reader().Read(Encoding.UTF8.GetBytes("data: " + data + "\n\n")).Should().Be(StreamSignal.End);

    [Theory]
    [InlineData("event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"error\":null,\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n")]
    [InlineData("event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n")]
    public void A_response_that_a_filter_ended_is_at_its_end_after_content_and_a_fault_before_it(string end)
    {
        var reader = Reader();
        reader.Read(Encoding.UTF8.GetBytes(end)).Should().Be(StreamSignal.Error);
        reader.FaultOf(default).Kind.Should().Be(FaultKind.ContentFilter);
        reader.Read("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n"u8.ToArray()).Should().Be(StreamSignal.Content);
        reader.Read(Encoding.UTF8.GetBytes(end)).Should().Be(StreamSignal.End);
    }

    [Fact]
    public void With_several_choices_only_the_last_mark_is_the_end()
    {
        var reader = Reader();
        reader.Read(Encoding.UTF8.GetBytes("data: " + Head + """{"index":1,"delta":{"content":"a"},"finish_reason":null}]}""" + "\n\n"));
        reader.Read(Encoding.UTF8.GetBytes("data: " + Head + """{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n")).Should().Be(StreamSignal.None);
        reader.Read("data: [DONE]\n\n"u8.ToArray()).Should().Be(StreamSignal.End);
    }

    [Fact]
    public void An_end_without_a_mark_is_good_only_in_a_dialect_that_nobody_knows()
    {
        var unknown = Reader();
        unknown.MarksEnd.Should().BeTrue("nothing came");
        unknown.Read("data: hello\n\n"u8.ToArray());
        unknown.MarksEnd.Should().BeFalse();
        var known = Reader();
        known.Read(Encoding.UTF8.GetBytes("data: " + Head + """{"index":0,"delta":{"content":"a"},"finish_reason":null}]}""" + "\n\n"));
        known.MarksEnd.Should().BeTrue();
    }

    [Theory]
    [InlineData("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n", 3L, 4L)]
    [InlineData("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n", null, 15L)]
    [InlineData("data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4}}\n\n", 3L, 4L)]
    [InlineData("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":3,\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens\":4}}}\n\n", 3L, 4L)]
    public void Usage_is_read_in_every_dialect(string item, long? input, long? output)
    {
        var reader = Reader();
        var bytes = Encoding.UTF8.GetBytes(item);
        reader.Read(bytes);
        reader.TryGetUsage(bytes, out var i, out var o).Should().BeTrue();
        (i, o).Should().Be((input, output));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task Events_are_split_wherever_the_bytes_were_and_nothing_is_lost(int piece)
    {
        var text = string.Concat(Enumerable.Range(0, 50).Select(i => i % 3 == 0 ? $": {i}\n\n" : $"event: x\r\ndata: {new string('é', i * 20)}\r\n\r\n")) + "data: rest";
        var bytes = Encoding.UTF8.GetBytes(text);
        foreach (var holding in new[] { true, false })
        {
            var body = new Pieces(bytes, piece);
            await using var events = new SseEvents(body, body, 1 << 20) { IsHolding = holding };
            var held = new List<ReadOnlyMemory<byte>>();
            var copied = new List<string>();
            await foreach (var item in events)
            {
                held.Add(item);
                copied.Add(Encoding.UTF8.GetString(item.Span));
            }
            copied.Should().HaveCount(51);
            string.Concat(copied).Should().Be(text);
            if (holding)
                held.Select(h => Encoding.UTF8.GetString(h.Span)).Should().Equal(copied, "what is held may not be moved");
        }
    }

    [Fact]
    public async Task An_event_without_end_is_an_error_and_not_all_the_memory()
    {
        var body = new Pieces(new byte[1 << 20], 4096);
        await using var events = new SseEvents(body, body, 64 * 1024);
        await events.Awaiting(e => e.MoveNextAsync().AsTask()).Should().ThrowAsync<InvalidDataException>();
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData(" [1,2] ", true)]
    [InlineData("""{"a":"}\\","b":[{"c":"\""}]}""", true)]
    [InlineData("12", true)]
    [InlineData("", false)]
    [InlineData("  ", false)]
    [InlineData("{", false)]
    [InlineData("""{"a":"b""", false)]
    [InlineData("""{"a":"b\""", false)]
    [InlineData("""{"a":[1,2}""", false)]
    [InlineData("}{", false)]
    public void A_cut_json_text_is_told_from_a_whole_one(string json, bool whole) => JsonOutline.Read(Encoding.UTF8.GetBytes(json)).IsWhole.Should().Be(whole);

    [Fact]
    public void Every_proper_prefix_of_an_object_is_cut()
    {
        var json = Encoding.UTF8.GetBytes("""{"id":"x\"{","usage":{"prompt_tokens":1,"a":[1,{"b":"]"}]},"model":"m","stream":true}""");
        for (var i = 0; i < json.Length; i++)
            JsonOutline.Read(json.AsSpan(0, i)).IsWhole.Should().BeFalse();
        var outline = JsonOutline.Read(json);
        outline.IsWhole.Should().BeTrue();
        outline.Stream.Should().BeTrue();
        Encoding.UTF8.GetString(json[outline.Model!.Value]).Should().Be("\"m\"");
    }

    private static SseReader Reader() => new(FaultClassifier.Default, WireDialect.Unknown, TimeProvider.System);

    private sealed class Pieces(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
