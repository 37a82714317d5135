namespace HaKit.AspNetCore.Status;

/// <summary>
/// Keeps the latest events for pages that are opened later. Repeated events share one line: the failed trials of a pool, and the same change of
/// one or several endpoints within ten seconds. Therefore many trials do not push the start of an outage out of view. Its owner's lock guards it.
/// </summary>
internal sealed class EventLog(int capacity)
{
    private static readonly TimeSpan Together = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TrialsApart = TimeSpan.FromMinutes(2);

    private readonly List<Line> _lines = [];
    private readonly Dictionary<string, Line> _trials = new(StringComparer.Ordinal);
    private long _number;

    public IReadOnlyList<EventView> Views => [.. _lines.Select(static l => l.View)];

    /// <summary>Adds an event. Returns the line that it created or extended.</summary>
    public EventView Add(PoolEvent happened)
    {
        var line = EventText.IsFailedTrial(happened) ? AddTrial((EndpointChanged)happened) : AddPlain(happened);
        return line.View;
    }

    private Line AddTrial(EndpointChanged trial)
    {
        if (!_trials.TryGetValue(trial.Pool, out var line) || trial.At - line.Latest > TrialsApart)
            _trials[trial.Pool] = line = Append(trial, new Line("trials"));
        line.Count(trial);
        line.View = EventText.DescribeTrials(trial, line.View.Number, line.View.At, line.Names.Count, line.Total);
        return line;
    }

    private Line AddPlain(PoolEvent happened)
    {
        // The line ends here: failed trials after this event start a new line.
        if (happened is EndpointRecovered or OutageEnded or OutageBegan)
            _trials.Remove(happened.Pool);
        var kind = EventText.KindOf(happened);
        if (kind is not null && happened is EndpointChanged change
            && _lines.FindLast(l => l.Kind == kind && l.View.Pool == happened.Pool && happened.At - l.Latest <= Together) is { } last)
        {
            last.Count(change);
            last.View = last.View with { Count = last.Total, Until = happened.At, Text = EventText.DescribeTogether(last.View, last.First, last.Names, last.Total) };
            return last;
        }
        var line = Append(happened, new Line(kind));
        if (happened is EndpointChanged first)
            line.Count(first);
        return line;
    }

    private Line Append(PoolEvent happened, Line line)
    {
        line.View = EventText.Describe(happened, ++_number);
        (line.First, line.Latest) = (line.View.Text, happened.At);
        if (capacity == 0)
            return line;
        if (_lines.Count >= capacity)
            _lines.RemoveAt(0);
        _lines.Add(line);
        return line;
    }

    private sealed class Line(string? kind)
    {
        public string? Kind => kind;

        public EventView View { get; set; } = null!;

        /// <summary>Gets the text of the first event.</summary>
        public string First { get; set; } = "";

        public DateTimeOffset Latest { get; set; }

        public int Total { get; private set; }

        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public void Count(EndpointChanged change)
        {
            Total++;
            Latest = change.At;
            Names.Add(change.Endpoint);
        }
    }
}
