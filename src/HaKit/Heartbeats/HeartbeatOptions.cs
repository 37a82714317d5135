namespace HaKit.Heartbeats;

/// <summary>Sets how the pool probes its endpoints. Not thread-safe; read at start-up and at each reload.</summary>
public sealed class HeartbeatOptions
{
    /// <summary>Gets or sets whether heartbeats are sent. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Gets or sets the time between two heartbeats of one endpoint. Default 10 s; more than 0, at most 10 years.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets the jitter as a share of the interval, so that many clients do not send heartbeats at the same time. Default 0.1; 0 to 0.5.
    /// </summary>
    public double Jitter { get; set; } = 0.1;

    /// <summary>Gets or sets the timeout of one heartbeat. Default 2 s; more than 0, not longer than the interval.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Gets or sets whether the pool learns a shorter timeout: three times the 99th percentile of the endpoint's own recent probes. Default true.
    /// </summary>
    public bool LearnTimeout { get; set; } = true;

    /// <summary>Gets or sets the shortest learned timeout. Default 0.25 s; more than 0, not longer than <see cref="Timeout"/>.</summary>
    public TimeSpan MinTimeout { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>
    /// Gets or sets how long an endpoint in service must be without any answer before a probe that costs money is sent. Default 5 min; not shorter than the
    /// interval, at most 10 years.
    /// </summary>
    public TimeSpan SparingInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets the rule by which missed heartbeats eject an endpoint. Default: <see cref="Health.HealthOptions.MissesToEject"/> misses in a row.
    /// </summary>
    public FailureDetection Detector { get; set; }

    /// <summary>
    /// Gets or sets the suspicion φ at which <see cref="FailureDetection.PhiAccrual"/> ejects. Default 8: about one wrong ejection in 10⁸ heartbeats; above 0, at
    /// most 1,000.
    /// </summary>
    public double PhiThreshold { get; set; } = 8;

    /// <summary>
    /// Gets or sets the path of the HTTP probe, relative to the endpoint's host. Default null: an endpoint without a path of its own is probed by a TCP
    /// connection. If such an endpoint is reached through the machine's proxy, it is not probed, because a direct connection does not test the way of the calls.
    /// </summary>
    public string? Path { get; set; }

    internal HeartbeatOptions Copy() => (HeartbeatOptions)MemberwiseClone();

    internal IEnumerable<string> Validate(string path)
    {
        if (SettingRange.FindAboveZero($"{path}:{nameof(Interval)}", Interval) is { } interval)
            yield return interval;
        if (Timeout <= TimeSpan.Zero || Timeout > Interval)
            yield return $"{path}:Timeout is {DurationText.OfSetting(Timeout)}: more than 0 and not longer than Interval, {DurationText.OfSetting(Interval)}, is needed.";
        if (MinTimeout <= TimeSpan.Zero || MinTimeout > Timeout)
            yield return $"{path}:MinTimeout is {DurationText.OfSetting(MinTimeout)}: more than 0 and not longer than Timeout, {DurationText.OfSetting(Timeout)}, is needed.";
        if (SparingInterval < Interval || SparingInterval > SettingRange.Longest)
            yield return $"{path}:SparingInterval is {DurationText.OfSetting(SparingInterval)}: not shorter than Interval, {DurationText.OfSetting(Interval)}, and at most {DurationText.OfSetting(SettingRange.Longest)} is needed.";
        if (HeartbeatPath.FindMistake(Path) is { } wrongPath)
            yield return $"{path}:{nameof(Path)} {wrongPath}";
        if (!Enum.IsDefined(Detector))
            yield return $"{path}:Detector is {(int)Detector}: one of {string.Join(", ", Enum.GetNames<FailureDetection>())} is needed.";
        if (SettingRange.Find($"{path}:{nameof(Jitter)}", Jitter, 0, 0.5) is { } jitter)
            yield return jitter;
        if (SettingRange.FindAboveZero($"{path}:{nameof(PhiThreshold)}", PhiThreshold, 1000) is { } threshold)
            yield return threshold;
    }
}

/// <summary>The rule by which missed heartbeats eject an endpoint.</summary>
public enum FailureDetection
{
    /// <summary>A number of misses in a row.</summary>
    ConsecutiveMisses,

    /// <summary>Phi accrual (Hayashibara et al. 2004): a silence that is improbable given the endpoint's own history of answers.</summary>
    PhiAccrual,
}
