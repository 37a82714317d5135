using HaKit.Failover;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>
/// A quiet replica makes one call during an outage. Another replica, which cannot reach any endpoint, makes trials all the time and reports each failed trial
/// to the fleet. The call keeps the same limits as without other replicas.
/// </summary>
public sealed class FleetLoneCallTests
{
    private const int Replicas = 20;
    private static readonly TimeSpan Refusal = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(20);

    public static TheoryData<int, int, double> Outages
    {
        get
        {
            var data = new TheoryData<int, int, double>();
            var random = new Random(1);
            foreach (var endpoints in new[] { 1, 3, 5 })
            {
                for (var kind = 0; kind < 4; kind++)
                {
                    for (var i = 0; i < 5; i++)
                        data.Add(endpoints, kind, Math.Round(0.3 * Math.Pow(200, (i + random.NextDouble()) / 5), 3));
                }
            }
            return data;
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Outages))]
    public Task It_is_served_soon_after_all_endpoints_are_back_though_the_asker_stays_blind(int endpoints, int kind, double seconds)
    {
        var outage = S(seconds);
        using var fleet = FleetWithBlindAsker(endpoints);
        fleet.Fault(i => true, FaultOf(kind), outage);
        var detail = fleet.Call();
        fleet.BeganAt.Should().BeLessThanOrEqualTo(outage + Lateness(outage));
        detail.AttemptCount.Should().BeLessThanOrEqualTo((int)(12 + seconds + endpoints));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(3, 0, 2)]
    [InlineData(3, 3, 20)]
    [InlineData(5, 1, 7)]
    [InlineData(5, 2, 60)]
    [InlineData(10, 0, 12)]
    [InlineData(10, 3, 40)]
    public Task When_only_the_last_endpoint_comes_back_it_is_served_within_so_many_times_the_lateness(int endpoints, int kind, double seconds)
    {
        var outage = S(seconds);
        using var fleet = FleetWithBlindAsker(endpoints);
        fleet.Fault(i => i < endpoints - 1, FaultOf(kind), S(3600));
        fleet.Fault(i => i == endpoints - 1, FaultOf(kind), outage);
        fleet.Call();
        fleet.BeganAt.Should().BeLessThanOrEqualTo(outage + endpoints * Lateness(outage));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(1, 4)]
    [InlineData(2, 7)]
    [InlineData(3, 10)]
    [InlineData(4, 16)]
    [InlineData(6, 28)]
    [InlineData(8, 40)]
    public Task Endpoints_that_name_a_time_are_asked_when_it_has_passed_and_never_before(int refusals, double servedWithin)
    {
        using var fleet = FleetWithBlindAsker(3);
        foreach (var endpoint in fleet.Quiet.Endpoints)
            endpoint.Faults.Next(refusals, FakeFault.Status(429).WithHeader("Retry-After", "3").And(FakeFault.Latency(Refusal)));
        fleet.Call().WaitRules.Should().Contain(WaitRule.NamedTime);
        fleet.BeganAt.Should().BeLessThanOrEqualTo(S(servedWithin));
        fleet.Quiet.Endpoints.Sum(static e => e.EarlySends).Should().Be(0);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public Task Endpoints_that_refuse_a_few_times_serve_it_soon(int refusals)
    {
        using var fleet = FleetWithBlindAsker(3);
        foreach (var endpoint in fleet.Quiet.Endpoints)
            endpoint.Faults.Next(refusals, FakeFault.Status(503));
        fleet.Call().AttemptCount.Should().BeLessThanOrEqualTo(3 * refusals + 1);
        fleet.BeganAt.Should().BeLessThanOrEqualTo(S(1.6 * refusals));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public Task The_only_well_endpoint_is_asked_at_its_pace_though_another_is_out_for_long(bool isForcedDown)
    {
        using var fleet = FleetWithBlindAsker(2);
        fleet.Fault(i => i == 0, FaultOf(3), S(3600));
        fleet.Fault(i => i == 1, FaultOf(3), S(1));
        if (isForcedDown)
            fleet.Quiet.Time.Run(() => fleet.Quiet.Pool.ForceDownAsync("e0").AsTask());
        fleet.Call();
        fleet.BeganAt.Should().BeLessThanOrEqualTo(S(1) + 2 * Lateness(S(1)));
        return Task.CompletedTask;
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static TimeSpan Lateness(TimeSpan outage) => (outage / 10 > S(0.5) ? outage / 10 : S(0.5)) + Refusal + S(0.002);

    private static FakeFault FaultOf(int kind) => (kind switch
    {
        0 => FakeFault.Status(503),
        1 => FakeFault.Status(500),
        2 => FakeFault.Reset,
        _ => FakeFault.Refused,
    }).And(FakeFault.Latency(Refusal));

    private static BlindAskerFleet FleetWithBlindAsker(int endpoints) => new(endpoints);

    /// <summary>Nineteen replicas are quiet. The first replica makes a call a second and reaches no endpoint.</summary>
    private sealed class BlindAskerFleet : IDisposable
    {
        private readonly Fleet _fleet;
        private readonly ITimer _asker;

        public BlindAskerFleet(int endpoints)
        {
            _fleet = new Fleet(Replicas, endpoints);
            _fleet.Store.Wire = new();
            foreach (var endpoint in _fleet.Replicas[0].Endpoints)
                endpoint.Faults.Always(FakeFault.Refused);
            _asker = _fleet.Time.CreateTimer(_ => _ = AskAsync(), null, S(0.7), S(1));
            _fleet.Time.Advance(Warm);
            _fleet.Store.Wire!.ToString().Should().Contain("\"Ejected\"", "the asker has something to tell");
        }

        public TestPool Quiet => _fleet.Replicas[^1];

        /// <summary>Gets the time from the beginning of the outage to the start of the served attempt. Its answer takes 100 ms.</summary>
        public TimeSpan BeganAt => _fleet.Time.Elapsed - Warm - S(0.1);

        public void Fault(Func<int, bool> which, FakeFault fault, TimeSpan length)
        {
            for (var i = 0; i < Quiet.Endpoints.Count; i++)
            {
                if (which(i))
                    _fleet.Fault($"e{i}", fault, until: Warm + length, replicas: static r => r > 0);
            }
        }

        public CallDetail Call() => Quiet.Call(new RequestProfile { Deadline = S(100) });

        public void Dispose()
        {
            _asker.Dispose();
            _fleet.Dispose();
        }

        private async Task AskAsync()
        {
            try
            {
                await _fleet.Replicas[0].CallAsync(new RequestProfile { Deadline = S(5) });
            }
            catch (EndpointPoolException)
            {
            }
        }
    }
}
