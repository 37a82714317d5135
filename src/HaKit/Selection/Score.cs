using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>What choosing an endpoint is expected to cost, in seconds; the least wins.</summary>
/// <param name="Time">Until its first content, behind what it has in flight.</param>
/// <param name="Failure">For the chance that it fails and another has to be asked.</param>
/// <param name="Zone">For leaving the zone.</param>
/// <param name="Price">For its price.</param>
public readonly record struct EndpointScore(double Time, double Failure, double Zone, double Price)
{
    /// <summary>The sum of all.</summary>
    public double Total => Time + Failure + Zone + Price;
}

/// <summary>The score's arithmetic; docs/selection.md says why.</summary>
internal static class Score
{
    /// <summary>
    /// How many times its own time a failure on the way costs: the time lost, another endpoint's queue, the shared budget. So large that one which
    /// fails three times in ten keeps less than half of its fair share, although its failures leave it with less in flight than the others.
    /// </summary>
    public const double RetryCost = 12;

    /// <summary>Seconds that a failure costs however quick an endpoint is.</summary>
    public const double LeastRetryCost = 0.25;

    /// <summary>Keeps the odds of one that always failed finite: 20 to 1.</summary>
    public const double Epsilon = 0.05;

    /// <summary>The failure estimate of an ejected endpoint is at least this: odds of 6 to 1.</summary>
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

    /// <summary>The same, term by term, for any endpoint, ejected ones included.</summary>
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

    // The call's own time, and for each call before it the same, shared by the weight.
    private static double Time(EndpointState state, double perWeight, double ramp, double units, TimeSpan now, SelectionPolicy policy)
    {
        var time = policy.IsLatencyAware ? state.Latency.Expected(units, now) + state.Silence.OverdueSeconds(now) : units;
        return policy.IsLoadAware ? time * (1 + state.Load * perWeight / ramp) : time;
    }

    private static double Failure(double probability, double time) =>
        probability == 0 ? 0 : probability / (1 - probability + Epsilon) * (RetryCost * time + LeastRetryCost);

    private static double Price(PoolEndpoint endpoint, RequestProfile profile) =>
        // Of two requests of unknown length the dearer endpoint is still the dearer.
        profile.Tokens == 0
            ? (endpoint.InputTokenPrice + endpoint.OutputTokenPrice) / 1000
            : (endpoint.InputTokenPrice * profile.InputTokens + endpoint.OutputTokenPrice * profile.MaxOutputTokens) / 1e6;
}
