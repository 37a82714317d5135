using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>Calculates the effect of retries and hedged requests. Pure and thread-safe.</summary>
public static class Retry
{
    /// <summary>Success within k independent attempts: U = uᵏ.</summary>
    /// <param name="attempt">Chance that one attempt succeeds.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="attempts"/> is less than 1.</exception>
    public static AvailabilityRatio Success(AvailabilityRatio attempt, int attempts)
    {
        Guard.AtLeast(1, attempts);
        var u = attempt.Unavailability;
        if (u == 0)
            return AvailabilityRatio.Always;
        // ln u loses digits to ln a when u is near one; take it from the accurate part.
        var log = u > 0.5 ? Precise.Log1p(-attempt.Value) : Math.Log(u);
        return AvailabilityRatio.FromPair(-Precise.Expm1(attempts * log), Math.Pow(u, attempts));
    }

    /// <summary>Mean number of attempts when one stops at the first success or after k: (1 − uᵏ)/a.</summary>
    /// <inheritdoc cref="Success" path="/param"/>
    /// <inheritdoc cref="Success" path="/exception"/>
    public static double ExpectedAttempts(AvailabilityRatio attempt, int attempts)
    {
        var success = Success(attempt, attempts);
        return attempt.Value == 0 ? attempts : success.Value / attempt.Value;
    }

    /// <summary>Success when a share q of calls meets a hard outage that no retry passes: A = (1 − q)·(1 − eᵏ).</summary>
    /// <param name="hard">q, from 0 to 1.</param>
    /// <param name="transient">e, the failure probability of one attempt otherwise; from 0 to 1.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio SuccessWithSharedCause(double hard, double transient, int attempts) =>
        AvailabilityRatio.Series(
            AvailabilityRatio.FromUnavailability(Guard.Probability(hard)),
            Success(AvailabilityRatio.FromUnavailability(Guard.Probability(transient)), attempts));

    /// <summary>Success when the failure probability itself varies from call to call as Beta(α, β): U = ∏ (α + i)/(α + β + i). Attempts are correlated by 1/(α + β + 1).</summary>
    /// <param name="alpha">α, greater than zero; the mean failure probability is α/(α + β).</param>
    /// <param name="beta">β, greater than zero.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static AvailabilityRatio SuccessWithCorrelation(double alpha, double beta, int attempts)
    {
        Guard.Positive(alpha);
        Guard.Positive(beta);
        Guard.AtLeast(1, attempts);
        double up = 0, down = 1;
        for (var i = 0; i < attempts; i++)
        {
            up += down * (beta / (alpha + beta + i));
            down *= (alpha + i) / (alpha + beta + i);
        }

        return AvailabilityRatio.FromPair(up, down);
    }

    /// <summary>Smallest number of independent attempts that meets a target: ⌈ln U/ln u⌉.</summary>
    /// <param name="attempt">Chance that one attempt succeeds; above zero.</param>
    /// <param name="target">Below 100 %, which no number reaches unless one attempt does.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static int AttemptsFor(AvailabilityRatio attempt, AvailabilityRatio target)
    {
        if (attempt.Value == 0)
            throw new ArgumentOutOfRangeException(nameof(attempt), attempt, "Attempts that never succeed reach no target.");
        if (attempt.Meets(target))
            return 1;
        if (target.Unavailability == 0)
            throw new ArgumentOutOfRangeException(nameof(target), target, "No number of attempts is always enough.");
        return Precise.ToCount(Precise.Ceiling(target.Nines / attempt.Nines));
    }

    /// <summary>Load at the bottom when every layer retries: attempts^layers.</summary>
    /// <param name="attempts">Per layer, at least 1.</param>
    /// <param name="layers">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is less than 1.</exception>
    public static double LayerAmplification(int attempts, int layers) => Math.Pow(Guard.AtLeast(1, attempts), Guard.AtLeast(1, layers));

    /// <summary>Mean load multiplier of one layer that retries: <see cref="ExpectedAttempts"/>, so that layers multiply by it in ordinary times.</summary>
    /// <param name="attempt">Chance that one attempt succeeds.</param>
    /// <param name="attempts">Per layer, at least 1.</param>
    /// <param name="layers">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is less than 1.</exception>
    public static double ExpectedAmplification(AvailabilityRatio attempt, int attempts, int layers)
    {
        // A layer above sees the failures that the layers below could not retry away.
        Guard.AtLeast(1, layers);
        var load = 1.0;
        for (var i = 0; i < layers; i++)
        {
            load *= ExpectedAttempts(attempt, attempts);
            attempt = Success(attempt, attempts);
        }

        return load;
    }

    /// <summary>All the waits of an exponential backoff without jitter: b·(1 + f + … + f^(k−2)) between k attempts.</summary>
    /// <param name="initial">b, the first wait; zero or greater.</param>
    /// <param name="factor">f, at least 1.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <param name="cap">The longest single wait; null for no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or outside its range.</exception>
    public static TimeSpan TotalBackoff(TimeSpan initial, double factor, int attempts, TimeSpan? cap = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Guard.Positive(factor), 1.0, nameof(factor));
        Guard.AtLeast(1, attempts);
        double wait = Guard.NotNegative(initial).Ticks, total = 0, most = cap is { } c ? Guard.NotNegative(c, nameof(cap)).Ticks : double.PositiveInfinity;
        var left = attempts - 1;
        for (; left > 0 && factor > 1 && wait < most && total < long.MaxValue && wait > 0; left--)
        {
            total += wait;
            wait *= factor;
        }

        total += left * Math.Min(wait, most);
        return Precise.FromTicks(total);
    }

    /// <summary>Share of calls that a client should refuse itself: max(0, (requests − K·accepts)/(requests + 1)) (Google, Site Reliability Engineering, ch. 21).</summary>
    /// <param name="requests">Attempted in the last two minutes, say; zero or greater.</param>
    /// <param name="accepts">The number of these requests that the server accepted, from 0 to <paramref name="requests"/>.</param>
    /// <param name="multiplier">K, at least 1; 2 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double RejectProbability(long requests, long accepts, double multiplier = 2)
    {
        Guard.AtLeast(0L, requests);
        Guard.Between(0L, requests, accepts);
        ArgumentOutOfRangeException.ThrowIfLessThan(Guard.Positive(multiplier), 1.0, nameof(multiplier));
        return Math.Max(0, (requests - multiplier * accepts) / (requests + 1.0));
    }

    /// <summary>Chance that a call is slower than t when a second, independent one is sent after a delay: S(t) before it, S(t)·S(t − delay) after. The extra load is S(delay).</summary>
    /// <param name="slower">S, the chance that one attempt takes longer than a given time.</param>
    /// <param name="time">t; zero or greater.</param>
    /// <param name="delay">The time at which the second request is sent; zero or greater.</param>
    /// <param name="sharedCause">Share of the slowness that hits both attempts alike, from 0 to 1; 0 by default.</param>
    /// <exception cref="ArgumentNullException"><paramref name="slower"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double HedgedTail(Func<TimeSpan, double> slower, TimeSpan time, TimeSpan delay, double sharedCause = 0)
    {
        ArgumentNullException.ThrowIfNull(slower);
        Guard.NotNegative(time);
        Guard.NotNegative(delay);
        Guard.Probability(sharedCause);
        var alone = Guard.Probability(slower(time), nameof(slower));
        return time < delay ? alone : alone * (sharedCause + (1 - sharedCause) * Guard.Probability(slower(time - delay), nameof(slower)));
    }
}
