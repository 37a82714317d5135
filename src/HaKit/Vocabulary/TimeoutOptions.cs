namespace HaKit;

/// <summary>
/// Sets a time limit. It has the name and shape of the standard HTTP resilience options, so that a configuration section carries over. Not thread-safe.
/// </summary>
public sealed class TimeoutOptions
{
    /// <summary>Gets or sets the limit; more than 0.</summary>
    public TimeSpan Timeout { get; set; }

    internal TimeoutOptions Copy() => (TimeoutOptions)MemberwiseClone();
}
