namespace HaKit.Pool;

/// <summary>The measured durations of an endpoint's attempts.</summary>
/// <param name="Served">The number of served attempts.</param>
/// <param name="Seconds">The mean duration of the served attempts in seconds; null before the first.</param>
internal readonly record struct HeldSample(long Served, double? Seconds);

/// <summary>Estimates the mean duration of an attempt for each endpoint. A pure function.</summary>
internal static class HeldTimes
{
    // The mean covers at most this number of an endpoint's latest attempts.
    private const double MostSamples = 1000;

    // The largest weight of the mean of all endpoints, in attempts. This mean improves the estimate for an endpoint that has served few attempts, such as a
    // standby. Its weight is high if the endpoints are alike, and low if they differ.
    private const double MostOfMean = 200;
    private const double LeastOfMean = 5;

    /// <returns>The seconds for each endpoint; 0 if no duration is known for any endpoint.</returns>
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

    // The weight of the mean is the variance within an endpoint divided by the variance between endpoints (DerSimonian and Laird 1986). This applies only if
    // the endpoints differ by more than chance, that is by more than three standard deviations of exponential times.
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
