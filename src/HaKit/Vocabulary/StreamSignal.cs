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

    /// <summary>The endpoint reports a failure; <see cref="StreamItemReader{T}.FaultOf"/> returns its fault.</summary>
    Error = 4,

    /// <summary>
    /// The item contains no part of the answer yet, but shows that the endpoint works on the answer. An example is a piece of a tool call that is delivered
    /// only when the tool call is complete. Progress ends a silence and postpones the first-content limit. The stream is handed over when the limit on held
    /// bytes is reached, or when three quarters of the attempt's time have passed. The first item of a stream never counts as progress.
    /// </summary>
    Progress = 8,
}
