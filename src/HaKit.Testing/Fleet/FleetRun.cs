using System.Diagnostics.CodeAnalysis;

namespace HaKit.Testing;

/// <summary>The results of a run of a <see cref="Fleet"/>. Immutable.</summary>
public sealed class FleetResult
{
    internal FleetResult(long[] calls, long[] lost, Histogram latency, long unfinished) => (CallsOf, LostOf, Latencies, Unfinished) = (calls, lost, latency, unfinished);

    /// <summary>Gets the number of calls of each replica.</summary>
    public IReadOnlyList<long> CallsOf { get; }

    /// <summary>Gets the number of failed calls of each replica.</summary>
    public IReadOnlyList<long> LostOf { get; }

    /// <summary>Gets the number of calls of all replicas.</summary>
    public long Calls => CallsOf.Sum();

    /// <summary>Gets the number of failed calls of all replicas.</summary>
    public long Lost => LostOf.Sum();

    /// <summary>Gets the number of calls that had not ended one hour after the end of the period in which the run sends calls.</summary>
    public long Unfinished { get; }

    /// <summary>Gets the longest time of a successful call.</summary>
    public TimeSpan Longest => Latencies.Longest;

    /// <summary>Returns a quantile of the times of the successful calls.</summary>
    /// <param name="share">The quantile, 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The quantile is out of its range.</exception>
    public TimeSpan Latency(double share)
    {
        ArgumentRange.Check(share, 0, 1);
        return Latencies.Quantile(share);
    }

    internal Histogram Latencies { get; }
}

/// <summary>Runs one fleet: sends the calls to the replicas, moves the clock, and counts.</summary>
internal sealed class FleetRun(Fleet fleet, TimeSpan length)
{
    private static readonly TimeSpan Settling = TimeSpan.FromHours(1);

    private readonly long[] _calls = new long[fleet.Replicas.Count];
    private readonly long[] _lost = new long[fleet.Replicas.Count];
    private readonly Histogram _latency = new();
    private long _inFlight;

    public FleetResult Run(Workload workload, int seed, Func<int, bool> isCalled)
    {
        var begin = fleet.Time.Elapsed;
        var arrivals = new PriorityQueue<(int Replica, IEnumerator<Arrival> More), TimeSpan>();
        for (var i = 0; i < fleet.Replicas.Count; i++)
        {
            if (isCalled(i))
                Enqueue(arrivals, i, workload.Arrivals(new Random(seed * 31_337 + i)).GetEnumerator());
        }

        while (arrivals.TryDequeue(out var next, out var at))
        {
            fleet.Time.Advance(Positive(begin + at - fleet.Time.Elapsed));
            _ = CallAsync(next.Replica);
            Enqueue(arrivals, next.Replica, next.More);
        }
        fleet.Time.Advance(Positive(begin + length - fleet.Time.Elapsed));
        var end = fleet.Time.Elapsed + Settling;
        while (_inFlight > 0 && fleet.Time.Elapsed < end && fleet.Time.AdvanceToNextTimer())
        {
        }
        fleet.Time.Advance(TimeSpan.Zero);
        return new FleetResult(_calls, _lost, _latency, _inFlight);
    }

    private void Enqueue(PriorityQueue<(int, IEnumerator<Arrival>), TimeSpan> arrivals, int replica, IEnumerator<Arrival> more)
    {
        if (more.MoveNext() && more.Current.At < length)
            arrivals.Enqueue((replica, more), more.Current.At);
        else
            more.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Each exception that ends a call is a result.")]
    private async Task CallAsync(int replica)
    {
        var began = fleet.Time.Elapsed;
        _calls[replica]++;
        _inFlight++;
        try
        {
            await fleet.Replicas[replica].CallAsync().ConfigureAwait(false);
            _latency.Add(fleet.Time.Elapsed - began);
        }
        catch (Exception)
        {
            _lost[replica]++;
        }
        _inFlight--;
    }

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;
}
