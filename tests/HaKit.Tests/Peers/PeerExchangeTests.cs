using HaKit.Faults;
using HaKit.Health;
using HaKit.Peers;
using HaKit.Testing;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Peers;

/// <summary>Tests what a pool does with the facts of a link: orders that come too early, repeated reads, and the facts of replicas that are gone.</summary>
public sealed class PeerExchangeTests : IDisposable
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private readonly FakeLink _link = new();

    public void Dispose() => _link.Dispose();

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory(Timeout = 10_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_order_for_a_tier_is_executed_when_the_tier_gets_its_first_endpoint(bool hasLink)
    {
        await using var pool = _link.NewPool(_time, parts: p => p.PeerLink = hasLink ? p.PeerLink : null);
        using var events = pool.Events.Subscribe();
        var order = FakeLink.OrderOf(PoolOrder.Promote, tier: 1);
        if (hasLink)
            _link.Tell(new PeerNews([order], IsComplete: true));
        else
            pool.Learn(order);
        pool.AddEndpoint(new EndpointOptions { Name = "a" });
        _time.Advance(Seconds(2));
        pool.GetStatus().FirstTier.Should().Be(0, "the tier has no endpoint yet");
        pool.AddEndpoint(new EndpointOptions { Name = "b", Tier = 1 });
        _time.Advance(Seconds(2));
        pool.GetStatus().FirstTier.Should().Be(1);

        await pool.FailBackAsync();
        _time.Advance(Seconds(30));
        pool.GetStatus().FirstTier.Should().Be(0, "the later order is in force, and the earlier one is not executed again");
        await pool.DisposeAsync();
        (await ReadAsync(events)).OfType<OrderGiven>().Should().HaveCount(2);
    }

    public static TheoryData<PeerFactKind, long, long> ExtremeTimes()
    {
        var data = new TheoryData<PeerFactKind, long, long>();
        long[] times = [long.MinValue, -1, 0, TimeSpan.TicksPerHour * 10_000, long.MaxValue];
        foreach (var kind in Enum.GetValues<PeerFactKind>())
        {
            foreach (var length in times)
            {
                foreach (var left in times)
                    data.Add(kind, length, left);
            }
        }
        return data;
    }

    /// <summary>A broken or hostile replica may send any number.</summary>
    [Theory(Timeout = 10_000)]
    [MemberData(nameof(ExtremeTimes))]
    public async Task A_fact_with_extreme_numbers_disturbs_neither_the_pool_nor_the_facts_after_it(PeerFactKind kind, long length, long left)
    {
        await using var pool = _link.NewPool(_time, o =>
        {
            o.Endpoints.Add(new EndpointOptions { Name = "a", Limits = new() { TokensPerMinute = 1000 } });
            o.Endpoints.Add(new EndpointOptions { Name = "b" });
        });
        PeerFact fact = kind == PeerFactKind.Order
            ? FakeLink.OrderOf(PoolOrder.Drain, "b") with { Length = new(length), Left = new(left) }
            : new()
            {
                Kind = kind,
                Subject = "a",
                Replica = "hostile",
                Version = long.MaxValue,
                Length = new(length),
                Left = new(left),
                Opinion = PeerOpinion.Ejected,
                StatusCode = int.MinValue,
                Requests = long.MaxValue,
                Tokens = long.MinValue,
                Fingerprint = "",
            };
        pool.Invoking(p => p.Learn(fact)).Should().NotThrow();
        FluentActions.Invoking(() => _link.Tell(new PeerNews([fact, FakeLink.OrderOf(PoolOrder.ForceDown, "a")], IsComplete: true))).Should().NotThrow();
        _time.Advance(Seconds(2));
        pool.GetStatus().Endpoints[0].Health.Status.Should().Be(EndpointHealthStatus.ForcedDown, "the order after the fact is executed");
        pool.GetFleetStatus().Should().NotBeNull();
        (await pool.ExecuteAsync(static (attempt, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b");
        _time.Advance(Seconds(4000));
        (await pool.ExecuteAsync(static (attempt, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b", "nothing lasts longer than an hour, and the last endpoint is not taken");
    }

    [Fact(Timeout = 10_000)]
    public async Task An_order_about_an_endpoint_is_executed_without_a_link_when_the_endpoint_is_added()
    {
        await using var pool = _link.NewPool(_time, parts: static p => p.PeerLink = null);
        pool.Learn(FakeLink.OrderOf(PoolOrder.ForceDown, "a"));
        pool.AddEndpoint(new EndpointOptions { Name = "a" });
        pool.GetStatus().Endpoints[0].Health.Status.Should().Be(EndpointHealthStatus.ForcedDown);
    }

    [Fact(Timeout = 10_000)]
    public async Task Only_the_last_order_for_a_tier_is_executed_late()
    {
        await using var pool = _link.NewPool(_time);
        _link.Tell(new PeerNews([FakeLink.OrderOf(PoolOrder.Promote, tier: 1), FakeLink.OrderOf(PoolOrder.Promote, tier: 2, version: 2)], IsComplete: true));
        pool.AddEndpoint(new EndpointOptions { Name = "b", Tier = 1 });
        _time.Advance(Seconds(2));
        pool.GetStatus().FirstTier.Should().Be(1, "the lowest tier with an endpoint is first");
        pool.AddEndpoint(new EndpointOptions { Name = "c", Tier = 2 });
        _time.Advance(Seconds(2));
        pool.GetStatus().FirstTier.Should().Be(2);
    }

    [Fact(Timeout = 10_000)]
    public async Task The_application_s_start_up_does_not_continue_inside_the_link_s_listener()
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        var isListening = false;
        bool? continuedInside = null;
        var warmUp = WarmUpAsync();
        isListening = true;
        _link.Tell(new PeerNews([], IsComplete: true));
        isListening = false;
        _time.Advance(Seconds(0.01));
        (await warmUp).Should().BeTrue();
        continuedInside.Should().BeFalse();
        (await pool.WarmUpAsync(Ct)).Should().BeTrue("the facts are there, so nothing waits");

        async Task<bool> WarmUpAsync()
        {
            var isWarm = await pool.WarmUpAsync(Ct).ConfigureAwait(false);
            continuedInside = isListening;
            return isWarm;
        }
    }

    [Fact(Timeout = 10_000)]
    public async Task An_order_with_a_wrong_signature_is_reported_once_and_its_replica_s_name_is_safe_to_show()
    {
        using var logs = new LogRecorder { MinimumLevel = LogLevel.Warning };
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }), p => p.LoggerFactory = logs.CreateFactory());
        var refused = FakeLink.OrderOf(PoolOrder.ForceDown, "a", replica: "web-1\r\ninvented line", key: "an earlier key");
        for (var i = 0; i < 3; i++)
            _link.Tell(new PeerNews([refused, refused with { Left = refused.Left - Seconds(i) }], IsComplete: true));
        logs.Entries.Should().ContainSingle().Which.Message.Should().NotContainAny("\r", "\n");

        for (var i = 2; i < 5000; i++)
            _link.Tell(new PeerNews([FakeLink.OrderOf(PoolOrder.ForceDown, "a", version: i, key: "an earlier key")], IsComplete: false));
        logs.Entries.Count.Should().BeLessThanOrEqualTo(1000, "a store that lies cannot fill the log");
    }

    [Fact(Timeout = 10_000)]
    public async Task A_replica_counts_for_half_a_minute_after_it_spoke_though_its_cooldown_lasts_an_hour()
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        _link.Tell(new PeerNews([Cooldown(pool, "r2", left: 3600), Cooldown(pool, "r3", left: 3600 - 60)], IsComplete: true));
        pool.GetFleetStatus().Replicas.Should().HaveCount(2, "this replica and r2; r3 spoke a minute ago");
        pool.Owners.Peers.Replicas.Should().Be(2);
        _time.Advance(Seconds(60));
        pool.Owners.Peers.Replicas.Should().Be(1);
    }

    [Fact(Timeout = 10_000)]
    public async Task A_replica_that_shares_only_its_usage_counts()
    {
        await using var pool = _link.NewPool(_time, static o =>
        {
            o.Endpoints.Add(new EndpointOptions { Name = "a", Limits = new() { RequestsPerMinute = 100 } });
            o.Sharing.Usage = true;
        });
        _time.Advance(Seconds(2));
        await pool.ExecuteAsync(0, static (_, _, _) => new ValueTask<int>(1), Ct);
        _time.Advance(Seconds(2));
        var own = _link.Published.First(static f => f.Kind == PeerFactKind.Usage);
        _link.Tell(new PeerNews([own with { Replica = "other", Left = own.Length }], IsComplete: false));
        pool.Owners.Peers.Replicas.Should().Be(2);
        _time.Advance(Seconds(60));
        pool.Owners.Peers.Replicas.Should().Be(1);
    }

    [Fact(Timeout = 10_000)]
    public async Task Facts_are_forgotten_without_a_link_too()
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }), static p => p.PeerLink = null);
        pool.Learn(Cooldown(pool, "r2", left: 3600));
        pool.Owners.Peers.Replicas.Should().Be(2);
        _time.Advance(Seconds(60));
        pool.Owners.Peers.Replicas.Should().Be(1);
    }

    [Theory(Timeout = 10_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_overruled_order_is_answered_only_if_it_came_as_a_message(bool isComplete)
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        _time.Advance(Seconds(2));
        PeerFact[] orders = [FakeLink.OrderOf(PoolOrder.ForceDown, "a"), FakeLink.OrderOf(PoolOrder.BringUp, "a", version: 2)];
        _link.Tell(new PeerNews(orders, IsComplete: true));
        _time.Advance(Seconds(2));
        _link.Published.Clear();
        _link.Tell(new PeerNews(isComplete ? orders : [orders[0]], isComplete));
        _time.Advance(Seconds(2));
        _link.Published.Count(f => f.Kind == PeerFactKind.Order).Should().Be(isComplete ? 0 : 1, "the store keeps overruled orders, but a replica that sends one has not received the later order");
    }

    [Fact(Timeout = 10_000)]
    public async Task A_complete_read_without_the_order_in_force_gets_it_again()
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        PeerFact[] orders = [FakeLink.OrderOf(PoolOrder.ForceDown, "a"), FakeLink.OrderOf(PoolOrder.BringUp, "a", version: 2)];
        _link.Tell(new PeerNews(orders, IsComplete: true));
        _time.Advance(Seconds(2));
        _link.Published.Clear();
        _link.Tell(new PeerNews([orders[0]], IsComplete: true));
        _time.Advance(Seconds(2));
        _link.Published.Should().ContainSingle(f => f.Kind == PeerFactKind.Order).Which.Version.Should().Be(2);
    }

    [Theory(Timeout = 10_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_order_of_the_first_second_is_executed_once(bool isOwn)
    {
        await using var pool = _link.NewPool(_time, static o => o.Endpoints.Add(new EndpointOptions { Name = "a" }));
        using var events = pool.Events.Subscribe();
        if (isOwn)
            await pool.ForceDownAsync("a");
        else
            _link.Tell(new PeerNews([FakeLink.OrderOf(PoolOrder.ForceDown, "a")], IsComplete: true));
        _time.Advance(Seconds(5));
        await pool.DisposeAsync();
        (await ReadAsync(events)).OfType<OrderGiven>().Should().ContainSingle().Which.Replica.Should().Be(isOwn ? null : "other");
    }

    [Fact(Timeout = 10_000)]
    public async Task Two_processes_with_the_same_seed_have_different_names()
    {
        var names = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            await using var pool = _link.NewPool(_time, parts: static p => p.TimeProvider = TimeProvider.System);
            names.Add(_link.Scope.Replica);
        }
        names.Should().HaveCount(2);
        names.Clear();
        for (var i = 0; i < 2; i++)
        {
            await using var pool = _link.NewPool(_time);
            names.Add(_link.Scope.Replica);
        }
        names.Should().HaveCount(1, "a simulation can be repeated");
    }

    private static PeerFact Cooldown(EndpointPool pool, string replica, double left) => new()
    {
        Kind = PeerFactKind.Cooldown,
        Subject = new PeerDomains(FakeLink.OrderKey).Subject(pool.Engine.Snapshot.Members[0], FaultReach.Endpoint),
        Replica = replica,
        Version = 1,
        Reach = FaultReach.Endpoint,
        Fault = FaultKind.Throttled,
        StatusCode = 429,
        Length = Seconds(3600),
        Left = Seconds(left),
    };

    private static async Task<List<PoolEvent>> ReadAsync(PoolEventSubscription events)
    {
        var all = new List<PoolEvent>();
        await foreach (var happened in events)
            all.Add(happened);
        return all;
    }
}
