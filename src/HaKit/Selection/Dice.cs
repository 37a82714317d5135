using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Selection;

/// <summary>
/// Provides the random numbers of one choice. It takes one number from the shared source, and derives all draws from this number with a shortened SplitMix64,
/// which has only the first of the two multiplications. The source uses the whole SplitMix64.
/// </summary>
internal struct Dice(Chance source)
{
    private ulong _state = source.Next();

    public uint Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        return (uint)((z ^ (z >> 27)) >> 32);
    }

    public int Next(int below) => (int)(((ulong)Next() * (uint)below) >> 32);

    /// <summary>Draws a number from the uniform distribution over [0, 1).</summary>
    public double NextDouble() => Next() * (1.0 / (1L << 32));

    /// <summary>Draws a number from the exponential distribution with the mean 1.</summary>
    public double NextExponential() => -Math.Log(1 - NextDouble());
}
