using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>Measures the speed of a batch: the items that were finished in the last 30 s, including pauses and outages. Thread-safe.</summary>
internal sealed class ProgressMeter(string currency, bool hasPrices)
{
    private static readonly TimeSpan Over = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<(TimeSpan At, long Finished, long Own)> _samples = new();
    private BatchCounts _counts;
    private long _own;
    private TimeSpan _lastSample = -Over;

    /// <summary>Records that an item got its outcome in this process.</summary>
    public void Finished() => Interlocked.Increment(ref _own);

    /// <summary>Checks whether it is time to read the store's counts again.</summary>
    public bool IsDue(TimeSpan now)
    {
        lock (_lock)
            return now - _lastSample >= Apart;
    }

    public void Sample(TimeSpan now, BatchCounts counts)
    {
        lock (_lock)
        {
            _counts = counts;
            if (now - _lastSample < Apart)
                return;
            _lastSample = now;
            _samples.Enqueue((now, counts.Finished, Volatile.Read(ref _own)));
            while (_samples.Count > 2 && now - _samples.Peek().At > Over)
                _samples.Dequeue();
        }
    }

    public BatchProgress At(TimeSpan now, int calls, TimeSpan? outageFor)
    {
        lock (_lock)
        {
            var (all, own) = (0.0, 0.0);
            if (_samples.TryPeek(out var first) && now > first.At)
            {
                var seconds = (now - first.At).TotalSeconds;
                all = (_counts.Finished - first.Finished) / seconds;
                own = (Volatile.Read(ref _own) - first.Own) / seconds;
            }
            return new BatchProgress
            {
                Counts = _counts,
                PerSecond = own,
                Left = all > 0 ? TimeSpan.FromSeconds((_counts.Total - _counts.Finished) / all) : null,
                Calls = calls,
                OutageFor = outageFor,
                Currency = currency,
                HasPrices = hasPrices,
            };
        }
    }
}
