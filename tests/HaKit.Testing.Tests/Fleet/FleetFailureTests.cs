using System.Text;
using HaKit.Failover;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Peers;
using HaKit.Selection;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>
/// Tests faults that a fleet must survive: of the store, of the network between the replicas, of the facts, and of replicas or stores that lie.
/// </summary>
public sealed class FleetFailureTests
{
    private const string Key = "the fleet's own key";
    private static readonly string[] Others = ["e1", "e2", "e3"];
    private static readonly FakeFault Throttled = FakeFault.Status(429).WithHeader("Retry-After", "60");

    public static TheoryData<string> Troubles => ["frozen", "killed", "wiped", "read-only", "clock + 1 h", "clock - 1 h", "failover to a node 10 min off", "partition"];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Troubles))]
    public Task Trouble_of_the_store_makes_no_call_slower_and_facts_are_complete_five_seconds_after_it(string trouble)
    {
        using var alone = NewFleet(4, shares: false);
        using var fleet = NewFleet(4);
        foreach (var each in new[] { alone, fleet })
        {
            each.Run(Workload.Poisson(2), S(20));
            each.Store.Copy();
            // While the store fails, one replica gets a Retry-After from an endpoint.
            each.Fault("e1", Throttled, S(22), S(24), i => i == 0);
            if (each == fleet)
                Begin(trouble, each.Store);
        }
        var before = (Alone: alone.Run(Workload.Poisson(2), S(8)), Shared: fleet.Run(Workload.Poisson(2), S(8)));
        End(trouble, fleet.Store);
        fleet.Run(Workload.Poisson(2), S(5));
        before.Shared.Lost.Should().Be(0);
        before.Shared.Longest.Should().Be(before.Alone.Longest);
        foreach (var replica in fleet.Replicas)
        {
            var status = replica.Pool.GetFleetStatus();
            status.Link!.IsConnected.Should().BeTrue();
            status.Replicas.Count.Should().Be(4);
            status.Replicas.Should().OnlyContain(r => r.Endpoints.Count == 3, "every replica asks each endpoint every few seconds");
            (Health(replica, "e1").CooldownUntil > fleet.Time.Elapsed).Should().BeTrue("what one was told meanwhile is known to all");
        }
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Troubles))]
    public Task No_trouble_of_the_store_makes_a_cooldown_longer_than_the_server_told(string trouble)
    {
        using var fleet = NewFleet(4);
        fleet.Run(Workload.Steady(2), S(5));
        fleet.Store.Copy();
        fleet.Fault("e0", Throttled, S(5), S(6));
        fleet.Run(Workload.Steady(10), S(3));
        Cooling(fleet).Should().Be(4, "all have heard of it");
        Begin(trouble, fleet.Store);
        fleet.Run(Workload.Steady(2), S(20));
        End(trouble, fleet.Store);
        var latecomer = fleet.Add();
        fleet.Run(Workload.Steady(2), S(10));
        latecomer.Pool.GetFleetStatus().Replicas.Count.Should().Be(5);
        // The Retry-After of 60 s arrived at 6 s at the latest.
        fleet.Time.Advance(S(66.5) - fleet.Time.Elapsed);
        Cooling(fleet).Should().Be(0);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Lost_repeated_late_and_overtaken_messages_end_in_the_same_cooldown()
    {
        using var fleet = NewFleet(6);
        (fleet.Store.Loss, fleet.Store.Duplication, fleet.Store.Jitter) = (0.2, 0.5, S(3));
        fleet.Fault("e0", Throttled, S(5), S(5.2));
        fleet.Fault("e0", FakeFault.Status(429).WithHeader("Retry-After", "100"), S(5.2), S(6));
        fleet.Run(Workload.Steady(10), S(15));
        foreach (var replica in fleet.Replicas)
        {
            if (Health(replica, "e0").CooldownUntil is { } until)
                until.Should().BeLessThan(S(106.2)).And.BeGreaterThan(S(64));
        }

        fleet.Time.Advance(S(107) - fleet.Time.Elapsed);
        Cooling(fleet).Should().Be(0);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_later_and_longer_cooldown_is_not_lost_in_the_store()
    {
        using var fleet = NewFleet(2);
        fleet.Replicas[0]["e0"].Faults.Add(new FaultRule(Throttled) { From = S(1), Until = S(2) });
        fleet.Replicas[1]["e0"].Faults.Add(new FaultRule(FakeFault.Status(429).WithHeader("Retry-After", "300")) { From = S(1), Until = S(2) });
        fleet.Run(Workload.Steady(20), S(4));
        var late = fleet.Add();
        fleet.Time.Advance(S(0.1)); // the start of the application waits for the same time
        fleet.Run(Workload.Steady(1), S(4));
        foreach (var replica in fleet.Replicas)
            Health(replica, "e0").CooldownUntil.Should().BeGreaterThan(S(290), "the store keeps the maximum");
        late["e0"].Attempts.Should().Be(0);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task In_a_partition_each_part_is_what_it_is_alone_and_after_it_they_agree()
    {
        using var fleet = NewFleet(4);
        fleet.Run(Workload.Steady(2), S(5));
        fleet.Store.Partition(i => i < 2);
        fleet.Fault("e0", Throttled, S(5), S(9), i => i < 2);
        fleet.Run(Workload.Steady(10), S(5));
        fleet.Replicas.Take(2).Should().OnlyContain(r => IsCooling(r));
        fleet.Replicas.Skip(2).Should().OnlyContain(r => !IsCooling(r));
        fleet.Store.Partition(static _ => true);
        fleet.Run(Workload.Steady(2), S(5));
        Cooling(fleet).Should().Be(4);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Replicas_that_ask_in_another_way_are_not_counted()
    {
        // Two replicas have the old address of an endpoint, and two replicas have the new address.
        using var fleet = NewFleet(4, (i, o) => o.Endpoints[0].Model = i < 2 ? "old" : "new");
        fleet.Fault("e0", FakeFault.Status(500), replicas: i => i < 2);
        fleet.Run(Workload.Poisson(5), S(30), i => i < 2);
        fleet.Replicas.Take(2).Should().OnlyContain(r => Health(r, "e0").Status == EndpointHealthStatus.Ejected || Health(r, "e0").Status == EndpointHealthStatus.Trial);
        fleet.Replicas.Skip(2).Should().OnlyContain(r => Health(r, "e0").Admits(fleet.Time.Elapsed));
        fleet.Replicas[3].Pool.GetFleetStatus().Replicas.SelectMany(r => r.Endpoints).Should().Contain(v => v.Endpoint == "e0" && v.Opinion == PeerOpinion.Ejected && !v.Counts);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Two_that_have_ejected_an_endpoint_take_it_from_a_third_that_knows_nothing_and_what_peers_say_does_not_echo()
    {
        using var fleet = NewFleet(4);
        fleet.Fault("e0", FakeFault.Status(500), replicas: i => i < 2);
        fleet.Run(Workload.Poisson(5), S(12), i => i < 2);
        foreach (var replica in fleet.Replicas.Skip(2))
        {
            replica.Events.GetEvents<EndpointEjected>().Should().ContainSingle().Which.Source.Should().Be(ChangeSource.Peer);
            replica.Pool.GetFleetStatus().Replicas.Single(r => r.IsThis).Endpoints.Should().BeEmpty("it has asked nothing itself");
        }
        // The endpoint is out for the base ejection and no longer, however long the two replicas go on. Then the replica's own trial decides.
        fleet.Run(Workload.Poisson(5), S(60), i => i < 2);
        fleet.Replicas[2].Events.GetEvents<EndpointEjected>().Should().ContainSingle();
        fleet.Run(Workload.Steady(2), S(4), i => i == 2);
        Health(fleet.Replicas[2], "e0").Admits(fleet.Time.Elapsed).Should().BeTrue();
        fleet.Run(Workload.Poisson(5), S(60), i => i < 3);
        Health(fleet.Replicas[2], "e0").Admits(fleet.Time.Elapsed).Should().BeTrue("its own evidence is better");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Opinions_expire_so_that_one_that_left_takes_nothing_any_more()
    {
        using var fleet = NewFleet(3);
        fleet.Fault("e0", FakeFault.Status(500), replicas: i => i < 2);
        fleet.Run(Workload.Poisson(5), S(10), i => i < 2);
        fleet.Replicas[2].Pool.GetFleetStatus().Replicas.SelectMany(r => r.Endpoints).Should().NotBeEmpty();
        fleet.Store.Partition(i => i == 2);
        fleet.Time.Advance(S(40));
        fleet.Replicas[0].Pool.GetFleetStatus().Replicas.Single(r => r.IsThis).Endpoints.Should().BeEmpty("its own evidence is old");
        var late = fleet.Add();
        fleet.Time.Advance(S(5));
        Health(late, "e0").Admits(fleet.Time.Elapsed).Should().BeTrue();
        late.Events.GetEvents<EndpointEjected>().Should().BeEmpty();
        fleet.Replicas[2].Pool.GetFleetStatus().Replicas.SelectMany(r => r.Endpoints).Should().BeEmpty("no opinion is fresh any more");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task The_last_endpoint_that_could_serve_a_request_is_never_taken_by_others()
    {
        using var fleet = NewFleet(3, (_, o) => o.Endpoints[0].Residency = "eu");
        fleet.Fault("e0", FakeFault.Status(500), replicas: i => i < 2);
        fleet.Run(Workload.Poisson(5), S(30), i => i < 2);
        Health(fleet.Replicas[2], "e0").Admits(fleet.Time.Elapsed).Should().BeTrue("no other endpoint is in the EU");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Staging_beside_production_and_another_key_of_the_same_account_share_nothing()
    {
        using var fleet = NewFleet(4, (i, o) =>
        {
            o.Sharing.Name = i < 2 ? "shop/production" : "shop/staging";
            (o.Endpoints[0].Account, o.Endpoints[0].Credential) = ("acme", i == 1 ? "sk-old" : "sk-new");
        });
        foreach (var replica in fleet.Replicas)
            replica["e0"].Faults.Add(new FaultRule(Throttled) { From = S(1), Until = S(3) });
        fleet.Run(Workload.Steady(5), S(10), i => i == 2);
        IsCooling(fleet.Replicas[3]).Should().BeTrue("staging shares with staging");
        fleet.Replicas.Take(2).Should().OnlyContain(r => !IsCooling(r));
        fleet.Replicas[0]["e0"].Faults.Add(new FaultRule(Throttled) { Until = S(3) });
        fleet.Run(Workload.Steady(5), S(5), i => i == 0);
        IsCooling(fleet.Replicas[0]).Should().BeTrue();
        IsCooling(fleet.Replicas[1]).Should().BeFalse("it still asks with the old key");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task An_order_reaches_every_replica_those_that_start_later_and_those_after_the_store_was_wiped()
    {
        using var fleet = NewFleet(3, WithKey);
        fleet.Time.Advance(S(5));
        fleet.Replicas[0].Time.Run(() => fleet.Replicas[0].Pool.ForceDownAsync("e1", new OrderNote("Ada", "new firmware")).AsTask());
        fleet.Time.Advance(S(2));
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e1").Status == EndpointHealthStatus.ForcedDown);
        var given = fleet.Replicas[2].Events.GetEvents<OrderGiven>().Should().ContainSingle().Subject;
        (given.By, given.Reason, given.Replica).Should().Be(("Ada", "new firmware", fleet.Replicas[0].Pool.GetFleetStatus().Replica));

        fleet.Store.Wipe();
        fleet.Time.Advance(S(5));
        Health(fleet.Add(), "e1").Status.Should().Be(EndpointHealthStatus.Healthy, "it has only just been made");
        fleet.Time.Advance(S(2));
        Health(fleet.Replicas[3], "e1").Status.Should().Be(EndpointHealthStatus.ForcedDown);
        fleet.Replicas[3].Pool.GetFleetStatus().Orders.Should().ContainSingle().Which.Version.Should().Be(1);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task An_order_that_was_taken_back_while_a_replica_was_cut_off_stays_taken_back()
    {
        using var fleet = NewFleet(3, WithKey);
        fleet.Time.Advance(S(5));
        Order(fleet, 0, pool => pool.ForceDownAsync("e1"));
        fleet.Time.Advance(S(2));
        fleet.Store.Partition(i => i != 2);
        Order(fleet, 1, pool => pool.BringUpAsync("e1"));
        fleet.Store.Wipe();
        fleet.Time.Advance(S(20));
        Health(fleet.Replicas[2], "e1").Status.Should().Be(EndpointHealthStatus.ForcedDown, "it is cut off");
        fleet.Store.Partition(static _ => true);
        fleet.Time.Advance(S(6));
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e1").Admits(fleet.Time.Elapsed));
        fleet.Replicas[0].Events.GetEvents<OrderOverruled>().Should().ContainSingle().Which.OverruledBy.Should().Be(PoolOrder.BringUp);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_promotion_that_another_replica_overrules_is_reported_with_both_tiers()
    {
        using var fleet = NewFleet(2, (i, o) =>
        {
            WithKey(i, o);
            o.Endpoints[1].Tier = 1;
        });
        fleet.Time.Advance(S(5));
        Order(fleet, 0, pool => pool.PromoteAsync(1));
        fleet.Time.Advance(S(3));
        Order(fleet, 1, pool => pool.PromoteAsync(0));
        fleet.Time.Advance(S(3));
        var overruled = fleet.Replicas[0].Events.GetEvents<OrderOverruled>().Should().ContainSingle().Which;
        (overruled.Order, overruled.Tier, overruled.OverruledBy, overruled.OverruledByTier).Should().Be((PoolOrder.Promote, 1, PoolOrder.Promote, 0));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task An_old_order_that_is_heard_again_changes_nothing()
    {
        using var fleet = NewFleet(2, WithKey);
        fleet.Store.Wire = new StringBuilder();
        fleet.Time.Advance(S(3));
        Order(fleet, 0, pool => pool.ForceDownAsync("e1"));
        fleet.Time.Advance(S(2));
        var old = FactsOf(fleet).First(f => f.Kind == PeerFactKind.Order);
        Order(fleet, 0, pool => pool.BringUpAsync("e1"));
        fleet.Time.Advance(S(2));
        fleet.Store.Inject("fleet", "test", old with { Left = old.Length });
        fleet.Time.Advance(S(5));
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e1").Admits(fleet.Time.Elapsed));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task One_replica_that_has_ejected_an_endpoint_takes_it_from_no_other()
    {
        using var fleet = NewFleet(3);
        fleet.Fault("e0", FakeFault.Refused, replicas: i => i == 0);
        fleet.Run(Workload.Poisson(5), S(30), i => i == 0);
        Health(fleet.Replicas[0], "e0").Admits(fleet.Time.Elapsed).Should().BeFalse();
        fleet.Replicas.Skip(1).Should().OnlyContain(r => r.Events.GetEvents<EndpointEjected>().Count == 0);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_forged_order_and_one_of_another_pool_are_ignored()
    {
        using var fleet = NewFleet(2, WithKey);
        fleet.Time.Advance(S(3));
        var order = new PeerFact
        {
            Kind = PeerFactKind.Order,
            Subject = "e0",
            Replica = "mallory",
            Version = 99,
            Length = TimeSpan.FromDays(90),
            Left = TimeSpan.FromDays(90),
            Order = new SignedOrder(PoolOrder.ForceDown, null, "Ada", null, default, Convert.ToBase64String(new byte[32])),
        };
        fleet.Store.Inject("fleet", "test", order);
        fleet.Time.Advance(S(2));
        fleet.Replicas.Should().OnlyContain(r => Health(r, "e0").Admits(fleet.Time.Elapsed));
        Order(fleet, 0, pool => pool.ForceDownAsync("e0"));
        fleet.Time.Advance(S(2));
        fleet.Replicas[1].Pool.GetFleetStatus().Orders.Should().ContainSingle().Which.Version.Should().Be(1, "a forged version counts for nothing");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Without_the_fleets_key_orders_stay_where_they_were_given()
    {
        using var fleet = NewFleet(2);
        fleet.Time.Advance(S(3));
        Order(fleet, 0, pool => pool.ForceDownAsync("e0"));
        fleet.Time.Advance(S(5));
        Health(fleet.Replicas[1], "e0").Admits(fleet.Time.Elapsed).Should().BeTrue();
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_store_that_lies_cools_for_an_hour_at_most_and_never_the_last_endpoint()
    {
        using var fleet = NewFleet(1, (_, o) => o.Endpoints.Add(new EndpointOptions { Name = "e3" }));
        fleet.Fault("e0", Throttled, S(1), S(2));
        fleet.Store.Wire = new StringBuilder();
        fleet.Run(Workload.Steady(5), S(5));
        var heard = fleet.Store.Wire.ToString().Split('\n').Select(l => l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..]).First(l => l.Contains("Cooldown", StringComparison.Ordinal));
        PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(heard.Trim()), out var fact).Should().BeTrue();
        fleet.Store.Inject("fleet", "test", fact! with { Replica = "liar", Version = 7, Length = TimeSpan.FromDays(30), Left = TimeSpan.FromDays(30) });
        fleet.Time.Advance(S(1));
        (Health(fleet.Replicas[0], "e0").CooldownUntil!.Value - fleet.Time.Elapsed).Should().BeLessThanOrEqualTo(TimeSpan.FromHours(1));

        foreach (var name in new[] { "e0", "e1", "e2", "e3" })
        {
            foreach (var replica in new[] { "liar", "liar 2" })
            {
                fleet.Store.Inject("fleet", "test", new PeerFact
                {
                    Kind = PeerFactKind.Opinion,
                    Subject = name,
                    Replica = replica,
                    Version = 9,
                    Length = S(30),
                    Left = S(30),
                    Opinion = PeerOpinion.Ejected,
                    Fingerprint = fleet.Replicas[0].Pool.GetFleetStatus() is not null ? FingerprintOf(fleet, name) : null,
                    Fault = FaultKind.ServerError,
                });
            }
        }

        fleet.Time.Advance(S(2));
        Others.Count(e => Health(fleet.Replicas[0], e).Admits(fleet.Time.Elapsed)).Should().BeGreaterThanOrEqualTo(1);
        fleet.Run(Workload.Steady(5), S(60)).Lost.Should().Be(0);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_later_format_beside_this_one_is_heard_as_far_as_it_is_known()
    {
        using var fleet = NewFleet(2);
        fleet.Time.Advance(S(3));
        var fact = new PeerFact { Format = PeerFact.CurrentFormat + 1, Kind = PeerFactKind.Opinion, Subject = "e0", Replica = "later", Version = 1, Length = S(30), Left = S(30), Opinion = PeerOpinion.Serves };
        fleet.Store.Inject("fleet", "test", fact, fact with { Kind = PeerFactKind.Unknown, Subject = "e1" });
        fleet.Time.Advance(S(1));
        fleet.Replicas[1].Pool.GetFleetStatus().Replicas.Should().Contain(r => r.Replica == "later" && r.Endpoints.Count == 1);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task Fifty_that_start_at_once_read_once_and_send_no_more_than_a_message_a_second()
    {
        using var fleet = NewFleet(50);
        var result = fleet.Run(Workload.Poisson(2), S(10));
        result.Lost.Should().Be(0);
        fleet.Store.Reads.Should().Be(50);
        fleet.Store.Messages.Should().BeLessThanOrEqualTo(50 * 10);
        fleet.Replicas.Should().OnlyContain(r => r.Pool.GetFleetStatus().Replicas.Count == 50);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 120_000)]
    [InlineData(0.5)]
    [InlineData(5)]
    [InlineData(30)]
    public Task A_waiting_call_never_waits_for_another_replicas_trial(double outage)
    {
        // Nineteen busy replicas never reach an endpoint. The twentieth replica has one call at the beginning of an outage.
        using var fleet = NewFleet(20);
        fleet.Fault("e0", FakeFault.Status(503), S(20), S(20 + outage));
        fleet.Fault("e1", FakeFault.Status(503), S(20), S(20 + outage));
        fleet.Fault("e2", FakeFault.Status(503), S(20), S(20 + outage));
        foreach (var endpoint in new[] { "e0", "e1", "e2" })
            fleet.Fault(endpoint, FakeFault.Status(503), S(20), replicas: i => i < 19);
        fleet.Run(Workload.Poisson(0.5), S(20));
        var call = fleet.Replicas[19].CallAsync(new RequestProfile { Deadline = S(100) });
        fleet.Run(Workload.Poisson(0.5), S(outage + 12), i => i < 19);
        call.IsCompletedSuccessfully.Should().BeTrue("it asks for itself, at the outage's pace");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true, 1, 2)]
    [InlineData(false, 3, 3)]
    public Task A_probe_that_costs_money_is_asked_by_one_replica(bool shares, int atLeast, int atMost)
    {
        var probes = new List<ScriptedProbe>();
        using var fleet = new Fleet(3, 1, (_, o) => (o.Heartbeat.Enabled, o.Heartbeat.SparingInterval) = (true, S(60)), shares, parts: (_, parts) => parts.Probe = _ =>
        {
            probes.Add(new ScriptedProbe(new FaultScript()) { Pace = ProbePace.Sparingly });
            return probes[^1];
        });
        fleet.Time.Advance(S(900));
        probes.Count(p => p.Asked > 5).Should().BeInRange(atLeast, atMost);
        probes.Sum(p => p.Asked).Should().BeLessThan(shares ? 25 : 55);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Nothing_on_the_wire_or_in_the_store_is_a_key_or_an_address()
    {
        using var fleet = NewFleet(3, (i, o) =>
        {
            WithKey(i, o);
            foreach (var endpoint in o.Endpoints)
                (endpoint.Address, endpoint.Credential, endpoint.Account, endpoint.KeyName) = ("https://user:hunter2@secret.example/v1", "sk-secret", "acme-account", "acme-key");
            o.Endpoints[1].Headers["api-key"] = "sk-header";
        });
        fleet.Store.Wire = new StringBuilder();
        fleet.Fault("e0", Throttled, S(1), S(2));
        fleet.Fault("e1", FakeFault.Status(500), S(1), S(20));
        fleet.Run(Workload.Poisson(5), S(30));
        Order(fleet, 0, pool => pool.ForceDownAsync("e0", new OrderNote("Ada")));
        fleet.Time.Advance(S(3));
        var wire = fleet.Store.Wire.ToString();
        foreach (var kind in new[] { "Cooldown", "Opinion", "TrialBegun", "TrialFailed", "Recovered", "Order" })
            wire.Should().Contain($"\"{kind}\"");
        foreach (var secret in new[] { "sk-", "hunter2", "secret.example", "acme", Key })
            wire.Should().NotContain(secret);
        return Task.CompletedTask;
    }

    private static string FingerprintOf(Fleet fleet, string endpoint) => FactsOf(fleet).First(f => f.Subject == endpoint && f.Fingerprint is not null).Fingerprint!;

    private static IEnumerable<PeerFact> FactsOf(Fleet fleet) => fleet.Store.Wire!.ToString().Split('\n')
        .Select(static l => PeerFactFormat.TryRead(Encoding.UTF8.GetBytes(l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim()), out var fact) ? fact : null)
        .OfType<PeerFact>();

    private static void Begin(string trouble, VirtualStore store)
    {
        switch (trouble)
        {
            case "frozen":
                store.Freeze();
                break;
            case "killed":
                store.Kill();
                break;
            case "wiped":
                store.Wipe();
                break;
            case "read-only":
                store.IsReadOnly = true;
                break;
            case "clock + 1 h":
                store.JumpClock(TimeSpan.FromHours(1));
                break;
            case "clock - 1 h":
                store.JumpClock(TimeSpan.FromHours(-1));
                break;
            case "partition":
                store.Partition(static i => i < 2);
                break;
            default:
                store.FailOver(TimeSpan.FromMinutes(10));
                break;
        }
    }

    private static void End(string trouble, VirtualStore store)
    {
        switch (trouble)
        {
            case "frozen":
                store.Thaw();
                break;
            case "killed":
                store.Restart();
                break;
            case "read-only":
                store.IsReadOnly = false;
                break;
            case "partition":
                store.Partition(static _ => true);
                break;
        }
    }

    private static void WithKey(int place, EndpointPoolOptions options) => options.Sharing.OrderKey = Key;

    private static void Order(Fleet fleet, int replica, Func<EndpointPool, ValueTask> order)
    {
        fleet.Time.Run(() => order(fleet.Replicas[replica].Pool).AsTask());
        fleet.Time.Advance(S(0.5));
    }

    private static int Cooling(Fleet fleet) => fleet.Replicas.Count(IsCooling);

    private static bool IsCooling(TestPool replica) => Health(replica, "e0").CooldownUntil > replica.Time.Elapsed;

    private static HealthState Health(TestPool replica, string endpoint) =>
        replica.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == endpoint).Health;

    private static Fleet NewFleet(int replicas, Action<int, EndpointPoolOptions>? configure = null, bool shares = true) => new(replicas, 3, (i, o) =>
    {
        o.Selection.Preset = SelectionPreset.RoundRobin;
        configure?.Invoke(i, o);
    }, shares);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
