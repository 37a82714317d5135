using System.Net;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

/// <summary>Tests calls over a real nginx: TLS, chunked and cut answers, and its own error pages.</summary>
public sealed class NginxTests : IClassFixture<Nginx>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly Nginx _nginx;

    public NginxTests(Nginx nginx)
    {
        Assert.SkipWhen(Nginx.Path is null, "nginx is not installed.");
        _nginx = nginx;
        nginx.Behind.Faults.Clear();
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_the_endpoints_fault_and_never_ignored()
    {
        await using var other = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var pool = Over(_nginx.Secure, other.OpenAIAddress);
        using var client = pool.CreateHttpClient();
        var before = _nginx.Behind.Counts.Received;
        using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Contain(FakeAnswers.AnswerTo("hi"));
        response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts.Select(a => a.Fault?.Kind).Should().Equal(FaultKind.TlsFailed, null);
        detail.Attempts[0].Fault!.Applied.Should().Be(FaultApplied.NotSent);
        _nginx.Behind.Counts.Received.Should().Be(before);
    }

    [Fact]
    public async Task With_no_other_endpoint_the_exception_says_that_TLS_failed()
    {
        await using var pool = Over(_nginx.Secure);
        using var client = pool.CreateHttpClient();
        var refused = (await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct).Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which;
        refused.Attempts.Should().OnlyContain(a => a.Fault!.Kind == FaultKind.TlsFailed);
    }

    [Theory]
    [InlineData("1.1", false)]
    [InlineData("1.1", true)]
    [InlineData("2.0", false)]
    [InlineData("2.0", true)]
    public async Task Over_a_trusted_TLS_answers_are_whole_and_streams_the_bytes_that_came(string version, bool stream)
    {
        await using var pool = Over(_nginx.Secure);
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = _nginx.Trusting() }) { BaseAddress = pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
        {
            Content = HttpPool.Chat("hi", stream),
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        response.Version.Should().Be(Version.Parse(version));
        var text = await response.Content.ReadAsStringAsync(Ct);
        (stream ? HttpPool.TextOf(text) : text).Should().Contain(FakeAnswers.AnswerTo("hi"));
        pool.Explain(RequestProfile.Default)[0].InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_chunked_stream_that_the_proxy_cuts_is_never_whole(string version)
    {
        await using var pool = Over(_nginx.Secure);
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = _nginx.Trusting() }) { BaseAddress = pool.BaseAddress(), Timeout = Timeout.InfiniteTimeSpan };
        foreach (var fault in (FakeFault[])[FakeFault.CutAfter(3), FakeFault.EndAfter(3), FakeFault.SilentAfter(3)]) // with SilentAfter, the timeout of the proxy passes
        {
            _nginx.Behind.Faults.Clear();
            _nginx.Behind.Faults.Always(fault);
            var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
            {
                Content = HttpPool.Chat("hi", stream: true),
                Version = Version.Parse(version),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            var cut = (await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, Ct).Awaiting(r => r).Should().ThrowAsync<EndpointPoolException>()).Which;
            // A reset of an HTTP/2 stream may overtake what was sent before it.
            cut.Should().Match(e => e is PartialResponseException && ((PartialResponseException)e).DeliveredItems <= 3 || e is NoEndpointAvailableException);
            if (version == "1.1")
                cut.Should().BeOfType<PartialResponseException>();
        }
    }

    [Theory]
    [InlineData("truncated", FaultKind.BrokenBody)]
    [InlineData("cut", null)]
    [InlineData("dead", FaultKind.ServerError)]
    [InlineData("slow", null)]
    public async Task A_truncated_reply_or_the_proxys_own_error_page_fails_over(string trouble, FaultKind? kind)
    {
        await using var other = await FakeAiServer.StartAsync(cancellationToken: Ct);
        await using var pool = Over(_nginx.Plain, other.OpenAIAddress);
        using var client = pool.CreateHttpClient();
        if (trouble == "dead")
            await _nginx.Behind.StopAsync();
        else
            _nginx.Behind.Faults.Always(trouble == "truncated" ? FakeFault.TruncatedBody : trouble == "cut" ? FakeFault.CutAfter(3) : FakeFault.Hang);
        try
        {
            using var response = await client.PostAsync("chat/completions", HttpPool.Chat("hi"), Ct);
            (await response.Content.ReadAsStringAsync(Ct)).Should().Contain(FakeAnswers.AnswerTo("hi"));
            response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
            detail!.Attempts.Should().HaveCount(2);
            detail.Attempts[0].Fault.Should().NotBeNull();
            if (kind is not null)
                detail.Attempts[0].Fault!.Kind.Should().Be(kind);
            if (trouble is "dead" or "slow")
                detail.Attempts[0].Fault!.StatusCode.Should().Be(trouble == "dead" ? (int)HttpStatusCode.BadGateway : (int)HttpStatusCode.GatewayTimeout);
        }
        finally
        {
            await _nginx.Behind.RestartAsync(Ct);
        }
    }

    private static EndpointPool Over(params Uri[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(20) }, Retry = { MaxRetryAttempts = 1, MaxAttemptsPerEndpoint = 1 } };
        options.Heartbeat.Enabled = false;
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i].ToString(), Tier = i });
        return new EndpointPool("nginx", options);
    }
}
