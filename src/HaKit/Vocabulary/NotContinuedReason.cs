namespace HaKit;

/// <summary>Indicates why no other endpoint continued a cut answer. docs/streams.md has the table.</summary>
public enum NotContinuedReason
{
    /// <summary>Neither the pool's setting nor the call's profile allows a continuation.</summary>
    Off,

    /// <summary>HaKit cannot write a request for the rest: the path or the shape of the request is not known, or its body was not kept.</summary>
    OtherRequest,

    /// <summary>The request names an object that one endpoint stores.</summary>
    StoredState,

    /// <summary>The call must not be sent twice (<see cref="RequestProfile.MayRepeat"/>).</summary>
    MustNotRepeat,

    /// <summary>A tool call has begun.</summary>
    ToolCall,

    /// <summary>The request asks for structured output or JSON.</summary>
    StructuredOutput,

    /// <summary>The model reasons: its reasoning is not part of the text, and another model would have to reason again.</summary>
    Reasoning,

    /// <summary>The request asks for several answers.</summary>
    SeveralChoices,

    /// <summary>The answer has audio.</summary>
    Audio,

    /// <summary>The answer has citations or annotations, which count characters from its beginning.</summary>
    Citations,

    /// <summary>The request asks for the probabilities of tokens.</summary>
    LogProbabilities,

    /// <summary>The request has stop sequences, and part of a stop sequence may have been delivered.</summary>
    StopSequences,

    /// <summary>A content filter ended the answer, or the model refused.</summary>
    ContentFilter,

    /// <summary>The answer was cut because of the request itself.</summary>
    RequestRefused,

    /// <summary>Something other than plain text was delivered.</summary>
    OtherContent,

    /// <summary>The delivered part is longer than the part that is kept for a continuation.</summary>
    TooLong,

    /// <summary>The answer already had two seams.</summary>
    TooManySeams,

    /// <summary>No other endpoint declares that it can continue an answer.</summary>
    NoEndpoint,

    /// <summary>The rest was requested, and every attempt failed.</summary>
    Failed,
}
