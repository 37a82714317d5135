using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests the streams of real servers over real sockets. The endpoint with the stream is in tier 0, and a healthy endpoint is in tier 1.</summary>
public sealed class StreamWireTests
{
    private const string Role = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
    private const string Half = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}\n\n";
    private const string Stop = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    private const string Done = "data: [DONE]\n\n";
    private const string Well = Role + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"served\"},\"finish_reason\":null}]}\n\n" + Stop + Done;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static string Finish(string reason, string more = "") => "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"" + more + "}]}\n\n";

    public static TheoryData<string, string, string> Failures()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var reason in (string[])["abort", "error", "ERROR", "network_error", "timeout", "cancelled", "engine_overloaded", "insufficient_system_resource", "server-error", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
        {
            data.Add("/chat/completions", "", Role + Finish(reason) + Done);
            data.Add("/chat/completions", Role + Half, Finish(reason) + Done);
            data.Add("/chat/completions", Role + Half, Finish("stop", ",\"native_finish_reason\":\"" + reason + "\"") + Done);
        }
        foreach (var line in (string[])["error: {\"code\":500,\"message\":\"x\"}\n\n", "error: {\"error\":{\"message\":\"x\"}}\n\n", "error: something broke\n\n", "data: {\"error\":{\"message\":\"x\",\"code\":502}}\n\n", "event: error\ndata: {\"code\":\"server_error\",\"message\":\"x\"}\n\n", "event: error\ndata: broken\n\n", "data: {\"code\":500,\"message\":\"x\"}\n\n", "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n", "\n{\n  \"error\": {\"message\": \"x\", \"type\": \"server_error\"}\n}\n\n"])
        {
            data.Add("/chat/completions", "", line);
            data.Add("/chat/completions", Role + Half, line + Done);
        }
        foreach (var reason in (string[])["MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"])
        {
            data.Add("/models/m:streamGenerateContent", "", "data: {\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"" + reason + "\"}]}\r\n\r\n");
            data.Add("/models/m:streamGenerateContent", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}],\"role\":\"model\"}}]}\r\n\r\n", "data: {\"candidates\":[{\"finishReason\":\"" + reason + "\"}]}\r\n\r\n");
        }
        data.Add("/responses", "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"half\"}\n\n", "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}}\n\n");
        data.Add("/responses", "", "event: response.cancelled\ndata: {\"type\":\"response.cancelled\",\"response\":{\"status\":\"cancelled\"}}\n\n");
        data.Add("/messages", "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"half\"}}\n\n", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n");
        data.Add("/messages", "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"half\"}}\n\n", "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"error\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        return data;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Failures))]
    public async Task A_stream_that_failed_moves_on_before_content_and_is_partial_after_it(string path, string before, string failure)
    {
        foreach (var label in (string?[])["text/event-stream", "application/json", "text/plain", null])
        {
            await using var world = new World(new RawAnswer(200, label, before + failure));
            if (before.Length == 0)
            {
                (await world.ReadAsync(path)).Should().Contain("served");
                world.Asked.Should().Be((1, 1));
            }
            else
            {
                (await FluentActions.Awaiting(() => world.ReadAsync(path)).Should().ThrowAsync<PartialResponseException>(label)).Which.DeliveredItems.Should().Be(1);
            }
        }
    }

    public static TheoryData<string, string> Whole() => new()
    {
        { "/chat/completions", Role + Half + Stop + Done },
        { "/chat/completions", Role + Half + Done },
        { "/chat/completions", Role + Half + Finish("length") },
        { "/chat/completions", Role + Half + Finish("content_filter") + Done },
        { "/chat/completions", Role + Half + Finish("tool_calls") + Done },
        { "/chat/completions", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + Role + Half + Stop + Done },
        { "/chat/completions", Role + string.Concat(Enumerable.Repeat("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":null}]}\n\n", 200)) + "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]},\"finish_reason\":null}]}\n\n" + Finish("tool_calls") + Done },
        { "/chat/completions", "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"half \"},\"finish_reason\":\"stop\"}]}" },
        { "/responses", "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null,\"instructions\":\"LONG\"}}\n\nevent: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"response\":{\"error\":null,\"instructions\":\"LONG\"}}\n\nevent: response.web_search_call.searching\ndata: {\"type\":\"response.web_search_call.searching\"}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"half \"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"error\":null}}\n\n" },
        { "/responses", "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"half \"}]}]}" },
        { "/messages", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"half \"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n" },
        { "/models/m:streamGenerateContent", "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half ]}\"}],\"role\":\"model\"}}]}\n,\r\n{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"more\"}]},\"finishReason\":\"STOP\"}]}\n]\n" },
        { "/images/generations", "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"aGFsZiA=\"}\n\nevent: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"half \"}\n\n" },
        { "/images/generations", "{\"created\":1,\"data\":[{\"b64_json\":\"half \"}]}" },
        { "/audio/transcriptions", "event: transcript.text.delta\ndata: {\"type\":\"transcript.text.delta\",\"delta\":\"half \"}\n\nevent: transcript.text.done\ndata: {\"type\":\"transcript.text.done\",\"text\":\"half \"}\n\n" },
        { "/audio/speech", "data: {\"type\":\"speech.audio.delta\",\"audio\":\"half \"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{}}\n\n" },
        { "/api/chat", "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"half \"},\"done\":false}\n{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":3}\n" },
        { "/api/generate", "{\"model\":\"m\",\"response\":\"half \",\"done\":false}\n{\"model\":\"m\",\"response\":\"\",\"done\":true}\n" },
        // Servers of no known dialect: TGI, Cohere, Dify, and an invented server.
        { "/generate_stream", "data:{\"index\":1,\"token\":{\"id\":1,\"text\":\"half \"},\"generated_text\":null}\n\ndata:{\"index\":2,\"token\":{\"id\":2,\"text\":\"x\"},\"generated_text\":\"half x\"}\n\n" },
        { "/chat", "event: message-start\ndata: {\"type\":\"message-start\"}\n\nevent: content-delta\ndata: {\"type\":\"content-delta\",\"delta\":{\"message\":{\"content\":{\"text\":\"half \"}}}}\n\nevent: message-end\ndata: {\"type\":\"message-end\"}\n\n" },
        { "/chat-messages", "event: ping\n\ndata: {\"event\":\"message\",\"answer\":\"half \"}\n\ndata: {\"event\":\"message_end\"}\n\n" },
        { "/own", "data: half \n\ndata: more\n\n" },
        { "/own", "event: tick\ndata: {\"n\":1,\"s\":\"half \"}\n\n" },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Whole))]
    public async Task A_whole_stream_is_delivered_byte_for_byte_whatever_its_label_and_wherever_it_is_cut_into_packets(string path, string body)
    {
        body = body.Replace("LONG", new string('p', 200_000), StringComparison.Ordinal);
        var bytes = Encoding.UTF8.GetBytes(body);
        byte[][][] packets = [[bytes], [.. bytes.Chunk(Math.Max(1, bytes.Length / 7))], bytes.Length < 2000 ? [.. bytes.Chunk(1)] : [.. bytes.Chunk(999)]];
        string?[] labels = path is "/own" or "/generate_stream" or "/chat" or "/chat-messages" ? ["text/event-stream", "text/plain", null]
            : ["text/event-stream", "application/json", "application/json; charset=utf-8", "text/plain", null, "application/x-ndjson"];
        foreach (var label in labels)
        {
            foreach (var pieces in packets)
            {
                await using var world = new World(new RawAnswer(200, label, pieces));
                (await world.ReadAsync(path)).Should().Be(body, label);
                world.Asked.Should().Be((1, 0));
                world.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
            }
        }
    }

    public static TheoryData<string, string> Nothings() => new()
    {
        { "/responses", "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":N}\n\n" },
        { "/responses", "data: {\"type\":\"session.heartbeat\",\"at\":N}\n\n" },
        { "/chat/completions", "data: {}\n\n" },
        { "/chat/completions", "data: {\"id\":\"\",\"choices\":[],\"created\":0}\n\n" },
        { "/chat/completions", "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":N}\n\n" },
        { "/chat/completions", "data: null\n\n" },
        { "/chat/completions", ": keep-alive\n\n" },
        { "/messages", "event: ping\ndata: {\"type\": \"ping\"}\n\n" },
        { "/messages", "event: thinking_heartbeat\ndata: {\"type\":\"thinking_heartbeat\",\"n\":N}\n\n" },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Nothings))]
    public async Task Keep_alives_and_empty_objects_do_not_hold_a_call_beside_a_well_endpoint(string path, string item)
    {
        var time = new ManualTimeProvider();
        using var left = new CancellationTokenSource();
        byte[][] pieces = [.. Enumerable.Range(0, 5000).Select(i => Encoding.UTF8.GetBytes(item.Replace("N", $"{i}", StringComparison.Ordinal)))];
        await using var world = new World(new RawAnswer(200, "text/event-stream", pieces) { Before = (_, token) => Task.Delay(2, token) }, new EndpointPoolParts { TimeProvider = time });
        var call = world.ReadAsync(path);
        while (!call.IsCompleted)
        {
            if (world.Asked.Well == 0 && world.Asked.First > 0)
                time.Advance(TimeSpan.FromSeconds(0.3));
            await Task.WhenAny(call, Task.Delay(5, Ct));
        }
        (await call).Should().Contain("served");
        time.GetUtcNow().Should().BeBefore(new ManualTimeProvider().GetUtcNow() + TimeSpan.FromSeconds(40), "the limit on the first content bounds them");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("data: [DONE]\n\n")]
    [InlineData("data: {\"code\":500,\"message\":\"x\"}\n\n")]
    [InlineData("data: {\"choices\":[]}\n\ndata: [DONE]\n\n")]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("<html><body>Bad gateway</body></html>")]
    [InlineData("upstream connect error or disconnect")]
    public async Task A_stream_without_an_answer_moves_on(string body)
    {
        foreach (var label in (string?[])["text/event-stream", "application/json", "text/plain", "text/html", null])
        {
            await using var world = new World(new RawAnswer(200, label, body));
            for (var i = 0; i < 3; i++)
                (await world.ReadAsync("/chat/completions")).Should().Contain("served", label);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Text_of_no_framing_passes_as_it_comes_on_a_path_of_no_dialect()
    {
        var goOn = new TaskCompletionSource();
        await using var world = new World(new RawAnswer(200, "text/plain", "Dear reader, "u8.ToArray(), "goodbye."u8.ToArray()) { Before = (_, token) => goOn.Task.WaitAsync(token) });
        using var response = await world.SendAsync("/own");
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        var buffer = new byte[100];
        var count = await body.ReadAsync(buffer, Ct);
        Encoding.UTF8.GetString(buffer, 0, count).Should().Be("Dear reader, ");
        goOn.SetResult();
        using var reader = new StreamReader(body);
        (await reader.ReadToEndAsync(Ct)).Should().Be("goodbye.");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_stream_reader_gets_cannot_be_sought()
    {
        foreach (var label in (string[])["application/json", "text/event-stream"])
        {
            await using var world = new World(new RawAnswer(200, label, "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}"));
            using var response = await world.SendAsync("/chat/completions");
            (await response.Content.ReadAsStreamAsync(Ct)).CanSeek.Should().BeFalse();
        }
    }

    /// <summary>Two endpoints on real sockets, and a pool over them.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly RawServer _first;
        private readonly RawServer _well = new(new RawAnswer(200, "text/event-stream", Well));
        private readonly HttpClient _client;

        public World(RawAnswer answer, EndpointPoolParts? parts = null)
        {
            _first = new RawServer(answer);
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            options.Endpoints.Add(new EndpointOptions { Name = "first", Address = _first.Address.AbsoluteUri });
            options.Endpoints.Add(new EndpointOptions { Name = "well", Address = _well.Address.AbsoluteUri, Tier = 1 });
            Pool = new EndpointPool("p", options, parts);
            _client = Pool.CreateHttpClient();
        }

        public EndpointPool Pool { get; }

        public (int First, int Well) Asked => (_first.Seen.Count, _well.Seen.Count);

        public async Task<HttpResponseMessage> SendAsync(string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path[1..]) { Content = HttpPool.Chat("hi", stream: true) };
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        }

        public async Task<string> ReadAsync(string path)
        {
            using var response = await SendAsync(path);
            return await response.Content.ReadAsStringAsync(Ct);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            _first.Dispose();
            _well.Dispose();
            await Pool.DisposeAsync();
        }
    }
}
