using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace HaKit.Availability;

/// <summary>
/// An availability: the probability of being up, stored together with its complement. Calculations with ratios compute each part from the parts of the inputs, and
/// never subtract a part from one. Therefore even twelve nines keep their accuracy. Immutable and thread-safe. <c>default</c> is <see cref="Never"/>.
/// </summary>
/// <remarks>
/// In series, U ← U + A·u; in parallel, A ← A + U·a.
/// </remarks>
public readonly struct AvailabilityRatio
    : IEquatable<AvailabilityRatio>, IComparable<AvailabilityRatio>, IComparable, IFormattable, IParsable<AvailabilityRatio>
{
    private readonly double _up;
    private readonly double _down;

    private AvailabilityRatio(double up, double down)
    {
        _up = up;
        _down = down;
    }

    /// <summary>Gets a ratio that is never down: A = 1, U = 0.</summary>
    public static AvailabilityRatio Always { get; } = new(1, 0);

    /// <summary>Gets a ratio that is never up: A = 0, U = 1.</summary>
    public static AvailabilityRatio Never { get; } = new(0, 1);

    /// <summary>Gets A, the probability of being up, from 0 to 1.</summary>
    public double Value => _up;

    /// <summary>Gets U = 1 − A, the probability of being down, with its own relative accuracy, from 0 to 1.</summary>
    public double Unavailability => _up == 0 && _down == 0 ? 1 : _down;

    /// <summary>Gets the number of nines, −log₁₀ U: 3 for 99.9 %, about 3.3 for 99.95 %; infinite for <see cref="Always"/>. JSON has no infinite number, so the property is left out of JSON.</summary>
    [JsonIgnore]
    public double Nines => (Unavailability > 0.5 ? -Numerics.Precise.Log1p(-_up) : -Math.Log(Unavailability)) / Math.Log(10) + 0.0;

    /// <summary>
    /// Creates a ratio from a decimal such as <c>0.9995m</c>. The complement is exact, unlike the complement of a <see cref="double"/>. Use this overload for a
    /// target.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="availability"/> lies outside 0 to 1.</exception>
    public static AvailabilityRatio From(decimal availability)
    {
        Guard.Probability((double)availability, nameof(availability));
        return new AvailabilityRatio((double)availability, (double)(1m - availability));
    }

    /// <summary>
    /// Creates a ratio from A as a <see cref="double"/>. U is 1 minus the binary value, which is accurate to about eight nines. For more nines use a decimal or
    /// <see cref="FromUnavailability"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="availability"/> is NaN or lies outside 0 to 1.</exception>
    public static AvailabilityRatio From(double availability) => new(Guard.Probability(availability), 1 - availability);

    /// <summary>Creates a ratio from U. Every digit is kept, however small U is.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="unavailability"/> is NaN or lies outside 0 to 1.</exception>
    public static AvailabilityRatio FromUnavailability(double unavailability) => new(1 - Guard.Probability(unavailability), unavailability);

    /// <summary>Creates a ratio from a number of nines, U = 10⁻ⁿ; 3.5 is about 99.968 %.</summary>
    /// <param name="nines">The number of nines; not negative. Infinity gives <see cref="Always"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="nines"/> is NaN or negative.</exception>
    public static AvailabilityRatio FromNines(double nines)
    {
        if (!(nines >= 0))
            throw new ArgumentOutOfRangeException(nameof(nines), nines, "The number of nines must not be negative.");
        return new AvailabilityRatio(-Numerics.Precise.Expm1(-nines * Math.Log(10)), Math.Pow(10, -nines));
    }

    /// <summary>Creates A = MTTF / (MTTF + MTTR): the share of the time that a unit is up if the unit alternates between up and down (renewal theory).</summary>
    /// <param name="mttf">Mean time from repair to the next failure, in any unit; greater than zero.</param>
    /// <param name="mttr">Mean time from failure to repair, in the same unit; zero or greater.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is NaN, infinite, or outside its range.</exception>
    public static AvailabilityRatio FromMttfMttr(double mttf, double mttr)
    {
        Guard.Positive(mttf);
        Guard.NotNegative(mttr);
        return Ratio(mttf, mttr);
    }

    /// <inheritdoc cref="FromMttfMttr(double, double)"/>
    public static AvailabilityRatio FromMttfMttr(TimeSpan mttf, TimeSpan mttr)
    {
        Guard.Positive(mttf);
        Guard.NotNegative(mttr);
        return Ratio(mttf.Ticks, mttr.Ticks);
    }

    /// <summary>Creates A = (T − F) / T from an observed <paramref name="downtime"/> in a <paramref name="period"/>.</summary>
    /// <param name="period">The whole time T; greater than zero.</param>
    /// <param name="downtime">The time down F; from zero to the period.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is outside its range.</exception>
    public static AvailabilityRatio FromDowntime(TimeSpan period, TimeSpan downtime)
    {
        Guard.Positive(period);
        Guard.NotNegative(downtime);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(downtime, period);
        return Ratio((period - downtime).Ticks, downtime.Ticks);
    }

    /// <summary>Returns the availability when all parts must be up: A = ∏ aᵢ, and U ← U + A·u, without a subtraction. An empty series is always up.</summary>
    public static AvailabilityRatio Series(params ReadOnlySpan<AvailabilityRatio> parts)
    {
        double up = 1, down = 0;
        foreach (var part in parts)
        {
            down = Math.FusedMultiplyAdd(up, part.Unavailability, down);
            up *= part.Value;
        }

        return FromPair(up, down);
    }

    /// <summary>
    /// Returns the availability when one part must be up: U = ∏ uᵢ, and A ← A + U·a, without a subtraction. No parts in parallel are never up.
    /// </summary>
    public static AvailabilityRatio Parallel(params ReadOnlySpan<AvailabilityRatio> parts)
    {
        double up = 0, down = 1;
        foreach (var part in parts)
        {
            up = Math.FusedMultiplyAdd(down, part.Value, up);
            down *= part.Unavailability;
        }

        return FromPair(up, down);
    }

    /// <summary>
    /// Returns the availability when at least <paramref name="required"/> parts must be up (Poisson binomial, both tails summed from positive terms).
    /// O(n·min(k, n−k+1)).
    /// </summary>
    /// <param name="required">The number of parts that must be up, from 0 to the number of parts.</param>
    /// <param name="parts">Independent parts with equal or different availabilities.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="required"/> is negative or more than there are parts.</exception>
    public static AvailabilityRatio KofN(int required, params ReadOnlySpan<AvailabilityRatio> parts)
    {
        Guard.Between(0, parts.Length, required);
        return Numerics.PoissonBinomial.AtLeast(required, parts);
    }

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
        var down = steady.Unavailability * -Numerics.Precise.Expm1(-x);
        return FromPair(steady.Value + steady.Unavailability * Math.Exp(-x), down);
    }

    /// <summary>Returns the expected share of [0, t] in which the unit is up: the mean of <see cref="Instantaneous"/>.</summary>
    /// <inheritdoc cref="Instantaneous" path="/param"/>
    /// <inheritdoc cref="Instantaneous" path="/exception"/>
    public static AvailabilityRatio Interval(double mttf, double mttr, double time)
    {
        var steady = Ratio(Guard.Positive(mttf), Guard.Positive(mttr));
        var x = Guard.NotNegative(time) * (1 / mttf + 1 / mttr);
        var saturation = Numerics.Precise.MeanSaturation(x);
        return FromPair(steady.Value + steady.Unavailability * (1 - saturation), steady.Unavailability * saturation);
    }

    /// <summary>
    /// Returns true if the ratio is at least as good as a target, compared in U. If U is too large only by a rounding error (up to 1e-12 of U), the target is met.
    /// </summary>
    public bool Meets(AvailabilityRatio target) => Unavailability <= target.Unavailability * (1 + Numerics.Precise.Slack);

    /// <summary>Returns U·T: the mean downtime in a period.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is negative.</exception>
    public TimeSpan Downtime(TimeSpan period) => Numerics.Precise.FromTicks(Guard.NotNegative(period).Ticks * Unavailability);

    /// <summary>Returns the mean time to repair with which a unit of this MTTF has this availability: MTTR = MTTF·U/A.</summary>
    /// <param name="mttf">In any unit; greater than zero.</param>
    /// <returns>In the same unit; infinite for <see cref="Never"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mttf"/> is NaN, infinite, zero or negative.</exception>
    public double RequiredMttr(double mttf) => Guard.Positive(mttf) * Unavailability / Value;

    /// <summary>Returns the mean time to failure with which a unit of this MTTR has this availability: MTTF = MTTR·A/U.</summary>
    /// <param name="mttr">In any unit; greater than zero.</param>
    /// <returns>In the same unit; infinite for <see cref="Always"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mttr"/> is NaN, infinite, zero or negative.</exception>
    public double RequiredMttf(double mttr) => Guard.Positive(mttr) * Value / Unavailability;

    /// <summary>Compares by availability. If U is the smaller part of both ratios, the method compares U.</summary>
    public int CompareTo(AvailabilityRatio other) => Unavailability <= 0.5 && other.Unavailability <= 0.5
        ? other.Unavailability.CompareTo(Unavailability)
        : Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        AvailabilityRatio other => CompareTo(other),
        _ => throw new ArgumentException("An AvailabilityRatio can be compared only with another AvailabilityRatio.", nameof(obj)),
    };

    /// <summary>Returns true if both parts are equal.</summary>
    public bool Equals(AvailabilityRatio other) => Value.Equals(other.Value) && Unavailability.Equals(other.Unavailability);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AvailabilityRatio other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Value, Unavailability);

    /// <summary>Returns true if both parts are equal.</summary>
    public static bool operator ==(AvailabilityRatio left, AvailabilityRatio right) => left.Equals(right);

    /// <summary>Returns true if a part differs.</summary>
    public static bool operator !=(AvailabilityRatio left, AvailabilityRatio right) => !left.Equals(right);

    /// <summary>Returns true if the left ratio has more downtime.</summary>
    public static bool operator <(AvailabilityRatio left, AvailabilityRatio right) => left.CompareTo(right) < 0;

    /// <summary>Returns true if the left ratio has less downtime.</summary>
    public static bool operator >(AvailabilityRatio left, AvailabilityRatio right) => left.CompareTo(right) > 0;

    /// <summary>Returns true if the left ratio has at least as much downtime.</summary>
    public static bool operator <=(AvailabilityRatio left, AvailabilityRatio right) => left.CompareTo(right) <= 0;

    /// <summary>Returns true if the left ratio has at most as much downtime.</summary>
    public static bool operator >=(AvailabilityRatio left, AvailabilityRatio right) => left.CompareTo(right) >= 0;

    /// <summary>Formats the ratio as a percentage with three significant digits of U, such as <c>99.95%</c>.</summary>
    public override string ToString() => ToString(null, null);

    /// <summary>Formats the ratio in the invariant culture, so that <see cref="Parse(string, IFormatProvider?)"/> can read it.</summary>
    /// <param name="format">
    /// <c>P</c> or null: <c>99.95%</c>, three significant digits of U. <c>N</c>: <c>3N5</c>, the run of nines and the digit
    /// after it, truncated and never rounded up. <c>W</c>: <c>three nines five</c>. <c>R</c>: exact, <c>1-0.0005</c> where U is
    /// the smaller part.
    /// </param>
    /// <param name="formatProvider">Ignored: the invariant culture always applies.</param>
    /// <exception cref="FormatException">The format is not one of these.</exception>
    public string ToString(string? format, IFormatProvider? formatProvider = null) => AvailabilityRatioText.Format(this, format);

    /// <summary>Parses <c>99.95%</c>, <c>0.9995</c>, <c>3N5</c>, <c>three nines five</c> or <c>1-5E-4</c>. Decimals keep an exact complement.</summary>
    /// <exception cref="FormatException">The text has none of these formats, or lies outside 0 to 100 %.</exception>
    public static AvailabilityRatio Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return TryParse(s, provider, out var result)
            ? result
            : throw new FormatException($"'{s}' is no availability: expected something like 99.95%, 0.9995, 3N5 or 1-5E-4.");
    }

    /// <summary>Parses in the same way as <see cref="Parse(string, IFormatProvider?)"/>, and returns false instead of throwing an exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out AvailabilityRatio result) => AvailabilityRatioText.TryParse(s, out result);

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out AvailabilityRatio)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out AvailabilityRatio result) => TryParse(s, null, out result);

    /// <summary>Creates a ratio from two accurate parts. A part above one because of rounding becomes one.</summary>
    internal static AvailabilityRatio FromPair(double up, double down) => new(Math.Min(up, 1), Math.Min(down, 1));

    /// <summary>Creates up/(up + down) and its complement.</summary>
    internal static AvailabilityRatio Ratio(double up, double down) => new(up / (up + down), down / (up + down));

    internal AvailabilityRatio Complement() => new(Unavailability, Value);
}
