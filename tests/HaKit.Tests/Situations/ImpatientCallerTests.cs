using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Situations;

/// <summary>Callers that cancel after 2 s, long before the pool's own limits: a dead endpoint must lose their calls all the same, and a healthy endpoint must not.</summary>
public sealed class ImpatientCallerTests
{
    [Theory(Timeout = 60_000)]
    [InlineData(false, false, 10)]
    [InlineData(false, true, 0.1)]
    [InlineData(true, false, 0.1)]
    [InlineData(true, false, 10)]
    [InlineData(true, true, 0.1)]
    [InlineData(true, true, 10)]
    public Task A_primary_that_goes_silent_loses_the_calls_of_callers_that_leave_after_2_s(bool tiers, bool learned, double perSecond)
    {
        using var bench = new TrafficBench("a b", o => o.Endpoints[1].Tier = tiers ? 1 : 0);
        bench.Let(() => bench.Answer(0.9));
        if (learned)
            bench.Traffic(30, 2);
        bench.Advance(20);
        bench.Let(bench.Hang, "a");
        bench.Traffic(100 / perSecond, perSecond, leavesAfter: 2);
        var later = bench.Traffic(100 / perSecond, perSecond, leavesAfter: 2);
        bench.Advance(20);

        later.Served().Should().BeGreaterThan(0.9);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.1, false)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(10, true)]
    public Task A_silent_trial_that_its_caller_cancels_has_failed_so_the_next_call_is_not_lost_too(double perSecond, bool learned)
    {
        using var bench = new TrafficBench("a b", static o => o.Endpoints[1].Tier = 1);
        bench.Let(() => bench.Answer(1));
        if (learned)
            bench.Traffic(60, 2);
        bench.Let(() => bench.Refuse(FaultKind.ConnectionReset), "a");
        for (var i = 0; i < 100 && bench["a"].Status != EndpointHealthStatus.Ejected; i++)
        {
            bench.Begin();
            bench.Advance(1.5);
        }

        bench.Let(bench.Hang, "a");
        var calls = bench.Traffic(200 / perSecond, perSecond, leavesAfter: 2);
        bench.Advance(20);

        calls.Served().Should().BeGreaterThan(0.9);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task The_only_endpoint_stays_in_service_for_patient_callers_although_others_leave_too_early()
    {
        using var bench = new TrafficBench("a");
        bench.Let(() => bench.Answer(4));
        var patient = new List<TrafficBench.Row>();
        for (var i = 0; i < 40; i++)
        {
            bench.Traffic(5, 4, leavesAfter: 2);
            patient.Add(bench.Begin());
        }

        bench.Advance(150);
        patient.Served().Should().Be(1);
        patient.Longest().Should().BeLessThan(5);
        bench["a"].Ejections.Should().Be(0);
        return Task.CompletedTask;
    }
}
