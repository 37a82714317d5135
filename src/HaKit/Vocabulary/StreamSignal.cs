namespace HaKit;

/// <summary>The meaning of one item of a stream. The values are flags, because the last item may also contain content.</summary>
[Flags]
public enum StreamSignal
{
    /// <summary>A role, a lifecycle event, a keep-alive: the item does not show that the answer continues.</summary>
    None = 0,

    /// <summary>Part of the answer.</summary>
    Content = 1,

    /// <summary>The answer is complete with this item.</summary>
    End = 2,

    /// <summary>The endpoint reports a failure; <see cref="StreamItemReader{T}.FaultOf"/> says which.</summary>
    Error = 4,

    /// <summary>
    /// The item contains no part of the answer yet, but shows that the endpoint works on it, such as a piece of a tool call that is delivered when it is
    /// complete. It ends a silence and postpones the first-content limit. When the limit on held bytes is reached, or three quarters of the attempt's time
    /// have passed, the stream is handed over. The first item of a stream never counts as progress.
    /// </summary>
    Progress = 8,
}
