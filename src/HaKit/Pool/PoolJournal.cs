using HaKit.Attempts;
using HaKit.Availability;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Peers;
using HaKit.Selection;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Pool;

/// <summary>
/// Reports the changes of the pool in log lines, events, callbacks and recovery actions. A logger, an event reader or a callback that throws does not disturb the
/// pool. Thread-safe.
/// </summary>
internal sealed class PoolJournal : IDisposable
{
    private readonly string _pool;
    private readonly PoolClock _clock;
    private readonly CurrentOptions _options;
    private readonly CurrentSnapshot _snapshot;
    private readonly PoolTelemetry _telemetry;
    private readonly RecoveryActions _recovery;
    private readonly Action<EndpointRecovered>[] _recovered;
    private readonly ILogger _recoveryLog;
    private readonly HiddenFailures _hiddenFailures;
    private readonly bool _isShared;
    private readonly HashSet<string> _warnings = new(StringComparer.Ordinal);

    public PoolJournal(string pool, PoolClock clock, CurrentOptions options, CurrentSnapshot snapshot, PoolTelemetry telemetry, EndpointPoolParts parts)
    {
        (_pool, _clock, _options, _snapshot, _telemetry) = (pool, clock, options, snapshot, telemetry);
        Log = SafeLogger.Create(parts.LoggerFactory, "HaKit.EndpointPool");
        _recoveryLog = SafeLogger.Create(parts.LoggerFactory, "HaKit.Recovery");
        _hiddenFailures = new HiddenFailures(pool, clock.Time, Log);
        _recovered = [.. parts.OnRecovered];
        _isShared = parts.PeerLink is not null;
        Events = new PoolEvents(pool, clock.Time);
        _recovery = new RecoveryActions(clock, [.. parts.OnEjected], OnRecoveryEnded);
    }

    public PoolEvents Events { get; }

    /// <summary>Gets the pool's log.</summary>
    public ILogger Log { get; }

    /// <summary>Ends the events. Readers get the remaining events, and then the end.</summary>
    public void Dispose()
    {
        _hiddenFailures.Dispose();
        Events.Complete();
    }

