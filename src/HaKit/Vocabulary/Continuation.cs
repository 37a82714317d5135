namespace HaKit;

/// <summary>The way in which an endpoint can continue an answer that was cut.</summary>
public enum Continuation
{
    /// <summary>The endpoint cannot continue an answer, or this is not known.</summary>
    None,

    /// <summary>The conversation ends with an assistant message that contains the beginning, and the model continues it.</summary>
    AssistantPrefix,

    /// <summary>The conversation ends with the beginning of the answer and a message of the application that asks for the rest.</summary>
    Instruction,
}

/// <summary>Selects whether the pool may request the rest of a cut answer from another endpoint.</summary>
public enum StreamContinuation
{
    /// <summary>A cut ends the stream.</summary>
    Off,

    /// <summary>If the answer is plain text, an endpoint that declares a way to continue answers continues it.</summary>
    On,
}
