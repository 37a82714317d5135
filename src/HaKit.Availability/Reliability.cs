using HaKit.Availability.Numerics;

namespace HaKit.Availability;

/// <summary>Calculates survival without repair: in steps with a constant failure probability, or in time at a constant rate. Pure and thread-safe.</summary>
/// <remarks>
/// Results are pairs: <see cref="AvailabilityRatio.Value"/> is the probability of survival, and <see cref="AvailabilityRatio.Unavailability"/> is the
/// probability of failure. Both are accurate.
/// </remarks>
public static class Reliability
{
    /// <summary>
    /// Returns (1 − p)ⁿ: the probability that one unit survives n steps, or that all of n units survive one step. Its complement is the probability that any
    /// step or unit fails.
    /// </summary>
    /// <param name="failureProbability">p per step, from 0 to 1.</param>
    /// <param name="steps">n, zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio Survival(double failureProbability, long steps)
    {
        Guard.Probability(failureProbability);
        Guard.AtLeast(0L, steps);
        return AvailabilityRatio.FromPair(
            Precise.PowerOfComplement(failureProbability, steps), Precise.ComplementOfPower(failureProbability, steps));
    }

    /// <summary>Returns e^−λt: the probability that a unit survives a time t at a constant failure rate.</summary>
    /// <param name="rate">λ, failures per unit of time; zero or greater.</param>
    /// <param name="time">t, in that unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite or negative.</exception>
    public static AvailabilityRatio ExponentialSurvival(double rate, double time)
    {
        var x = Guard.NotNegative(rate) * Guard.NotNegative(time);
        return AvailabilityRatio.FromPair(Math.Exp(-x), -Precise.Expm1(-x));
    }

    /// <summary>Returns the rate that gives the failure probability p in each step: λ = −ln(1 − p)/Δ. It is more than p/Δ.</summary>
    /// <param name="failureProbability">p per step, from 0 to below 1.</param>
    /// <param name="step">Δ, in any unit of time; greater than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double RateFromStepProbability(double failureProbability, double step)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(failureProbability, 1.0);
        return -Precise.Log1p(-Guard.Probability(failureProbability)) / Guard.Positive(step);
    }

    /// <summary>Returns the number of steps (not rounded) after which the probability of a failure is P: ln(1 − P)/ln(1 − p).</summary>
    /// <param name="failureProbability">p per step, strictly between 0 and 1.</param>
    /// <param name="target">P, from 0 to below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static double StepsForFailureProbability(double failureProbability, double target)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(target, 1.0);
        return Precise.Log1p(-Guard.Probability(target)) / Precise.Log1p(-Guard.OpenProbability(failureProbability));
    }

    /// <summary>
    /// Returns the survival of one active unit with cold spares, which cannot fail while they wait: e^−λt · Σᵢ (σλt)ⁱ/i!, where each switch works with
    /// probability σ (Trivedi ch. 3). With one spare, e^−λt·(1 + σλt).
    /// </summary>
    /// <param name="units">Active unit and spares, at least 1.</param>
    /// <param name="rate">λ of the active unit; zero or greater.</param>
    /// <param name="time">t; zero or greater.</param>
    /// <param name="switching">σ, from 0 to 1; 1 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN or outside its range.</exception>
    public static AvailabilityRatio StandbySurvival(int units, double rate, double time, double switching = 1)
    {
        Guard.AtLeast(1, units);
        var x = Guard.NotNegative(rate) * Guard.NotNegative(time);
        Guard.Probability(switching);
        double up = 0, down = 0;
        var poisson = Math.Exp(-x);
        var allSwitched = 1.0;
        // i failures are survived when i < units and every switch worked; all terms are positive, so both sums are exact.
        for (var i = 0; i < units || poisson > down * 1e-18 || i <= x; i++)
        {
            var survived = i < units ? allSwitched : 0;
            up += poisson * survived;
            down += poisson * (i < units ? Precise.ComplementOfPower(1 - switching, i) : 1);
            poisson *= x / (i + 1);
            allSwitched *= switching;
        }

        return AvailabilityRatio.FromPair(up, down);
    }
}
