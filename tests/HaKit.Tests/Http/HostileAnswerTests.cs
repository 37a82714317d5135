using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using HaKit.Faults;
using HaKit.Limits;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Http;

/// <summary>Tests, over real sockets, unusual answers, listeners and cancellations.</summary>
public sealed class HostileAnswerTests
{
    private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(0)]
    [InlineData(101)]
    public async Task A_status_that_is_no_answer_moves_on(int status)
    {
        using var odd = new RawServer(new RawAnswer(status, "application/json", "{}") { EndsWithConnection = true });
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        await using var pool = Pool(null, null, odd.Address, well.Address);
        using var client = pool.CreateHttpClient();
        (await AskAsync(client)).Should().Be(Whole);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"error":{"message":"LONG","type":"server_error"}}""")]
    [InlineData("""{"debug":"LONG","error":{"message":"overloaded","type":"server_error","code":500}}""")]
    [InlineData("""{"trace":["LONG"],"error":{"message":"You exceeded","type":"insufficient_quota"}}""")]
    public async Task An_error_of_more_than_64_KB_in_a_200_is_an_error(string body)
    {
        using var odd = new RawServer(new RawAnswer(200, "application/json", body.Replace("LONG", new string('x', 100_000), StringComparison.Ordinal)));
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        await using var pool = Pool(null, null, odd.Address, well.Address);
        using var client = pool.CreateHttpClient();
        (await AskAsync(client)).Should().Be(Whole);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_long_answer_whose_error_is_null_is_served()
    {
        var body = """{"error":null,"choices":[{"index":0,"message":{"role":"assistant","content":"LONG"},"finish_reason":"stop"}]}""".Replace("LONG", new string('x', 100_000), StringComparison.Ordinal);
        using var server = new RawServer(new RawAnswer(200, "application/json", body));
        await using var pool = Pool(null, null, server.Address);
        using var client = pool.CreateHttpClient();
        (await AskAsync(client)).Should().Be(body);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("5000000000", "1")]
    [InlineData("-5", "-9223372036854775808")]
    public async Task A_bogus_usage_uses_up_no_limit(string input, string output)
    {
        var body = Whole[..^1] + ",\"usage\":{\"prompt_tokens\":" + input + ",\"completion_tokens\":" + output + "}}";
        using var server = new RawServer(new RawAnswer(200, "application/json", body));
        await using var pool = Pool(null, o => o.Endpoints[0].Limits = new LimitOptions { TokensPerMinute = 1000 }, server.Address);
        using var client = pool.CreateHttpClient();
        for (var i = 0; i < 10; i++)
            (await AskAsync(client)).Should().Be(body);
    }

    [Fact(Timeout = 60_000)]
    public async Task Listeners_and_logs_that_throw_leak_no_lease_and_fail_no_call()
    {
        using var refusing = new RawServer(new RawAnswer(503, "application/json", "{}"));
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        foreach (var bad in (string[])["started", "stopped", "measured", "logged"])
        {
            await using var pool = Pool(new EndpointPoolParts { LoggerFactory = bad == "logged" ? new Throwing() : null }, null, refusing.Address, well.Address);
            var own = pool;
            using var spans = new ActivityListener
            {
                ShouldListenTo = s => s.Name == "HaKit",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStarted = _ => Throw(bad == "started"),
                ActivityStopped = _ => Throw(bad == "stopped"),
            };
            if (bad is "started" or "stopped")
                ActivitySource.AddActivityListener(spans);
            using var meters = new MeterListener { InstrumentPublished = (i, l) => Enable(i, l) };
            meters.SetMeasurementEventCallback<double>((_, _, _, _) => throw new InvalidOperationException("listener"));
            meters.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("listener"));
            if (bad == "measured")
                meters.Start();
            using var client = pool.CreateHttpClient();
            for (var i = 0; i < 10; i++)
                (await AskAsync(client)).Should().Be(Whole);
            pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        }

        static void Throw(bool it)
        {
            if (it)
                throw new InvalidOperationException("listener");
        }

        static void Enable(Instrument instrument, MeterListener listener)
        {
            if (instrument.Meter.Name == "HaKit")
                listener.EnableMeasurementEvents(instrument);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false, HttpCompletionOption.ResponseContentRead)]
    [InlineData(false, HttpCompletionOption.ResponseHeadersRead)]
    [InlineData(true, HttpCompletionOption.ResponseContentRead)]
    [InlineData(true, HttpCompletionOption.ResponseHeadersRead)]
    public async Task A_call_that_is_cancelled_around_the_answers_arrival_ends_as_cancelled_and_with_nothing_else(bool stream, HttpCompletionOption option)
    {
        const string Chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
        byte[][] pieces = stream ? [.. Enumerable.Repeat(System.Text.Encoding.UTF8.GetBytes(Chunk), 30), "data: [DONE]\n\n"u8.ToArray()] : [System.Text.Encoding.UTF8.GetBytes(Whole)];
        var arrived = new SemaphoreSlim(0);
        using var server = new RawServer(_ =>
        {
            arrived.Release();
            return new RawAnswer(200, stream ? "text/event-stream" : "application/json", pieces);
        });
        await using var pool = Pool(null, null, server.Address);
        using var client = pool.CreateHttpClient();
        var random = new Random(1);
        var others = new List<string>();
        for (var i = 0; i < 300; i++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi", stream) };
            var call = ReadAsync(client, request, option, cancel.Token);
            await arrived.WaitAsync(Ct);
            Thread.SpinWait(random.Next(60_000));
            await cancel.CancelAsync();
            try
            {
                await call;
            }
            catch (OperationCanceledException)
            {
            }
            catch (Exception exception)
            {
                others.Add(exception.ToString());
            }
        }
        others.Should().BeEmpty();
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);

        static async Task<string> ReadAsync(HttpClient client, HttpRequestMessage request, HttpCompletionOption option, CancellationToken token)
        {
            using var response = await client.SendAsync(request, option, token);
            await using var body = await response.Content.ReadAsStreamAsync(token);
            using var reader = new StreamReader(body);
            return await reader.ReadToEndAsync(token);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("text/event-stream")]
    [InlineData("application/octet-stream")]
    public async Task A_stream_that_is_disposed_of_while_it_is_read_ends_the_read_as_cancelled(string type)
    {
        using var server = new RawServer(new RawAnswer(200, type, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"u8.ToArray()) { Announced = 1000 });
        await using var pool = Pool(null, null, server.Address);
        using var client = pool.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi", stream: true) };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var body = await response.Content.ReadAsStreamAsync(Ct);
        (await body.ReadAsync(new byte[1000], Ct)).Should().BePositive();
        using var cancel = new CancellationTokenSource();
        var pending = body.ReadAsync(new byte[1000], cancel.Token);
        response.Dispose();
        await FluentActions.Awaiting(() => pending.AsTask()).Should().ThrowAsync<OperationCanceledException>();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => body.ReadAsync(new byte[1], cancel.Token).AsTask()).Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => body.ReadAsync(new byte[1], Ct).AsTask()).Should().ThrowAsync<OperationCanceledException>("SDKs that are cancelled read on after they have disposed of the answer");
    }

    private static EndpointPool Pool(EndpointPoolParts? parts, Action<EndpointPoolOptions>? configure, params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].AbsoluteUri, Tier = i });
        configure?.Invoke(options);
        return new EndpointPool("p", options, parts);
    }

    private static async Task<string> AskAsync(HttpClient client)
    {
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(Ct);
    }

    private sealed class Throwing : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw new InvalidOperationException("log");
    }
}
