using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests a pool that serves as an endpoint of another pool: what the exceptions of the inner pool mean to the outer pool.</summary>
public sealed class NestedPoolTests : StreamBench
{
    private readonly List<string> _asked = [];

    [Theory]
    [InlineData(1, FaultApplied.Ambiguous)]
    [InlineData(0, FaultApplied.Rejected)]
    public void A_pool_that_was_out_of_time_may_have_processed_the_request_if_an_attempt_of_it_may_have(int perhapsBilled, FaultApplied applied) =>
        OwnFaults.In(new DeadlineExceededException("p", TimeSpan.FromSeconds(9), [], null, null) { PerhapsBilled = perhapsBilled })!.Applied.Should().Be(applied);

    [Fact(Timeout = 60_000)]
    public async Task A_request_that_must_not_be_repeated_goes_to_no_other_endpoint_after_the_deadline_of_an_inner_pool()
    {
        await using var inner = Pool(1, static o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20));
        await using var outer = Pool(2);
        var profile = new RequestProfile { MayRepeat = false };
        var call = AskAsync(outer, inner, profile, profile, async static token => await new TaskCompletionSource<string>().Task.WaitAsync(token));
        Time.Advance(TimeSpan.FromSeconds(21));
        var thrown = await call.Awaiting(static c => c).Should().ThrowAsync<DeadlineExceededException>();
        thrown.Which.PerhapsBilled.Should().Be(1);
        _asked.Should().Equal("a");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_an_inner_pool_may_have_had_billed_counts_for_the_outer_call()
    {
        await using var inner = Pool(1, static o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20));
        await using var outer = Pool(2);
        var call = AskAsync(outer, inner, RequestProfile.Default, RequestProfile.Default, async static token => await new TaskCompletionSource<string>().Task.WaitAsync(token));
        Time.Advance(TimeSpan.FromSeconds(21));
        var detail = (await call).Detail;
        (detail.Endpoint, detail.PerhapsBilled).Should().Be(("b", 1));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_does_not_wait_for_an_inner_pool_that_waiting_does_not_help()
    {
        await using var inner = Pool(1);
        await using var outer = Pool(1);
        await inner.ForceDownAsync("a");
        var call = AskAsync(outer, inner, RequestProfile.Default, RequestProfile.Default, static _ => new("never"));
        var thrown = await call.Awaiting(static c => c).Should().ThrowAsync<NoEndpointAvailableException>();
        thrown.Which.WaitRules.Should().Contain(WaitRule.TimeDoesNotHeal);
        Time.Elapsed.Should().Be(TimeSpan.Zero);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_request_that_no_endpoint_of_an_inner_pool_can_serve_does_not_count_against_it()
    {
        await using var inner = Pool(1, static o => o.Endpoints[0].Tools = false);
        await using var outer = Pool(2, static o => o.Endpoints[1].Tier = 1);
        for (var i = 0; i < 12; i++)
            (await AskAsync(outer, inner, RequestProfile.Default, new RequestProfile { Tools = true }, static _ => new("never"))).Detail.Endpoint.Should().Be("b");
        var health = outer.Explain(RequestProfile.Default)[0].Health;
        (health.Status, health.ConsecutiveFailures).Should().Be((EndpointHealthStatus.Healthy, 0));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_request_that_neither_an_inner_pool_nor_another_endpoint_can_serve_ends_at_once()
    {
        await using var inner = Pool(1, static o => o.Endpoints[0].Tools = false);
        await using var outer = Pool(1);
        var call = AskAsync(outer, inner, RequestProfile.Default, new RequestProfile { Tools = true }, static _ => new("never"));
        await call.Awaiting(static c => c).Should().ThrowAsync<NoEndpointAvailableException>();
        Time.Elapsed.Should().Be(TimeSpan.Zero);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_inner_pool_without_endpoints_is_out_like_any_other_endpoint()
    {
        await using var inner = Pool(0, static o => o.AllowEmpty = true);
        await using var outer = Pool(2, static o => o.Endpoints[1].Tier = 1);
        for (var i = 0; i < 12; i++)
            (await AskAsync(outer, inner, RequestProfile.Default, RequestProfile.Default, static _ => new("never"))).Detail.Endpoint.Should().Be("b");
        outer.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    // The endpoint "a" of the outer pool is the inner pool. The other endpoint answers at once.
    private Task<Served<string>> AskAsync(EndpointPool outer, EndpointPool inner, RequestProfile profile, RequestProfile innerProfile, Func<CancellationToken, ValueTask<string>> answer) =>
        outer.ExecuteWithDetailAsync(profile, (Test: this, inner, innerProfile, answer), static (attempt, s, token) =>
        {
            s.Test._asked.Add(attempt.Endpoint.Name);
            return attempt.Endpoint.Name == "a" ? s.inner.ExecuteAsync(s.innerProfile, s.answer, static (_, answer, token) => answer(token), token) : new(attempt.Endpoint.Name);
        }, Ct).AsTask();
}
