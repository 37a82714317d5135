using System.Text;
using HaKit.Health;

namespace HaKit.Tests.Http;

/// <summary>
/// Runs two endpoints on real sockets that share a key and an account, and a pool over them. The second endpoint is in the next tier. Unless a test says
/// otherwise, both answer successfully.
/// </summary>
internal sealed class WirePair : IAsyncDisposable
{
    private const string Chunk = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":";
    private readonly HttpClient _client;
    private readonly WireInput _asked;

    public WirePair(WireInput asked, Func<RawRequest, RawAnswer?> first, bool isOfBoth = false, TimeProvider? time = null, bool isAlone = false, Action<EndpointPoolOptions>? configure = null, EndpointPoolParts? parts = null)
    {
        _asked = asked;
        First = new RawServer(r => first(r) ?? Well(r));
        Second = new RawServer(r => (isOfBoth ? first(r) : null) ?? Well(r));
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var (i, server) in new[] { First, Second }.Take(isAlone ? 1 : 2).Index())
        {
            var dialect = asked.Settings.TryGetValue("dialect", out var declared) ? Enum.Parse<WireDialect>(declared) : WireDialect.Unknown;
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = server.Address.AbsoluteUri, Tier = i, Account = "account", KeyName = "key", Dialect = dialect });
        }
        configure?.Invoke(options);
        parts ??= new EndpointPoolParts();
        if (time is not null)
            parts.TimeProvider = time;
        Pool = new EndpointPool("pair", options, parts);
        _client = Pool.CreateHttpClient();
        _client.Timeout = Timeout.InfiniteTimeSpan;
    }

    public RawServer First { get; }

    public RawServer Second { get; }

    public EndpointPool Pool { get; }

    public IReadOnlyList<HealthState> Health => [.. Pool.Explain(RequestProfile.Default).Select(e => e.Health)];

    public (int First, int Second) Asked => (First.Seen.Count, Second.Seen.Count);

    public async Task<HttpResponseMessage> SendAsync(string prompt, CancellationToken token, string? credential = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _asked.Path[1..]) { Content = HttpPool.Chat(prompt, _asked.IsStream) };
        if (credential is not null)
            request.Headers.TryAddWithoutValidation("Authorization", credential);
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
    }

    public async Task<(int Status, string Text)> AskAsync(string prompt = "hi", string? credential = null)
    {
        var token = TestContext.Current.CancellationToken;
        using var response = await SendAsync(prompt, token, credential);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(token));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Pool.DisposeAsync();
        First.Dispose();
        Second.Dispose();
    }

    /// <summary>Gets a good answer in the format of the requested path.</summary>
    public static RawAnswer Well(RawRequest request)
    {
        var isStream = request.Body.Contains("\"stream\":true", StringComparison.Ordinal) || request.Target.Contains("stream", StringComparison.Ordinal);
        var (events, whole) = request.Target switch
        {
            var t when t.Contains("/responses", StringComparison.Ordinal) => (
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"sequence_number\":1,\"delta\":\"served\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[]}}\n\n",
                """{"id":"r","object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"served"}]}]}"""),
            var t when t.Contains("enerateContent", StringComparison.Ordinal) => (
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"served\"}]},\"finishReason\":\"STOP\"}]}\n\n", """{"candidates":[{"content":{"parts":[{"text":"served"}]},"finishReason":"STOP"}]}"""),
            var t when t.Contains("/messages", StringComparison.Ordinal) => (
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"served\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                """{"content":[{"type":"text","text":"served"}],"stop_reason":"end_turn"}"""),
            var t when t.Contains("/api/chat", StringComparison.Ordinal) => (
                "{\"message\":{\"role\":\"assistant\",\"content\":\"served\"},\"done\":false}\n{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n", """{"message":{"role":"assistant","content":"served"},"done":true}"""),
            _ => (Chunk + "{\"role\":\"assistant\",\"content\":\"served\"},\"finish_reason\":null}]}\n\n" + Chunk + "{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
                """{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}"""),
        };
        return isStream ? new RawAnswer(200, "text/event-stream", Encoding.UTF8.GetBytes(events)) : new RawAnswer(200, "application/json", Encoding.UTF8.GetBytes(whole));
    }
}
