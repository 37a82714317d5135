using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests when a pool knows that it can connect to none of its endpoints, and when it must not believe this.</summary>
public sealed class ReachTests
{
    private static readonly Fault s_refused = new(FaultKind.ConnectFailed);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Timeout_of_a_connection_that_a_later_attempt_has_refuted_does_not_show_that_the_endpoint_is_out_of_reach(int attempts)
    {
        var bench = new HealthBench(alone: true);
        var endpoint = bench.Add("a");
        var slow = Enumerable.Range(0, attempts).Select(_ => bench.Begin(endpoint)).ToArray();
        bench.Pass(0.1);
        var (later, servedBegan) = (bench.Begin(endpoint), bench.Now);
        bench.Pass(0.4);
        endpoint.Complete(later, null, bench.Now);
        bench.Pass(1.5);
        foreach (var ticket in slow)
            endpoint.Complete(ticket, new Fault(FaultKind.ConnectTimeout), bench.Now, servedBegan: servedBegan);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        endpoint.State.IsUnreachable.Should().BeFalse("the endpoint has just served a call");
    }

    [Fact]
    public void Failure_to_connect_that_a_pause_of_this_process_explains_does_not_show_that_the_endpoint_is_out_of_reach()
    {
        var bench = new HealthBench(alone: true);
        var endpoint = bench.Add("a");
        var ticket = bench.Begin(endpoint);
        bench.Pass(10);
        bench.Tracker.TimersWereLate(bench.Now, TimeSpan.FromSeconds(9));
        endpoint.Complete(ticket, new Fault(FaultKind.ConnectTimeout), bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        endpoint.State.IsUnreachable.Should().BeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Endpoint_that_serves_or_answers_a_probe_during_its_slow_start_is_within_reach(bool byCall)
    {
        var bench = new HealthBench(new HealthOptions { ConnectFailuresToEject = 1 }, alone: true);
        EndpointHealth[] endpoints = [bench.Add("a"), bench.Add("b")];
        foreach (var endpoint in endpoints)
        {
            endpoint.Order(HealthOrder.ForceDown, bench.Now);
            endpoint.Order(HealthOrder.BringUp, bench.Now);
            endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
        }
        for (var round = 0; round < 2; round++)
        {
            foreach (var endpoint in endpoints)
                bench.Fail(endpoint, s_refused);
        }
        endpoints.Should().OnlyContain(static e => e.State.IsUnreachable);
        foreach (var endpoint in endpoints)
        {
            if (byCall)
                bench.Succeed(endpoint);
            else
                endpoint.Probe(ProbeLevel.Reachable, null, bench.Now);
        }
        endpoints.Should().OnlyContain(static e => !e.State.IsUnreachable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Pool_whose_calls_connect_nowhere_knows_it_at_every_limit(int limit)
    {
        var bench = new HealthBench(new HealthOptions { ConnectFailuresToEject = limit, FailuresToEject = 100 }, alone: true);
        EndpointHealth[] endpoints = [bench.Add("a"), bench.Add("b")];
        for (var round = 0; round <= limit; round++)
        {
            foreach (var endpoint in endpoints)
                bench.Fail(endpoint, s_refused);
        }
        endpoints.Should().OnlyContain(static e => e.State.IsInService && e.State.IsUnreachable);

        bench.Succeed(endpoints[0]);
        endpoints[0].State.IsUnreachable.Should().BeFalse();
        bench.Fail(endpoints[1], FaultKind.ServerError);
        endpoints[1].State.IsUnreachable.Should().BeFalse("the server answered");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Pool_whose_heartbeats_connect_nowhere_knows_it_at_every_limit(int limit)
    {
        var bench = new HealthBench(new HealthOptions { MissesToEject = limit }, alone: true);
        EndpointHealth[] endpoints = [bench.Add("a"), bench.Add("b")];
        for (var round = 0; round <= limit; round++)
        {
            foreach (var endpoint in endpoints)
                endpoint.Probe(ProbeLevel.Reachable, s_refused, bench.Now);
            bench.Pass(limit == 1 ? 0.5 : 10);
        }
        endpoints.Should().OnlyContain(static e => e.State.IsInService && e.State.IsUnreachable);

        endpoints[0].Probe(ProbeLevel.Reachable, null, bench.Now);
        endpoints[0].State.IsUnreachable.Should().BeFalse();
        endpoints[1].Probe(ProbeLevel.Reachable, new Fault(FaultKind.ServerError), bench.Now);
        endpoints[1].State.IsUnreachable.Should().BeFalse("the server answered");
    }
}
