using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>The arrival times of the calls of a replay. Immutable.</summary>
/// <remarks>
/// <para>
/// Independent calls (a Poisson process) have a variance as large as their mean in every bucket. If the last minute's calls have this property, new calls of
/// the same rate are drawn. A repetition of the same calls would give every minute the same number, and a limit that is just large enough would never be
/// reached. If the calls do not have this property, because they arrive in bursts or in even steps, the last minute itself is repeated.
/// </para>
/// </remarks>
internal sealed class ReplayedLoad
{
    private const double SecondsPerBucket = (double)SlidingWindow.BucketTicks / TimeSpan.TicksPerSecond;

    // The variance of fewer buckets is not accurate enough.
    private const int EnoughBuckets = 60;

    // For 240 Poisson counts, 99.9 % of the ratios of variance to mean lie between 0.72 and 1.32; for 60 counts, between 0.5 and 1.7.
    private const double Evenest = 0.6;
    private const double MostUneven = 1.6;

    private readonly uint[]? _pattern;
    private readonly double _perCall;

    private ReplayedLoad(double callsPerMinute, uint[]? pattern)
    {
        CallsPerMinute = callsPerMinute;
        _pattern = pattern;
        if (pattern is not null)
            _perCall = CallsPerBucket / pattern.Average(static n => n);
    }

    public double CallsPerMinute { get; }

    /// <summary>Gets whether the load repeats measured calls. Further replays then give the same result.</summary>
    public bool IsRepeated => _pattern is not null;

    private double CallsPerBucket => CallsPerMinute / SlidingWindow.Buckets;

    /// <summary>Creates independent calls.</summary>
    public static ReplayedLoad Random(double callsPerMinute) => new(callsPerMinute, null);

    /// <summary>Creates calls with the arrival times of measured calls.</summary>
    /// <param name="callsPerMinute">The number of calls per minute to create.</param>
    /// <param name="calls">The measured calls in each bucket, the oldest first.</param>
    public static ReplayedLoad As(double callsPerMinute, uint[] calls)
    {
        if (calls.Length < EnoughBuckets || calls.Average(static n => n) is not (> 0 and var mean))
            return Random(callsPerMinute);
        var unevenness = calls.Sum(n => (n - mean) * (n - mean)) / (calls.Length - 1) / mean;
        return new(callsPerMinute, unevenness is > Evenest and < MostUneven ? null : calls);
    }

    /// <summary>Returns the same load with fewer calls: one call represents a number of calls.</summary>
    public ReplayedLoad Thinned(double by) => new(CallsPerMinute / by, _pattern);

    /// <summary>Draws the arrival times of the calls in a bucket, as shares of the bucket and in order.</summary>
    public void Draw(int bucket, ref Dice dice, List<double> at)
    {
        at.Clear();
        if (_pattern is not null)
            DrawRepeated(_pattern, bucket, ref dice, at);
        else
            DrawRandom(ref dice, at);
    }

    private void DrawRandom(ref Dice dice, List<double> at)
    {
        for (var next = dice.NextExponential() / CallsPerBucket; next < 1; next += dice.NextExponential() / CallsPerBucket)
            at.Add(next);
    }

    // The calls that a bucket has in addition to its neighbours arrived at once; the others are spread over the bucket.
    private void DrawRepeated(uint[] pattern, int bucket, ref Dice dice, List<double> at)
    {
        var i = bucket % pattern.Length;
        var (before, own, after) = (pattern[(i + pattern.Length - 1) % pattern.Length], pattern[i], pattern[(i + 1) % pattern.Length]);
        var atOnce = RoundByChance(Math.Max(0, own - (double)Math.Max(before, after)) * _perCall, ref dice);
        var spread = RoundByChance(Math.Min(own, Math.Max(before, after)) * _perCall, ref dice);
        var moment = dice.NextDouble();
        for (var n = 0; n < atOnce; n++)
            at.Add(moment);
        for (var n = 0; n < spread; n++)
            at.Add((n + dice.NextDouble()) / spread);
        at.Sort();
    }

    private static int RoundByChance(double amount, ref Dice dice) => (int)(amount + dice.NextDouble());
}
