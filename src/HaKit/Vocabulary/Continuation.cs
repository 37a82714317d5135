namespace HaKit;

/// <summary>The way in which an endpoint can continue an answer that was cut.</summary>
public enum Continuation
{
    /// <summary>The endpoint cannot continue an answer, or this is not known.</summary>
    None,

    /// <summary>The conversation ends with an assistant message that contains the beginning, and the model continues it.</summary>
    AssistantPrefix,

    /// <summary>The beginning is followed by a message in the application's own words that asks for the rest.</summary>
    Instruction,
}

/// <summary>Selects whether the pool may ask another endpoint for the rest of a cut answer.</summary>
public enum StreamContinuation
{
    /// <summary>A cut ends the stream.</summary>
    Off,

    /// <summary>An endpoint that declares how it can continue an answer continues plain text.</summary>
    On,
}
