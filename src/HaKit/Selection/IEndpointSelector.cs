namespace HaKit.Selection;

/// <summary>Describes an endpoint that may be chosen now. Valid only during the one choice for which it is offered.</summary>
public readonly record struct EndpointCandidate
{
    /// <summary>Gets the endpoint.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    /// <summary>Gets the number of attempts in flight on the endpoint.</summary>
    public required int InFlight { get; init; }

    /// <summary>Gets the factor on the endpoint's weight: below 1 in the slow start after an ejection or a cooldown.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>Gets the usual time for each output token of a stream, in seconds; 0 until it is known.</summary>
    public required double OutputTokenSeconds { get; init; }

    /// <summary>Gets the expected cost of choosing the endpoint, in seconds.</summary>
    public required EndpointScore Score { get; init; }
}

/// <summary>
/// Chooses one of the endpoints of a tier that may serve a request now, instead of the pool's preset. Tiers, health, limits, trials and the hard filters still
/// apply. The pool calls the selector for every attempt, from several threads at the same time. So an implementation must be fast and thread-safe, and must not
/// wait.
/// </summary>
public interface IEndpointSelector
{
    /// <summary>Chooses one of the candidates.</summary>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="candidates">At least one candidate; each may be chosen. Do not keep the span.</param>
    /// <returns>The index of the chosen candidate. An index outside the span makes the call fail with an <see cref="InvalidOperationException"/>.</returns>
    int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates);
}
