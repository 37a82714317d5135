using HaKit.Faults;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Pool;

/// <summary>
/// Logs attempts that failed although their call was served. Callers do not see such failures, but they are the first sign that an endpoint gets worse. Each
/// failure is written at Debug. Once a minute a line at Information for each endpoint contains counts and kinds. Thread-safe; costs nothing if the log is off.
/// </summary>
internal sealed class HiddenFailures : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly string _pool;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Dictionary<string, SortedDictionary<string, int>> _counts = new(StringComparer.Ordinal);
    private bool _isDisposed;

    public HiddenFailures(string pool, TimeProvider time, ILogger log)
    {
        (_pool, _log) = (pool, log);
        _timer = time.NewTimer(static failures => ((HiddenFailures)failures!).WriteCounts(), this);
    }

    /// <summary>Records that an attempt failed and that its call was served nevertheless.</summary>
    /// <param name="endpoint">The endpoint that failed.</param>
    /// <param name="fault">The fault of the attempt.</param>
    /// <param name="servedBy">The endpoint that served the call.</param>
    public void Record(string endpoint, Fault fault, string servedBy)
    {
        if (!_log.IsEnabled(LogLevel.Information))
            return;
        if (_log.IsEnabled(LogLevel.Debug))
            PoolLog.FailedAndServed(_log, _pool, endpoint, fault.ToString(), servedBy);
        lock (_gate)
        {
            if (_isDisposed)
                return;
            if (_counts.Count == 0)
                _timer.Change(Period, Timeout.InfiniteTimeSpan);
            if (!_counts.TryGetValue(endpoint, out var kinds))
                _counts.Add(endpoint, kinds = new(StringComparer.Ordinal));
            kinds[fault.KindName] = kinds.GetValueOrDefault(fault.KindName) + 1;
        }
    }

    /// <summary>Writes the counts since the last lines.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        _timer.Dispose();
        WriteCounts();
    }

    private void WriteCounts()
    {
        (string Endpoint, int Count, string Kinds)[] lines;
        lock (_gate)
        {
            lines = [.. _counts.Select(static c => (c.Key, c.Value.Values.Sum(), string.Join(", ", c.Value.Select(static k => $"{k.Key} {k.Value}"))))];
            _counts.Clear();
        }

        foreach (var (endpoint, count, kinds) in lines)
            PoolLog.FailedInThisMinute(_log, _pool, endpoint, count, kinds);
    }
}
