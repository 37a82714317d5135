using System.Globalization;
using HaKit.Failover;
using HaKit.Selection;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>Tests the benefits of a fleet and its limits, with real pools on one virtual clock.</summary>
public sealed class FleetRowsTests(ITestOutputHelper output)
{
    private static readonly ServiceModel Usual = ServiceModel.LogNormal(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(1));

    [Theory(Timeout = 120_000)]
    [InlineData(20, 1, 5)]
    [InlineData(50, 0.1, 5)]
    public Task A_throttled_endpoint_refuses_few_calls_of_the_fleet(int replicas, double rate, int most)
    {
        var throttled = FakeFault.Status(429).WithHeader("Retry-After", "60");
        // One cooldown follows another for 300 s. A trial ends each of them.
        Hits(replicas, rate, throttled).Should().BeLessThanOrEqualTo(most);
        Hits(replicas, rate, throttled, S(60)).Should().BeLessThanOrEqualTo(most);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(20, 1, 180)]
    [InlineData(50, 0.1, 360)]
    public Task A_silent_endpoint_costs_the_fleet_less_than_each_replica_alone(int replicas, double rate, int most)
    {
        Hits(replicas, rate, FakeFault.Hang).Should().BeLessThanOrEqualTo(most);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(20, 1, 120)]
    [InlineData(50, 0.1, 160)]
    public Task An_endpoint_that_answers_500_costs_the_fleet_less_than_each_replica_alone(int replicas, double rate, int most)
    {
        Hits(replicas, rate, FakeFault.Status(500)).Should().BeLessThanOrEqualTo(most);
        return Task.CompletedTask;
    }

