using HaKit.Faults;
using HaKit.Health;
using HaKit.Tests.Heartbeats;

namespace HaKit.Tests.Telemetry;

public sealed class PoolEventTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static async Task ReadAsync(PoolEventSubscription subscription, Action<PoolEvent> take, CancellationToken cancellationToken = default)
    {
        await foreach (var happened in subscription.WithCancellation(cancellationToken).ConfigureAwait(false))
            take(happened);
    }

    private static async Task<(List<PoolEvent> Events, Task Reading)> ListenAsync(HeartbeatBench bench, int capacity = 256)
    {
        var events = new List<PoolEvent>();
        Task reading = Task.CompletedTask;
        bench.Time.Run(() => { reading = ReadAsync(bench.Pool.Events.Subscribe(capacity), events.Add); return Task.CompletedTask; });
        await Task.CompletedTask;
        return (events, reading);
    }

    [Fact]
    public async Task Ejection_and_recovery_are_told_with_cause_and_evidence_in_order()
    {
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Jitter = 0);
        var (events, _) = await ListenAsync(bench);
        bench.Answers["a"] = HeartbeatBench.Down;
        bench.Advance(30.1);
        bench.Answers.Clear();
        bench.Advance(60);
        events.Select(e => e.GetType().Name).Should().Equal(
            nameof(EndpointChanged), nameof(EndpointChanged), nameof(EndpointEjected), nameof(OutageBegan),
            nameof(EndpointRecovered), nameof(OutageEnded), nameof(EndpointChanged));
        var missed = (EndpointChanged)events[0];
        missed.Should().BeEquivalentTo(new { Pool = "test", Endpoint = "a", Source = ChangeSource.Heartbeat, Fault = new { Kind = FaultKind.ServerError } });
        missed.After.Should().BeEquivalentTo(new { Status = EndpointHealthStatus.Suspect, ProbeMisses = 1 });
        var ejected = (EndpointEjected)events[2];
        ejected.Source.Should().Be(ChangeSource.Heartbeat);
        ejected.Fault!.StatusCode.Should().Be(500);
        ejected.Before.ProbeMisses.Should().Be(2);
        ejected.After.Until.Should().BeGreaterThan(ejected.After.Since);
        ((OutageEnded)events[5]).Lasted.Should().BeCloseTo(events[5].At - events[3].At, TimeSpan.FromMilliseconds(1));
        ((EndpointChanged)events[6]).After.Status.Should().Be(EndpointHealthStatus.Healthy, "the ramp is over, and time alone told so");
        ((EndpointChanged)events[6]).Source.Should().Be(ChangeSource.Time);
    }

    [Fact]
    public async Task Orders_are_events_followed_by_what_they_change()
    {
        await using var bench = new HeartbeatBench(2, o => { o.Heartbeat.Enabled = false; o.Endpoints[1].Tier = 1; });
        var (events, _) = await ListenAsync(bench);
        await bench.Pool.DrainAsync("a", Ct);
        await bench.Pool.BringUpAsync("a");
        await bench.Pool.ForceDownAsync("b");
        await bench.Pool.PromoteAsync(1);
        await bench.Pool.FailBackAsync();
        bench.Advance(0);
        events.OfType<OrderGiven>().Select(o => (o.Order, o.Endpoint, o.Tier)).Should().Equal(
            (PoolOrder.Drain, "a", null), (PoolOrder.BringUp, "a", null), (PoolOrder.ForceDown, "b", null),
            (PoolOrder.Promote, null, 1), (PoolOrder.FailBack, null, 0));
        events.Select(e => e.GetType().Name).Take(5).Should().Equal(
            nameof(OrderGiven), nameof(EndpointChanged), nameof(EndpointDrained), nameof(OrderGiven), nameof(EndpointRecovered));
        events.OfType<EndpointChanged>().Should().OnlyContain(c => c.Source == ChangeSource.Order);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task The_end_of_a_drain_is_one_event_whether_or_not_its_callers_wait(int callers, bool isCancelled)
    {
        await using var bench = new HeartbeatBench(2, o => { o.Heartbeat.Enabled = false; o.Endpoints[1].Tier = 1; });
        var (events, _) = await ListenAsync(bench);
        var answer = new TaskCompletionSource<string>();
        var call = bench.CallAsync(_ => new ValueTask<string>(answer.Task)).AsTask();
        using var cancelled = new CancellationTokenSource();
        var drains = Enumerable.Range(0, callers).Select(_ => bench.Pool.DrainAsync("a", cancelled.Token).AsTask()).ToArray();
        if (isCancelled)
            await cancelled.CancelAsync();
        bench.Advance(5);
        drains.Should().OnlyContain(d => d.IsCanceled == isCancelled && d.IsCompleted == isCancelled);
        events.OfType<EndpointDrained>().Should().BeEmpty("an attempt is in flight");
        answer.SetResult("a");
        await call;
        bench.Advance(1);
        drains.Should().OnlyContain(d => d.IsCanceled == isCancelled && d.IsCompleted);
        events.OfType<EndpointDrained>().Should().ContainSingle().Which.Endpoint.Should().Be("a");
        bench.Advance(60);
        events.OfType<EndpointDrained>().Should().ContainSingle();
    }

    [Fact]
    public async Task A_drain_whose_caller_left_is_over_without_an_event_if_the_endpoint_is_brought_up()
    {
        await using var bench = new HeartbeatBench(2, o => { o.Heartbeat.Enabled = false; o.Endpoints[1].Tier = 1; });
        var (events, _) = await ListenAsync(bench);
        var answer = new TaskCompletionSource<string>();
        var call = bench.CallAsync(_ => new ValueTask<string>(answer.Task)).AsTask();
        using var cancelled = new CancellationTokenSource();
        var drain = bench.Pool.DrainAsync("a", cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await bench.Pool.BringUpAsync("a");
        bench.Advance(1);
        answer.SetResult("a");
        await call;
        bench.Advance(1);
        drain.IsCanceled.Should().BeTrue();
        events.OfType<EndpointDrained>().Should().BeEmpty();
    }

    [Fact]
    public async Task A_slow_reader_loses_the_oldest_and_is_told_how_many()
    {
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Enabled = false);
        using var subscription = bench.Pool.Events.Subscribe(capacity: 4);
        for (var i = 0; i < 5; i++)
        {
            await bench.Pool.ForceDownAsync("a");
            await bench.Pool.BringUpAsync("a");
        }
        var events = new List<PoolEvent>();
        _ = ReadAsync(subscription, events.Add, Ct);
        var dropped = events[0].Should().BeOfType<EventsDropped>().Which.Count;
        events.Should().HaveCount(1 + 4);
        await bench.Pool.ForceDownAsync("a");
        bench.Advance(0);
        events.OfType<EventsDropped>().Should().ContainSingle("nothing more was lost");
        events[^1].Should().BeOfType<OutageBegan>();
        // The endpoint is forced down and brought up five times. Each time gives two orders, two changes, and the beginning and the end of an outage.
        (dropped + 4).Should().Be(5 * 6);
    }

    [Fact]
    public async Task A_reader_that_blocks_slows_neither_the_pool_nor_other_readers()
    {
        // The test uses real threads, because the promise is about threads: the code that reads the events never runs on the thread of a caller of the pool.
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Enabled = false, parts => parts.TimeProvider = TimeProvider.System);
        using var gate = new ManualResetEventSlim();
        using var blocked = new ManualResetEventSlim();
        var other = new TaskCompletionSource();
        var ordering = Environment.CurrentManagedThreadId;
        var onOrderingThread = false;
        var stuck = ReadAsync(bench.Pool.Events.Subscribe(2), take: _ =>
        {
            onOrderingThread |= Environment.CurrentManagedThreadId == ordering;
            blocked.Set();
            gate.Wait(Ct);
        }, Ct);
        var seen = 0;
        var free = ReadAsync(bench.Pool.Events.Subscribe(1000), e => { if (++seen == 600) other.SetResult(); }, Ct);
        await bench.Pool.ForceDownAsync("a");
        blocked.Wait(Ct);
        for (var i = 0; i < 100; i++)
        {
            await bench.Pool.BringUpAsync("a");
            await bench.Pool.ForceDownAsync("a");
        }
        await other.Task.WaitAsync(Ct);
        onOrderingThread.Should().BeFalse();
        gate.Set();
        await bench.Pool.DisposeAsync();
        await Task.WhenAll(stuck, free).WaitAsync(Ct);
    }

    [Fact]
    public async Task A_subscription_ends_with_the_pool_with_its_reader_and_with_its_token()
    {
        var bench = new HeartbeatBench(1, o => o.Heartbeat.Enabled = false);
        var untilDisposed = ReadAsync(bench.Pool.Events.Subscribe(), _ => { }, Ct);
        using var source = new CancellationTokenSource();
        var untilCancelled = ReadAsync(bench.Pool.Events.Subscribe(), _ => { }, source.Token);
        var left = ReadOneAsync(bench.Pool.Events.Subscribe());
        source.Cancel();
        bench.Advance(0);
        untilCancelled.IsCanceled.Should().BeTrue();
        await bench.Pool.ForceDownAsync("a");
        bench.Advance(0);
        left.IsCompletedSuccessfully.Should().BeTrue();
        await bench.Pool.DisposeAsync();
        bench.Advance(0);
        untilDisposed.IsCompletedSuccessfully.Should().BeTrue();
        bench.Time.ArmedTimers.Should().Be(0);
        await ReadAsync(bench.Pool.Events.Subscribe(), _ => { }, Ct);

        static async Task ReadOneAsync(PoolEventSubscription subscription)
        {
            await foreach (var _ in subscription)
                return;
        }
    }

    [Fact]
    public async Task A_capacity_below_one_is_refused()
    {
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Enabled = false);
        bench.Pool.Invoking(p => p.Events.Subscribe(0)).Should().Throw<ArgumentOutOfRangeException>();
    }
}
