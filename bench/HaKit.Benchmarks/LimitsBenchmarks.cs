using BenchmarkDotNet.Attributes;
using HaKit.Limits;

namespace HaKit.Benchmarks;

/// <summary>Measures the cost of limits for a call: one reservation with its settlement, and the check of the selection for each candidate.</summary>
[MemoryDiagnoser]
public class LimitsBenchmarks
{
    private readonly Limiter _nothingSet = new(new LimitOptions());
    private readonly Limiter _concurrency = new(new LimitOptions { MaxConcurrency = 1000 });
    private readonly Limiter _tokens = new(new LimitOptions { TokensPerMinute = int.MaxValue });
    private readonly Limiter _limited = new(new LimitOptions { MaxConcurrency = 1000, RequestsPerMinute = int.MaxValue, TokensPerMinute = int.MaxValue });
    private readonly Limiter _full = new(new LimitOptions { TokensPerMinute = 241 });
    private readonly RetryBudget _budget = new(new RetryBudgetOptions());
    private readonly WaitQueue _queue = new(1000, TimeProvider.System);
    private TimeSpan _now = TimeSpan.FromHours(1);
    private TimeSpan _later;

    /// <summary>One token is in each bucket of the minute, and nothing has been reserved since. This is the most expensive case of HasRoom.</summary>
    [GlobalSetup]
    public void Fill()
    {
        for (var i = 0; i <= SlidingWindow.Buckets; i++)
            _full.TryReserve(1, _now + TimeSpan.FromTicks(SlidingWindow.BucketTicks * i), out _);
        _later = _now + TimeSpan.FromMinutes(2);
    }

    [Benchmark]
    public bool ReserveAndSettle_unlimited() => ReserveAndSettle(Limiter.Unlimited, _now);

    [Benchmark]
    public bool ReserveAndSettle_nothing_set() => ReserveAndSettle(_nothingSet, _now);

    [Benchmark]
    public bool ReserveAndSettle_concurrency() => ReserveAndSettle(_concurrency, _now);

    [Benchmark]
    public bool ReserveAndSettle_tokens() => ReserveAndSettle(_tokens, _now += TimeSpan.FromMilliseconds(1));

    [Benchmark]
    public bool ReserveAndSettle_all_limits() => ReserveAndSettle(_limited, _now += TimeSpan.FromMilliseconds(1));

    [Benchmark]
    public bool HasRoom_unlimited() => Limiter.Unlimited.HasRoom(100, _now);

    [Benchmark]
    public bool HasRoom_all_limits() => _limited.HasRoom(100, _now);

    [Benchmark]
    public bool HasRoom_full() => _full.HasRoom(1, _now);

    [Benchmark]
    public bool HasRoom_full_a_minute_ago() => _full.HasRoom(241, _later);

    [Benchmark]
    public bool AvailableAt_full() => _full.AvailableAt(241, _now) > _now;

    [Benchmark]
    public double Utilization_all_limits() => _limited.Utilization(_now);

    [Benchmark]
    public bool RetryBudget_call_and_success()
    {
        _budget.RecordCall();
        _budget.RecordSuccess();
        return true;
    }

    [Benchmark]
    public bool RetryBudget_retry_refused_or_paid() => _budget.TryRetry();

    [Benchmark]
    public int Release_with_nobody_waiting() => _queue.Release(1);

    [Benchmark]
    public bool Enter_wait_release_leave()
    {
        _queue.TryEnter(0, out var waiter);
        var wait = waiter!.WaitAsync(null, CancellationToken.None);
        _queue.Release(1);
        waiter.LeaveQueue();
        return wait.IsCompleted;
    }

    private static bool ReserveAndSettle(Limiter limiter, TimeSpan now)
    {
        var reserved = limiter.TryReserve(100, now, out var reservation);
        limiter.SettleTokens(reservation, 120, now);
        return reserved;
    }
}

/// <summary>Measures two threads on one limiter; each does the same as <see cref="LimitsBenchmarks.ReserveAndSettle_all_limits"/>.</summary>
public class LimitsContendedBenchmarks
{
    private const int Rounds = 1_000_000;

    private readonly Limiter _limited = new(new LimitOptions { MaxConcurrency = 1000, RequestsPerMinute = int.MaxValue, TokensPerMinute = int.MaxValue });

    private TimeSpan _begin;

    [Params(1, 2)]
    public int Threads { get; set; }

    [Benchmark(OperationsPerInvoke = Rounds)]
    public void ReserveAndSettle_all_limits()
    {
        _begin += TimeSpan.FromMilliseconds(Rounds);
        var threads = new Thread[Threads];
        for (var i = 0; i < threads.Length; i++)
            (threads[i] = new Thread(Run)).Start();
        foreach (var thread in threads)
            thread.Join();

        void Run()
        {
            for (var i = 0; i < Rounds; i++)
            {
                var now = _begin + TimeSpan.FromMilliseconds(i);
                _limited.TryReserve(100, now, out var reservation);
                _limited.SettleTokens(reservation, 120, now);
            }
        }
    }
}
