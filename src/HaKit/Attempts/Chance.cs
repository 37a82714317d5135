using System.Security.Cryptography;

namespace HaKit.Attempts;

/// <summary>
/// Generates random numbers (SplitMix64: Steele, Lea, Flood 2014). With a seed the numbers are reproducible, and all threads share one state. Without a seed
/// each thread has its own state, so that threads that choose at the same time do not wait for each other. Thread-safe.
/// </summary>
internal sealed class Chance(ulong? seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    [ThreadStatic]
    private static ulong t_state;

    private ulong _state = seed ?? 0;

    /// <summary>Gets whether the numbers are reproducible.</summary>
    public bool IsSeeded { get; } = seed is not null;

    public ulong Next()
    {
        var z = IsSeeded ? Interlocked.Add(ref _state, Golden) : NextOfThread();
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Returns a number with a uniform distribution in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>
    /// Returns an integer with a uniform distribution in [0, <paramref name="below"/>), by Lemire's multiplication. The bias is below 2⁻³² for the size of any
    /// pool.
    /// </summary>
    public int Next(int below) => (int)(((Next() >> 32) * (ulong)below) >> 32);

    private static ulong NextOfThread()
    {
        ref var state = ref t_state;
        if (state == 0)
            state = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        return state += Golden;
    }
}
