namespace HaKit.Testing.Tests.Waiting;

/// <summary>Outages as callers, health checks and logs see them.</summary>
public sealed class OutageTests
{
    private static readonly FakeFault Overloaded = FakeFault.Status(503).And(FakeFault.Latency(TimeSpan.FromMilliseconds(20)));

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(15)]
    [InlineData(60)]
    public void A_waiting_call_is_served_within_a_second_after_a_heartbeat_can_show_that_the_endpoints_are_back(double seconds)
    {
        using var test = TestPools.Create(2, o => o.Heartbeat.Enabled = true);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(TimeSpan.Zero, S(seconds), FakeFault.Refused, where: static _ => true);
        test.Call().WaitRules.Should().Contain(WaitRule.Pace);
        test.Time.Elapsed.Should().BeLessThanOrEqualTo(S(seconds + 1.1));
    }

    [Fact]
    public void When_no_endpoint_can_be_reached_it_is_an_outage_although_none_is_ejected_and_it_is_told_once()
    {
        using var logs = new LogRecorder();
        using var test = TestPools.Create(2, o => o.Heartbeat.Enabled = true, parts => parts.LoggerFactory = logs.CreateFactory());
        test.Call();
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(TimeSpan.Zero, S(150), FakeFault.Refused, where: static _ => true);
        var call = test.CallAsync(new RequestProfile { Deadline = S(200) });
        test.Time.Advance(S(40));

        var status = test.Pool.GetStatus();
        (status.IsUnreachable, status.Serving).Should().Be((true, 0));
        status.ToString().Should().Contain("no endpoint can be reached; perhaps this network");
        test.Time.Advance(S(112));

        call.IsCompletedSuccessfully.Should().BeTrue();
        test.Pool.GetStatus().IsUnreachable.Should().BeFalse();
        test.Events.GetEvents<OutageBegan>().Should().ContainSingle();
        test.Events.GetEvents<OutageEnded>().Should().ContainSingle();
        var lines = logs.Entries.Select(static e => e.ToString()!).ToArray();
        lines.Count(static l => l.Contains("no endpoint can be reached", StringComparison.Ordinal)).Should().Be(1);
        lines.Count(static l => l.Contains("1 calls wait", StringComparison.Ordinal)).Should().Be(2, "once a minute");
    }

    /// <summary>Few calls, all endpoints down for 10 s of every 300 s: no call is lost, and none waits much longer than the outage.</summary>
    [Theory]
    [InlineData(0.02, false)]
    [InlineData(0.1, true)]
    [InlineData(0.5, false)]
    [InlineData(2, true)]
    [InlineData(10, false)]
    public void Low_traffic_outlives_outages(double perSecond, bool refused)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.LogNormal(S(1), S(3)));
        for (var at = 150.0; at < length; at += 300)
            simulation.FaultOfAll(refused ? FakeFault.Refused.And(FakeFault.Latency(S(0.02))) : Overloaded, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        result.Latency(0.99).Should().BeLessThanOrEqualTo(S(12), result.ToString());
    }

    /// <summary>Answers of one second, because the longest of log-normal ones says more about the seed than about waiting: 15.6 to 17.5 s over six seeds.</summary>
    [Theory]
    [InlineData(0.02, true)]
    [InlineData(0.1, false)]
    [InlineData(0.1, true)]
    [InlineData(0.5, false)]
    [InlineData(0.5, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void The_longest_call_takes_the_outage_one_step_of_the_pace_and_two_answers(double perSecond, bool refused)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.Fixed(S(1)));
        for (var at = 150.0; at < length; at += 300)
            simulation.FaultOfAll(refused ? FakeFault.Refused.And(FakeFault.Latency(S(0.02))) : Overloaded, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        // The outage; the longest step of the pace that an outage of 10 s reaches, with its jitter (1.1 s); the answer of the trial; the spread of the waiting
        // calls over a tenth of the outage (1 s); the call's own answer.
        result.Latency(1).Should().BeLessThanOrEqualTo(S(10 + 1.1 + 1 + 1 + 1), result.ToString());
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(2)]
    public void Low_traffic_outlives_silences(double perSecond)
    {
        var length = 100_000 * Math.Min(1, 2 / perSecond) * Effort.Of(100) / 100;
        var simulation = new Simulation().Endpoints(3, ServiceModel.LogNormal(S(1), S(3)));
        for (var at = 1000.0; at < length; at += 300)
            simulation.FaultOfAll(FakeFault.Hang, from: S(at), until: S(at + 10));
        var result = simulation.Run(Workload.Poisson(perSecond), S(length));
        result.SuccessRate.Should().Be(1, result.ToString());
        result.Latency(0.99).Should().BeLessThanOrEqualTo(S(25), result.ToString());
        result.Latency(1).Should().BeLessThanOrEqualTo(S(45), result.ToString());
    }
}
