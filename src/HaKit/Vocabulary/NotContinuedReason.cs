namespace HaKit;

/// <summary>Indicates why no other endpoint continued a cut answer. docs/streams.md has the table.</summary>
public enum NotContinuedReason
{
    /// <summary>
    /// The call's profile does not allow a continuation (<see cref="RequestProfile.MayContinue"/>). Or the profile leaves the decision to the pool's setting,
    /// and this setting is off.
    /// </summary>
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

    /// <summary>The request asks for audio, or the answer has audio.</summary>
    Audio,

    /// <summary>
    /// The request asks for citations or a web search, or the answer has citations or annotations. Citations count characters from the beginning of the answer.
    /// </summary>
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

    /// <summary>More text was delivered than the pool keeps for a continuation (<c>Http:MaxReplayBytes</c>).</summary>
    TooLong,

    /// <summary>The answer was cut a third time: other endpoints had already continued it twice.</summary>
    TooManySeams,

    /// <summary>No other endpoint declares that it can continue an answer.</summary>
    NoEndpoint,

    /// <summary>The rest was requested, and every attempt failed.</summary>
    Failed,
}
