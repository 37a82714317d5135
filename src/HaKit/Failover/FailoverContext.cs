using HaKit.Attempts;
using HaKit.Failover.Waiting;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>Holds the objects that the parts of one pool's failover share: the clock, the current endpoints and settings, the budget, the queue, and the record of an outage.</summary>
internal sealed class FailoverContext(
    PoolClock clock, CurrentSnapshot snapshot, Selector selector, FailoverSettings settings, RetryBudget budget, WaitQueue queue, Chance chance, PoolTelemetry telemetry)
{
    private Selector _selector = selector;
    private FailoverSettings _settings = settings;

    public PoolClock Clock => clock;

    public RetryBudget Budget => budget;

    public WaitQueue Queue => queue;

    public Chance Chance => chance;

    public PoolTelemetry Telemetry => telemetry;

    public WaitingCalls Waiting { get; } = new();

    public OutagePace Outage { get; } = new() { IsWithoutBudget = budget.IsWithoutSavings };

    public PoolSnapshot Snapshot => snapshot.Value;

    /// <summary>Gets the settings of the latest reload.</summary>
    public FailoverSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set => Volatile.Write(ref _settings, value);
    }

    /// <summary>Gets the selector of the latest reload.</summary>
    public Selector Selector
    {
        get => Volatile.Read(ref _selector);
        set => Volatile.Write(ref _selector, value);
    }
}
