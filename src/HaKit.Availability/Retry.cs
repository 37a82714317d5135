using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>Calculates the effect of retries and hedged requests. Pure and thread-safe.</summary>
public static class Retry
{
    /// <summary>Returns the probability of success within k independent attempts: U = uᵏ.</summary>
    /// <param name="attempt">The probability that one attempt succeeds.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="attempts"/> is less than 1.</exception>
    public static AvailabilityRatio Success(AvailabilityRatio attempt, int attempts)
    {
        Guard.AtLeast(1, attempts);
        var u = attempt.Unavailability;
        if (u == 0)
            return AvailabilityRatio.Always;
        // ln u loses accuracy when u is near one, so it is calculated from the accurate part.
        var log = u > 0.5 ? Precise.Log1p(-attempt.Value) : Math.Log(u);
        return AvailabilityRatio.FromPair(-Precise.Expm1(attempts * log), Math.Pow(u, attempts));
    }

    /// <summary>Returns the mean number of attempts when a call stops at the first success or after k attempts: (1 − uᵏ)/a.</summary>
    /// <inheritdoc cref="Success" path="/param"/>
    /// <inheritdoc cref="Success" path="/exception"/>
    public static double ExpectedAttempts(AvailabilityRatio attempt, int attempts)
    {
        var success = Success(attempt, attempts);
        return attempt.Value == 0 ? attempts : success.Value / attempt.Value;
    }

    /// <summary>Returns the probability of success when a share q of the calls happens in an outage in which every retry fails: A = (1 − q)·(1 − eᵏ).</summary>
    /// <param name="hard">q, from 0 to 1.</param>
    /// <param name="transient">e, the failure probability of one attempt outside such an outage; from 0 to 1.</param>
    /// <param name="attempts">k, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio SuccessWithSharedCause(double hard, double transient, int attempts) =>
        AvailabilityRatio.Series(
            AvailabilityRatio.FromUnavailability(Guard.Probability(hard)),
            Success(AvailabilityRatio.FromUnavailability(Guard.Probability(transient)), attempts));

    /// <summary>
    /// Returns the probability of success when the failure probability varies from call to call as Beta(α, β): U = ∏ (α + i)/(α + β + i). The correlation of
    /// the attempts is 1/(α + β + 1).
    /// </summary>
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

    /// <summary>Returns the smallest number of independent attempts that meets a target: ⌈ln U/ln u⌉.</summary>
    /// <param name="attempt">The probability that one attempt succeeds; above zero.</param>
    /// <param name="target">The target, below 100 %. No number of attempts reaches 100 % unless one attempt does.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    /// <exception cref="OverflowException">More than 2³¹ − 1 attempts are needed.</exception>
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

    /// <summary>Returns the load multiplier at the lowest layer when every layer retries: attempts^layers.</summary>
    /// <param name="attempts">Per layer, at least 1.</param>
    /// <param name="layers">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is less than 1.</exception>
    public static double LayerAmplification(int attempts, int layers) => Math.Pow(Guard.AtLeast(1, attempts), Guard.AtLeast(1, layers));

    /// <summary>Returns the mean load multiplier of layers that retry: each layer multiplies by <see cref="ExpectedAttempts"/> in ordinary times.</summary>
    /// <param name="attempt">The probability that one attempt succeeds.</param>
    /// <param name="attempts">Per layer, at least 1.</param>
    /// <param name="layers">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is less than 1.</exception>
    public static double ExpectedAmplification(AvailabilityRatio attempt, int attempts, int layers)
    {
        // A layer sees only the failures that remain after the retries of the layers below.
        Guard.AtLeast(1, layers);
        var load = 1.0;
        for (var i = 0; i < layers; i++)
        {
            load *= ExpectedAttempts(attempt, attempts);
            attempt = Success(attempt, attempts);
        }

        return load;
    }

    /// <summary>Returns the sum of the waits of an exponential backoff without jitter: b·(1 + f + … + f^(k−2)) between k attempts.</summary>
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

    /// <summary>
    /// Returns the share of calls that a client should reject without sending them: max(0, (requests − K·accepts)/(requests + 1)) (client-side throttling;
    /// Google, Site Reliability Engineering, ch. 21).
    /// </summary>
    /// <param name="requests">The number of requests in a recent window, for example two minutes; zero or greater.</param>
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

    /// <summary>
    /// Returns the probability that a hedged call takes longer than t. The second, independent request is sent after a delay. The probability is S(t) before
    /// the delay, and S(t)·S(t − delay) after it. The extra load is S(delay).
    /// </summary>
    /// <param name="slower">S, the probability that one attempt takes longer than a given time.</param>
    /// <param name="time">t; zero or greater.</param>
    /// <param name="delay">The time at which the second request is sent; zero or greater.</param>
    /// <param name="sharedCause">The share of slow attempts whose cause affects both requests, from 0 to 1. Default 0.</param>
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
