using System.Net;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests, over real sockets, that memory and time depend on the bytes that arrived, never on the announced length. They measure the memory of the whole process, so no other test runs at the same time.</summary>
[Collection(nameof(HostileHttp2Tests))]
public sealed class AnnouncedBodiesTests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData("application/json", 200)]
    [InlineData("application/json", 503)]
    [InlineData("text/event-stream", 200)]
    [InlineData("application/octet-stream", 200)]
    public async Task A_thousand_answers_that_announce_64_MB_and_send_one_byte_hold_less_than_64_MB(string type, int status)
    {
        const int calls = 1000;
        using var server = new RawServer(new RawAnswer(status, type, "{"u8.ToArray()) { Announced = 64 * 1024 * 1024 });
        await using var pool = new EndpointPool("p", Options(null, server.Address));
        using var client = pool.CreateHttpClient();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var asked = Enumerable.Range(0, calls).Select(_ => AskAsync(client, enough.Token)).ToArray();
        while (server.Seen.Count < calls)
            await Task.Delay(10, Ct);
        await Task.Delay(200, Ct); // until the one byte of the last answers has arrived
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.SendDiagnosticMessage($"{status} {type}: {held / 1e6:0.0} MB held for {calls} answers");
        held.Should().BeLessThan(64 * 1024 * 1024);
        await enough.CancelAsync();
        foreach (var call in asked)
            (await Record.ExceptionAsync(() => call))?.Should().Match(e => e is OperationCanceledException || e is EndpointPoolException || e is PartialResponseException);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(401)]
    [InlineData(500)]
    [InlineData(529)]
    public async Task A_refusal_whose_body_does_not_come_is_classified_by_status_and_headers_after_a_second(int status)
    {
        using var refusing = new RawServer(new RawAnswer(status, "application/json", "{"u8.ToArray()) { Announced = 500, Headers = [("Retry-After", "41")] });
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        var time = new ManualTimeProvider();
        await using var pool = new EndpointPool("p", Options(null, refusing.Address, well.Address), new EndpointPoolParts { TimeProvider = time });
        using var client = pool.CreateHttpClient();
        using var request = Request();
        var call = client.SendAsync(request, Ct);
        while (refusing.Seen.IsEmpty)
            await Task.Delay(2, Ct);
        while (!call.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.WhenAny(call, Task.Delay(20, Ct));
        }
        using var response = await call;
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Whole);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        var fault = detail!.Attempts[0].Fault!;
        fault.StatusCode.Should().Be(status);
        fault.RetryAfter.Should().Be(TimeSpan.FromSeconds(41));
    }

    // All statuses and all ways in which a body may not come, at the same time.
    [Fact(Timeout = 120_000)]
    public async Task Whatever_refusal_it_is_a_body_that_does_not_come_delays_the_call_by_a_second_or_two()
    {
        int[] statuses = [300, 302, 307, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 421, 422, 424, 425, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 529, 599];
        string[] kinds = ["nothing", "half a chunk", "drops", "half a compressed block", "labelled as events", "to a stream", "a page", "until the connection ends"];
        var calls = statuses.SelectMany(status => kinds.Select(kind => AskAsync(status, kind)));
        (await Task.WhenAll(calls)).OfType<string>().Should().BeEmpty();
    }

    // Returns a text if the call took too long, or was not served by the second endpoint.
    private static async Task<string?> AskAsync(int status, string kind)
    {
        using var refusing = new RawServer(Refusal(status, kind));
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        await using var pool = new EndpointPool("p", Options(null, refusing.Address, well.Address));
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi", stream: kind == "to a stream") };
        var began = TimeProvider.System.GetTimestamp();
        using var response = await client.SendAsync(request, Ct);
        var took = TimeProvider.System.GetElapsedTime(began);
        return took < TimeSpan.FromSeconds(20) && await response.Content.ReadAsStringAsync(Ct) == Whole && refusing.Seen.Count <= 2
            ? null
            : $"{status} {kind}: {took.TotalSeconds:0.0} s, {(int)response.StatusCode}, {refusing.Seen.Count} requests";
    }

    private static RawAnswer Refusal(int status, string kind)
    {
        var begin = "{\"error\":{\"message\":\""u8.ToArray();
        var answer = kind switch
        {
            "nothing" => new RawAnswer(status, "application/json", Array.Empty<byte>()) { Announced = 500 },
            "half a chunk" or "to a stream" => new RawAnswer(status, "application/json", begin, begin) { Before = static (_, token) => Task.Delay(Timeout.Infinite, token) },
            "drops" => new RawAnswer(status, "application/json", [.. Enumerable.Repeat("x"u8.ToArray(), 200)]) { Before = static (_, token) => Task.Delay(300, token) },
            "half a compressed block" => new RawAnswer(status, "application/json", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]) { Announced = 500, Headers = [("Content-Encoding", "gzip")] },
            "labelled as events" => new RawAnswer(status, "text/event-stream", begin) { Announced = 500 },
            "a page" => new RawAnswer(status, "text/html", "<html>"u8.ToArray()) { Announced = 500 },
            _ => new RawAnswer(status, "application/json", begin, begin) { EndsWithConnection = true, Before = static (_, token) => Task.Delay(Timeout.Infinite, token) },
        };
        return status < 400 ? answer with { Headers = [.. answer.Headers, ("Location", "/v1/other")] } : answer;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_refusal_of_the_request_itself_reaches_the_caller_before_its_body_and_the_body_when_it_comes()
    {
        var goOn = new TaskCompletionSource();
        const string Rest = """{"message":"'messages' is required","type":"invalid_request_error","param":"messages"}}""";
        using var server = new RawServer(new RawAnswer(400, "application/json", "{\"error\":"u8.ToArray(), System.Text.Encoding.UTF8.GetBytes(Rest))
        {
            Before = (_, token) => goOn.Task.WaitAsync(token),
        });
        await using var pool = new EndpointPool("p", Options(null, server.Address));
        using var client = pool.CreateHttpClient();
        using var request = Request();
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        goOn.SetResult();
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be("{\"error\":" + Rest);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_long_answer_is_read_whole()
    {
        var body = "{\"choices\":[{\"text\":\"" + new string('x', 5_000_000) + "\"}]}";
        using var server = new RawServer(new RawAnswer(200, "application/json", body));
        await using var pool = new EndpointPool("p", Options(null, server.Address));
        using var client = pool.CreateHttpClient();
        (await AskAsync(client, Ct)).Should().Be(body);
    }

    private static EndpointPoolOptions Options(Action<EndpointPoolOptions>? configure, params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].AbsoluteUri, Tier = i });
        configure?.Invoke(options);
        return options;
    }

    private static HttpRequestMessage Request() => new(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };

    private static async Task<string> AskAsync(HttpClient client, CancellationToken token)
    {
        using var request = Request();
        // The body is read as a stream. An HttpClient that buffers a body of an unknown kind allocates the announced length, with or without a pool.
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        await using var body = await response.Content.ReadAsStreamAsync(token);
        using var reader = new StreamReader(body);
        return await reader.ReadToEndAsync(token);
    }
}
