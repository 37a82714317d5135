namespace HaKit.Selection;

/// <summary>An endpoint that may be chosen now, with what is known of it. Valid for the one choice it is offered for.</summary>
public readonly record struct EndpointCandidate
{
    /// <summary>Its identity.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    /// <summary>Attempts in flight on it.</summary>
    public required int InFlight { get; init; }

    /// <summary>The factor on its weight: below 1 while it returns from an ejection or a cooldown.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>Usual seconds for each output token of a stream; 0 until known.</summary>
    public required double OutputTokenSeconds { get; init; }

    /// <summary>What choosing it is expected to cost, in seconds.</summary>
    public required EndpointScore Score { get; init; }
}

/// <summary>
/// A choice of your own among the endpoints of a tier that may serve a request now. Tiers, health, limits, trials and the hard filters stay the
/// pool's. Called on the path of every attempt and by several threads at once: it must be quick, thread-safe, and must not wait.
/// </summary>
public interface IEndpointSelector
{
    /// <summary>Chooses one of the candidates.</summary>
    /// <param name="profile">What is known of the request.</param>
    /// <param name="candidates">At least one; each may be chosen. Not to be kept.</param>
    /// <returns>The index of the chosen one. Anything outside the candidates makes the call fail with an <see cref="InvalidOperationException"/>.</returns>
    int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates);
}
