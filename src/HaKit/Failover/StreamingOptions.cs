namespace HaKit.Failover;

/// <summary>How streams are held and watched.</summary>
public sealed class StreamingOptions
{
    /// <summary>Longest silence between two contents, counted only while the caller waits for the next one. Keep-alives do not end a silence. Default 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how many bytes without content are held. More are a flood: the next endpoint is asked, or, when none is left, the stream is handed over
    /// regardless. Large, because lifecycle events may echo the whole prompt. Default 16 MiB; at least 1. How many items come without content never
    /// decides; the limits of time do.
    /// </summary>
    public int HoldBytes { get; set; } = 16 * 1024 * 1024;

    internal StreamingOptions Copy() => (StreamingOptions)MemberwiseClone();
}
