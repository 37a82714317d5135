using HaKit.Failover;
using HaKit.Faults;
using HaKit.Testing;
using Polly;

namespace HaKit.Tests.Http;

/// <summary>Tests the ways in which a silent stream is read and abandoned. Each of them must end, and must release the capacity of the endpoint.</summary>
public sealed class HttpReadingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string> Ways() => ["string", "bytes", "copy", "buffer", "stream", "stream copy", "whole"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_silent_stream_that_is_read_in_any_way_can_be_cancelled(string way)
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.SilentAfter(1));
        using var caller = new CancellationTokenSource();
        var reading = ReadAsync(http.Client, way, caller.Token);
        reading.IsCompleted.Should().BeFalse();
        caller.Cancel();
        await EndsAsync(reading);
        http.InFlight.Should().Be(0);
        http.Open.Should().Be(0);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_silent_stream_over_a_socket_that_is_read_in_any_way_can_be_cancelled(string way)
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        server.Faults.Always(FakeFault.SilentAfter(1));
        await using var pool = Over(server);
        using var client = pool.CreateHttpClient();
        using var caller = new CancellationTokenSource();
        var reading = ReadAsync(client, way, caller.Token);
        while (server.Counts.InFlight == 0 || pool.Explain(RequestProfile.Default)[0].InFlight == 0)
            await Task.Delay(1, Ct);
        caller.Cancel();
        await EndsAsync(reading);
        while (server.Counts.InFlight > 0)
            await Task.Delay(1, Ct);
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposing_of_the_response_ends_a_read_of_it(bool socket)
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.SilentAfter(1));
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Ct);
        server.Faults.Always(FakeFault.SilentAfter(1));
        await using var pool = socket ? Over(server) : http.Pool;
        using var client = socket ? pool.CreateHttpClient() : http.Client;
        foreach (var way in new[] { "string", "copy", "stream" })
        {
            var response = await client.SendAsync(Request(), HttpCompletionOption.ResponseHeadersRead, Ct);
            var reading = way switch
            {
                "string" => response.Content.ReadAsStringAsync(Ct),
                "copy" => response.Content.CopyToAsync(Stream.Null, Ct),
                _ => (await response.Content.ReadAsStreamAsync(Ct)).CopyToAsync(Stream.Null, Ct),
            };
            response.Dispose();
            await reading.WaitAsync(TimeSpan.FromSeconds(20), Ct).Awaiting(r => r).Should().ThrowAsync<Exception>().Where(e => !(e is TimeoutException));
            pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
        }
    }

    [Fact]
    public async Task A_read_that_is_cancelled_as_its_silence_becomes_too_long_ends_as_one_of_the_two()
    {
        for (var i = 0; i < 200; i++)
        {
            await using var http = new HttpPool(1);
            http.Fakes[0].Faults.Always(FakeFault.SilentAfter(1));
            using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
            using var caller = new CancellationTokenSource();
            var reading = response.Content.ReadAsStringAsync(caller.Token);
            using var together = new Barrier(2);
            var cancelling = Task.Run(() =>
            {
                together.SignalAndWait();
                caller.Cancel();
            }, Ct);
            together.SignalAndWait(Ct);
            http.Time.Advance(TimeSpan.FromSeconds(31));
            await cancelling;
            (await reading.WaitAsync(TimeSpan.FromSeconds(20), Ct).Awaiting(r => r).Should().ThrowAsync<Exception>())
                .Which.Should().Match(e => e is OperationCanceledException || e is PartialResponseException || e is HttpRequestException && ((Exception)e).InnerException is PartialResponseException);
            http.InFlight.Should().Be(0);
        }
    }

    [Fact]
    public async Task A_silence_that_is_too_long_is_called_so()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.SilentAfter(1));
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        var reading = (await response.Content.ReadAsStreamAsync(Ct)).CopyToAsync(Stream.Null, Ct);
        http.Time.Advance(TimeSpan.FromSeconds(31));
        (await reading.Awaiting(r => r).Should().ThrowAsync<PartialResponseException>()).Which.Fault.Kind.Should().Be(FaultKind.IdleTimeout);
    }

    [Fact]
    public async Task Disposing_of_the_response_just_as_a_read_begins_ends_the_read()
    {
        var body = new Reentrant();
        await using var http = new HttpPool(1, inner: new Answering(body));
        var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        (await stream.ReadAsync(new byte[100_000], Ct)).Should().BePositive();
        body.OnRead = response.Dispose;
        await stream.ReadAsync(new byte[100], Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Ct).Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
        http.InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData("audio/mpeg", 31)]
    [InlineData("application/x-ndjson", 31)]
    [InlineData("audio/mpeg", null)]
    public async Task A_body_that_is_passed_on_and_falls_silent_ends_with_an_exception_unless_that_is_switched_off(string type, int? after)
    {
        var body = new Reentrant();
        await using var http = new HttpPool(1, o => o.Streaming.IdleTimeout = after is null ? TimeSpan.FromDays(365) : TimeSpan.FromSeconds(30), inner: new Answering(body, type));
        using var response = await http.SendAsync(HttpPool.Chat("hi"));
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        (await stream.ReadAsync(new byte[100_000], Ct)).Should().BePositive();
        http.Time.Advance(TimeSpan.FromHours(1)); // no read is waiting
        var reading = stream.ReadAsync(new byte[100], Ct).AsTask();
        http.Time.Advance(TimeSpan.FromSeconds(29));
        reading.IsCompleted.Should().BeFalse();
        http.Time.Advance(TimeSpan.FromSeconds(after is null ? 100_000 : 2));
        reading.IsCompleted.Should().Be(after is not null);
        if (after is null)
            return;
        var partial = (await reading.Awaiting(r => r).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.Fault.Kind.Should().Be(FaultKind.IdleTimeout);
        partial.Fault.Applied.Should().Be(FaultApplied.Partial);
        await stream.ReadAsync(new byte[100], Ct).AsTask().Awaiting(r => r).Should().ThrowAsync<PartialResponseException>("a second read must not seem to be the end");
        http.InFlight.Should().Be(0);
    }

    [Fact]
    public async Task Reading_a_body_that_is_passed_on_and_is_there_allocates_nothing()
    {
        await using var http = new HttpPool(1, inner: new Answering(new MemoryStream(new byte[1_000_000]), "audio/mpeg"));
        using var response = await http.SendAsync(HttpPool.Chat("hi"));
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        var buffer = new byte[1000];
        var length = 0;
        for (var i = 0; i < 100; i++)
            length += await stream.ReadAsync(buffer, Ct);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            length += await stream.ReadAsync(buffer, Ct);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        allocated.Should().Be(0);
        length.Should().BeGreaterThan(100_000);
    }

    [Theory]
    [InlineData("text/event-stream")]
    [InlineData("audio/mpeg")]
    public async Task A_token_that_a_strategy_of_the_users_lent_to_the_attempt_ends_nothing_of_what_follows(string type)
    {
        using var lent = new CancellationTokenSource();
        await using var http = new HttpPool(1, parts: p => p.ConfigureEndpointPipeline = (builder, _) => builder.AddStrategy(_ => new Lending(lent.Token), new Options()), inner: new Answering(new Cancellable(), type));
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        (await stream.ReadAsync(new byte[100_000], Ct)).Should().BePositive();
        lent.Cancel();
        stream.ReadAsync(new byte[100], Ct).AsTask().IsCompleted.Should().BeFalse();
    }

    private static HttpRequestMessage Request() => new(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi", stream: true) };

    private static async Task ReadAsync(HttpClient client, string way, CancellationToken token)
    {
        using var response = await client.SendAsync(Request(), way == "whole" ? HttpCompletionOption.ResponseContentRead : HttpCompletionOption.ResponseHeadersRead, token);
        await (way switch
        {
            "string" => response.Content.ReadAsStringAsync(token),
            "bytes" => response.Content.ReadAsByteArrayAsync(token),
            "copy" => response.Content.CopyToAsync(Stream.Null, token),
            "buffer" => response.Content.LoadIntoBufferAsync(token),
            "stream" => Drain(await response.Content.ReadAsStreamAsync(token), token),
            _ => (await response.Content.ReadAsStreamAsync(token)).CopyToAsync(Stream.Null, token),
        });
    }

    private static async Task Drain(Stream stream, CancellationToken token)
    {
        var buffer = new byte[100];
        while (await stream.ReadAsync(buffer, token) > 0)
        {
        }
    }

    private static async Task EndsAsync(Task reading) =>
        await reading.WaitAsync(TimeSpan.FromSeconds(5), Ct).Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();

    private static EndpointPool Over(FakeAiServer server)
    {
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = server.OpenAIAddress.ToString() } } };
        options.Heartbeat.Enabled = false;
        return new EndpointPool("socket", options);
    }

    private sealed class Answering(Stream body, string type = "text/event-stream") : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new StreamContent(body) { Headers = { { "Content-Type", type } } } });
    }

    private sealed class Options : ResilienceStrategyOptions;

    /// <summary>Runs the callback with another context and token, as Polly's timeout does.</summary>
    private sealed class Lending(CancellationToken token) : ResilienceStrategy
    {
        protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
        {
            var inner = ResilienceContextPool.Shared.Get(token);
            inner.Properties.Set(EndpointGuardStrategy.LeaseKey, context.Properties.GetValue(EndpointGuardStrategy.LeaseKey, null!));
            inner.Properties.Set(EndpointGuardStrategy.CallContextKey, context.Properties.GetValue(EndpointGuardStrategy.CallContextKey, null!));
            return await callback(inner, state);
        }
    }

    /// <summary>One content, then nothing until the read is cancelled.</summary>
    private sealed class Cancellable() : MemoryStream("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"u8.ToArray())
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position == Length)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            return await base.ReadAsync(buffer, cancellationToken);
        }
    }

    /// <summary>One content, then nothing, even if the read is cancelled.</summary>
    private sealed class Reentrant() : MemoryStream("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n"u8.ToArray())
    {
        public Action? OnRead { get; set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var hasMore = Position < Length;
            OnRead?.Invoke();
            return hasMore ? base.ReadAsync(buffer, cancellationToken) : new(new TaskCompletionSource<int>().Task);
        }
    }
}
