using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class HealthConcurrencyTests
{
    [Fact]
    public void Beginning_and_completing_on_a_healthy_endpoint_allocates_nothing()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        long Run(int times)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < times; i++)
            {
                endpoint.TryBegin(BeginMode.Normal, bench.Now, out var ticket);
                endpoint.RecordFirstContent(ticket, bench.Now);
                endpoint.Complete(ticket, null, bench.Now);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Run(10);
        Run(10_000).Should().Be(0);
    }

    [Fact]
    public void Two_threads_leave_no_slot_taken_and_no_change_untold()
    {
        const int each = 150_000;
        long clock = TimeSpan.FromSeconds(100).Ticks;
        TimeSpan Now() => TimeSpan.FromTicks(Volatile.Read(ref clock));
        int inCallback = 0, overlaps = 0;
        var last = new Dictionary<EndpointHealth, HealthState>();
        var gaps = 0;
        var tracker = new HealthTracker(new HealthOptions { TrialTimeout = TimeSpan.FromDays(1) }, new Random(1));
        tracker.Changed += change =>
        {
            if (Interlocked.Increment(ref inCallback) != 1)
                overlaps++;
            if (last.TryGetValue(change.Endpoint, out var known) && !ReferenceEquals(known, change.Before))
                gaps++;
            last[change.Endpoint] = change.After;
            Interlocked.Decrement(ref inCallback);
        };
        var endpoints = Enumerable.Range(0, 4).Select(i => tracker.Add($"e{i}", new FailureDomains { Account = $"{i / 2}" }, Now())).ToArray();
        var trialsOpen = new int[endpoints.Length];
        int doubles = 0, trials = 0;
        Exception? error = null;

        void Work(int seed)
        {
            var random = new Random(seed);
            try
            {
                for (var i = 0; i < each; i++)
                {
                    Interlocked.Add(ref clock, TimeSpan.TicksPerMillisecond);
                    tracker.Advance(Now());
                    var index = random.Next(endpoints.Length);
                    var endpoint = endpoints[index];
                    if (!endpoint.TryBegin((BeginMode)random.Next(4), Now(), out var ticket))
                        continue;
                    if (ticket.IsTrial)
                    {
                        Interlocked.Increment(ref trials);
                        if (Interlocked.Increment(ref trialsOpen[index]) != 1)
                            Interlocked.Increment(ref doubles);
                    }

                    var isBad = random.NextDouble() < 0.5;
                    // The count is decreased just before the result is reported, because after that the other thread may hold the next trial.
                    if (ticket.IsTrial)
                        Interlocked.Decrement(ref trialsOpen[index]);
                    endpoint.Complete(ticket, isBad ? Faults[random.Next(Faults.Length)] : null, Now());
                }
            }
            catch (Exception e)
            {
                error = e;
            }
        }

        var threads = new[] { new Thread(() => Work(1)), new Thread(() => Work(2)) };
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        error.Should().BeNull();
        (overlaps, gaps, doubles).Should().Be((0, 0, 0));
        trials.Should().BeGreaterThan(100);
        endpoints.Should().OnlyContain(e => e.State.Status != EndpointHealthStatus.Trial, "every trial was completed");
        foreach (var endpoint in endpoints.Where(last.ContainsKey))
            last[endpoint].Should().BeSameAs(endpoint.State);
    }

    private static readonly Fault[] Faults =
    [
        new(FaultKind.ServerError), new(FaultKind.ConnectFailed), new(FaultKind.CallerCancelled), new(FaultKind.InvalidRequest),
        new(FaultKind.Throttled) { RetryAfter = TimeSpan.FromMilliseconds(20) }, new(FaultKind.PartialResponse),
        new(FaultKind.Overloaded) { Reach = FaultReach.Account },
    ];

    [Fact]
    public void The_window_counts_every_success_of_two_threads_exactly()
    {
        var window = new SampleWindow(TimeSpan.FromSeconds(30));
        var now = TimeSpan.FromSeconds(100);
        window.Roll(now);
        const int each = 300_000;
        var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < each; i++)
                window.TryCountSuccess(now);
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        window.Sum(now).Should().Be((2 * each, 0));
    }

    [Fact]
    public void The_window_forgets_bucket_by_bucket_and_not_before_its_time()
    {
        var window = new SampleWindow(TimeSpan.FromSeconds(30));
        for (var bucket = 0; bucket < 10; bucket++)
        {
            var at = TimeSpan.FromSeconds(300 + 3 * bucket);
            for (var i = 0; i <= bucket; i++)
                window.CountFailure(at);
            window.Roll(at);
            window.TryCountSuccess(at).Should().BeTrue();
        }

        window.Sum(TimeSpan.FromSeconds(329.9)).Should().Be((65, 55));
        window.Sum(TimeSpan.FromSeconds(330)).Should().Be((63, 54));
        window.Sum(TimeSpan.FromSeconds(342)).Should().Be((65 - 20, 55 - 15));
        window.Sum(TimeSpan.FromSeconds(1000)).Should().Be((0, 0));
        window.TryCountSuccess(TimeSpan.FromSeconds(2000)).Should().BeFalse();
    }

    [Fact]
    public void A_reload_keeps_what_was_learned()
    {
        var bench = new HealthBench();
        var ejected = bench.AddEjected("a");
        var failing = bench.Add("b");
        bench.Fail(failing, FaultKind.ServerError, 4);
        var state = ejected.State;
        bench.Tracker.UseOptions(new HealthOptions { FailuresToEject = 6, SamplingDuration = TimeSpan.FromSeconds(5) });
        ejected.State.Should().BeSameAs(state);
        bench.Fail(failing, FaultKind.ServerError);
        failing.State.Status.Should().Be(EndpointHealthStatus.Suspect);
        bench.Fail(failing, FaultKind.ServerError);
        failing.State.Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void Nobody_is_told_of_a_removed_endpoint_and_it_stands_for_nothing()
    {
        var bench = new HealthBench();
        var removed = bench.Add("a");
        var ticket = bench.Begin(removed);
        bench.Tracker.Remove(removed);
        removed.Complete(ticket, HealthBench.Throttled(3), bench.Now);
        bench.Changes.Should().BeEmpty();
    }
}
