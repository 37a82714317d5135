namespace HaKit;

/// <summary>A time limit; the name and shape of the standard HTTP resilience options, so that a configuration section carries over.</summary>
public sealed class TimeoutOptions
{
    /// <summary>The limit; more than 0.</summary>
    public TimeSpan Timeout { get; set; }

    internal TimeoutOptions Copy() => (TimeoutOptions)MemberwiseClone();
}
