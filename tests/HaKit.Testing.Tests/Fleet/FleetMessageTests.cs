using HaKit.Health;
using HaKit.Peers;
using HaKit.Selection;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>Messages are lost, repeated, late or out of order, and replicas have different configurations. All replicas reach the same state.</summary>
public sealed class FleetMessageTests
{
    private static readonly string[] Endpoints = ["e0", "e1", "e2"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Seeds))]
    public Task Whatever_happens_to_messages_all_replicas_end_with_the_same_orders(int seed)
    {
        var random = new Random(seed);
        using var fleet = new Fleet(5, 3, static (_, o) => o.Sharing.OrderKey = "the fleet's own key", seed: seed);
        (fleet.Store.Loss, fleet.Store.Duplication, fleet.Store.Jitter) = (0.3, 0.5, S(3));
        fleet.Time.Advance(S(4));
        for (var i = 0; i < 12; i++)
        {
            var pool = fleet.Replicas[random.Next(5)].Pool;
            var endpoint = Endpoints[random.Next(3)];
            var goesDown = random.Next(2) == 0;
            fleet.Time.Run(() => goesDown ? pool.ForceDownAsync(endpoint).AsTask() : pool.BringUpAsync(endpoint).AsTask());
            // Two of three orders are given at the same time as the previous order, so their versions collide.
            fleet.Time.Advance(S(random.Next(3) == 0 ? 2 * random.NextDouble() : 0));
            if (random.Next(4) == 0)
            {
                var cutOff = random.Next(5);
                fleet.Store.Partition(r => r != cutOff);
            }
            if (random.Next(8) == 0)
                fleet.Store.Wipe();
        }
        fleet.Store.Partition(static _ => true);
        // A lost message is replaced when a replica next reads all facts. A replica does that after a reconnect; here it happens when the losses end.
        fleet.Store.Loss = 0;
        fleet.Store.Wipe();
        fleet.Time.Advance(S(20));
        foreach (var endpoint in Endpoints)
        {
            var orders = fleet.Replicas.Select(r => r.Pool.GetFleetStatus().Orders.SingleOrDefault(o => o.Endpoint == endpoint)).ToArray();
            orders.Distinct().Should().ContainSingle("seed {0}, {1}", seed, endpoint);
            foreach (var replica in fleet.Replicas)
                (Health(replica, endpoint).Status == EndpointHealthStatus.ForcedDown).Should().Be(orders[0]?.Order == PoolOrder.ForceDown, "what holds is carried out");
        }
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Seeds))]
    public Task Whatever_happens_to_messages_the_latest_opinion_of_each_replica_is_known_to_all(int seed)
    {
        using var fleet = new Fleet(4, 3, static (_, o) => o.Selection.Preset = SelectionPreset.RoundRobin, seed: seed);
        (fleet.Store.Duplication, fleet.Store.Jitter) = (0.5, S(3));
        fleet.Fault("e0", FakeFault.Status(500), S(3), S(20), i => i < 2);
        // The latest opinion changes twice within a second or two: the endpoint serves, fails, and is ejected.
        fleet.Fault("e1", FakeFault.Refused, S(57), replicas: i => i > 1);
        fleet.Run(Workload.Poisson(5), S(60));
        fleet.Time.Advance(S(8)); // the slowest message waited 1 s, travelled for 3 s to the store and for 3 s from it, and has arrived
        foreach (var replica in fleet.Replicas)
        {
            foreach (var seen in replica.Pool.GetFleetStatus().Replicas.Where(static r => !r.IsThis))
            {
                var own = fleet.Replicas.Single(r => r.Pool.GetFleetStatus().Replica == seen.Replica).Pool.GetFleetStatus().Replicas.Single(static r => r.IsThis);
                seen.Endpoints.Select(static e => (e.Endpoint, e.Opinion)).Should().Equal(own.Endpoints.Select(static e => (e.Endpoint, e.Opinion)));
            }
        }
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_replica_of_an_older_configuration_shares_the_endpoints_that_both_have()
    {
        // The older replicas know e0, e1 and an endpoint that was removed. The newer replicas know e0, e1 and an endpoint that was added.
        using var fleet = new Fleet(4, 3, static (i, o) =>
        {
            o.Selection.Preset = SelectionPreset.RoundRobin;
            o.Endpoints[2].Name = i < 2 ? "gone" : "new";
            o.Endpoints[0].Account = "acme";
            o.Endpoints[0].Credential = "sk-acme";
        });
        fleet.Fault("e0", FakeFault.Status(429).WithHeader("Retry-After", "60"), S(5), S(6), i => i == 0);
        foreach (var replica in fleet.Replicas.Take(2))
            replica["gone"].Faults.Always(FakeFault.Status(500));
        foreach (var replica in fleet.Replicas.Skip(2))
            replica["new"].Faults.Always(FakeFault.Status(500));
        fleet.Run(Workload.Poisson(5), S(20)).Lost.Should().Be(0);
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e0").CooldownUntil > fleet.Time.Elapsed, "all ask e0 in the same way");
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e1").Admits(fleet.Time.Elapsed));
        fleet.Replicas[3].Pool.GetFleetStatus().Replicas.Should().OnlyContain(r => r.Endpoints.Any(e => e.Endpoint == "e1" && e.Counts));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task In_the_middle_of_a_rotation_replicas_with_the_old_key_take_nothing_from_those_with_the_new()
    {
        // Three of five replicas still have the withdrawn key. They are a majority, but their opinions say nothing about the new key.
        using var fleet = new Fleet(5, 3, static (i, o) =>
        {
            o.Selection.Preset = SelectionPreset.RoundRobin;
            foreach (var endpoint in o.Endpoints)
                (endpoint.Account, endpoint.KeyName, endpoint.Credential) = ("acme", "acme-" + endpoint.Name, i < 3 ? "sk-old" : "sk-new");
        });
        fleet.Fault("e0", FakeFault.Status(401), S(5), replicas: static i => i < 3);
        fleet.Fault("e1", FakeFault.Status(500), S(5), replicas: static i => i < 3);
        var result = fleet.Run(Workload.Poisson(5), S(60));
        result.Lost.Should().Be(0);
        foreach (var replica in fleet.Replicas.Skip(3))
        {
            replica.Events.GetEvents<EndpointEjected>().Should().BeEmpty();
            Endpoints.Should().OnlyContain(e => Health(replica, e).Admits(fleet.Time.Elapsed));
        }
        fleet.Replicas.Take(3).Should().OnlyContain(r => r.Events.GetEvents<EndpointEjected>().Any(e => e.Endpoint == "e1"), "they have evidence of their own");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Replicas_of_the_previous_format_beside_this_one_share_all_that_both_know()
    {
        using var fleet = new Fleet(
            4, 3,
            static (_, o) =>
            {
                (o.Sharing.OrderKey, o.Sharing.Usage) = ("the fleet's own key", true);
                o.Selection.Preset = SelectionPreset.RoundRobin;
                o.Endpoints[1].Limits = new HaKit.Limits.LimitOptions { RequestsPerMinute = 100 };
            },
            parts: static (i, parts) =>
            {
                if (i < 2 && parts.PeerLink is { } connect)
                    parts.PeerLink = scope => new FirstFormatLink(connect(scope)!);
            });
        fleet.Store.Wire = new();
        fleet.Fault("e0", FakeFault.Status(429).WithHeader("Retry-After", "60"), S(5), S(6), static i => i == 0);
        fleet.Fault("e2", FakeFault.Status(500), S(5), S(30), static i => i is 1 or 2);
        fleet.Time.Run(() => fleet.Replicas[3].Pool.DrainAsync("e1").AsTask());
        fleet.Run(Workload.Poisson(5), S(4)).Lost.Should().Be(0);
        fleet.Time.Run(() => fleet.Replicas[0].Pool.BringUpAsync("e1").AsTask());
        fleet.Run(Workload.Poisson(5), S(16)).Lost.Should().Be(0);
        fleet.Store.Wire.ToString().Should().Contain("{\"format\":1,").And.Contain("{\"format\":2,").And.Contain("\"Usage\"");
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e0").CooldownUntil > fleet.Time.Elapsed);
        fleet.Replicas.Select(static r => r.Pool.GetFleetStatus().Orders.Single()).Distinct().Should().ContainSingle().Which.Version.Should().Be(2);
        foreach (var replica in fleet.Replicas)
            replica.Pool.GetFleetStatus().Replicas.Should().HaveCount(4).And.OnlyContain(static r => r.Endpoints.Any(static e => e.Endpoint == "e2" && e.Counts));
        return Task.CompletedTask;
    }

    /// <summary>A replica with the first format: it writes version 1, and neither sends nor reads usage.</summary>
    private sealed class FirstFormatLink(IPeerLink link) : IPeerLink
    {
        public PeerLinkStatus Status => link.Status;

        public void Start(Action<PeerNews> listener) =>
            link.Start(news => listener(news with { Facts = [.. news.Facts.Where(static f => f.Kind != PeerFactKind.Usage)] }));

        public void Publish(IReadOnlyList<PeerFact> facts) =>
            link.Publish([.. facts.Where(static f => f.Kind != PeerFactKind.Usage).Select(static f => f with { Format = 1 })]);

        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => link.LeadAsync(role, cancellationToken);

        public void Dispose() => link.Dispose();
    }

    private static HealthState Health(TestPool replica, string endpoint) => replica.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health;

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
