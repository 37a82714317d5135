using HaKit.Faults;
using HaKit.Health;

namespace HaKit;

/// <summary>Something that happened to a pool. Immutable; never quotes keys, prompts or a provider's message.</summary>
public abstract record PoolEvent
{
    /// <summary>The pool's name.</summary>
    public required string Pool { get; init; }

    /// <summary>When, by the wall clock.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>What made an endpoint's health change.</summary>
public enum ChangeSource
{
    /// <summary>Time alone: a cooldown, a ramp or an unanswered trial ended.</summary>
    Time,

    /// <summary>An attempt of a call.</summary>
    Traffic,

    /// <summary>A heartbeat.</summary>
    Heartbeat,

    /// <summary>An operator's order.</summary>
    Order,

    /// <summary>Another endpoint with which it shares the domain that the fault reaches.</summary>
    SharedDomain,

    /// <summary>Our own process was paused or could connect to no endpoint, so its observations do not count.</summary>
    SelfSuspicion,

    /// <summary>Other replicas of the application: see <see cref="Peers.IPeerLink"/>.</summary>
    Peer,
}

/// <summary>An endpoint's health changed: in its status, its cooldown, or in what is held against it.</summary>
public record EndpointChanged : PoolEvent
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Its health before.</summary>
    public required HealthState Before { get; init; }

    /// <summary>Its health now.</summary>
    public required HealthState After { get; init; }

    /// <summary>What made it change.</summary>
    public required ChangeSource Source { get; init; }

    /// <summary>The fault that was seen; null when the evidence was no failure.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>An endpoint was taken out of service for what it did, or its trial failed.</summary>
public sealed record EndpointEjected : EndpointChanged;

/// <summary>An endpoint that was out came back into service.</summary>
public sealed record EndpointRecovered : EndpointChanged;

/// <summary>An operator gave an order.</summary>
public sealed record OrderGiven : PoolEvent
{
    /// <summary>The order.</summary>
    public required PoolOrder Order { get; init; }

    /// <summary>The endpoint's name, for an order about one.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The tier that is used first from now on, for an order about tiers.</summary>
    public int? Tier { get; init; }

    /// <summary>The operator, as the application names the operator.</summary>
    public string? By { get; init; }

    /// <summary>Why; null for none.</summary>
    public string? Reason { get; init; }

    /// <summary>The replica that took the order; null for this one.</summary>
    public string? Replica { get; init; }
}

/// <summary>An order that this replica took no longer holds, because another replica took a later one.</summary>
public sealed record OrderOverruled : PoolEvent
{
    /// <summary>The order that no longer holds.</summary>
    public required PoolOrder Order { get; init; }

    /// <summary>The endpoint's name, for an order about one.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The order that holds instead.</summary>
    public required PoolOrder OverruledBy { get; init; }

    /// <summary>The operator who gave it.</summary>
    public required string By { get; init; }

    /// <summary>The replica that took it.</summary>
    public required string Replica { get; init; }
}

/// <summary>A draining endpoint has nothing in flight any more.</summary>
public sealed record EndpointDrained : PoolEvent
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }
}

/// <summary>An endpoint left the pool, or another of its name took its place; what was held against it is forgotten.</summary>
public sealed record EndpointRemoved : PoolEvent
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }
}

/// <summary>None of the endpoints can take ordinary traffic.</summary>
public sealed record OutageBegan : PoolEvent;

/// <summary>At least one endpoint can take traffic again.</summary>
public sealed record OutageEnded : PoolEvent
{
    /// <summary>How long none could.</summary>
    public required TimeSpan Lasted { get; init; }
}

/// <summary>An answer was cut, and another endpoint went on with it.</summary>
public sealed record AnswerContinued : PoolEvent
{
    /// <summary>The endpoints, the cause, the place and the time.</summary>
    public required StreamSeam Seam { get; init; }
}

/// <summary>A recovery action has ended.</summary>
public sealed record RecoveryEnded : PoolEvent
{
    /// <summary>The endpoint it was for.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Why it failed; null for success.</summary>
    public Exception? Failure { get; init; }
}

/// <summary>An alert on the error budget began or stopped to fire.</summary>
public sealed record BudgetAlert : PoolEvent
{
    /// <summary>The alert, whether it fires, and the burn rates it saw.</summary>
    public required Availability.BurnRateStatus Status { get; init; }
}

/// <summary>This subscription was read too slowly: its oldest events were dropped, just before the one that follows.</summary>
public sealed record EventsDropped : PoolEvent
{
    /// <summary>How many.</summary>
    public required long Count { get; init; }
}