    public static TheoryData<int, int, double, bool> BlindOnes
    {
        get
        {
            var data = new TheoryData<int, int, double, bool>();
            foreach (var isStandby in new[] { false, true })
            {
                foreach (var replicas in new[] { 4, 10, 20 })
                {
                    foreach (var rate in new[] { 0.005, 0.02, 0.1, 1 })
                        data.Add(replicas, 2, rate, isStandby);
                }

                data.Add(20, 1, 1, isStandby);
                data.Add(20, 6, 1, isStandby);
            }
            return data;
        }
    }

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(BlindOnes))]
    public Task Replicas_that_cannot_reach_an_endpoint_do_not_take_it_from_the_others(int replicas, int blind, double rate, bool isStandby)
    {
        Kept(replicas, blind, rate, isStandby, probes: false).Should().BeGreaterThanOrEqualTo(0.98);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 300_000)]
    public Task With_probes_even_a_majority_that_is_blind_takes_nothing()
    {
        Kept(20, 11, 1, isStandby: false, probes: true).Should().BeGreaterThanOrEqualTo(0.999);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task After_an_outage_the_fleet_is_back_no_later_than_alone_though_two_stay_blind()
    {
        var alone = HalfBack(shares: false);
        var shared = HalfBack(shares: true);
        output.WriteLine($"half of the others back: alone {alone}, shared {shared}");
        shared.Should().BeLessThanOrEqualTo(alone > S(4) ? alone : S(4));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 900_000)]
    public Task Evidence_of_what_sharing_saves()
    {
        if (Environment.GetEnvironmentVariable("HAKIT_EVIDENCE") != "1")
            Assert.Skip("Set HAKIT_EVIDENCE=1 for the table of docs/evidence/fleet.md.");
        foreach (var (n, r) in new[] { (4, 10.0), (20, 1.0), (50, 0.1) })
        {
            foreach (var (name, fault) in new[] { ("429", FakeFault.Status(429).WithHeader("Retry-After", "60")), ("500", FakeFault.Status(500)), ("silence", FakeFault.Hang) })
            {
                for (var seed = 1; seed <= 3; seed++)
                    output.WriteLine($"EVIDENCE {name} {n}x{r} seed {seed}: alone {Hits(n, r, fault, null, false, seed)} shared {Hits(n, r, fault, null, true, seed)}");
            }
        }

        return Task.CompletedTask;
    }

    // Attempts on e0 while it is broken.
    private long Hits(int replicas, double rate, FakeFault fault, TimeSpan? length = null, bool shares = true, int seed = 1)
    {
        using var fleet = NewFleet(replicas, 3, shares, seed: seed);
        fleet.Fault("e0", fault);
        var result = fleet.Run(Workload.Poisson(rate), length ?? S(300));
        var hits = fleet.Attempts("e0");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{replicas} x {rate}/s, {(shares ? "shared" : "alone")}: {hits} hits of {result.Calls} calls, {result.Lost} lost, {fleet.Store.Messages} messages"));
        result.Lost.Should().Be(0);
        var trials = fleet.Replicas.Sum(r => r.Events.GetEvents<EndpointChanged>().Count(e => e.Endpoint == "e0" && e.After.Status == Health.EndpointHealthStatus.Trial && e.Before.Status != e.After.Status));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"of them {trials} trials"));
        return hits;
    }

    // The share of the other replicas' calls that e0 gets if no replica is blind.
    private double Kept(int replicas, int blind, double rate, bool isStandby, bool probes)
    {
        var length = S(Math.Clamp(100 / rate, 400, 10_000));
        var (with, without) = (Attempts(blind), Attempts(0));
        var kept = (double)with / without;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{blind} of {replicas} blind at {rate}/s{(isStandby ? ", standby" : "")}: {with} of {without}, {kept:P1}"));
        return kept;

        long Attempts(int blinded)
        {
            using var fleet = NewFleet(replicas, 2, shares: true, (i, o) =>
            {
                o.Endpoints[1].Tier = 1;
                // As a standby, e0 is used only by replicas that cannot reach the primary either.
                if (isStandby)
                    (o.Endpoints[0].Tier, o.Endpoints[1].Tier) = (1, 0);
                o.Heartbeat.Enabled = probes;
            });
            fleet.Fault("e0", FakeFault.Refused, replicas: i => i < blinded);
            if (isStandby)
            {
                fleet.Fault("e1", FakeFault.Refused, until: length / 2, replicas: i => i < blind);
                fleet.Fault("e1", FakeFault.Refused, from: length / 2);
            }
            fleet.Run(Workload.Poisson(rate), length);
            return fleet.Replicas.Skip(blind).Sum(r => r["e0"].Answered);
        }
    }

    // Measures the time from the end of an outage of 10 s until e0 has answered half of the other replicas again.
    private static TimeSpan HalfBack(bool shares)
    {
        using var fleet = NewFleet(20, 3, shares);
        fleet.Fault("e0", FakeFault.Refused, S(60), S(70));
        fleet.Fault("e0", FakeFault.Refused, S(60), replicas: i => i < 2);
        fleet.Run(Workload.Poisson(1), S(70));
        var before = fleet.Replicas.Select(r => r["e0"].Answered).ToArray();
        while (Enumerable.Range(2, 18).Count(i => fleet.Replicas[i]["e0"].Answered > before[i]) < 9)
            fleet.Run(Workload.Poisson(1), S(1));
        return fleet.Time.Elapsed - S(70);
    }

    private static Fleet NewFleet(int replicas, int endpoints, bool shares, Action<int, EndpointPoolOptions>? configure = null, int seed = 1)
    {
        // The preset is round robin, so that selection is not the reason if an endpoint gets no calls.
        var fleet = new Fleet(replicas, endpoints, (i, o) =>
        {
            o.Selection.Preset = SelectionPreset.RoundRobin;
            o.AttemptTimeout = new TimeoutOptions { Timeout = S(5) };
            configure?.Invoke(i, o);
        }, shares, seed);
        foreach (var replica in fleet.Replicas)
        {
            foreach (var endpoint in replica.Endpoints)
                endpoint.Service = Usual;
        }

        return fleet;
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
