using System.Collections.Concurrent;

namespace HaKit.Testing.Tests.Time;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Timers_fire_in_due_order_and_ties_in_the_order_they_were_created()
    {
        After(30, "c");
        After(10, "a1");
        After(20, "b");
        After(10, "a2");
        After(10, "a3");

        _clock.Advance(Ms(25));

        _fired.Should().Equal("a1@10", "a2@10", "a3@10", "b@20");
        _clock.Elapsed.Should().Be(Ms(25));
        _clock.UntilNextTimer.Should().Be(Ms(5));
    }

    [Fact]
    public void Many_timers_changed_and_disposed_at_random_fire_as_a_sorted_list_would()
    {
        var random = new Random(7);
        var expected = new Dictionary<int, (int Due, int Order)>();
        var fired = new List<int>();
        var timers = new ITimer[2000];
        var order = 0;
        for (var i = 0; i < timers.Length; i++)
        {
            var id = i;
            var due = random.Next(500);
            timers[i] = _clock.CreateTimer(_ => fired.Add(id), null, Ms(due), Timeout.InfiniteTimeSpan);
            expected[i] = (due, order++);
        }

        for (var n = 0; n < 5000; n++)
        {
            var i = random.Next(timers.Length);
            var due = random.Next(500);
            switch (random.Next(4))
            {
                case 0:
                    timers[i].Dispose();
                    expected.Remove(i);
                    break;
                case 1:
                    timers[i].Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    expected.Remove(i);
                    break;
                default:
                    if (timers[i].Change(Ms(due), Timeout.InfiniteTimeSpan))
                        expected[i] = (due, order++);
                    break;
            }

            _clock.ArmedTimers.Should().Be(expected.Count);
        }

        _clock.RunUntilIdle();

        fired.Should().Equal(expected.OrderBy(e => e.Value).Select(e => e.Key));
    }

    [Fact]
    public void Change_moves_disarms_and_rearms_a_timer_and_refuses_once_disposed()
    {
        var timer = After(10, "t");
        timer.Change(Ms(50), Timeout.InfiniteTimeSpan).Should().BeTrue();
        _clock.Advance(Ms(20));
        _fired.Should().BeEmpty();

        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan).Should().BeTrue();
        _clock.Advance(Ms(100));
        _fired.Should().BeEmpty();

        timer.Change(Ms(5), Timeout.InfiniteTimeSpan).Should().BeTrue();
        _clock.Advance(Ms(100));
        _fired.Should().Equal("t@125");

        timer.Dispose();
        timer.Change(Ms(5), Timeout.InfiniteTimeSpan).Should().BeFalse();
        _clock.Advance(Ms(100));
        _fired.Should().HaveCount(1);
    }

    [Fact]
    public void Disposed_timers_do_not_pile_up()
    {
        for (var i = 0; i < 100_000; i++)
            After(1_000_000, "never").Dispose();

        _clock.ArmedTimers.Should().Be(0);
        _clock.UntilNextTimer.Should().BeNull();
    }

    [Fact]
    public void A_timer_can_dispose_another_one_that_is_due_at_the_same_instant()
    {
        ITimer? second = null;
        _clock.CreateTimer(_ => second!.Dispose(), null, Ms(10), Timeout.InfiniteTimeSpan);
        second = After(10, "second");

        _clock.Advance(Ms(10));

        _fired.Should().BeEmpty();
    }

    [Fact]
    public void Timers_armed_by_a_firing_timer_fire_in_the_same_move_at_their_own_instant()
    {
        _clock.CreateTimer(_ => After(5, "inner"), null, Ms(10), Timeout.InfiniteTimeSpan);

        _clock.Advance(Ms(20));

        _fired.Should().Equal("inner@15");
    }

    [Fact]
    public void A_due_time_of_zero_fires_at_the_next_move_and_not_before()
    {
        After(0, "now");
        _fired.Should().BeEmpty();

        _clock.Advance(TimeSpan.Zero);

        _fired.Should().Equal("now@0");
    }

    [Fact]
    public void A_periodic_timer_keeps_its_beat()
    {
        _clock.CreateTimer(_ => Note("beat"), null, Ms(10), Ms(20));

        _clock.Advance(Ms(55));

        _fired.Should().Equal("beat@10", "beat@30", "beat@50");
    }

    [Fact]
    public void After_a_pause_all_overdue_timers_fire_late_together_and_missed_beats_fire_once()
    {
        After(10, "a");
        After(900, "b");
        After(2000, "later");
        var beat = _clock.CreateTimer(_ => Note("beat"), null, Ms(100), Ms(100));

        _clock.Pause(Ms(1000));

        _fired.Should().Equal("a@1000", "beat@1000", "b@1000");
        _clock.Advance(Ms(50));
        _fired.Skip(3).Should().Equal("beat@1001");
        beat.Dispose();
        _clock.RunUntilIdle();
        _fired[^1].Should().Be("later@2000");
    }

    [Fact]
    public void A_wall_clock_jump_is_seen_by_the_wall_clock_alone()
    {
        var timer = After(1000, "t");
        var wall = _clock.GetUtcNow();
        var mark = _clock.GetTimestamp();

        _clock.JumpWallClock(TimeSpan.FromHours(-1));
        _clock.GetUtcNow().Should().Be(wall.AddHours(-1));
        _clock.GetElapsedTime(mark).Should().Be(TimeSpan.Zero);
        _clock.Advance(Ms(999));
        _fired.Should().BeEmpty();
        _clock.Advance(Ms(1));

        _fired.Should().HaveCount(1);
        _clock.GetUtcNow().Should().Be(wall.AddHours(-1).AddSeconds(1));
        _clock.GetElapsedTime(mark).Should().Be(TimeSpan.FromSeconds(1));
        timer.Dispose();
    }

    [Fact]
    public void RunUntil_drives_timers_until_the_task_has_completed_and_no_further()
    {
        After(60_000, "later");

        var answer = _clock.RunUntil(Work());

        answer.Should().Be(42);
        _clock.Elapsed.Should().Be(TimeSpan.FromSeconds(30));
        _clock.ArmedTimers.Should().Be(1);

        async Task<int> Work()
        {
            for (var i = 0; i < 10; i++)
                await Task.Delay(TimeSpan.FromSeconds(3), _clock, TestContext.Current.CancellationToken);
            return 42;
        }
    }

    [Fact]
    public void RunUntil_throws_what_the_task_threw()
    {
        var act = () => _clock.RunUntil(Fail());

        act.Should().Throw<FormatException>().WithMessage("bad");

        async Task Fail()
        {
            await Task.Delay(Ms(1), _clock, TestContext.Current.CancellationToken);
            throw new FormatException("bad");
        }
    }

    [Fact]
    public void RunUntil_says_so_when_nothing_on_the_clock_can_complete_the_task()
    {
        var never = new TaskCompletionSource();
        var act = () => _clock.RunUntil(never.Task);
        act.Should().Throw<InvalidOperationException>().WithMessage("*this clock does not control*");

        _clock.CreateTimer(_ => { }, null, Ms(10), Ms(10));
        act = () => _clock.RunUntil(never.Task, TimeSpan.FromSeconds(5));
        act.Should().Throw<TimeoutException>();
        _clock.Elapsed.Should().Be(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void RunUntilIdle_ends_at_its_bound_when_a_timer_rearms_itself()
    {
        using var beat = _clock.CreateTimer(_ => Note("beat"), null, Ms(10), Ms(10));

        var act = () => _clock.RunUntilIdle(TimeSpan.FromSeconds(1));

        act.Should().Throw<TimeoutException>().WithMessage("*re-arms itself*");
        _fired.Should().HaveCount(100);
    }

    [Fact]
    public void Continuations_stay_on_the_thread_that_moves_the_clock_even_under_a_synchronization_context()
    {
        var threads = new ConcurrentBag<int>();
        var callers = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new PostsElsewhere());
        try
        {
            _clock.Run(async () =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                await Task.Delay(Ms(5), _clock, CancellationToken.None);
                threads.Add(Environment.CurrentManagedThreadId);
                using var beat = new PeriodicTimer(Ms(5), _clock);
                await beat.WaitForNextTickAsync(CancellationToken.None);
                threads.Add(Environment.CurrentManagedThreadId);
                var wait = new TaskCompletionSource();
                using var timeout = new CancellationTokenSource(Ms(7), _clock);
                using var registration = timeout.Token.Register(() => wait.SetResult());
                await wait.Task;
                threads.Add(Environment.CurrentManagedThreadId);
            });
            SynchronizationContext.Current.Should().BeOfType<PostsElsewhere>();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(callers);
        }

        threads.Should().HaveCount(4).And.AllBeEquivalentTo(Environment.CurrentManagedThreadId);
        _clock.Elapsed.Should().Be(Ms(17));
    }

    [Fact]
    public void A_confined_clock_refuses_other_threads_there_and_at_the_next_move()
    {
        _clock.ConfineToCurrentThread();
        _clock.Advance(Ms(1));
        Exception? there = null;
        var other = new Thread(() => there = Record.Exception(() => _clock.GetTimestamp()));
        other.Start();
        other.Join();

        there.Should().BeOfType<InvalidOperationException>();
        _clock.Invoking(c => c.Advance(Ms(1))).Should().Throw<InvalidOperationException>().WithMessage("*left the thread*");
    }

    [Fact]
    public void A_timer_runs_in_its_creators_context_unless_flow_was_suppressed()
    {
        var local = new AsyncLocal<string?> { Value = "creator" };
        _clock.CreateTimer(_ => _fired.Add($"flows: {local.Value}"), null, Ms(1), Timeout.InfiniteTimeSpan);
        using (ExecutionContext.SuppressFlow())
            _clock.CreateTimer(_ => _fired.Add($"suppressed: {local.Value}"), null, Ms(2), Timeout.InfiniteTimeSpan);
        local.Value = "mover";

        _clock.Advance(Ms(2));

        _fired.Should().Equal("flows: creator", "suppressed: mover");
    }

    [Fact]
    public void An_exception_from_a_timer_comes_out_of_the_move_and_the_clock_goes_on()
    {
        _clock.CreateTimer(_ => throw new FormatException(), null, Ms(5), Timeout.InfiniteTimeSpan);
        After(7, "next");

        _clock.Invoking(c => c.Advance(Ms(10))).Should().Throw<FormatException>();

        _clock.Elapsed.Should().Be(Ms(5));
        _clock.Advance(Ms(5));
        _fired.Should().Equal("next@7");
    }

    [Fact]
    public void Spans_that_a_system_timer_would_refuse_are_refused()
    {
        _clock.Invoking(c => c.CreateTimer(_ => { }, null, Ms(-2), Ms(1))).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("dueTime");
        _clock.Invoking(c => c.CreateTimer(_ => { }, null, Ms(1), TimeSpan.FromDays(50))).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("period");
        _clock.Invoking(c => c.Advance(Ms(-1))).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Arming_changing_and_firing_allocate_nothing()
    {
        var count = 0;
        var timers = Enumerable.Range(0, 1000)
            .Select(_ => _clock.CreateTimer(_ => count++, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)).ToArray();
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 20; i++)
            Round();

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        count.Should().Be(21_000);

        void Round()
        {
            for (var i = 0; i < timers.Length; i++)
                timers[i].Change(Ms(i * 37 % 100), Timeout.InfiniteTimeSpan);
            _clock.Advance(Ms(100));
        }
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private ITimer After(int milliseconds, string name) =>
        _clock.CreateTimer(_ => Note(name), null, Ms(milliseconds), Timeout.InfiniteTimeSpan);

    private void Note(string name) => _fired.Add($"{name}@{_clock.Elapsed.TotalMilliseconds}");

    private sealed class PostsElsewhere : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ => d(state));
    }
}
