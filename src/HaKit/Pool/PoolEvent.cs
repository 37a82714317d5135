using HaKit.Faults;
using HaKit.Health;

namespace HaKit;

/// <summary>The base class of the events of a pool. Immutable; never quotes keys, prompts or a provider's message.</summary>
public abstract record PoolEvent
{
    /// <summary>Gets the pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>Gets the time of the event, by the wall clock.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The cause of a change of an endpoint's health.</summary>
public enum ChangeSource
{
    /// <summary>The passing of time: a cooldown, a slow start or an unanswered trial ended.</summary>
    Time,

    /// <summary>An attempt of a call.</summary>
    Traffic,

    /// <summary>A heartbeat.</summary>
    Heartbeat,

    /// <summary>An operator's order.</summary>
    Order,

    /// <summary>Another endpoint that shares the failure domain of the fault.</summary>
    SharedDomain,

    /// <summary>This process was paused or could connect to no endpoint, so its observations do not count.</summary>
    SelfSuspicion,

    /// <summary>Other replicas of the application: see <see cref="Peers.IPeerLink"/>.</summary>
    Peer,
}

/// <summary>Represents a change of an endpoint's health: in its status, its cooldown, or its failure counts.</summary>
public record EndpointChanged : PoolEvent
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets the health before the change.</summary>
    public required HealthState Before { get; init; }

    /// <summary>Gets the health after the change.</summary>
    public required HealthState After { get; init; }

    /// <summary>Gets what caused the change.</summary>
    public required ChangeSource Source { get; init; }

    /// <summary>Gets the fault. Null if the evidence was not a failure.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>Reports that an endpoint was ejected because its attempts or probes failed, or because its trial failed.</summary>
public sealed record EndpointEjected : EndpointChanged;

/// <summary>Reports that an ejected endpoint is back in service.</summary>
public sealed record EndpointRecovered : EndpointChanged;

/// <summary>Reports an order that an operator or code gave.</summary>
public sealed record OrderGiven : PoolEvent
{
    /// <summary>Gets the order.</summary>
    public required PoolOrder Order { get; init; }

    /// <summary>Gets the endpoint's name, for an order about one endpoint.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets the tier that is used first from now on, for an order about tiers.</summary>
    public int? Tier { get; init; }

    /// <summary>Gets the operator's name, as the application gave it.</summary>
    public string? By { get; init; }

    /// <summary>Gets the reason. Null: none was given.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets the replica that took the order. Null: this replica.</summary>
    public string? Replica { get; init; }
}

/// <summary>Reports that an order of this replica is no longer in force, because another replica took a later order.</summary>
public sealed record OrderOverruled : PoolEvent
{
    /// <summary>Gets the order that is no longer in force.</summary>
    public required PoolOrder Order { get; init; }

    /// <summary>Gets the endpoint's name, for an order about one endpoint.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Gets the tier, for an order that promotes a tier.</summary>
    public int? Tier { get; init; }

    /// <summary>Gets the order that is in force instead.</summary>
    public required PoolOrder OverruledBy { get; init; }

    /// <summary>Gets the tier of the order that is in force instead, if it promotes a tier.</summary>
    public int? OverruledByTier { get; init; }

    /// <summary>Gets the operator who gave that order.</summary>
    public required string By { get; init; }

    /// <summary>Gets the replica that took that order.</summary>
    public required string Replica { get; init; }
}

/// <summary>Reports that the last attempt in flight on a draining endpoint has ended.</summary>
public sealed record EndpointDrained : PoolEvent
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }
}

/// <summary>Reports that an endpoint was removed from the pool, or replaced by another endpoint of the same name. Its failure counts are deleted.</summary>
public sealed record EndpointRemoved : PoolEvent
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }
}

/// <summary>Reports the start of an outage: no endpoint can take ordinary traffic.</summary>
public sealed record OutageBegan : PoolEvent;

/// <summary>Reports the end of an outage: at least one endpoint can take ordinary traffic again.</summary>
public sealed record OutageEnded : PoolEvent
{
    /// <summary>Gets how long no endpoint could take traffic.</summary>
    public required TimeSpan Lasted { get; init; }
}

/// <summary>Reports that an answer was cut and that another endpoint continued it.</summary>
public sealed record AnswerContinued : PoolEvent
{
    /// <summary>Gets the endpoints, the cause, the place and the time.</summary>
    public required StreamSeam Seam { get; init; }
}

/// <summary>Reports that a recovery action has ended.</summary>
public sealed record RecoveryEnded : PoolEvent
{
    /// <summary>Gets the name of the endpoint that the action was for.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets why the action failed. Null: it succeeded.</summary>
    public Exception? Failure { get; init; }
}

/// <summary>Reports that a burn-rate alert on the error budget began or stopped firing.</summary>
public sealed record BudgetAlert : PoolEvent
{
    /// <summary>Gets the alert, whether it fires, and its burn rates.</summary>
    public required Availability.BurnRateStatus Status { get; init; }
}

/// <summary>Reports that the application read a subscription too slowly. The events between this event and the next event were dropped.</summary>
public sealed record EventsDropped : PoolEvent
{
    /// <summary>Gets how many events were dropped.</summary>
    public required long Count { get; init; }
}
