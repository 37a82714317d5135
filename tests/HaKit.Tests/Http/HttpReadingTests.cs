using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Ways in which a silent stream is read and left. Every one of them must end, and give the place on the endpoint back.</summary>
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
        http.Pool.Explain(RequestProfile.Default)[0].HeldBackBy.Should().BeNull();
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
        await stream.ReadAsync(new byte[100], Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Ct).Awaiting(r => r).Should().ThrowAsync<ObjectDisposedException>();
        http.InFlight.Should().Be(0);
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

    private sealed class Answering(Stream body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = new StreamContent(body) { Headers = { { "Content-Type", "text/event-stream" } } } });
    }

    /// <summary>One content, then nothing, whatever happens.</summary>
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
