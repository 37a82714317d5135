namespace HaKit.Failover;

/// <summary>
/// Sets how much of a stream is held back, how long it may be silent, and what happens after a cut. Not thread-safe; read at start-up and at each reload.
/// </summary>
public sealed class StreamingOptions
{
    /// <summary>
    /// Gets or sets the longest silence between two items with content. Time counts only while the caller waits for the next item. Keep-alives do not end a
    /// silence. Default 30 s; more than 0, at most 10 years.
    /// </summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how much of an answer is held before the caller gets any of it. Default <see cref="HoldUntil.FirstContent"/>. With <see
    /// cref="HoldUntil.End"/>, a failure anywhere in the answer makes the call fail over to the next endpoint. The caller then gets nothing before the end, and
    /// the deadline covers the whole answer. This suits batch jobs and evaluations, where no person waits for the first words.
    /// </summary>
    public HoldUntil HoldUntil { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of bytes that are held. If a stream sends more bytes without content, the call moves to the next endpoint. If no endpoint
    /// is left, the caller gets this stream. With <see cref="HoldUntil.End"/>, a longer answer is handed over when the limit is reached, and this is
    /// logged. The limit is large because lifecycle events may echo the whole prompt. Default 16 MiB; at least 1.
    /// </summary>
    public int HoldBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets whether another endpoint continues an answer that was cut. This endpoint must declare how it does so (<see
    /// cref="EndpointOptions.Continuation"/>). Only plain text is continued. <see cref="RequestProfile.MayContinue"/> replaces this setting for one call. Default <see cref="StreamContinuation.Off"/>.
    /// </summary>
    public StreamContinuation Continuation { get; set; }

    internal StreamingOptions Copy() => (StreamingOptions)MemberwiseClone();
}

/// <summary>Selects how much of a stream is held before the caller gets any of it.</summary>
public enum HoldUntil
{
    /// <summary>Up to the first content.</summary>
    FirstContent,

    /// <summary>To the end of the answer, or to <see cref="StreamingOptions.HoldBytes"/>.</summary>
    End,
}
