namespace HaKit.Estimates;

/// <summary>Estimates the times of an endpoint, or of a whole pool. Read and written without locks; a lost update costs one sample.</summary>
/// <remarks>
/// The time to the first content is kept per unit of prompt, in a softened form of Finagle's peak EWMA. The weight of a sample depends on the time since the
/// previous sample, but a sample that is slower than the estimate has a weight of at least three tenths. (In Finagle, a slower sample replaces the estimate at
/// once. The times of models vary so much that such an estimate would follow chance more than load.) One unit is a constant part plus 1,000 input tokens, so
/// that endpoints with long prompts do not seem slow.
/// </remarks>
internal sealed class LatencyEstimate(LatencyEstimate? pool = null)
{
    private const double DecaySeconds = 10;
    private const double SlowerWeight = 0.3;
    private const double PoolWeight = 0.05;
    private const double PerTokenWeight = 0.1;
    private const double UnknownSeconds = 1;
    private const double FreshTicks = 10.0 * TimeSpan.TicksPerSecond;

    // A day. A caller may give any number of tokens, and the sum of the due times of all silent attempts must not overflow.
    private const double LatestSeconds = 86_400;

    private double _perUnit;
    private double _perOutputToken;
    private long _updated;

    /// <summary>
    /// Gets the usual seconds to the first content of a prompt of unknown length (to the whole answer where no content comes earlier). 0 until known.
    /// </summary>
    public double FirstContentSeconds => Volatile.Read(ref _perUnit);

    /// <summary>Gets the usual seconds per output token after the first content. 0 until known.</summary>
    public double OutputTokenSeconds => Volatile.Read(ref _perOutputToken);

    /// <summary>Gets the units of a prompt. A caller may give a negative number of tokens, for example for an unknown length; it counts as 0.</summary>
    public static double UnitsOf(long inputTokens) => 1 + Math.Max(0, inputTokens) / 1000.0;

    /// <summary>Computes the expected seconds to the first content for a prompt of the given size. An estimate that no recent sample has confirmed moves
    /// towards the pool's average with the square of its age, so an endpoint that was silent once gets a call again within about one minute instead of ten
    /// minutes.</summary>
    public double Expected(double units, TimeSpan now)
    {
        var own = Volatile.Read(ref _perUnit);
        var age = (now.Ticks - Volatile.Read(ref _updated)) / FreshTicks;
        if (own != 0 && age <= 1)
            return units * own;
        // All attempts of the pool write the pool's average, so it is often in the cache of another processor, and reading it is slow. It is read only if the
        // endpoint's own estimate is missing or old.
        var usual = pool?.FirstContentSeconds ?? 0;
        if (own == 0)
            return units * (usual == 0 ? UnknownSeconds : usual);
        return units * (usual == 0 ? own : usual + (own - usual) / (age * age));
    }

    /// <summary>Gets the time after which a silent attempt is late: twice the expected time, because answer times vary, and at most a day.</summary>
    public TimeSpan LateAfter(long inputTokens, TimeSpan now) => TimeSpan.FromSeconds(Math.Min(LatestSeconds, 2 * Expected(UnitsOf(inputTokens), now)));

    /// <summary>Records how long the endpoint took to its first sign of an answer: the first content of a stream, or the whole of a plain answer.</summary>
    public void RecordFirstContent(TimeSpan after, long inputTokens, TimeSpan now)
    {
        var sample = after.TotalSeconds / UnitsOf(inputTokens);
        if (pool is not null)
            Blend(ref pool._perUnit, sample, PoolWeight);
        var old = Volatile.Read(ref _perUnit);
        if (old != 0)
        {
            var weight = 1 - Math.Exp((Volatile.Read(ref _updated) - now.Ticks) / (DecaySeconds * TimeSpan.TicksPerSecond));
            sample = old + (sample - old) * (sample > old ? Math.Max(weight, SlowerWeight) : weight);
        }
        Store(sample, now);
    }

    /// <summary>Records an attempt that timed out, or was cancelled, after this silence. It counts only if the silence was longer than usual.</summary>
    public void RecordSilence(TimeSpan time, long inputTokens, TimeSpan now)
    {
        var sample = time.TotalSeconds / UnitsOf(inputTokens);
        if (sample > Volatile.Read(ref _perUnit))
            Store(sample, now);
    }

    /// <summary>Records a stream that has ended well, with the time since its first content.</summary>
    public void RecordStreamEnd(TimeSpan time, long outputTokens)
    {
        if (outputTokens > 1)
            Blend(ref _perOutputToken, time.TotalSeconds / (outputTokens - 1), PerTokenWeight);
    }

    private void Store(double perUnit, TimeSpan now)
    {
        Volatile.Write(ref _perUnit, Math.Max(perUnit, 1e-6));
        Volatile.Write(ref _updated, now.Ticks);
    }

    private static void Blend(ref double estimate, double sample, double weight)
    {
        var old = Volatile.Read(ref estimate);
        Volatile.Write(ref estimate, Math.Max(1e-9, old == 0 ? sample : old + weight * (sample - old)));
    }
}
