using FsCheck;
using FsCheck.Fluent;

namespace HaKit.Availability.Tests;

public sealed class OutcomeCountersTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Windows_hold_what_happened_within_them_whatever_the_times() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Effort.Of(200)).WithReplay(5, 7),
        Prop.ForAll(Gen.Choose(0, 4000).ArrayOf(60).ToArbitrary(), gaps =>
        {
            // Jumps of seconds to hours over a ring of 540 s and a horizon of a day, each window against a plain list.
            var counters = new OutcomeCounters(TimeSpan.FromDays(1), Second);
            var all = new List<(long Second, bool Success)>();
            var now = 0L;
            foreach (var gap in gaps)
            {
                now += gap % 7 == 0 ? gap : gap % 30;
                var success = gap % 3 != 0;
                counters.Record(now * Second, success);
                all.Add((now, success));
                foreach (var window in (long[])[1, 60, 539, 3600, 86_000])
                {
                    var count = counters.Count(now * Second, window * Second);
                    // A coarse bucket of 60 s may hide at most its own width at the old end. A fine bucket has whole seconds.
                    var (sure, possible) = (all.Where(x => x.Second > now - window + 60), all.Where(x => x.Second >= now - window));
                    if (count.Successes < sure.Count(x => x.Success) || count.Successes > possible.Count(x => x.Success))
                        return false;
                    if (count.Failures < sure.Count(x => !x.Success) || count.Failures > possible.Count(x => !x.Success))
                        return false;
                }
            }

            return true;
        }));

    [Fact]
    public void Short_windows_are_exact_to_the_bucket()
    {
        var counters = new OutcomeCounters(TimeSpan.FromHours(1), Second);
        for (var s = 0; s < 600; s++)
            counters.Record(s * Second, s % 2 == 0);
        counters.Count(599 * Second, 100 * Second).Should().Be(new OutcomeCount(50, 51));
        counters.Count(599.5 * Second, 0.1 * Second).Total.Should().Be(0, "the bucket of the second began before");
    }

    [Fact]
    public void What_is_older_than_the_horizon_is_forgotten_even_by_an_idle_ring()
    {
        var counters = new OutcomeCounters(TimeSpan.FromHours(1), Second);
        counters.Record(TimeSpan.Zero, false);
        counters.Count(TimeSpan.FromMinutes(59), TimeSpan.FromDays(1)).Total.Should().Be(1);
        counters.Count(TimeSpan.FromMinutes(62), TimeSpan.FromDays(1)).Total.Should().Be(0);
        counters.Count(TimeSpan.FromDays(400), TimeSpan.FromDays(1)).Total.Should().Be(0);
    }

    [Fact]
    public void A_month_is_kept_in_the_coarse_ring()
    {
        var counters = new OutcomeCounters();
        for (var hour = 0; hour < 30 * 24; hour++)
            counters.Record(TimeSpan.FromHours(hour), hour % 10 != 0);
        counters.Count(TimeSpan.FromHours(719), TimeSpan.FromDays(30)).Should().Be(new OutcomeCount(648, 72));
        counters.Count(TimeSpan.FromHours(719), TimeSpan.FromDays(3)).Total.Should().BeInRange(71, 73);
    }

    [Fact]
    public void An_outcome_that_comes_a_whole_ring_late_does_not_erase_newer_ones()
    {
        var counters = new OutcomeCounters(TimeSpan.FromDays(1), Second);
        for (var i = 0; i < 5; i++)
            counters.Record(600 * Second, true);
        counters.Record(60 * Second, true);
        counters.Count(600 * Second, 100 * Second).Successes.Should().Be(5);
        counters.Count(600 * Second, 590 * Second).Successes.Should().Be(6);
    }

    [Fact]
    public void Many_threads_lose_nothing()
    {
        var counters = new OutcomeCounters(TimeSpan.FromDays(1), Second);
        var threads = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (var i = 0; i < 50_000; i++)
                counters.Record(i / 25 * Second, (i + t) % 4 != 0);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        counters.Count(2000 * Second, TimeSpan.FromDays(1)).Should().Be(new OutcomeCount(150_000, 50_000));
    }

    [Fact]
    public void Recording_and_counting_allocate_nothing()
    {
        var counters = new OutcomeCounters();
        counters.Record(TimeSpan.Zero, true);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            counters.Record(i * Second, i % 2 == 0);
        _ = counters.Count(TimeSpan.FromHours(3), TimeSpan.FromHours(1));
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public void Each_end_of_the_range_of_a_width_and_a_horizon_is_allowed()
    {
        new OutcomeCounters(Second, Second).Horizon.Should().Be(Second);
        new OutcomeCounters(TimeSpan.FromHours(1), TimeSpan.FromHours(1)).Horizon.Should().Be(TimeSpan.FromHours(1));
        new OutcomeCounters(TimeSpan.FromDays(3660), TimeSpan.FromHours(1)).Horizon.Should().Be(TimeSpan.FromDays(3660));
        new OutcomeCounters().Horizon.Should().Be(TimeSpan.FromDays(30));
        FluentActions.Invoking(() => new OutcomeCounters(TimeSpan.FromDays(3660) + Second)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new OutcomeCounters(TimeSpan.FromDays(1), TimeSpan.FromHours(1) + Second)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void A_bucket_counts_when_it_began_within_the_window()
    {
        var counters = new OutcomeCounters(TimeSpan.FromHours(1), 10 * Second);
        counters.Record(20 * Second, true);
        counters.Record(29.9 * Second, false);
        counters.Record(-5 * Second, false);
        counters.Count(50 * Second, 30 * Second).Should().Be(new OutcomeCount(1, 1));
        counters.Count(50.1 * Second, 30 * Second).Total.Should().Be(0);
        counters.Count(50 * Second, 50 * Second).Should().Be(new OutcomeCount(1, 2), "a time before the origin counts as the origin");
        counters.Count(19 * Second, 30 * Second).Should().Be(new OutcomeCount(0, 1), "what is recorded later than now is not of the window");
        new OutcomeCount(3, 1).Delivered.Should().Be(AvailabilityRatio.From(0.75m));
        new OutcomeCount(3, 1).BurnRate(AvailabilityRatio.From(0.75m)).Should().Be(1);
    }

    [Fact]
    public void What_the_fine_ring_overwrites_is_still_counted()
    {
        var counters = new OutcomeCounters(TimeSpan.FromDays(1), Second);
        for (var i = 0; i < 7; i++)
            counters.Record(60 * Second, i < 3);
        counters.Record(600 * Second, true);
        counters.Record(600 * Second, false);
        counters.Count(600 * Second, 600 * Second).Should().Be(new OutcomeCount(4, 5));
    }

    [Fact]
    public void No_calls_are_no_availability_and_no_burn()
    {
        var none = new OutcomeCounters().Count(TimeSpan.Zero, TimeSpan.FromHours(1));
        none.Delivered.Should().BeNull();
        none.BurnRate(AvailabilityRatio.From(0.999m)).Should().Be(0);
    }
}
