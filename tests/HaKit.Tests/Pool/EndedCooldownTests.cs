using HaKit.Faults;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Tests what a pool reports after a cooldown has ended because its time has passed, and not because of an answer.</summary>
public sealed class EndedCooldownTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact(Timeout = 10_000)]
    public async Task An_endpoint_is_up_again_when_its_cooldown_has_ended()
    {
        await using var pool = TestPool.Create(_time, 2);
        await ThrottleAsync(pool, seconds: 30);
        _time.Advance(TimeSpan.FromSeconds(3600));

        var report = pool.GetAvailabilityReport().Endpoints.Single(e => e.Name == "a");
        report.Uptime.IsUp.Should().BeTrue();
        report.Uptime.Downtime.Should().Be(TimeSpan.FromSeconds(30), "the endpoint was down until the end of its cooldown, and no longer");
        report.Observed!.Value.Value.Should().BeApproximately(1 - 30 / 3600.0, 1e-6);
    }

    [Fact(Timeout = 10_000)]
    public async Task The_next_outage_of_an_endpoint_begins_after_its_ended_cooldown()
    {
        await using var pool = TestPool.Create(_time, 2);
        await ThrottleAsync(pool, seconds: 30);
        _time.Advance(TimeSpan.FromHours(1));
        await pool.ForceDownAsync("a");

        pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == "a").OutSince.Should().Be(_time.GetUtcNow());
        pool.GetAvailabilityReport().Endpoints.Single(e => e.Name == "a").Uptime.Outages.Should().HaveCount(2);
    }

    [Fact(Timeout = 10_000)]
    public async Task An_order_in_the_moment_after_a_cooldown_s_end_begins_another_outage()
    {
        await using var pool = TestPool.Create(_time, 2);
        await ThrottleAsync(pool, seconds: 30);
        _time.Pause(TimeSpan.FromSeconds(30.01)); // no timer has fired since the end of the cooldown
        await pool.ForceDownAsync("a");
        pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == "a").OutSince.Should().Be(_time.GetUtcNow());
    }

    [Fact(Timeout = 10_000)]
    public async Task An_outage_of_cooldowns_ends_with_the_first_of_them()
    {
        await using var pool = TestPool.Create(_time, 1);
        await using var events = pool.Events.Subscribe(1000).GetAsyncEnumerator(Ct);
        await ThrottleAsync(pool, seconds: 30);
        _time.Advance(TimeSpan.FromSeconds(40));
        await pool.DisposeAsync();
        var seen = new List<PoolEvent>();
        while (await events.MoveNextAsync())
            seen.Add(events.Current);
        var ended = seen.OfType<OutageEnded>().Should().ContainSingle().Which;
        var returned = seen.OfType<EndpointChanged>().Single(e => e.Before.CooldownUntil is not null && e.After.CooldownUntil is null);
        ended.At.Should().Be(returned.At, "the pool knows at this time that the endpoint serves");
    }

    private async Task ThrottleAsync(EndpointPool pool, double seconds)
    {
        var isThrottled = false;
        for (var i = 0; i < 2 && !isThrottled; i++)
        {
            var call = pool.ExecuteAsync(new RequestProfile { Endpoints = ["a"], Deadline = TimeSpan.FromMilliseconds(1) }, seconds, (attempt, wait, _) =>
            {
                isThrottled = true;
                attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(wait), StatusCode = 429 });
                return new ValueTask<int>(0);
            }, Ct).AsTask();
            await call.Awaiting(static t => t).Should().ThrowAsync<EndpointPoolException>();
        }
        pool.GetStatus().Endpoints.Single(e => e.Endpoint.Name == "a").Serves.Should().BeFalse();
    }
}
