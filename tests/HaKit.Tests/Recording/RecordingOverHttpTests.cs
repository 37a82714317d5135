using System.Text;
using HaKit.Faults;
using HaKit.Recording;
using HaKit.Tests.Http;

namespace HaKit.Tests.Recording;

/// <summary>Tests, over real sockets, that nothing of what is sent in either direction gets into a recording, even if calls fail.</summary>
public sealed class RecordingOverHttpTests : IDisposable
{
    private const string Planted = "planted";
    private const string Quoting = """{"error":{"message":"Incorrect API key: sk-planted. You asked: a planted prompt","type":"planted_type","code":"planted_code","param":"planted"}}""";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly (string Name, string Value)[] s_headers = [("x-request-id", "planted-request"), ("Set-Cookie", "planted=planted"), ("x-planted", "planted")];

    private readonly string _folder = Directory.CreateTempSubdirectory("hakit-recording-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task No_prompt_answer_key_or_caller_is_in_a_recording_made_over_HTTP()
    {
        var isIll = new RawAnswer(500, "application/json", Quoting);
        using var ill = new RawServer(_ => isIll);
        using var well = new RawServer(AnswerTo);
        using var alsoIll = new RawServer(new RawAnswer(503, "application/json", Quoting));
        foreach (var answer in Ills())
        {
            isIll = answer;
            foreach (var path in (string[])["chat/completions", "responses", "messages"])
            {
                await RecordAsync(ill.Address, well.Address, path, stream: false, TimeSpan.FromSeconds(20));
                await RecordAsync(ill.Address, well.Address, path, stream: true, TimeSpan.FromSeconds(20));
            }
        }
        isIll = new RawAnswer(500, "application/json", Quoting);
        await RecordAsync(ill.Address, alsoIll.Address, "chat/completions", stream: false, TimeSpan.FromSeconds(0.5));
        await RecordAsync(ill.Address, alsoIll.Address, "chat/completions", stream: true, TimeSpan.FromSeconds(0.5));

        well.Seen.Should().Contain(r => r.Body.Contains("a planted prompt", StringComparison.Ordinal), "the prompts went over the wire");
        ill.Seen.Should().Contain(r => r.Target.Contains("key=planted", StringComparison.Ordinal), "the keys went over the wire");
        var events = FlightRecording.Read(_folder).Events;
        events.OfType<RecordedCall>().Should().Contain(c => c.Outcome == RecordedOutcome.Served && c.IsStream).And.Contain(c => c.Outcome == RecordedOutcome.Served && !c.IsStream)
            .And.Contain(c => c.Outcome == RecordedOutcome.Failed);
        events.OfType<RecordedAttempt>().Select(a => a.Fault?.StatusCode).Should().Contain([401, 402, 404, 429, 500, 503]);
        events.OfType<RecordedAttempt>().Should().Contain(a => a.OutputTokens == 7, "the answers were read");
        var text = RecordingText.Of(_folder);
        text.Contains("ill-endpoint", StringComparison.Ordinal).Should().BeTrue("the scan sees the names of the configuration");
        text.Contains(Planted, StringComparison.OrdinalIgnoreCase).Should().BeFalse();
    }

    // Each call gets a new pool, which knows nothing about the endpoint yet and tries it first.
    private async Task RecordAsync(Uri first, Uri second, string path, bool stream, TimeSpan deadline)
    {
        var parts = new EndpointPoolParts().UseFlightRecorder(new FlightRecorderOptions { Folder = _folder, Capacity = 64 });
        await using var pool = new EndpointPool("chat", Options(first, second), parts);
        using var client = pool.CreateHttpClient();
        await AskAsync(client, path, stream, deadline);
    }

    private static EndpointPoolOptions Options(Uri first, Uri second)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions
        {
            Name = "ill-endpoint",
            Address = new UriBuilder(first) { UserName = Planted, Password = Planted, Query = "key=planted" }.Uri.AbsoluteUri,
            Headers = { ["x-planted"] = "hdr-planted" },
        });
        options.Endpoints.Add(new EndpointOptions { Name = "standby", Address = second.AbsoluteUri, Tier = 1, Credential = "sk-planted" });
        return options;
    }

    private static IEnumerable<RawAnswer> Ills()
    {
        foreach (var status in (int[])[400, 401, 402, 403, 404, 422, 429, 500, 503, 529, 200])
            yield return new RawAnswer(status, "application/json", Quoting) { Headers = s_headers };
        yield return new RawAnswer(503, "text/html", "<html>a planted prompt, sk-planted</html>") { Headers = s_headers };
        yield return new RawAnswer(200, "text/event-stream", Piece("a planted ans"), Utf8($"data: {Quoting}\n\n")) { Headers = s_headers };
        yield return new RawAnswer(200, "text/event-stream", Piece("a planted ans"), Piece("wer")) { Headers = s_headers, IsCut = true };
        yield return new RawAnswer(200, "application/json", """{"choices":[{"index":0,"message":{"role":"assistant","content":"a planted ans""") { EndsWithConnection = true };
    }

    private static RawAnswer AnswerTo(RawRequest request)
    {
        const string usage = "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"input_tokens\":11,\"output_tokens\":7}";
        if (request.Body.Contains("\"stream\":true", StringComparison.Ordinal) && request.Target.Contains("chat", StringComparison.Ordinal))
            return new RawAnswer(200, "text/event-stream", Piece("a planted answer"), Utf8("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]," + usage + "}\n\n"), Utf8("data: [DONE]\n\n")) { Headers = s_headers };
        var body = $$"""
            {"id":"planted-id","model":"planted-model","system_fingerprint":"planted","status":"completed","type":"message","stop_reason":"end_turn",
            "choices":[{"index":0,"message":{"role":"assistant","content":"a planted answer"},"finish_reason":"stop"}],
            "output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a planted answer"}]}],"content":[{"type":"text","text":"a planted answer"}],{{usage}}}
            """;
        return new RawAnswer(200, "application/json", body) { Headers = s_headers };
    }

    private static byte[] Piece(string text) => Utf8($$$"""data: {"id":"planted-id","model":"planted-model","choices":[{"index":0,"delta":{"content":"{{{text}}}"}}]}""" + "\n\n");

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    // Failed calls are in the recording too.
    private static async Task AskAsync(HttpClient client, string path, bool stream, TimeSpan deadline)
    {
        const string more = ""","user":"planted-user","prompt_cache_key":"planted-cache","input":"a planted prompt","metadata":{"planted":"planted"}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = HttpPool.Chat("a planted prompt", stream, "planted-model", more) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk-planted-caller");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "planted-idempotency");
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = "planted-caller", Deadline = deadline });
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            _ = await response.Content.ReadAsStringAsync(Ct);
        }
        catch (Exception failure) when (failure is EndpointPoolException or HttpRequestException or IOException or TimeoutException)
        {
        }
    }
}
