namespace HaKit.Heartbeats;

/// <summary>How endpoints are asked how they are. Not thread-safe; read when the pool takes it.</summary>
public sealed class HeartbeatOptions
{
    /// <summary>Ask at all? Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Time between two beats of one endpoint. Default 10 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The interval varies at random by this share, so that many clients do not beat together. Default 0.1; 0 to 0.5.</summary>
    public double Jitter { get; set; } = 0.1;

    /// <summary>Time for one answer. Default 2 s; not longer than the interval.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The path of the HTTP probe, relative to the endpoint's host; null for no HTTP probe. Default null: only endpoints that name a path are asked.</summary>
    public string? Path { get; set; }

    internal IEnumerable<string> Validate(string path)
    {
        if (Interval <= TimeSpan.Zero)
            yield return $"{path}:Interval is {Interval}: more than 0 is needed.";
        if (Timeout <= TimeSpan.Zero || Timeout > Interval)
            yield return $"{path}:Timeout is {Timeout}: more than 0 and not longer than Interval, {Interval}, is needed.";
        if (!(Jitter is >= 0 and <= 0.5))
            yield return $"{path}:Jitter is {Jitter}: 0 to 0.5 is needed.";
    }
}
