using System.Security.Cryptography;

namespace HaKit.Attempts;

/// <summary>Seeded randomness that threads share without a lock: SplitMix64 (Steele, Lea and Flood 2014), whose whole state is one counter.</summary>
internal sealed class Chance(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A source that nobody can repeat, for a pool that was given no seed.</summary>
    public static ulong FreshSeed() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    public ulong Next()
    {
        var z = Interlocked.Add(ref _state, 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, <paramref name="below"/>), by Lemire's multiplication; the bias is below 2⁻³² for any pool's size.</summary>
    public int Next(int below) => (int)(((Next() >> 32) * (ulong)below) >> 32);
}
