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

    /// <summary>Gets a slow start that does not end before the given time, so that a short cooldown never shortens a long slow start.</summary>
    public SlowStart NotBefore(TimeSpan until) => until > Until ? this with { Until = until } : this;
}
