using HaKit.Limits;
using HaKit.Selection;

namespace HaKit.Pool;

/// <summary>When the calls of a replay come. Immutable.</summary>
/// <remarks>
/// <para>
/// Calls that know nothing of each other (a Poisson process) have a variance as large as their mean in every bucket. Where the last minute's calls are so, others of
/// the same rate are drawn: to repeat those very calls would give every minute the same number, and a limit that is just large enough would never be reached. Where
/// they are not, because they come in bursts or in even steps, the last minute itself is repeated.
/// </para>
/// </remarks>
internal sealed class ReplayedLoad
{
    private const double SecondsPerBucket = (double)SlidingWindow.BucketTicks / TimeSpan.TicksPerSecond;

    // Fewer buckets tell too little of the variance.
    private const int EnoughBuckets = 60;

    // Of the variance of 240 Poisson counts over their mean, 99.9 % lie between 0.72 and 1.32; of 60, between 0.5 and 1.7.
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

    /// <summary>Does it repeat what was measured, so that one replay is as good as several?</summary>
    public bool IsRepeated => _pattern is not null;

    private double CallsPerBucket => CallsPerMinute / SlidingWindow.Buckets;

    /// <summary>Calls that know nothing of each other.</summary>
    public static ReplayedLoad Random(double callsPerMinute) => new(callsPerMinute, null);

    /// <summary>Calls as they came.</summary>
    /// <param name="callsPerMinute">How many there are to be.</param>
    /// <param name="calls">What came in each bucket, the oldest first.</param>
    public static ReplayedLoad As(double callsPerMinute, uint[] calls)
    {
        if (calls.Length < EnoughBuckets || calls.Average(static n => n) is not (> 0 and var mean))
            return Random(callsPerMinute);
        var unevenness = calls.Sum(n => (n - mean) * (n - mean)) / (calls.Length - 1) / mean;
        return new(callsPerMinute, unevenness is > Evenest and < MostUneven ? null : calls);
    }

    /// <summary>The same load with one call for so many of it.</summary>
    public ReplayedLoad Thinned(double by) => new(CallsPerMinute / by, _pattern);

    /// <summary>When calls come in a bucket, as shares of it and in order.</summary>
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

    // What a bucket has more than its neighbours came at once; the others are spread over it.
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
