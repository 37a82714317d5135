namespace HaKit.Estimates;

/// <summary>
/// What is known of an endpoint's times, or of a whole pool's. Read and written without locks; a lost update costs one sample.
/// </summary>
/// <remarks>
/// The time to first content is kept per unit of prompt, in a softened form of Finagle's peak EWMA: a slower sample counts for three tenths at
/// once, a faster one by the time that has passed. (A full peak follows chance more than load where times vary as much as those of models do.) One unit is a constant part plus 1,000 input tokens, so that endpoints that were given the long prompts are not mistaken for slow ones.
/// </remarks>
internal sealed class LatencyEstimate(LatencyEstimate? pool = null)
{
    private const double DecaySeconds = 10;
    private const double SlowerWeight = 0.3;
    private const double PoolWeight = 0.05;
    private const double PerTokenWeight = 0.1;
    private const double UnknownSeconds = 1;
    private const double FreshTicks = 10.0 * TimeSpan.TicksPerSecond;

    private double _perUnit;
    private double _perOutputToken;
    private long _updated;

    /// <summary>Usual seconds to first content, or to the whole answer where nothing comes earlier, of a prompt of no known length; 0 until known.</summary>
    public double FirstContentSeconds => Volatile.Read(ref _perUnit);

    /// <summary>Usual seconds per output token once content flows; 0 until known.</summary>
    public double OutputTokenSeconds => Volatile.Read(ref _perOutputToken);

    public static double UnitsOf(long inputTokens) => 1 + inputTokens / 1000.0;

    /// <summary>Seconds to first content for a prompt of so many units. An estimate that nothing has confirmed lately is drawn
    /// towards the pool's, by the square of its age: one that was silent once is asked again within a minute or so, not after ten.</summary>
    public double Expected(double units, TimeSpan now)
    {
        var own = Volatile.Read(ref _perUnit);
        var age = (now.Ticks - Volatile.Read(ref _updated)) / FreshTicks;
        if (own != 0 && age <= 1)
            return units * own;
        // Only here: all of the pool's attempts write it.
        var usual = pool?.FirstContentSeconds ?? 0;
        if (own == 0)
            return units * (usual == 0 ? UnknownSeconds : usual);
        return units * (usual == 0 ? own : usual + (own - usual) / (age * age));
    }

    /// <summary>It has shown life after this time: the first content of a stream, or the whole of a plain answer.</summary>
    public void Heard(TimeSpan after, long inputTokens, TimeSpan now)
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

    /// <summary>It was silent for this time and then given up: at least that long, if that is more than usual.</summary>
    public void WaitedInVain(TimeSpan time, long inputTokens, TimeSpan now)
    {
        var sample = time.TotalSeconds / UnitsOf(inputTokens);
        if (sample > Volatile.Read(ref _perUnit))
            Store(sample, now);
    }

    /// <summary>A stream has ended well, so long after its first content.</summary>
    public void Flowed(TimeSpan time, long outputTokens)
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
