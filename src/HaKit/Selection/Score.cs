using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>
/// Holds the expected cost of choosing an endpoint, in seconds. The pool compares some endpoints, and chooses the endpoint with the lowest total.
/// </summary>
/// <param name="Time">
/// The time until the first content (of a plain answer: until the whole answer), including the queue of attempts in flight. Presets that ignore measured times
/// assume that each attempt takes 1 s, and 1 s more for each 1,000 input tokens.
/// </param>
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
    /// The cost of a failure, as a multiple of the endpoint's own time. It includes the lost time, the queue at another endpoint, and the use of the retry budget
    /// that all calls share. Fast failures leave an endpoint with few attempts in flight, which lowers its score. With this value, an endpoint that fails three
    /// times in ten keeps less than half of its fair share all the same.
    /// </summary>
    public const double RetryCost = 12;

    /// <summary>The seconds that are added to the cost of each failure, so that a failure has a cost even at a very fast endpoint.</summary>
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

    // The expected time of this attempt, plus the same time for each attempt in flight. Only the second part is divided by the weight and the slow-start share.
    private static double Time(EndpointState state, double perWeight, double slowStartShare, double units, TimeSpan now, SelectionPolicy policy)
    {
        var time = policy.IsLatencyAware ? state.Latency.Expected(units, now) + state.Silence.OverdueSeconds(now) : units;
        return policy.IsLoadAware ? time * (1 + state.Load * perWeight / slowStartShare) : time;
    }

    private static double Failure(double probability, double time) =>
        probability == 0 ? 0 : probability / (1 - probability + Epsilon) * (RetryCost * time + LeastRetryCost);

    private static double Price(PoolEndpoint endpoint, RequestProfile profile) =>
        // If the lengths of the requests are unknown, the endpoint with the higher prices still counts as more expensive.
        profile.Tokens == 0
            ? (endpoint.InputTokenPrice + endpoint.OutputTokenPrice) / 1000
            : (endpoint.InputTokenPrice * Math.Max(0, profile.InputTokens) + endpoint.OutputTokenPrice * Math.Max(0, profile.MaxOutputTokens)) / 1e6;
}
