using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class LimitStressTests
{
    private const int Steps = 100_000;

    [Fact]
    public async Task No_window_of_a_minute_exceeds_a_limit_under_concurrent_callers()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 400, TokensPerMinute = 20_000, MaxConcurrency = 1 });
        long clock = TimeSpan.TicksPerDay;
        var inFlight = 0;
        var mostInFlight = 0;
        var accepted = await Task.WhenAll(OnThread(1), OnThread(2));

        mostInFlight.Should().Be(1);
        limiter.InFlight.Should().Be(0);
        var all = accepted.SelectMany(one => one).OrderBy(one => one.Began).ToArray();
        all.Length.Should().BeGreaterThan(1_000);
        Exceeding(all, one => 1, 400).Should().BeNull();
        Exceeding(all, one => one.Tokens, 20_000).Should().BeNull();

        Task<List<Acceptance>> OnThread(int seed) => Task.Factory.StartNew(() =>
        {
            var random = new Random(seed);
            var mine = new List<Acceptance>();
            for (var step = 0; step < Steps; step++)
            {
                var began = Interlocked.Add(ref clock, random.Next(100) == 0 ? random.NextInt64(TimeSpan.TicksPerSecond * 20) : 10_000);
                long tokens = random.Next(200);
                if (!limiter.TryReserve(tokens, new TimeSpan(began), out var reservation))
                    continue;
                var ended = Volatile.Read(ref clock);
                Raise(ref mostInFlight, Interlocked.Increment(ref inFlight));
                // A size that turns out smaller is corrected afterwards. The check below counts the corrected size.
                var actual = random.Next(3) == 0 ? (long?)random.NextInt64(tokens + 1) : null;
                mine.Add(new Acceptance(began, ended, actual ?? tokens));
                Interlocked.Decrement(ref inFlight);
                limiter.SettleTokens(reservation, actual, new TimeSpan(began));
            }
            return mine;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    [Fact]
    public async Task Corrections_by_two_threads_leave_nothing_behind()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = int.MaxValue, TokensPerMinute = int.MaxValue });
        long clock = 0;
        await Task.WhenAll(OnThread(3), OnThread(4));

        // After two turns of the ring, even the amounts that a paused thread charged late are gone.
        var later = new TimeSpan(clock + TimeSpan.TicksPerMinute * 3);
        limiter.TryReserve(5, later, out _).Should().BeTrue();
        limiter.Levels(later).TokensSpent.Should().Be(5);
        limiter.Levels(later).RequestsSpent.Should().Be(1);

        Task OnThread(int seed) => Task.Factory.StartNew(() =>
        {
            var random = new Random(seed);
            for (var step = 0; step < Steps; step++)
            {
                var now = new TimeSpan(Interlocked.Add(ref clock, random.NextInt64(TimeSpan.TicksPerMillisecond * 900)));
                if (!limiter.TryReserve(random.Next(100), now, out var reservation))
                    continue;
                if (random.Next(3) == 0)
                    limiter.Cancel(reservation);
                else
                    limiter.SettleTokens(reservation, random.Next(200), now);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    [Fact]
    public async Task Callers_that_lose_a_race_half_way_give_back_all_they_took()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = int.MaxValue, TokensPerMinute = int.MaxValue, MaxConcurrency = 1 });
        var now = TimeSpan.FromHours(1);
        limiter.Observe(new QuotaReading { RequestsRemaining = 50, RequestsReset = TimeSpan.FromHours(1), TokensRemaining = 501, TokensReset = TimeSpan.FromHours(1) }, now);
        var before = limiter.Levels(now);
        await Task.WhenAll(OnThread(), OnThread());

        limiter.Levels(now).Should().Be(before);

        Task OnThread() => Task.Factory.StartNew(() =>
        {
            for (var step = 0; step < Steps; step++)
            {
                if (limiter.TryReserve(10, now, out var reservation))
                    limiter.Cancel(reservation);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Gets the first minute in which the amounts that were certainly accepted within it exceed the limit. Null: there is none.</summary>
    private static string? Exceeding(Acceptance[] byBeginning, Func<Acceptance, long> amount, long limit)
    {
        for (var first = 0; first < byBeginning.Length; first++)
        {
            var until = byBeginning[first].Began + TimeSpan.TicksPerMinute;
            long sum = 0;
            for (var i = first; i < byBeginning.Length && byBeginning[i].Began <= until; i++)
            {
                if (byBeginning[i].Ended <= until)
                    sum += amount(byBeginning[i]);
            }

            if (sum > limit)
                return $"{sum} in the minute from {new TimeSpan(byBeginning[first].Began)}";
        }
        return null;
    }

    private static void Raise(ref int highest, int value)
    {
        for (var seen = Volatile.Read(ref highest); value > seen;)
            seen = Interlocked.CompareExchange(ref highest, value, seen) is var now && now == seen ? value : now;
    }

    /// <summary>An amount that was accepted at some time between its beginning and its end.</summary>
    private readonly record struct Acceptance(long Began, long Ended, long Tokens);
}
