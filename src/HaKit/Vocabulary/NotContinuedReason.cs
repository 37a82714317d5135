namespace HaKit;

/// <summary>Why the rest of a cut answer was not asked of another endpoint. docs/streams.md has the table.</summary>
public enum NotContinuedReason
{
    /// <summary>Neither the pool's setting nor the call's profile allows it.</summary>
    Off,

    /// <summary>The request is none that HaKit can write the continuation of: another path, another shape, or a body that was not kept.</summary>
    OtherRequest,

    /// <summary>The request names an object that one endpoint stores.</summary>
    StoredState,

    /// <summary>The call must not be sent twice (<see cref="RequestProfile.MayRepeat"/>).</summary>
    MustNotRepeat,

    /// <summary>A tool call has begun.</summary>
    ToolCall,

    /// <summary>The request asks for structured output or JSON.</summary>
    StructuredOutput,

    /// <summary>The model reasons: what it thought is not part of the text, and another model would have to think again.</summary>
    Reasoning,

    /// <summary>The request asks for several answers.</summary>
    SeveralChoices,

    /// <summary>The answer has audio.</summary>
    Audio,

    /// <summary>The answer has citations or annotations, which count characters from its beginning.</summary>
    Citations,

    /// <summary>The request asks for the probabilities of tokens.</summary>
    LogProbabilities,

    /// <summary>The request has stop sequences: part of one may have been delivered.</summary>
    StopSequences,

    /// <summary>A content filter ended it, or the model refused.</summary>
    ContentFilter,

    /// <summary>The answer was cut because of the request itself.</summary>
    RequestRefused,

    /// <summary>Something that is not plain text was delivered.</summary>
    OtherContent,

    /// <summary>What was delivered is longer than what is kept for this.</summary>
    TooLong,

    /// <summary>The answer had two seams already.</summary>
    TooManySeams,

    /// <summary>No other endpoint declares that it can go on from a beginning.</summary>
    NoEndpoint,

    /// <summary>The rest was asked for, and every attempt failed.</summary>
    Failed,
}
