using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>Holds the expected cost of choosing an endpoint, in seconds. The endpoint with the lowest total is chosen.</summary>
/// <param name="Time">The time until the first content, including the queue of attempts in flight.</param>
/// <param name="Failure">The cost of a failure, which makes another attempt necessary, multiplied by the odds of a failure.</param>
/// <param name="Zone">The penalty for an endpoint outside the pool's zone.</param>
/// <param name="Price">The price of the request, converted to seconds.</param>
public readonly record struct EndpointScore(double Time, double Failure, double Zone, double Price)
{
    /// <summary>Gets the sum of all terms.</summary>
    public double Total => Time + Failure + Zone + Price;
}

/// <summary>Computes the score; docs/selection.md explains the formula.</summary>
internal static class Score
{
    /// <summary>
    /// The cost of a failure, as a multiple of the endpoint's own time: the lost time, the queue at another endpoint, and the shared budget. The value is so
    /// large that an endpoint that fails three times in ten keeps less than half of its fair share, although its failures leave it with fewer attempts in
    /// flight than the others.
    /// </summary>
    public const double RetryCost = 12;

    /// <summary>The minimum cost of a failure in seconds, however fast the endpoint is.</summary>
    public const double LeastRetryCost = 0.25;

    /// <summary>Keeps the odds of an endpoint that has always failed finite: 20 to 1.</summary>
    public const double Epsilon = 0.05;

    /// <summary>The failure estimate of an ejected endpoint is at least this value: odds of 6 to 1.</summary>
    public const double EjectedFailure = 0.9;

    public static double ComputeSeconds(in Candidate candidate, double units, in SelectionQuery query, SelectionPolicy policy)
    {
        var state = candidate.State;
        var time = Time(state, candidate.PerWeight, candidate.SlowStartShare(query.Now), units, query.Now, policy);
        var score = time + Failure(state.Failure.ProbabilityAt(query.Now), time);
        if (!candidate.IsLocal && policy.Zone is not null)
            score += policy.ZonePenalty;
        return policy.SecondsPerPrice == 0 ? score : score + policy.SecondsPerPrice * Price(state.Endpoint, query.Profile);
    }

    /// <summary>Computes the terms of the score for any endpoint, even for an ejected endpoint.</summary>
    public static EndpointScore Terms(EndpointState state, in SelectionQuery query, SelectionPolicy policy)
    {
        var health = state.Health.State;
        var time = Time(state, 1 / state.Endpoint.Weight, health.SlowStartShare(query.Now), LatencyEstimate.UnitsOf(query.Profile.InputTokens), query.Now, policy);
        var failure = state.Failure.ProbabilityAt(query.Now);
        return new EndpointScore(
            time,
            Failure(health.IsInService ? failure : Math.Max(EjectedFailure, failure), time),
            policy.Zone is { } zone && zone != state.Endpoint.Zone ? policy.ZonePenalty : 0,
            policy.SecondsPerPrice * Price(state.Endpoint, query.Profile));
    }

    // The time of the call itself, plus the same time for each call before it, divided by the weight.
    private static double Time(EndpointState state, double perWeight, double ramp, double units, TimeSpan now, SelectionPolicy policy)
    {
        var time = policy.IsLatencyAware ? state.Latency.Expected(units, now) + state.Silence.OverdueSeconds(now) : units;
        return policy.IsLoadAware ? time * (1 + state.Load * perWeight / ramp) : time;
    }

    private static double Failure(double probability, double time) =>
        probability == 0 ? 0 : probability / (1 - probability + Epsilon) * (RetryCost * time + LeastRetryCost);

    private static double Price(PoolEndpoint endpoint, RequestProfile profile) =>
        // If the lengths of the requests are unknown, the endpoint with the higher prices still counts as more expensive.
        profile.Tokens == 0
            ? (endpoint.InputTokenPrice + endpoint.OutputTokenPrice) / 1000
            : (endpoint.InputTokenPrice * profile.InputTokens + endpoint.OutputTokenPrice * profile.MaxOutputTokens) / 1e6;
}
