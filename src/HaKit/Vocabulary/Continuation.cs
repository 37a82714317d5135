namespace HaKit;

/// <summary>How an endpoint can go on from the beginning of an answer.</summary>
public enum Continuation
{
    /// <summary>It cannot, or it is not known whether it can.</summary>
    None,

    /// <summary>The conversation ends with an assistant message that holds the beginning, and the model goes on with it.</summary>
    AssistantPrefix,

    /// <summary>The beginning is followed by a message of the application's own wording that asks for the rest.</summary>
    Instruction,
}

/// <summary>Whether the rest of a cut answer may be asked of another endpoint.</summary>
public enum StreamContinuation
{
    /// <summary>A cut ends the stream.</summary>
    Off,

    /// <summary>Plain text is continued by an endpoint that declares how it can.</summary>
    On,
}
