using HaKit.Health;
using HaKit.Peers;
using HaKit.Selection;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>Replicas end and start again. Their opinions end with them, and their last facts reach the others.</summary>
public sealed class FleetRestartTests
{
    public static TheoryData<int, double, bool> Restarts
    {
        get
        {
            var data = new TheoryData<int, double, bool>();
            foreach (var well in new[] { 2, 3, 4, 6 })
            {
                foreach (var every in new[] { 4.0, 8, 15 })
                {
                    data.Add(well, every, true);
                    data.Add(well, every, false);
                }
            }
            return data;
        }
    }

    // A process that ends regularly takes its opinions back. A process that crashes has the same name when it starts again.
    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Restarts))]
    public Task A_process_that_cannot_reach_an_endpoint_and_starts_again_and_again_is_no_majority(int well, double every, bool crashes)
    {
        Answered(isBlind: true).Should().BeGreaterThanOrEqualTo((long)(0.98 * Answered(isBlind: false)));
        return Task.CompletedTask;

        long Answered(bool isBlind)
        {
            using var fleet = new Fleet(well, 2, (i, o) =>
            {
                o.Selection.Preset = SelectionPreset.RoundRobin;
                o.Endpoints[1].Tier = 1;
                if (i >= well && crashes)
                    o.Sharing.Replica = "pod";
            });
            for (var at = 0.0; at < 120; at += every)
            {
                var place = fleet.Replicas.Count;
                var process = fleet.Add();
                if (isBlind)
                    fleet.Fault("e0", FakeFault.Refused, replicas: i => i == place);
                fleet.Run(Workload.Poisson(1), S(every), i => i < well || i == place);
                if (!crashes)
                    process.Dispose();
            }
            return fleet.Replicas.Take(well).Sum(static r => r["e0"].Answered);
        }
    }

    [Fact(Timeout = 60_000)]
    public Task Processes_of_one_machine_are_counted_each_while_they_run()
    {
        using var fleet = new Fleet(4, 2, static (_, o) =>
        {
            o.Sharing.Replica = "machine";
            o.Selection.Preset = SelectionPreset.RoundRobin;
            o.Endpoints[1].Tier = 1;
        });
        fleet.Fault("e0", FakeFault.Status(500), S(20), replicas: i => i < 3);
        fleet.Run(Workload.Poisson(2), S(40), i => i < 3);
        fleet.Replicas[3].Events.GetEvents<EndpointEjected>().Should().NotBeEmpty("three of four processes have ejected it");
        return Task.CompletedTask;
    }

    // The last message was sent less than a second before, so this order waits for the next message.
    [Fact(Timeout = 60_000)]
    public Task An_order_of_a_replica_that_ends_at_once_is_obeyed_by_the_others_and_by_one_that_starts_later()
    {
        using var fleet = new Fleet(2, 3, static (_, o) => o.Sharing.OrderKey = "the fleet's own key");
        fleet.Time.Advance(S(5));
        var giver = fleet.Replicas[0];
        fleet.Time.Run(() => giver.Pool.ForceDownAsync("e1").AsTask());
        fleet.Time.Advance(S(0.1));
        fleet.Time.Run(() => giver.Pool.ForceDownAsync("e2").AsTask());
        giver.Dispose();
        fleet.Time.Advance(S(1));
        var late = fleet.Add();
        fleet.Time.Advance(S(1));
        foreach (var replica in new[] { fleet.Replicas[1], late })
        {
            foreach (var endpoint in new[] { "e1", "e2" })
                Status(replica, endpoint).Should().Be(EndpointHealthStatus.ForcedDown);
        }
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_cooldown_that_a_replica_is_told_at_its_end_is_known_to_the_others()
    {
        using var fleet = new Fleet(3, 2, static (_, o) => o.Endpoints[1].Tier = 1);
        fleet.Run(Workload.Steady(2), S(5));
        var told = fleet.Replicas[0];
        told["e0"].Faults.Next(1, FakeFault.Status(429).WithHeader("Retry-After", "60"));
        told.Call();
        told.Dispose();
        fleet.Time.Advance(S(1));
        fleet.Replicas.Skip(1).Should().OnlyContain(r => r.Pool.Explain(RequestProfile.Default)[0].Health.CooldownUntil > r.Time.Elapsed);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_replica_that_ends_takes_its_opinions_back()
    {
        using var fleet = new Fleet(2, 2, static (_, o) => o.Endpoints[1].Tier = 1);
        fleet.Fault("e0", FakeFault.Refused, replicas: static i => i == 0);
        fleet.Run(Workload.Poisson(2), S(10), static i => i == 0);
        Opinions().Should().Contain(v => v.Opinion == PeerOpinion.Ejected).And.Contain(v => v.Opinion == PeerOpinion.Serves);
        fleet.Replicas[0].Dispose();
        fleet.Time.Advance(S(1));
        Opinions().Should().BeEmpty();
        return Task.CompletedTask;

        IEnumerable<ReplicaView> Opinions() => fleet.Replicas[1].Pool.GetFleetStatus().Replicas.SelectMany(static r => r.Endpoints);
    }

    // The store publishes messages while it refuses writes. So the other replicas know the facts, and a replica that starts later reads them in the store.
    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public Task What_was_told_while_the_store_refused_writes_reaches_a_replica_that_starts_later(bool isOrder)
    {
        using var fleet = new Fleet(3, 2, static (_, o) =>
        {
            o.Sharing.OrderKey = "the fleet's own key";
            o.Endpoints[1].Tier = 1;
        });
        fleet.Run(Workload.Steady(2), S(5));
        fleet.Store.IsReadOnly = true;
        if (isOrder)
        {
            fleet.Time.Run(() => fleet.Replicas[0].Pool.ForceDownAsync("e0").AsTask());
        }
        else
        {
            fleet.Replicas[0]["e0"].Faults.Next(1, FakeFault.Status(429).WithHeader("Retry-After", "300"));
            fleet.Replicas[0].Call();
        }
        fleet.Time.Advance(S(5));
        fleet.Store.IsReadOnly = false;
        fleet.Time.Advance(S(35));
        var late = fleet.Add();
        fleet.Time.Advance(S(1));
        foreach (var replica in fleet.Replicas)
        {
            var health = replica.Pool.Explain(RequestProfile.Default)[0].Health;
            (isOrder ? health.Status == EndpointHealthStatus.ForcedDown : health.CooldownUntil > TimeSpan.Zero).Should().BeTrue();
        }
        late["e0"].Attempts.Should().Be(0);
        return Task.CompletedTask;
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static EndpointHealthStatus Status(TestPool replica, string endpoint) =>
        replica.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health.Status;
}
