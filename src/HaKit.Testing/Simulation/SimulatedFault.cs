namespace HaKit.Testing;

/// <summary>The measured times of one fault of one endpoint in a <see cref="Simulation"/>: its detection, the first failover and the recovery.</summary>
public sealed class SimulatedFault
{
    internal SimulatedFault()
    {
    }

    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets the injected fault.</summary>
    public required FakeFault Fault { get; init; }

    /// <summary>Gets the time at which the fault started.</summary>
    public required TimeSpan From { get; init; }

    /// <summary>Gets the time at which the fault ended; null when it did not end.</summary>
    public TimeSpan? Until { get; init; }

    /// <summary>Gets the time from the start of the fault until the endpoint got no more ordinary traffic; null if it always got traffic.</summary>
    public TimeSpan? Detected { get; internal set; }

    /// <summary>
    /// Gets the time from the start of the fault until another endpoint had served the first affected call; null if there was no such call.
    /// </summary>
    public TimeSpan? FailedOver { get; internal set; }

    /// <summary>
    /// Gets the time from the end of the fault until the endpoint's first successful answer; null if there was none or the fault did not end.
    /// </summary>
    public TimeSpan? Recovered { get; internal set; }
}

/// <summary>Observes a run and measures its faults.</summary>
internal sealed class FaultWatch
{
    private readonly Entry[] _entries;
    private readonly Queue<SimulatedFault>[] _ended;

    /// <param name="test">The pool.</param>
    /// <param name="faults">The faults, in the order in which the scenario describes them.</param>
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
