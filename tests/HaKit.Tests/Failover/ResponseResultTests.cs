using System.Net;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>A callback that returns an HTTP response does not have to report a fault: the pool treats a failing status as a failure.</summary>
public sealed class ResponseResultTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _asked = [];
    private readonly List<Response> _made = [];

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(529)]
    [InlineData(429)]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(408)]
    public async Task A_failing_status_moves_on_and_its_response_is_disposed_of(int status)
    {
        await using var pool = Pool();
        var response = await Call(pool, endpoint => new Response(endpoint == "a" ? status : 200));

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        _asked.Should().Equal("a", "b");
        _made[0].IsDisposed.Should().BeTrue();
        pool.GetStatus().Endpoints[0].Faults.Should().Be(1);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(422)]
    public async Task A_refusal_of_the_request_itself_comes_back_whole(int status)
    {
        await using var pool = Pool();
        const string body = """{"error":{"message":"Invalid value for temperature","type":"invalid_request_error","param":"temperature"}}""";
        var response = await Call(pool, _ => new Response(status, body));

        ((int)response.StatusCode).Should().Be(status);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Should().Be(body);
        _asked.Should().Equal("a");
        pool.GetStatus().Endpoints[0].Faults.Should().Be(0);
    }

    [Fact]
    public async Task What_is_not_there_is_not_there_for_a_request_that_creates_nothing()
    {
        await using var pool = Pool();
        var response = await Call(pool, _ => new Response(404) { RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://a.test/files/1") });

        response.StatusCode.Should().Be(HttpStatusCode.NotFound);
        _asked.Should().Equal("a");
    }

    [Theory]
    [InlineData(200)]
    [InlineData(204)]
    [InlineData(304)]
    [InlineData(302)]
    public async Task Any_other_status_is_the_applications_to_read(int status)
    {
        await using var pool = Pool();
        ((int)(await Call(pool, _ => new Response(status))).StatusCode).Should().Be(status);
        _asked.Should().Equal("a");
    }

    [Fact]
    public async Task The_words_of_a_refusal_and_its_Retry_After_count()
    {
        await using var pool = Pool();
        await Call(pool, endpoint => endpoint == "a" ? new Response(429) { Headers = { RetryAfter = new(TimeSpan.FromSeconds(20)) } } : new Response(200));
        pool.GetStatus().Endpoints[0].Health.CooldownUntil.Should().BeCloseTo(pool.GetStatus().Now + TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1));

        await using var other = Pool();
        await Call(other, endpoint => endpoint == "a" ? new Response(429, """{"error":{"code":"insufficient_quota","message":"no credit"}}""") : new Response(200));
        other.GetStatus().Endpoints[0].Health.CooldownCause!.Kind.Should().Be(FaultKind.QuotaExhausted);
    }

    [Fact]
    public void A_body_that_never_comes_holds_the_call_for_a_second_at_most()
    {
        using var pool = Pool();
        var began = _time.GetTimestamp();
        var served = _time.Run(async () => await Call(pool, endpoint => endpoint == "a" ? new Response(503) { Content = new Never() } : new Response(200)).ConfigureAwait(false), TimeSpan.FromSeconds(5));

        served.StatusCode.Should().Be(HttpStatusCode.OK);
        _time.GetElapsedTime(began).Should().BeLessThanOrEqualTo(TimeSpan.FromSeconds(1.1));
    }

    [Fact]
    public async Task What_the_callback_itself_reports_stands()
    {
        await using var pool = Pool();
        var response = await pool.ExecuteAsync(this, static (attempt, test, _) =>
        {
            test._asked.Add(attempt.Endpoint.Name);
            attempt.ReportFault(new Fault(FaultKind.ContentFilter));
            return ValueTask.FromResult<HttpResponseMessage>(new Response(503));
        }, TestContext.Current.CancellationToken);

        response.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        _asked.Should().Equal("a");
    }

    [Fact]
    public async Task With_detail_and_without_state_it_is_the_same()
    {
        await using var pool = Pool();
        var served = await pool.ExecuteWithDetailAsync(
            RequestProfile.Default, (attempt, _) => ValueTask.FromResult<HttpResponseMessage>(new Response(attempt.Endpoint.Name == "a" ? 503 : 200)), TestContext.Current.CancellationToken);
        served.Detail.Endpoint.Should().Be("b");

        var plain = await pool.ExecuteAsync((attempt, _) => ValueTask.FromResult<HttpResponseMessage>(new Response(attempt.Endpoint.Name == "a" ? 503 : 200)), TestContext.Current.CancellationToken);
        plain.StatusCode.Should().Be(HttpStatusCode.OK);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_details_of_a_refused_call_name_the_endpoint_whose_refusal_the_caller_gets()
    {
        await using var pool = Pool();
        var (refusal, detail) = await pool.ExecuteWithDetailAsync(new RequestProfile { Request = RequestKind.CreatesAnswer },
            (attempt, _) => ValueTask.FromResult<HttpResponseMessage>(new Response(404) { Headers = { { "endpoint", attempt.Endpoint.Name } } }), TestContext.Current.CancellationToken);
        detail.AttemptCount.Should().BeGreaterThan(1, "other endpoints are asked for their opinion");
        refusal.Headers.GetValues("endpoint").Should().Equal(detail.Endpoint);
    }

    [Fact]
    public void Where_every_endpoint_answers_503_no_response_is_served()
    {
        using var pool = Pool();
        var call = () => _time.Run(async () => await Call(pool, _ => new Response(503), TimeSpan.FromSeconds(2)).ConfigureAwait(false), TimeSpan.FromSeconds(10));

        call.Should().Throw<EndpointPoolException>();
        _made.Should().OnlyContain(response => response.IsDisposed);
    }

    private EndpointPool Pool()
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "https://a.test/v1" });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Address = "https://b.test/v1", Tier = 1 });
        return new EndpointPool("p", options, new EndpointPoolParts { TimeProvider = _time });
    }

    private async Task<HttpResponseMessage> Call(EndpointPool pool, Func<string, Response> answer, TimeSpan? deadline = null) =>
        await pool.ExecuteAsync(new RequestProfile { Deadline = deadline }, (this, answer), static async (attempt, s, _) =>
        {
            var (test, answer) = s;
            test._asked.Add(attempt.Endpoint.Name);
            var response = answer(attempt.Endpoint.Name);
            test._made.Add(response);
            await Task.CompletedTask.ConfigureAwait(false);
            return (HttpResponseMessage)response;
        }, TestContext.Current.CancellationToken).ConfigureAwait(false);

    private sealed class Response : HttpResponseMessage
    {
        public Response(int status, string? body = null)
        {
            StatusCode = (HttpStatusCode)status;
            if (body is not null)
                Content = new StringContent(body);
        }

        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }

    private sealed class Never : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => new TaskCompletionSource().Task;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
