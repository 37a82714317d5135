using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit;

/// <content>What the pool tells, and what it does about ejections.</content>
public sealed partial class EndpointPool
{
    private RecoveryActions _recovery = null!;
    private ILogger _recoveryLog = NullLogger.Instance;

    /// <summary>What happens to the pool: every change of an endpoint's health, every order, outages, recovery actions.</summary>
    public PoolEvents Events { get; private set; } = null!;

    private void StartEvents()
    {
        Events = new PoolEvents(Name, _clock.Time);
        _recovery = new RecoveryActions(_clock, [.. _parts.OnEjected], OnRecoveryEnded);
        if (_parts.LoggerFactory is { } loggers)
            _recoveryLog = new SafeLogger(loggers.CreateLogger("HaKit.Recovery"));
    }

    private void Tell(in HealthChange change, TimeSpan now)
    {
        var isEjection = change.After.Status == EndpointHealthStatus.Ejected && change.Before.Status != EndpointHealthStatus.Ejected
            && change.Evidence.Fault?.IsNeutral != true;
        Log(change, isEjection, now);
        if (Events.AreWatched)
            Events.Publish(EventOf(change, isEjection));
        _pacemaker?.Changed(change, now);
        if (isEjection && !_recovery.IsEmpty && change.Endpoint.Tag is EndpointState member)
            _recovery.Run(new EjectionEvidence(Name, member.Endpoint, change.After.Cause, change.After, Events.Now), Options.Recovery, now);
    }

    private EndpointChanged EventOf(in HealthChange change, bool isEjection)
    {
        var (before, after) = (change.Before, change.After);
        var source = SourceOf(change);
        var (pool, at, endpoint, fault) = (Name, Events.Now, change.Endpoint.Name, change.Evidence.Fault);
        if (isEjection)
            return new EndpointEjected { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault ?? after.Cause };
        if (after.IsInService && !before.IsInService)
            return new EndpointRecovered { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault };
        return new EndpointChanged { Pool = pool, At = at, Endpoint = endpoint, Before = before, After = after, Source = source, Fault = fault };
    }

    private static ChangeSource SourceOf(in HealthChange change) => change.Evidence switch
    {
        { IsShared: true } or { Source: EvidenceSource.ClearedElsewhere or EvidenceSource.TrialElsewhere } => ChangeSource.SharedDomain,
        { Source: EvidenceSource.Probe } => ChangeSource.Heartbeat,
        { Source: EvidenceSource.Order } => ChangeSource.Order,
        { Source: EvidenceSource.Time } => ChangeSource.Time,
        { Source: EvidenceSource.SelfSuspicion } => ChangeSource.SelfSuspicion,
        _ => ChangeSource.Traffic,
    };

    private void OnRecoveryEnded(EjectionEvidence evidence, Exception? failure)
    {
        if (failure is not null)
            RecoveryFailed(_recoveryLog, failure, evidence.Pool, evidence.Endpoint.Name);
        if (Events.AreWatched)
            Events.Publish(new RecoveryEnded { Pool = Name, At = Events.Now, Endpoint = evidence.Endpoint.Name, Failure = failure });
    }

    private void OnOutageChanged(TimeSpan? lasted)
    {
        LogOutage(lasted);
        if (Events.AreWatched)
            Events.Publish(lasted is { } length
                ? new OutageEnded { Pool = Name, At = Events.Now, Lasted = length }
                : new OutageBegan { Pool = Name, At = Events.Now });
    }

    [LoggerMessage(3, LogLevel.Error, "Pool {Pool}: the recovery action for endpoint {Endpoint} failed.")]
    private static partial void RecoveryFailed(ILogger logger, Exception failure, string pool, string endpoint);
}
