namespace HaKit.AspNetCore.Status;

/// <summary>Keeps the answers, times and faults of each endpoint of a pool for the latest steps. Its owner's lock guards it.</summary>
internal sealed class PoolHistory
{
    private const int Points = 60;

    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>Records the end of a step.</summary>
    public void Add(PoolStatus status)
    {
        foreach (var endpoint in status.Endpoints)
        {
            if (!_series.TryGetValue(endpoint.Endpoint.Name, out var series))
                _series.Add(endpoint.Endpoint.Name, series = new Series());
            series.Add(endpoint);
        }
        if (_series.Count == status.Endpoints.Count)
            return;
        var left = status.Endpoints.Select(e => e.Endpoint.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _series.Keys.Where(name => !left.Contains(name)).ToArray())
            _series.Remove(gone);
    }

    /// <summary>Returns the latest points. If the pool has many endpoints, the number of points is reduced to keep the message small.</summary>
    public HistoryView? ViewOf(string endpoint) => _series.TryGetValue(endpoint, out var series) ? series.View(Math.Clamp(3000 / _series.Count, 10, Points)) : null;

    public IReadOnlyList<long>? Last(string endpoint) => _series.TryGetValue(endpoint, out var series) ? series.Last : null;

    private sealed class Series
    {
        private readonly Queue<(int Calls, int Milliseconds, int Faults)> _points = new(Points);
        private (long Successes, long Faults, TimeSpan Time) _before;

        public long[]? Last { get; private set; }

        public void Add(EndpointStatus now)
        {
            var (successes, faults, time) = (now.Successes - _before.Successes, now.Faults - _before.Faults, now.AnswerTime - _before.Time);
            if (successes < 0 || faults < 0)
                (successes, faults, time) = (now.Successes, now.Faults, now.AnswerTime); // the endpoint was removed and added again
            _before = (now.Successes, now.Faults, now.AnswerTime);
            var point = ((int)(successes + faults), successes > 0 ? (int)Math.Round(time.TotalMilliseconds / successes) : -1, (int)faults);
            if (_points.Count == Points)
                _points.Dequeue();
            _points.Enqueue(point);
            Last = [point.Item1, point.Item2, point.Item3];
        }

        public HistoryView View(int points)
        {
            var latest = _points.Skip(Math.Max(0, _points.Count - points)).ToArray();
            return new(Array.ConvertAll(latest, p => p.Calls), Array.ConvertAll(latest, p => p.Milliseconds), Array.ConvertAll(latest, p => p.Faults));
        }
    }
}
