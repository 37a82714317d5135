namespace HaKit.Failover;

/// <summary>How streams are held and watched.</summary>
public sealed class StreamingOptions
{
    /// <summary>Longest silence between two contents, counted only while somebody waits for the next one. Keep-alives do not end a silence. Default 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Items without content that are held. More of them are a silence: the next endpoint is asked, or, when none is left, the stream is handed over regardless. Default 64.</summary>
    public int HoldItems { get; set; } = 64;

    /// <summary>Bytes without content that are held; more are treated as more items are. Default 256 KiB.</summary>
    public int HoldBytes { get; set; } = 256 * 1024;

    internal StreamingOptions Copy() => (StreamingOptions)MemberwiseClone();
}
