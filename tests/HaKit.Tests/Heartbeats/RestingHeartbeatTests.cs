using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;

namespace HaKit.Tests.Heartbeats;

/// <summary>Tests heartbeats that rested: because calls were answered, because the probe costs money, or because the settings changed.</summary>
public sealed class RestingHeartbeatTests
{
    private static HeartbeatBench Phi(ProbePace pace = ProbePace.WhenQuiet) => new(
        1, static o => o.Heartbeat.Detector = FailureDetection.PhiAccrual, wrap: probe => new DelegateProbe(probe.ProbeAsync) { Pace = pace, Level = ProbeLevel.Generating });

    private static void AdvanceToNextProbe(HeartbeatBench bench)
    {
        var asked = bench.Asked.Count;
        for (var seconds = 0; bench.Asked.Count == asked; seconds++)
        {
            seconds.Should().BeLessThan(4000);
            bench.Advance(1);
        }
    }

    [Fact]
    public async Task Phi_accrual_does_not_count_the_time_in_which_heartbeats_rested_because_of_calls()
    {
        await using var bench = Phi();
        bench.Advance(500);
        for (var second = 0; second < 120; second++)
        {
            await bench.CallAsync(static _ => new("ok"));
            bench.Advance(1);
        }
        bench.Answers["a"] = HeartbeatBench.Down;
        AdvanceToNextProbe(bench);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected, "one miss in 10 s is no proof");
        bench.Answers.Clear();
        AdvanceToNextProbe(bench);
        bench.Advance(100);
        bench.Answers["a"] = HeartbeatBench.Down;
        AdvanceToNextProbe(bench);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected, "a hit soon after the rest is no interval to learn from");
        bench.Advance(40);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task Phi_accrual_does_not_count_the_time_in_which_the_endpoint_was_drained()
    {
        await using var bench = Phi();
        bench.Advance(500);
        await bench.Pool.DrainAsync("a", TestContext.Current.CancellationToken);
        bench.Advance(300);
        bench.Answers["a"] = HeartbeatBench.Down;
        await bench.Pool.BringUpAsync("a");
        AdvanceToNextProbe(bench);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task Phi_accrual_measures_a_sparing_probe_by_its_own_interval()
    {
        await using var bench = Phi(ProbePace.Sparingly);
        bench.Advance(3600);
        bench.Answers["a"] = HeartbeatBench.Down;
        AdvanceToNextProbe(bench);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected, "one miss is no proof");
        bench.Advance(1800);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task Phi_accrual_begins_anew_when_the_interval_changes()
    {
        await using var bench = Phi();
        bench.Advance(500);
        bench.Options.Heartbeat.Interval = TimeSpan.FromSeconds(60);
        bench.Pool.Update(bench.Options);
        bench.Advance(600);
        bench.Answers["a"] = HeartbeatBench.Down;
        AdvanceToNextProbe(bench);
        bench.Status("a").Should().NotBe(EndpointHealthStatus.Ejected, "one miss is no proof");
        bench.Advance(300);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task Shorter_sparing_interval_applies_at_once()
    {
        await using var bench = new HeartbeatBench(1, static o => o.Heartbeat.SparingInterval = TimeSpan.FromDays(1), wrap: static probe => new DelegateProbe(probe.ProbeAsync) { Pace = ProbePace.Sparingly });
        bench.Advance(60);
        bench.Asked.Should().ContainSingle();
        bench.Options.Heartbeat.SparingInterval = TimeSpan.FromMinutes(5);
        bench.Pool.Update(bench.Options);
        bench.Advance(360);
        bench.Asked.Should().HaveCount(2);
    }

    [Fact]
    public async Task Probe_that_runs_at_every_heartbeat_replaces_a_sparing_probe_at_once()
    {
        var pace = ProbePace.Sparingly;
        await using var bench = new HeartbeatBench(1, static o => o.Heartbeat.SparingInterval = TimeSpan.FromDays(1), wrap: probe => new DelegateProbe(probe.ProbeAsync) { Pace = pace });
        bench.Advance(60);
        bench.Asked.Should().ContainSingle();
        pace = ProbePace.WhenQuiet;
        bench.Pool.Update(bench.Options);
        bench.Advance(60);
        bench.Asked.Count.Should().BeInRange(6, 8);
    }

    [Fact]
    public async Task Endpoint_that_a_failure_of_its_domain_ejected_gets_its_first_heartbeat_within_one_interval()
    {
        await using var bench = new HeartbeatBench(
            3,
            static o => (o.Heartbeat.SparingInterval, o.CircuitBreaker.BreakDuration, o.Endpoints[0].Region, o.Endpoints[1].Region) = (TimeSpan.FromDays(1), TimeSpan.FromMinutes(5), "west", "west"),
            wrap: static probe => new DelegateProbe(probe.ProbeAsync) { Pace = ProbePace.Sparingly, Level = ProbeLevel.Generating });
        bench.Advance(60);
        bench.Asked.Clear();
        for (var call = 0; call < 20 && bench.Status("b") != EndpointHealthStatus.Ejected; call++)
        {
            await bench.CallAsync(static attempt =>
            {
                if (attempt.Endpoint.Name == "a")
                    attempt.ReportFault(new Fault(FaultKind.ServerError) { Reach = FaultReach.Region });
                return new("answer");
            });
        }
        bench.Status("b").Should().Be(EndpointHealthStatus.Ejected);
        bench.AskedAt("b").Should().BeEmpty();
        bench.Advance(12);
        bench.AskedAt("b").Should().NotBeEmpty();
    }

    [Fact]
    public async Task Probe_whose_properties_throw_harms_neither_other_endpoints_nor_calls()
    {
        var throws = false;
        await using var bench = new HeartbeatBench(2, static o => (o.Endpoints[0].Limits, o.Endpoints[1].Limits) = (new() { MaxConcurrency = 1 }, new() { MaxConcurrency = 1 }), wrap: probe => new Throwing(probe, () => throws));
        bench.Advance(20);
        throws = true;
        bench.Asked.Clear();
        bench.Advance(30);
        bench.AskedAt("a").Should().NotBeEmpty("a probe whose properties throw has the usual pace, level and timeout");
        for (var call = 0; call < 12; call++)
        {
            var answer = await bench.CallAsync(static attempt =>
            {
                if (attempt.Endpoint.Name == "a")
                    attempt.ReportFault(new Fault(FaultKind.ServerError));
                return new(attempt.Endpoint.Name);
            });
            answer.Should().Be("b");
        }
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
        bench.Pool.GetStatus().Endpoints.Should().OnlyContain(static e => e.InFlight == 0);
        bench.Pool.Update(bench.Options);
        bench.Advance(30);
    }

    private sealed class Throwing(IProbe inner, Func<bool> throws) : IProbe
    {
        public ProbeLevel Level => throws() ? throw new InvalidOperationException("Level") : ProbeLevel.Generating;

        public ProbePace Pace => throws() ? throw new InvalidOperationException("Pace") : ProbePace.WhenQuiet;

        public TimeSpan? Timeout => throws() ? throw new InvalidOperationException("Timeout") : TimeSpan.FromSeconds(1);

        public FaultKind Silence => throws() ? throw new InvalidOperationException("Silence") : FaultKind.AttemptTimeout;

        public ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken) => inner.ProbeAsync(context, cancellationToken);
    }
}
