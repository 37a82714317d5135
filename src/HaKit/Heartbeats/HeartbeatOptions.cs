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

    /// <summary>Longest time for one answer. Default 2 s; not longer than the interval.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Learn a shorter time for one answer from the endpoint's own: three times the 99th percentile of its recent probes. Default true.</summary>
    public bool LearnTimeout { get; set; } = true;

    /// <summary>The shortest time that is learned. Default 0.25 s; not longer than <see cref="Timeout"/>.</summary>
    public TimeSpan MinTimeout { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>A probe that costs money asks an endpoint in service only after this long without any answer. Default 5 min; not shorter than the interval.</summary>
    public TimeSpan SparingInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What decides that missed beats mean an endpoint is down. Default: so many in a row, as the pool's health options say.</summary>
    public FailureDetection Detector { get; set; }

    /// <summary>The suspicion φ from which <see cref="FailureDetection.PhiAccrual"/> ejects. Default 8: one mistake in 10⁸ beats; above 0.</summary>
    public double PhiThreshold { get; set; } = 8;

    /// <summary>The path of the HTTP probe, relative to the endpoint's host. Default null: endpoints that name no path themselves are asked for a TCP connection.</summary>
    public string? Path { get; set; }

    internal HeartbeatOptions Copy() => (HeartbeatOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (Interval <= TimeSpan.Zero)
            yield return $"{path}:Interval is {Interval}: more than 0 is needed.";
        if (Timeout <= TimeSpan.Zero || Timeout > Interval)
            yield return $"{path}:Timeout is {Timeout}: more than 0 and not longer than Interval, {Interval}, is needed.";
        if (MinTimeout <= TimeSpan.Zero || MinTimeout > Timeout)
            yield return $"{path}:MinTimeout is {MinTimeout}: more than 0 and not longer than Timeout, {Timeout}, is needed.";
        if (SparingInterval < Interval)
            yield return $"{path}:SparingInterval is {SparingInterval}: not shorter than Interval, {Interval}, is needed.";
        if (!(Jitter is >= 0 and <= 0.5))
            yield return $"{path}:Jitter is {Jitter}: 0 to 0.5 is needed.";
        if (!(PhiThreshold > 0))
            yield return $"{path}:PhiThreshold is {PhiThreshold}: more than 0 is needed.";
    }
}

/// <summary>What decides that missed beats mean an endpoint is down.</summary>
public enum FailureDetection
{
    /// <summary>So many misses in a row.</summary>
    ConsecutiveMisses,

    /// <summary>Phi accrual (Hayashibara et al. 2004): a silence that the endpoint's own history of answers makes improbable.</summary>
    PhiAccrual,
}
