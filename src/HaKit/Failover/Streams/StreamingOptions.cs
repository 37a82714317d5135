namespace HaKit.Failover;

/// <summary>How streams are held and watched, and what becomes of one that was cut.</summary>
public sealed class StreamingOptions
{
    /// <summary>Longest silence between two contents, counted only while the caller waits for the next one. Keep-alives do not end a silence. Default 30 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how much of an answer is held before the caller gets any of it. Default <see cref="HoldUntil.FirstContent"/>. With <see cref="HoldUntil.End"/>
    /// whatever fails moves on to the next endpoint, to the very end; the caller gets nothing before, and the deadline bounds the whole answer. For batch jobs
    /// and evaluations, where no person waits for the first words.
    /// </summary>
    public HoldUntil HoldUntil { get; set; }

    /// <summary>
    /// Gets or sets how many bytes are held. More without content are a flood: the next endpoint is asked, or, when none is left, the stream is handed over
    /// regardless. Large, because lifecycle events may echo the whole prompt. An answer that is held to its end and is longer is handed over from there on, with a
    /// line in the log. Default 16 MiB; at least 1. How many items come without content never decides; the limits of time do.
    /// </summary>
    public int HoldBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets whether the rest of a cut answer is asked of another endpoint that declares how it goes on from a beginning
    /// (<see cref="EndpointOptions.Continuation"/>). Only plain text is continued. Default <see cref="StreamContinuation.Off"/>; a call says otherwise with
    /// <see cref="RequestProfile.MayContinue"/>.
    /// </summary>
    public StreamContinuation Continuation { get; set; }

    internal StreamingOptions Copy() => (StreamingOptions)MemberwiseClone();
}

/// <summary>How much of a stream is held before the caller gets any of it.</summary>
public enum HoldUntil
{
    /// <summary>Up to the first content.</summary>
    FirstContent,

    /// <summary>To the end of the answer, or to <see cref="StreamingOptions.HoldBytes"/>.</summary>
    End,
}
