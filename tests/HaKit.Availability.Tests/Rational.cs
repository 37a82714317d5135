using System.Numerics;

namespace HaKit.Availability.Tests;

/// <summary>
/// An exact fraction, numerator / (odd · 2^shift). Only powers of two are reduced, because the denominators of doubles are powers of two. The few divisions give
/// all terms of a sum the same odd part.
/// </summary>
internal readonly record struct Rational(BigInteger Numerator, BigInteger Odd, int Shift)
{
    public static Rational Zero { get; } = new(0, 1, 0);

    public static Rational One { get; } = new(1, 1, 0);

    public static Rational operator +(Rational x, Rational y)
    {
        if (x.Numerator.IsZero)
            return y;
        if (y.Numerator.IsZero)
            return x;
        var shift = Math.Max(x.Shift, y.Shift);
        var (left, right) = (x.Numerator << (shift - x.Shift), y.Numerator << (shift - y.Shift));
        return x.Odd == y.Odd ? Stripped(left + right, x.Odd, shift) : Stripped(left * y.Odd + right * x.Odd, x.Odd * y.Odd, shift);
    }

    public static Rational operator -(Rational x, Rational y) => x + y with { Numerator = -y.Numerator };

    public static Rational operator *(Rational x, Rational y) => Stripped(x.Numerator * y.Numerator, x.Odd * y.Odd, x.Shift + y.Shift);

    public static Rational operator /(Rational x, Rational y)
    {
        var zeros = (int)(long)BigInteger.TrailingZeroCount(y.Numerator);
        return Stripped((x.Numerator << y.Shift) * y.Odd * y.Numerator.Sign, x.Odd * BigInteger.Abs(y.Numerator >> zeros), x.Shift + zeros);
    }

    /// <summary>The exact value of a finite double.</summary>
    public static Rational Of(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0)
            exponent++;
        else
            mantissa |= 1L << 52;
        if (bits < 0)
            mantissa = -mantissa;
        return exponent >= 1075 ? new Rational(new BigInteger(mantissa) << (exponent - 1075), 1, 0) : Stripped(mantissa, 1, 1075 - exponent);
    }

    /// <summary>|approximation − this| / this.</summary>
    public double RelativeErrorOf(double approximation)
    {
        if (Numerator.IsZero)
            return approximation == 0 ? 0 : double.PositiveInfinity;
        return Math.Abs(((Of(approximation) - this) / this).ToDouble());
    }

    /// <summary>Gets the value, rounded down to a multiple of 2⁻²⁰⁰. This is exact enough to compare values and to measure errors, but not for an expected value.</summary>
    public double ToDouble() => (double)((Numerator << 200) / (Odd << Shift)) * Math.Pow(2, -200);

    private static Rational Stripped(BigInteger numerator, BigInteger odd, int shift)
    {
        if (numerator.IsZero)
            return Zero;
        var zeros = (int)Math.Min(shift, (long)BigInteger.TrailingZeroCount(numerator));
        return new Rational(numerator >> zeros, odd, shift - zeros);
    }
}
