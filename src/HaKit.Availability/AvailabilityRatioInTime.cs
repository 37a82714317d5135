using HaKit.Availability.Numerics;

namespace HaKit.Availability;

public readonly partial struct AvailabilityRatio
{
    /// <summary>Returns MTTF + MTTR = MTTF·(1 + MTTR/MTTF): the mean time between two failures. It is not a recovery time.</summary>
    /// <param name="mttf">Mean time to failure, in any unit; greater than zero.</param>
    /// <param name="mttr">Mean time to repair, in the same unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite, or outside its range.</exception>
    public static double MeanCycle(double mttf, double mttr) => Guard.Positive(mttf) + Guard.NotNegative(mttr);

    /// <summary>
    /// Returns the probability of being up at time t, for a unit that is up at time 0 and has exponential times:
    /// U(t) = λ/(λ+μ)·(1 − e^−(λ+μ)t) (Trivedi, Probability and Statistics, 2nd ed., ch. 6).
    /// </summary>
    /// <param name="mttf">1/λ, in any unit; greater than zero.</param>
    /// <param name="mttr">1/μ, in the same unit; greater than zero.</param>
    /// <param name="time">t, in the same unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite, or outside its range.</exception>
    public static AvailabilityRatio Instantaneous(double mttf, double mttr, double time)
    {
        var steady = Ratio(Guard.Positive(mttf), Guard.Positive(mttr));
        var x = Guard.NotNegative(time) * (1 / mttf + 1 / mttr);
        var down = steady.Unavailability * -Precise.Expm1(-x);
        return FromPair(steady.Value + steady.Unavailability * Math.Exp(-x), down);
    }

    /// <summary>Returns the expected share of [0, t] in which such a unit is up: the mean of <see cref="Instantaneous"/>.</summary>
    /// <inheritdoc cref="Instantaneous" path="/param"/>
    /// <inheritdoc cref="Instantaneous" path="/exception"/>
    public static AvailabilityRatio Interval(double mttf, double mttr, double time)
    {
        var steady = Ratio(Guard.Positive(mttf), Guard.Positive(mttr));
        var x = Guard.NotNegative(time) * (1 / mttf + 1 / mttr);
        var saturation = Precise.MeanSaturation(x);
        return FromPair(steady.Value + steady.Unavailability * (1 - saturation), steady.Unavailability * saturation);
    }
}
