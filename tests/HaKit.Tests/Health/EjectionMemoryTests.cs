using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests that time in health counts, whichever way the endpoint has left service and come back since its latest ejection.</summary>
public sealed class EjectionMemoryTests
{
    private const double Day = 86_400;

    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, Action<HealthBench, EndpointHealth>> Ways = new()
    {
        ["order to drain"] = static (bench, endpoint) => TakeOutByOrder(bench, endpoint, HealthOrder.Drain),
        ["order to force down"] = static (bench, endpoint) => TakeOutByOrder(bench, endpoint, HealthOrder.ForceDown),
        ["own breaker"] = static (bench, endpoint) =>
        {
            bench.Fail(endpoint, new Fault(FaultKind.BreakerOpen) { RetryAfter = TimeSpan.FromSeconds(3) });
            ServeTrial(bench, endpoint);
        },
        ["other replicas"] = static (bench, endpoint) =>
        {
            endpoint.ApplyPeerFact(PeerWord.Ejected, new Fault(FaultKind.ConnectFailed), bench.Now, default, isLast: false, bench.Now);
            ServeTrial(bench, endpoint);
        },
        ["other replicas, and a probe"] = static (bench, endpoint) =>
        {
            endpoint.ApplyPeerFact(PeerWord.Ejected, new Fault(FaultKind.ConnectFailed), bench.Now, default, isLast: false, bench.Now);
            endpoint.Probe(ProbeLevel.Reachable, null, bench.Now, isDecisive: true);
        },
        ["trial of a quota"] = static (bench, endpoint) =>
        {
            bench.Fail(endpoint, FaultKind.QuotaExhausted);
            bench.PassTo(endpoint.State.Cooldown!.TrialAt);
            endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), null, bench.Now);
        },
    };

    public static TheoryData<string> NamesOfWays => [.. Ways.Keys];

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(NamesOfWays))]
    public Task Health_before_another_way_out_of_service_still_counts(string way)
    {
        var (bench, endpoint) = WithFiveEjections();
        bench.Pass(30);
        bench.Pass(Day);
        Ways[way](bench, endpoint);
        bench.Pass(30);
        bench.Pass(60);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        RequireFirstEjection(bench, endpoint);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [MemberData(nameof(NamesOfWays))]
    public Task Another_way_out_of_service_forgets_no_ejection_by_itself(string way)
    {
        var (bench, endpoint) = WithFiveEjections();
        bench.Pass(30);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Healthy);
        Ways[way](bench, endpoint);
        bench.Pass(30);
        bench.Fail(endpoint, FaultKind.ServerError, 5);
        endpoint.State.Ejections.Should().Be(6);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Health_after_an_undone_ejection_counts()
    {
        var (bench, endpoint) = WithFiveEjections();
        bench.Pass(30);
        bench.Fail(endpoint, FaultKind.ConnectFailed, 3);
        bench.Tracker.TimersWereLate(bench.Now, TimeSpan.FromSeconds(20));
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Pass(Day);
        RequireFirstEjection(bench, endpoint);
        return Task.CompletedTask;
    }

    private static void RequireFirstEjection(HealthBench bench, EndpointHealth endpoint)
    {
        bench.Fail(endpoint, FaultKind.ServerError, 5);
        (endpoint.State.Ejections, endpoint.State.Until - bench.Now).Should().Be((1, (TimeSpan?)s_again));
    }

    private static (HealthBench Bench, EndpointHealth Endpoint) WithFiveEjections()
    {
        var bench = new HealthBench(new HealthOptions { BreakJitter = 0 });
        var endpoint = bench.AddEjected("a");
        for (var trial = 1; trial < 5; trial++)
        {
            bench.PassTo(endpoint.State.Until!.Value);
            endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), new Fault(FaultKind.ServerError), bench.Now);
        }

        endpoint.State.Ejections.Should().Be(5);
        ServeTrial(bench, endpoint);
        return (bench, endpoint);
    }

    private static void ServeTrial(HealthBench bench, EndpointHealth endpoint)
    {
        bench.PassTo(endpoint.State.Until!.Value);
        endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), null, bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    private static void TakeOutByOrder(HealthBench bench, EndpointHealth endpoint, HealthOrder order)
    {
        endpoint.Order(order, bench.Now);
        bench.Pass(10);
        endpoint.Order(HealthOrder.BringUp, bench.Now);
    }
}
