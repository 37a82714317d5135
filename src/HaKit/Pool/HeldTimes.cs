namespace HaKit.Pool;

/// <summary>The measured times for which an endpoint's attempts occupy their places.</summary>
/// <param name="Served">The number of served attempts.</param>
/// <param name="Seconds">Their mean duration in seconds; null before the first.</param>
internal readonly record struct HeldSample(long Served, double? Seconds);

/// <summary>Estimates for each endpoint how long an attempt occupies its place. A pure function.</summary>
internal static class HeldTimes
{
    // The mean of an endpoint's latest attempts goes back no further.
    private const double MostSamples = 1000;

    // An endpoint that has served few attempts, such as a standby, is assumed to be like the others, until it has served as many as that counts for: many where the
    // endpoints are alike, few where they are not.
    private const double MostOfMean = 200;
    private const double LeastOfMean = 5;

    /// <returns>Seconds for each endpoint; 0 where nothing is known of any.</returns>
    public static double[] Estimate(IReadOnlyList<HeldSample> samples)
    {
        var known = samples.Where(static s => s is { Seconds: not null, Served: > 0 }).Select(static s => (Count: Counted(s), Seconds: s.Seconds!.Value)).ToArray();
        if (known.Length == 0)
            return new double[samples.Count];
        var count = known.Sum(static k => k.Count);
        var mean = known.Sum(static k => k.Count * k.Seconds) / count;
        var ofMean = WeightOfMean(known, count, mean);
        return [.. samples.Select(s => s.Seconds is { } own ? (own * Counted(s) + mean * ofMean) / (Counted(s) + ofMean) : mean)];
    }

    // The variance within an endpoint over the variance between endpoints (DerSimonian and Laird 1986), where the endpoints differ by more than chance: three standard
    // deviations of what exponential times would scatter.
    private static double WeightOfMean((double Count, double Seconds)[] known, double count, double mean)
    {
        var others = known.Length - 1;
        var scatter = known.Sum(k => k.Count * (k.Seconds - mean) * (k.Seconds - mean)) / (mean * mean);
        if (!(scatter > others + 3 * Math.Sqrt(2 * others)))
            return MostOfMean;
        var between = (scatter - others) / (count - known.Sum(static k => k.Count * k.Count) / count);
        return Math.Clamp(1 / between, LeastOfMean, MostOfMean);
    }

    private static double Counted(HeldSample sample) => Math.Min(MostSamples, sample.Served);
}
