using HaKit.Failover;
using HaKit.Testing;
using HaKit.Tests.Http;
using Polly;
using Polly.CircuitBreaker;

namespace HaKit.Tests.Pool;

/// <summary>A pool whose endpoints come from discovery has none at first, and may lose all of them, also while a call runs.</summary>
public sealed class EmptyPoolTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static EndpointPool Empty(EndpointPoolParts? parts = null)
    {
        parts ??= new EndpointPoolParts();
        parts.TimeProvider ??= new ManualTimeProvider();
        return new("empty", new EndpointPoolOptions { AllowEmpty = true, Heartbeat = { Enabled = false } }, parts);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_fails_at_once_and_says_that_there_is_no_endpoint()
    {
        await using var pool = Empty();
        foreach (var profile in new[] { RequestProfile.Default, new RequestProfile { Model = "m", Tools = true }, new RequestProfile { Endpoints = ["a"] }, new RequestProfile { InputTokens = 9_000 } })
        {
            (await FluentActions.Awaiting(async () => await pool.ExecuteAsync(profile, 0, static (_, _, _) => new ValueTask<int>(1), Ct)).Should().ThrowAsync<NoEndpointAvailableException>())
                .WithMessage("*the pool has no endpoint. Add one, or wait until one is found.*");
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Each_question_has_an_answer()
    {
        await using var pool = Empty();
        pool.Endpoints.Should().BeEmpty();
        pool.GetStatus().Endpoints.Should().BeEmpty();
        pool.GetStatus().ToString().Should().NotBeNull();
        pool.Explain(RequestProfile.Default).Should().BeEmpty();
        pool.Explain().Should().Be("Pool empty has no endpoint.");
        pool.MeasureLoad().Should().NotBeNull();
        pool.GetAvailabilityReport().Should().NotBeNull();
        pool.GetRedundancy(new PoolDemand(60, 100)).Should().NotBeNull();
        pool.GetFleetStatus().Should().NotBeNull();
        await pool.Awaiting(p => p.PromoteAsync(0).AsTask()).Should().ThrowAsync<ArgumentException>("no endpoint is in the tier");
        await pool.FailBackAsync();
        (await pool.WarmUpAsync(Ct)).Should().BeFalse("the pool shares no facts");
        pool.RemoveEndpoint("a").Should().BeFalse();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_exception_of_the_caller_s_own_strategy_stays_what_it_is()
    {
        await using var pool = Empty(new() { ConfigurePipeline = static p => p.AddCircuitBreaker(new CircuitBreakerStrategyOptions { MinimumThroughput = 2, FailureRatio = 0.5 }) });
        for (var i = 0; i < 2; i++)
            await FluentActions.Awaiting(() => CallAsync(pool)).Should().ThrowAsync<NoEndpointAvailableException>();
        await FluentActions.Awaiting(() => CallAsync(pool)).Should().ThrowAsync<BrokenCircuitException>();

        static async Task CallAsync(EndpointPool pool) => await pool.ExecuteAsync(RequestProfile.Default, 0, static (_, _, _) => new ValueTask<int>(1), Ct);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_whose_endpoint_is_removed_ends_as_the_endpoint_says(bool isStream)
    {
        HttpPool? itself = null;
        await using var http = itself = new HttpPool(1, o => o.AllowEmpty = true, inner: new Remover(() => itself!));
        using var response = await http.SendAsync(HttpPool.Chat("hi", isStream));
        ((int)response.StatusCode).Should().Be(400);
        http.Pool.GetAvailabilityReport().Should().NotBeNull();
        http.InFlight.Should().Be(0);

        var options = new EndpointPoolOptions { AllowEmpty = true, Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new() { Name = "a", Address = "http://127.0.0.1:9/v1" });
        await using var pool = new EndpointPool("one", options, new EndpointPoolParts { TimeProvider = new ManualTimeProvider() });
        await FluentActions.Awaiting(async () => await pool.ExecuteAsync(RequestProfile.Default, pool, static (_, p, _) =>
        {
            p.RemoveEndpoint("a");
            return ValueTask.FromException<int>(new HttpRequestException("bad", null, System.Net.HttpStatusCode.BadRequest));
        }, Ct)).Should().ThrowAsync<HttpRequestException>();
    }

    private sealed class Remover(Func<HttpPool> pool) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            pool().Pool.RemoveEndpoint("a");
            return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.BadRequest) { Content = new StringContent("""{"error":{"message":"no","type":"invalid_request_error"}}""") });
        }
    }
}
