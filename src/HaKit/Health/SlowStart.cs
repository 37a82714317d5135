namespace HaKit.Health;

/// <summary>A share that grows linearly from <paramref name="Start"/> to 1.</summary>
internal readonly record struct SlowStart(TimeSpan From, TimeSpan Until, double Start)
{
    public double Factor(TimeSpan now)
    {
        if (now >= Until)
            return 1;
        return now <= From ? Start : Start + (1 - Start) * ((now - From) / (Until - From));
    }

    /// <summary>Gets the slow start with the later of two ends, so that a short cooldown never shortens a long recovery.</summary>
    public SlowStart NotBefore(TimeSpan until) => until > Until ? this with { Until = until } : this;
}