    /// <summary>Records a change of an endpoint's health, and starts the recovery actions of an ejected endpoint.</summary>
    public void OnHealthChanged(HealthChange change)
    {
        try
        {
            RecordHealth(change, _clock.Now);
        }
#pragma warning disable CA1031 // A log or a callback that throws must not keep a change from taking effect, nor a lease from being completed.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    /// <summary>Records that an outage began, or that it ended.</summary>
    /// <param name="lasted">The duration of the outage. Null: the outage began.</param>
    public void OnOutageChanged(TimeSpan? lasted)
    {
        if (lasted is { } length)
        {
            PoolLog.OutageEnded(Log, _pool, DurationText.Write(length), length.TotalSeconds);
            if (Events.AreWatched)
                Events.Publish(new OutageEnded { Pool = _pool, At = Events.Now, Lasted = length });
            return;
        }
        if (Array.Exists(_snapshot.Value.Members, static m => m.Health.State.IsUnreachable))
            PoolLog.NothingReachable(Log, _pool);
        else
            PoolLog.OutageBegan(Log, _pool);
        if (Events.AreWatched)
            Events.Publish(new OutageBegan { Pool = _pool, At = Events.Now });
    }

    /// <summary>Records once a minute that an outage continues.</summary>
    public void RecordOutageGoesOn(TimeSpan age, int waiting) => PoolLog.OutageGoesOn(Log, _pool, DurationText.Write(age), age.TotalSeconds, waiting);

    public void RecordRemoval(string endpoint)
    {
        if (Events.AreWatched)
            Events.Publish(new EndpointRemoved { Pool = _pool, At = Events.Now, Endpoint = endpoint });
    }

    public void RecordDrained(string endpoint)
    {
        if (Events.AreWatched)
            Events.Publish(new EndpointDrained { Pool = _pool, At = Events.Now, Endpoint = endpoint });
    }

    /// <summary>Records an operator's order, which names an endpoint or a tier.</summary>
    public void RecordOrder(PoolOrder order, string? endpoint, int? tier, OrderNote note)
    {
        PoolLog.Ordered(Log, _pool, order.ToString(), endpoint ?? $"tier {tier}");
        if (Events.AreWatched)
            Events.Publish(new OrderGiven { Pool = _pool, At = Events.Now, Order = order, Endpoint = endpoint, Tier = tier, By = note.By, Reason = note.Reason });
    }

    /// <summary>Records that this replica has executed an order that was given on another replica.</summary>
    public void RecordOrderElsewhere(PeerFact fact)
    {
        var (order, endpoint) = (fact.Order!, fact.Subject.Length > 0 ? fact.Subject : null);
        PoolLog.OrderedElsewhere(Log, _pool, order.Order.ToString(), endpoint ?? DescribeTier(order.Tier), order.By, fact.Replica);
        if (Events.AreWatched)
        {
            Events.Publish(new OrderGiven
            {
                Pool = _pool,
                At = Events.Now,
                Order = order.Order,
                Endpoint = endpoint,
                Tier = order.Tier,
                By = order.By,
                Reason = order.Reason,
                Replica = fact.Replica,
            });
        }
    }

    /// <summary>Records that an order of this replica is no longer in force.</summary>
    public void RecordOverruled(PeerFact fact, PeerFact by)
    {
        var (order, later, endpoint) = (fact.Order!, by.Order!, fact.Subject.Length > 0 ? fact.Subject : null);
        var laterText = later.Tier is { } tier ? $"{later.Order} of tier {tier}" : later.Order.ToString();
        PoolLog.OrderOverruled(Log, _pool, order.Order.ToString(), endpoint ?? DescribeTier(order.Tier), laterText, later.By, by.Replica);
        if (Events.AreWatched)
        {
            Events.Publish(new OrderOverruled
            {
                Pool = _pool,
                At = Events.Now,
                Order = order.Order,
                Endpoint = endpoint,
                Tier = order.Tier,
                OverruledBy = later.Order,
                OverruledByTier = later.Tier,
                By = later.By,
                Replica = by.Replica,
            });
        }
    }

    /// <summary>Records that another endpoint continued a cut answer.</summary>
    public void RecordSeam(StreamSeam seam)
    {
        PoolLog.AnswerContinued(Log, _pool, seam.From, seam.Why.KindName, seam.To ?? "");
        if (Events.AreWatched)
            Events.Publish(new AnswerContinued { Pool = _pool, At = Events.Now, Seam = seam });
    }

    /// <summary>Records that an attempt failed although its call was served.</summary>
    public void RecordHiddenFailure(string endpoint, Fault fault, string servedBy) => _hiddenFailures.Record(endpoint, fault, servedBy);

    /// <summary>Records that the application's own selector threw an exception that did not end its call.</summary>
    public void RecordSelectorFailed(Exception exception) => PoolLog.CallbackFailed(Log, exception, _pool, nameof(IEndpointSelector));

    /// <summary>Records that the application's function for probes threw, so that the endpoint gets the default probe.</summary>
    public void RecordProbeFailed(Exception exception) => PoolLog.CallbackFailed(Log, exception, _pool, nameof(EndpointPoolParts.Probe));

    /// <summary>Records that an answer is too long to be held until it is complete.</summary>
    public void RecordHeldTooLong(string endpoint, long bytes) => PoolLog.HeldTooLong(Log, _pool, endpoint, bytes);

    /// <summary>Records that an order with a wrong signature was ignored.</summary>
    public void RecordRefusedOrder(string replica) => PoolLog.OrderRefused(Log, _pool, replica);

    /// <summary>Records that the link to the other replicas came up, or went down.</summary>
    public void RecordLink(PeerLinkStatus status)
    {
        if (status.IsConnected)
            PoolLog.LinkUp(Log, _pool);
        else
            PoolLog.LinkDown(Log, _pool, status.Problem);
    }

    public void RecordBudgetAlert(in BurnRateStatus status)
    {
        if (status.Firing)
            PoolLog.BudgetBurns(Log, _pool, status.LongBurn, status.Alert.Name);
        else
            PoolLog.BudgetBurnsNoMore(Log, _pool, status.Alert.Name);
        if (Events.AreWatched)
            Events.Publish(new BudgetAlert { Pool = _pool, At = Events.Now, Status = status });
    }

    public void RecordScale(ScaleSignal signal)
    {
        PoolLog.ScaleChanged(Log, _pool, signal.WantedEndpoints, signal.InFlight, signal.Waiting);
        if (Events.AreWatched)
            Events.Publish(new ScaleChanged { Pool = _pool, At = Events.Now, Signal = signal });
    }

    /// <summary>Records the settings of a reload that take effect only in a new pool.</summary>
    public void RecordNotApplied(IReadOnlyList<string> settings)
    {
        if (settings.Count > 0)
            PoolLog.NotApplied(Log, _pool, string.Join(", ", settings));
    }

    /// <summary>
    /// Records the settings that are valid but probably a mistake, each once. Not thread-safe: called when the pool is created, and under the lock of the
    /// membership.
    /// </summary>
    public void RecordWarnings(EndpointPoolOptions options)
    {
        if (!Log.IsEnabled(LogLevel.Warning))
            return;
        foreach (var warning in SettingWarnings.Find(options, _isShared))
            RecordWarning(warning);
    }

    /// <summary>Logs a probable mistake, once.</summary>
    public void RecordWarning(string warning)
    {
        lock (_warnings)
        {
            if (!_warnings.Add(warning))
                return;
        }
        PoolLog.ProbableMistake(Log, _pool, warning);
    }

    private void RecordHealth(in HealthChange change, TimeSpan now)
    {
        if (change.IsReport)
        {
            PoolLog.WouldBeOut(Log, _pool, change.Endpoint.Name, change.Evidence.Fault?.ToString() ?? "no fault");
            return;
        }
        var isEjection = HealthEvents.IsEjection(change);
        if (isEjection)
            _telemetry.Ejected(change.Endpoint.Name, (change.Evidence.Fault ?? change.After.Cause)?.KindName ?? nameof(FaultKind.Unknown));
        if (Log.IsEnabled(LogLevel.Critical))
            HealthLog.Write(Log, _pool, change, IsOutage(now), now);
        var isRecovery = _recovered.Length > 0 && HealthEvents.IsRecovery(change);
        if (Events.AreWatched || isRecovery)
        {
            var happened = HealthEvents.EventOf(change, _pool, Events.Now);
            Events.Publish(happened);
            if (isRecovery && happened is EndpointRecovered recovered)
                InvokeRecovered(recovered);
        }
        // If other replicas have ejected the endpoint, they run the recovery actions.
        if (isEjection && !_recovery.IsEmpty && !change.Evidence.IsFromPeer && _snapshot.Value.MemberOf(change.Endpoint) is { } member)
            _recovery.Run(new EjectionEvidence(_pool, member.Endpoint, change.After.Cause, change.After, Events.Now), _options.Value.Recovery, now);
    }

    // This is a separate method. In its caller, the variables that the lambda captures would be allocated for every change, even if nothing is logged.
    private bool IsOutage(TimeSpan now) => !Array.Exists(_snapshot.Value.Members, m => m.Health.State.Admits(now));

    private void InvokeRecovered(EndpointRecovered recovered)
    {
        foreach (var callback in _recovered)
        {
            try
            {
                callback(recovered);
            }
#pragma warning disable CA1031 // If a callback throws, the remaining callbacks must still run, and the endpoint must still return to service.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                PoolLog.CallbackFailed(Log, exception, _pool, nameof(EndpointPoolParts.OnRecovered));
            }
        }
    }

    private static string DescribeTier(int? tier) => tier is null ? "the pool" : $"tier {tier}";

    private void OnRecoveryEnded(EjectionEvidence evidence, Exception? failure)
    {
        if (failure is not null)
            PoolLog.RecoveryFailed(_recoveryLog, failure, evidence.Pool, evidence.Endpoint.Name);
        if (Events.AreWatched)
            Events.Publish(new RecoveryEnded { Pool = _pool, At = Events.Now, Endpoint = evidence.Endpoint.Name, Failure = failure });
    }
}
