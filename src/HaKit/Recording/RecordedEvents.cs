using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Recording;

/// <summary>One entry of a recording. Immutable.</summary>
public abstract record RecordedEvent
{
    /// <summary>Which of the recording's recorders wrote it, from 0: each start of a process is another recorder. Calls are numbered by each recorder anew.</summary>
    public required int Recorder { get; init; }

    /// <summary>When it began, by the wall clock; within one recorder by its monotonic clock, to 0.1 ms.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>How a recorded call ended.</summary>
public enum RecordedOutcome
{
    /// <summary>It was served.</summary>
    Served,

    /// <summary>It failed, and counts against the pool.</summary>
    Failed,

    /// <summary>The request itself was at fault.</summary>
    Request,

    /// <summary>The caller went away.</summary>
    Caller,
}

/// <summary>A call: what it asked for, without its content, and how it ended. Immutable.</summary>
public sealed record RecordedCall : RecordedEvent
{
    /// <summary>Its number, unique for its recorder. Its attempts have the same.</summary>
    public required long Number { get; init; }

    /// <summary>How it ended.</summary>
    public required RecordedOutcome Outcome { get; init; }

    /// <summary>What ended it, in one word; null for a call that was served.</summary>
    public string? Error { get; init; }

    /// <summary>From its begin until it was served or ended; for a stream until it was handed over.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>How long it waited with nothing in flight.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>By which rules it waited, in the order in which they first applied.</summary>
    public IReadOnlyList<WaitRule> WaitRules { get; init; } = [];

    /// <summary>Its deadline, from its begin; <see cref="TimeSpan.MaxValue"/> for none.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>The bound on its waiting; null for the pool's.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>Did it ask for a stream?</summary>
    public bool IsStream { get; init; }

    /// <summary>Was a second attempt started beside a slow one?</summary>
    public bool Hedged { get; init; }

    /// <summary>May it be hedged? Null: as the pool says.</summary>
    public bool? MayHedge { get; init; }

    /// <summary>May it be sent again when it is not known whether it was done?</summary>
    public bool MayRepeat { get; init; } = true;

    /// <summary>Did it need certain endpoints in a way that is not recorded: tags, a residency, a list of endpoints, or a model that no endpoint declares?</summary>
    public bool IsRestricted { get; init; }

    /// <summary>Does it need tools?</summary>
    public bool NeedsTools { get; init; }

    /// <summary>Does it need to see images?</summary>
    public bool NeedsVision { get; init; }

    /// <summary>The model that it needs, if an endpoint declares it.</summary>
    public string? Model { get; init; }

    /// <summary>Its priority.</summary>
    public int Priority { get; init; }

    /// <summary>Tokens of the prompt as estimated before it; 0 when not known.</summary>
    public int InputTokens { get; init; }

    /// <summary>Most tokens of the answer; 0 when not known.</summary>
    public int MaxOutputTokens { get; init; }
}

/// <summary>An attempt. Immutable.</summary>
public sealed record RecordedAttempt : RecordedEvent
{
    /// <summary>The number of its call.</summary>
    public required long Call { get; init; }

    /// <summary>1 for the first attempt of the call.</summary>
    public required int Number { get; init; }

    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>How long it took; a stream to its end.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>From its begin to its first content; null if there was none, or it was not reported.</summary>
    public TimeSpan? FirstContent { get; init; }

    /// <summary>What its failure means; null if it served. Without the provider's code.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Tokens of the prompt, as far as they were reported.</summary>
    public int? InputTokens { get; init; }

    /// <summary>Tokens of the answer, as far as they were reported.</summary>
    public int? OutputTokens { get; init; }

    /// <summary>Of the tokens of the prompt, those that a cache held, as far as they were reported.</summary>
    public int? CachedTokens { get; init; }

    /// <summary>Was it for a stream?</summary>
    public bool IsStream { get; init; }

    /// <summary>Was it the trial of an endpoint that was out?</summary>
    public bool IsTrial { get; init; }

    /// <summary>Was it made under the pace of an outage?</summary>
    public bool IsPaced { get; init; }

    /// <summary>Was it a retry that the budget paid?</summary>
    public bool IsPaid { get; init; }
}

/// <summary>A probe. Immutable.</summary>
public sealed record RecordedProbe : RecordedEvent
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>What it exercised.</summary>
    public required ProbeLevel Level { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>What was wrong; null when all was well. Without the provider's code.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>The status of an endpoint changed. Immutable.</summary>
public sealed record RecordedChange : RecordedEvent
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Its status before.</summary>
    public required EndpointHealthStatus Before { get; init; }

    /// <summary>Its status after.</summary>
    public required EndpointHealthStatus After { get; init; }

    /// <summary>What made it change.</summary>
    public required ChangeSource Source { get; init; }

    /// <summary>For how long an ejected endpoint is out; zero for none.</summary>
    public TimeSpan OutFor { get; init; }

    /// <summary>The fault that was seen; null when the evidence was no failure. Without the provider's code.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>The configuration of the pool from here on. Immutable.</summary>
public sealed record RecordedConfiguration : RecordedEvent
{
    /// <summary>The settings as JSON, in the shape of a configuration, with the pool's name as <c>Pool</c>: without addresses, headers, credentials and paths.</summary>
    public required string Json { get; init; }

    /// <summary>Serializes options as a recorder does: to JSON, without addresses, headers, credentials and paths. Thread-safe.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentNullException">There are no options.</exception>
    public static string Serialize(string pool, EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return System.Text.Encoding.UTF8.GetString(PoolConfiguration.Write(pool, options));
    }
}

/// <summary>Entries were dropped before this one, because more came than could be written. Immutable.</summary>
public sealed record RecordedGap : RecordedEvent
{
    /// <summary>How many.</summary>
    public required long Dropped { get; init; }
}
