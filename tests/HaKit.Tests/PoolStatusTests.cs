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

    [Fact]
    public void Explain_without_arguments_says_in_one_sentence_for_each_endpoint_whether_it_can_be_chosen()
    {
        using var test = TestPools.Create(3, o => o.Endpoints[2].Limits = new() { RequestsPerMinute = 1 });
        test["a"].Faults.Always(FakeFault.Refused);
        test["b"].Faults.Always(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(20)));
        for (var i = 0; i < 5; i++)
            test.Invoking(t => t.Call(new RequestProfile { Deadline = TimeSpan.FromSeconds(2) })).Should().NotThrow<InvalidOperationException>("calls are served or refused");

        var lines = test.Pool.Explain().Split(Environment.NewLine);

        lines.Should().HaveCount(3);
        lines[0].Should().Match("Endpoint 'a' gets no calls: Ejected because of ConnectFailed; it is asked again in * s.");
        lines[1].Should().Match("Endpoint 'b' gets no calls: Cooling down because of Throttled (429*); it is asked again in * s.");
        lines[2].Should().Match("Endpoint 'c' gets no calls: its limit is reached; it is asked again in * s.");
        test.Pool.Explain().Should().NotContain("10675199");
    }

    [Fact]
    public void An_endpoint_that_waits_for_a_person_says_so_and_is_never_called_healthy()
    {
        using var test = TestPools.Create(2);
        test["a"].Faults.Always(FakeFaults.OpenAI.BadKey());
        for (var i = 0; i < 5; i++)
            test.Call();

        test.Pool.Explain().Should().Contain("Endpoint 'a' gets no calls: Cooling down because of Unauthorized (401");
        test.Pool.GetStatus().ToString().Should().NotContain("a: Healthy").And.Contain("a: Cooling down because of Unauthorized");
    }
}
