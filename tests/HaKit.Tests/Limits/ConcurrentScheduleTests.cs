using HaKit.Limits;

namespace HaKit.Tests.Limits;

/// <summary>
/// Runs random schedules of two threads on one limiter. HAKIT_LIMIT_CONCURRENT_SCHEDULES sets their number (default 5,000, which takes a second or two).
/// </summary>
public sealed class ConcurrentScheduleTests(ITestOutputHelper output)
{
    private const int Steps = 16;

    private readonly Acceptance[][] _accepted = [new Acceptance[Steps], new Acceptance[Steps]];
    private readonly int[] _count = new int[2];
    private LimitOptions _options = new();
    private Limiter _limiter = new(new LimitOptions());
    private long _clock;
    private int _begun;
    private int _ended;

    [Fact]
    public async Task No_window_of_a_minute_exceeds_a_limit_under_concurrent_callers()
    {
        var schedules = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_LIMIT_CONCURRENT_SCHEDULES"), out var given) ? given : Effort.Of(5000);
        var other = Task.Factory.StartNew(() => Follow(schedules), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        long accepted = 0;
        string? exceeding = null;
        for (var seed = 0; seed < schedules; seed++)
        {
            Prepare(new Random(seed));
            Volatile.Write(ref _begun, seed + 1);
            Run(0, seed);
            SpinUntil(ref _ended, seed + 1);
            accepted += _count[0] + _count[1];
            exceeding ??= Exceeding() is { } what ? $"schedule {seed}: {what}" : null;
        }
        await other;

        output.WriteLine($"{schedules} schedules, {accepted} accepted");
        exceeding.Should().BeNull();
        accepted.Should().BeGreaterThan(schedules);
    }

    private void Follow(int schedules)
    {
        for (var seed = 0; seed < schedules; seed++)
        {
            SpinUntil(ref _begun, seed + 1);
            Run(1, seed);
            Volatile.Write(ref _ended, seed + 1);
        }
    }

    private void Prepare(Random random)
    {
        _options = new LimitOptions { RequestsPerMinute = random.Next(1, 10), TokensPerMinute = random.Next(1, 500), MaxConcurrency = random.Next(1, 4) };
        _limiter = new Limiter(_options);
        _clock = random.NextInt64(TimeSpan.TicksPerDay);
    }

    private void Run(int thread, int seed)
    {
        var random = new Random(2 * seed + thread + 1_000_000);
        var count = 0;
        for (var step = 0; step < Steps; step++)
        {
            var began = Interlocked.Add(ref _clock, random.Next(4) switch
            {
                0 => random.NextInt64(TimeSpan.TicksPerMinute),
                1 => SlidingWindow.BucketTicks,
                _ => 0,
            });
            long tokens = random.Next(1, 200);
            if (!_limiter.TryReserve(tokens, new TimeSpan(began), out var reservation))
                continue;
            var ended = Volatile.Read(ref _clock);
            var actual = tokens;
            switch (random.Next(4))
            {
                case 0:
                    _limiter.Cancel(reservation);
                    continue;
                case 1:
                    actual = random.NextInt64(2 * tokens);
                    _limiter.SettleTokens(reservation, actual, new TimeSpan(ended));
                    break;
                case 2:
                    _limiter.SettleTokens(reservation, null, new TimeSpan(ended));
                    break;
            }
            // If the real amount is larger than the reserved amount, only the reserved amount was accepted.
            _accepted[thread][count++] = new Acceptance(began, ended, Math.Min(actual, tokens), reservation.TokensIn, reservation.RequestsIn);
        }
        _count[thread] = count;
    }

    private string? Exceeding()
    {
        var all = new List<Acceptance>(2 * Steps);
        for (var thread = 0; thread < 2; thread++)
            all.AddRange(_accepted[thread].AsSpan(0, _count[thread]));
        foreach (var last in all)
        {
            long requests = 0, tokens = 0, certainRequests = 0, certainTokens = 0;
            foreach (var one in all)
            {
                // In the limiter's own time, an amount counts for one bucket longer than the minute.
                if (last.RequestsIn - one.RequestsIn <= SlidingWindow.Buckets)
                    requests++;
                if (last.TokensIn - one.TokensIn <= SlidingWindow.Buckets)
                    tokens += one.Tokens;
                // In the callers' time, an amount was accepted at some time between its beginning and its end.
                if (one.Ended <= last.Ended && one.Began >= last.Ended - TimeSpan.TicksPerMinute)
                {
                    certainRequests++;
                    certainTokens += one.Tokens;
                }
            }
            if (Math.Max(requests, certainRequests) > _options.RequestsPerMinute || Math.Max(tokens, certainTokens) > _options.TokensPerMinute)
                return $"{requests} ({certainRequests}) requests of {_options.RequestsPerMinute}, {tokens} ({certainTokens}) tokens of {_options.TokensPerMinute} within a minute";
        }
        return null;
    }

    private static void SpinUntil(ref int value, int reached)
    {
        var spin = new SpinWait();
        while (Volatile.Read(ref value) < reached)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    private readonly record struct Acceptance(long Began, long Ended, long Tokens, uint TokensIn, uint RequestsIn);
}
