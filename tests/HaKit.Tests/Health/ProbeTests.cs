using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class ProbeTests
{
    private readonly HealthBench _bench = new();

    [Theory]
    [InlineData(ProbeLevel.Reachable)]
    [InlineData(ProbeLevel.Authorized)]
    public void A_green_health_page_does_not_clear_failed_completions(ProbeLevel level)
    {
        var endpoint = _bench.AddEjected("a");
        for (var i = 0; i < 10; i++)
            endpoint.Probe(level, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_probes_400_is_neither_a_hit_nor_a_miss()
    {
        var endpoint = _bench.Add("a");
        var refused = new Fault(FaultKind.InvalidRequest) { StatusCode = 400 };
        for (var i = 0; i < 10; i++)
            endpoint.Probe(ProbeLevel.Generating, refused, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);

        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, refused, _bench.Now);
        endpoint.State.ProbeMisses.Should().Be(2);
        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        for (var i = 0; i < 10; i++)
            endpoint.Probe(ProbeLevel.Generating, refused, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void What_a_probe_saw_the_same_probe_refutes()
    {
        var endpoint = _bench.Add("a");
        for (var i = 0; i < 3; i++)
            endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.Overloaded), _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_probe_of_the_health_page_says_nothing_about_the_key()
    {
        var endpoint = _bench.Add("a");
        endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.Unauthorized), _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeTrue();
        endpoint.Probe(ProbeLevel.Authorized, new Fault(FaultKind.Unauthorized), _bench.Now);
        endpoint.State.Admits(_bench.Now).Should().BeFalse();
    }

    [Fact]
    public void A_throttled_probe_cools_and_does_not_count_as_a_miss()
    {
        var endpoint = _bench.Add("a");
        for (var i = 0; i < 5; i++)
            endpoint.Probe(ProbeLevel.Generating, HealthBench.Throttled(30), _bench.Now);
        endpoint.State.ProbeMisses.Should().Be(0);
        endpoint.State.CooldownUntil.Should().Be(_bench.Now + TimeSpan.FromSeconds(30));
    }

    [Fact(Timeout = 10_000)]
    public Task A_probe_brings_the_endpoint_back_again_after_it_served_and_was_throttled()
    {
        var endpoint = _bench.Add("a");
        EjectAndProbe();
        _bench.Pass(30);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        _bench.Succeed(endpoint);
        _bench.Fail(endpoint, HealthBench.Throttled(5));
        _bench.Pass(6);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        EjectAndProbe();
        return Task.CompletedTask;

        void EjectAndProbe()
        {
            _bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
            endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now, isDecisive: true);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        }
    }

    [Fact]
    public void Probes_do_not_decide_a_trial()
    {
        var endpoint = _bench.AddEjected("a");
        _bench.PassTo(endpoint.State.Until!.Value);
        var trial = _bench.Begin(endpoint, BeginMode.Trial);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now, isDecisive: true);
        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), _bench.Now, isDecisive: true);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Trial);
        endpoint.Complete(trial, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_miss_between_two_hits_starts_the_hits_again()
    {
        var endpoint = _bench.AddEjected("a");
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ServerError), _bench.Now);
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.State.Ejections.Should().Be(1, "a probe never doubles the period");
    }

    [Fact]
    public void A_probe_that_connects_clears_what_was_counted_of_connecting_and_leaves_the_rest()
    {
        var endpoint = _bench.Add("a");
        _bench.Add("well");
        _bench.Fail(endpoint, FaultKind.ServerError);
        _bench.Fail(endpoint, FaultKind.ConnectFailed, 2);
        endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        endpoint.State.ConsecutiveFailures.Should().Be(3);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        var state = endpoint.State;
        endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        endpoint.State.Should().BeSameAs(state);
        _bench.Fail(endpoint, FaultKind.ConnectFailed);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect, "it is the first in a row again");
        endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Fact]
    public void A_probe_whose_finding_traffic_refutes_at_once_does_not_bring_it_back_again()
    {
        var endpoint = _bench.Add("a");
        _bench.Add("well");
        void Hits()
        {
            for (var i = 0; i < 2; i++)
                endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        }

        _bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
        Hits();
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        _bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
        Hits();
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        for (var i = 0; i < 2; i++)
            endpoint.Probe(ProbeLevel.Generating, null, _bench.Now);
        _bench.Pass(30);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        _bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
        Hits();
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart, "it had come back for good in between");
        endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ConnectFailed), _bench.Now, isDecisive: true);
        Hits();
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart, "the probe itself took it out, so it may bring it back");
    }

    [Fact]
    public void What_traffic_found_before_the_probe_missed_is_not_refuted_by_that_probe()
    {
        foreach (var found in new[] { true, false })
        {
            var endpoint = _bench.Add("a");
            if (found)
                _bench.Fail(endpoint, FaultKind.ServerError);
            for (var i = 0; i < 3; i++)
                endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ServerError), _bench.Now);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
            for (var i = 0; i < 2; i++)
                endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
            endpoint.State.Status.Should().Be(found ? EndpointHealthStatus.Ejected : EndpointHealthStatus.SlowStart);
        }
    }

    [Fact]
    public void A_completion_that_could_not_connect_is_refuted_by_connecting()
    {
        var endpoint = _bench.Add("a");
        _bench.Add("well");
        endpoint.Probe(ProbeLevel.Generating, new Fault(FaultKind.ConnectFailed), _bench.Now, isDecisive: true);
        for (var i = 0; i < 2; i++)
            endpoint.Probe(ProbeLevel.Reachable, null, _bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_probe_of_the_health_page_says_nothing_about_the_key_of_others_either()
    {
        var domains = new FailureDomains { KeyName = "k" };
        var (endpoint, sibling) = (_bench.Add("a", domains), _bench.Add("b", domains));
        endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.Unauthorized), _bench.Now);
        sibling.State.Admits(_bench.Now).Should().BeTrue();
        endpoint.Probe(ProbeLevel.Authorized, new Fault(FaultKind.Unauthorized), _bench.Now);
        sibling.State.Admits(_bench.Now).Should().BeFalse();
    }

    [Fact]
    public void Failed_probes_do_not_count_in_the_failure_ratio_of_calls()
    {
        var bench = new HealthBench(new HealthOptions { FailuresToEject = 100, MinimumThroughput = 4, MissesToEject = 100 });
        var endpoint = bench.Add("a");
        for (var i = 0; i < 20; i++)
            endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ServerError), bench.Now);
        bench.Fail(endpoint, FaultKind.ServerError, 3);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect, "only three calls have failed");
        bench.Fail(endpoint, FaultKind.ServerError);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }
}
