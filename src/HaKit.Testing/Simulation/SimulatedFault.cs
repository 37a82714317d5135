namespace HaKit.Testing;

/// <summary>What became of one fault of one endpoint in a <see cref="Simulation"/>: how soon it was found, got round and left behind.</summary>
public sealed class SimulatedFault
{
    internal SimulatedFault()
    {
    }

    /// <summary>The endpoint.</summary>
    public required string Endpoint { get; init; }

    /// <summary>What it was.</summary>
    public required FakeFault Fault { get; init; }

    /// <summary>When it began.</summary>
    public required TimeSpan From { get; init; }

    /// <summary>When it ended; null for never.</summary>
    public TimeSpan? Until { get; init; }

    /// <summary>From its beginning until the endpoint took no ordinary traffic any more; null if it always did.</summary>
    public TimeSpan? Detected { get; internal set; }

    /// <summary>From its beginning until the first call that it struck had been served by another endpoint; null if there was none.</summary>
    public TimeSpan? FailedOver { get; internal set; }

    /// <summary>From its end until the endpoint's first good answer; null if there was none, or no end.</summary>
    public TimeSpan? Recovered { get; internal set; }
}

/// <summary>Watches a run for what becomes of its faults.</summary>
internal sealed class FaultWatch
{
    private readonly Entry[] _entries;
    private readonly Queue<SimulatedFault>[] _ended;

    /// <param name="test">The pool.</param>
    /// <param name="faults">The faults in the order in which they were described.</param>
    public FaultWatch(TestPool test, IReadOnlyList<SimulatedFault> faults)
    {
        Faults = faults;
        _entries = [.. faults.Select(fault => new Entry(fault, test[fault.Endpoint].Index))];
        _ended = [.. test.Endpoints.Select(e => new Queue<SimulatedFault>(faults.Where(f => f.Endpoint == e.Name && f.Until is not null).OrderBy(f => f.Until)))];
        foreach (var endpoint in test.Endpoints)
        {
            if (_ended[endpoint.Index].Count > 0)
                endpoint.WasAnswered = answered => MarkRecovered(_ended[answered.Index], test.Time.Elapsed);
        }
    }

    public IReadOnlyList<SimulatedFault> Faults { get; }

    public void RecordChange(int endpoint, EndpointChanged change, TimeSpan now)
    {
        if (change.After.Admits(now))
            return;
        foreach (var (fault, index) in _entries)
        {
            if (index == endpoint && fault.Detected is null && fault.From <= now && !(now >= fault.Until))
                fault.Detected = now - fault.From;
        }
    }

    public void Served(SimulatedCall call, TimeSpan now)
    {
        foreach (var (fault, index) in _entries)
        {
            if (fault.FailedOver is null && index < 64 && (call.FailedOn >> index & 1) != 0 && fault.From <= now && !(call.Began >= fault.Until))
                fault.FailedOver = now - fault.From;
        }
    }

    private static void MarkRecovered(Queue<SimulatedFault> ended, TimeSpan now)
    {
        while (ended.TryPeek(out var fault) && fault.Until <= now)
            ended.Dequeue().Recovered = now - fault.Until;
    }

    private readonly record struct Entry(SimulatedFault Fault, int Endpoint);
}
