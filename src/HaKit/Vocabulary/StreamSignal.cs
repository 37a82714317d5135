namespace HaKit;

/// <summary>What one item of a stream means. Flags: a last chunk may carry content as well.</summary>
[Flags]
public enum StreamSignal
{
    /// <summary>A role, a lifecycle event, a keep-alive: no sign that the answer goes on.</summary>
    None = 0,

    /// <summary>Part of the answer.</summary>
    Content = 1,

    /// <summary>The answer is whole with this item.</summary>
    End = 2,

    /// <summary>The endpoint reports a failure; <see cref="StreamItemReader{T}.FaultOf"/> says which.</summary>
    Error = 4,

    /// <summary>
    /// Nothing of the answer yet, but a sign that it is being made, such as a piece of a tool call that is shown when it is whole. Ends a silence, puts off the
    /// first-content limit; once as many bytes are held as may be, or three quarters of the
    /// attempt's time are gone, the stream is handed over. The first item of a stream is no such sign.
    /// </summary>
    Progress = 8,
}
