namespace HaKit;

/// <summary>
/// Sets a time limit. The names are the same as in the standard HTTP resilience options, so that the same configuration section can be used. Not thread-safe.
/// </summary>
public sealed class TimeoutOptions
{
    /// <summary>Gets or sets the limit; more than 0, at most 10 years.</summary>
    public TimeSpan Timeout { get; set; }

    internal TimeoutOptions Copy() => (TimeoutOptions)MemberwiseClone();
}
