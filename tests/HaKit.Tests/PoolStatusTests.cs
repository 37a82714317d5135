using HaKit.Health;
using HaKit.Testing;

namespace HaKit.Tests;

public sealed class PoolStatusTests
{
    [Fact]
    public void Status_says_what_each_endpoint_did_and_since_when_it_is_how_it_is()
    {
        using var test = TestPools.Create(2, o =>
        {
            o.Endpoints[1].Tier = 1;
            o.Endpoints[0].Limits = new() { MaxConcurrency = 4, RequestsPerMinute = 100 };
        });
        var began = test.Time.GetUtcNow();
        for (var i = 0; i < 10; i++)
            test.Call();
        var status = test.Pool.GetStatus();
        status.Should().BeEquivalentTo(new { Pool = "test", Serving = 2, FirstTier = 0, ServingTier = 0, Waiting = 0, At = test.Time.GetUtcNow() });
        var a = status.Endpoints[0];
        a.Should().BeEquivalentTo(new { Attempts = 10, Successes = 10, Faults = 0, InFlight = 0, Serves = true, Since = began, SlowStartShare = 1, AnswerTime = TimeSpan.FromSeconds(1) });
        a.Limits.Should().Equal(new LimitUse("concurrency", 0, 4), new LimitUse("requests", 10, 100));
        test["a"].Faults.Always(FakeFault.Refused);
        for (var i = 0; i < 5; i++)
            test.Call();
        status = test.Pool.GetStatus();
        status.ServingTier.Should().Be(1);
        status.Endpoints[0].Health.Status.Should().Be(EndpointHealthStatus.Ejected);
        status.Endpoints[0].Serves.Should().BeFalse();
        status.Endpoints[0].Since.Should().BeAfter(began);
        status.Endpoints[1].Successes.Should().Be(5);
    }

    [Fact]
    public async Task A_promoted_tier_is_the_first()
    {
        using var test = TestPools.Create(3, o => { o.Endpoints[1].Tier = 1; o.Endpoints[2].Tier = 2; });
        await test.Pool.PromoteAsync(1);
        test.Pool.GetStatus().Should().BeEquivalentTo(new { FirstTier = 1, ServingTier = 1 });
        await test.Pool.ForceDownAsync("b");
        test.Pool.GetStatus().Should().BeEquivalentTo(new { FirstTier = 1, ServingTier = 2 }, "those before the promoted one come last");
    }
}
