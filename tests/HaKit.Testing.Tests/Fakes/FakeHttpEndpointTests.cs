using System.Net;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>Tests behaviour that only virtual time and memory can show.</summary>
public sealed class FakeHttpEndpointTests
{
    private readonly ManualTimeProvider _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_latency_is_exact_and_no_work_leaves_the_thread()
    {
        _clock.ConfineToCurrentThread();
        using var endpoint = new FakeHttpEndpoint(new() { Time = _clock });
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(FakeFault.Latency(Ms(500), Ms(2000), Ms(20)));
        var threads = new HashSet<int>();
        TimeSpan headers = default;

        var stream = _clock.Run(async () =>
        {
            var response = await BareClient.PostAsync(client, "p", stream: true, maxTokens: 11);
            headers = _clock.Elapsed;
            threads.Add(Environment.CurrentManagedThreadId);
            var read = await BareClient.ReadAsync(response);
            threads.Add(Environment.CurrentManagedThreadId);
            return read;
        });

        headers.Should().Be(Ms(500));
        _clock.Elapsed.Should().Be(Ms(500 + 2000 + 10 * 20));
        string.Concat(stream.Contents).Should().Be(FakeAnswers.AnswerTo("p", 11));
        threads.Should().Equal(Environment.CurrentManagedThreadId);
        _clock.ArmedTimers.Should().Be(0);
    }

    [Fact]
    public void A_slow_reader_finds_what_a_sockets_buffer_would_hold()
    {
        using var endpoint = new FakeHttpEndpoint(new() { Time = _clock });
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(FakeFault.Latency(perToken: Ms(10)));
        var response = _clock.RunUntil(BareClient.PostAsync(client, "p", stream: true, maxTokens: 100));

        _clock.Advance(TimeSpan.FromSeconds(5));
        var read = BareClient.ReadAsync(response);

        read.IsCompletedSuccessfully.Should().BeTrue("all of it was due long ago");
        _clock.Elapsed.Should().Be(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_cancelled_read_loses_nothing()
    {
        using var endpoint = new FakeHttpEndpoint(new() { Time = _clock });
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(FakeFault.Latency(toFirstToken: Ms(100), perToken: Ms(10)));
        var response = _clock.RunUntil(BareClient.PostAsync(client, "p", stream: true, maxTokens: 5));
        using var body = _clock.RunUntil(response.Content.ReadAsStreamAsync(Token));
        var buffer = new byte[4096];
        var text = "";
        text += Read(CancellationToken.None);
        using var impatient = new CancellationTokenSource(Ms(50), _clock);

        FluentActions.Invoking(() => Read(impatient.Token)).Should().Throw<OperationCanceledException>();
        _clock.Elapsed.Should().Be(Ms(50));
        while (!text.EndsWith("[DONE]\n\n", StringComparison.Ordinal))
            text += Read(CancellationToken.None);

        text.Split("\"content\":\"").Should().HaveCount(1 + 1 + 5, "the opening and five contents");
        endpoint.Counts.AnsweredWhole.Should().Be(1, "its last byte was read");

        string Read(CancellationToken token) => System.Text.Encoding.UTF8.GetString(buffer, 0, _clock.RunUntil(body.ReadAsync(buffer, token)));
    }

    [Fact]
    public void A_hang_lasts_until_the_callers_own_deadline()
    {
        using var endpoint = new FakeHttpEndpoint(new() { Time = _clock });
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(FakeFault.Hang);
        using var deadline = new CancellationTokenSource(TimeSpan.FromHours(3), _clock);

        var call = () => _clock.RunUntil(BareClient.PostUntilAsync(client, BareClient.Ask("p", stream: false), deadline.Token));

        call.Should().Throw<OperationCanceledException>();
        _clock.Elapsed.Should().Be(TimeSpan.FromHours(3));
        endpoint.Counts.Should().Match<FakeCounts>(c => c.Failed == 1 && c.InFlight == 0);
    }

    [Fact]
    public async Task Content_that_can_be_read_once_is_consumed_as_by_a_socket()
    {
        using var endpoint = new FakeHttpEndpoint();
        using var invoker = new HttpMessageInvoker(endpoint);
        using var once = new HttpRequestMessage(HttpMethod.Post, "http://a.test/v1/files") { Content = new StreamContent(new ForwardOnly()) };

        await invoker.SendAsync(once, Token);

        await invoker.Invoking(i => i.SendAsync(once, Token)).Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact]
    public async Task A_network_sends_each_origin_to_its_own_endpoint()
    {
        using var east = new FakeHttpEndpoint(new() { Name = "east" });
        using var west = new FakeHttpEndpoint(new() { Name = "west" });
        using var client = new HttpClient(new FakeHttpNetwork().Add(new("https://east.test/v1"), east).Add(new("http://west.test:8000"), west));

        (await NameAt("https://EAST.test/health")).Should().Be("east");
        (await NameAt("http://west.test:8000/base/health")).Should().Be("west");
        (await client.Invoking(_ => NameAt("http://west.test/health")).Should().ThrowAsync<HttpRequestException>())
            .Which.HttpRequestError.Should().Be(HttpRequestError.NameResolutionError);

        async Task<string> NameAt(string address) => (await client.GetAsync(new Uri(address), Token)).Headers.GetValues("x-fake-endpoint").Single();
    }

    [Fact]
    public async Task A_status_keeps_its_reply_after_disposal_of_the_request()
    {
        using var endpoint = new FakeHttpEndpoint();
        using var client = endpoint.CreateClient();
        endpoint.Faults.Always(FakeFault.Status(503, "busy"));
        HttpResponseMessage response;
        using (var ask = BareClient.Ask("p", stream: false, path: "chat/completions"))
            response = await client.SendAsync(ask, Token);

        response.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync(Token)).Should().Be("busy");
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private sealed class ForwardOnly() : MemoryStream([1, 2, 3])
    {
        public override bool CanSeek => false;
    }
}
