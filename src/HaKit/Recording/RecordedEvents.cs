using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Recording;

/// <summary>Represents one entry of a recording. Immutable.</summary>
public abstract record RecordedEvent
{
    /// <summary>
    /// Gets the number of the recorder that wrote the entry, from 0. Each start of a process creates a new recorder. Each recorder numbers its calls
    /// separately.
    /// </summary>
    public required int Recorder { get; init; }

    /// <summary>
    /// Gets when the entry began, by the wall clock. The distances between entries of one recorder are measured on a monotonic clock, to 0.1 ms.
    /// </summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The outcome of a recorded call.</summary>
public enum RecordedOutcome
{
    /// <summary>The call was served.</summary>
    Served,

    /// <summary>The call failed and counts against the pool.</summary>
    Failed,

    /// <summary>The request itself was at fault.</summary>
    Request,

    /// <summary>The caller cancelled.</summary>
    Caller,
}

/// <summary>Represents a call: the requirements of its request, without content, and its outcome. Immutable.</summary>
public sealed record RecordedCall : RecordedEvent
{
    /// <summary>Gets the number of the call, unique for its recorder. Its attempts have the same number.</summary>
    public required long Number { get; init; }

    /// <summary>Gets how the call ended.</summary>
    public required RecordedOutcome Outcome { get; init; }

    /// <summary>Gets the error that ended the call, in one word. Null for a call that was served.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// Gets the time from the beginning of the call until it was served or ended. For a stream it is the time until the caller got the first content.
    /// </summary>
    public required TimeSpan Took { get; init; }

    /// <summary>Gets how long the call waited with no attempt in flight.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Gets the rules by which the call waited, each once, in the order in which they last applied.</summary>
    public IReadOnlyList<WaitRule> WaitRules { get; init; } = [];

    /// <summary>Gets the deadline, from the beginning of the call. <see cref="TimeSpan.MaxValue"/>: none.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>Gets the limit on waiting. Null: the pool's limit.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>Gets whether the call asked for a stream.</summary>
    public bool IsStream { get; init; }

    /// <summary>Gets whether a second attempt was started beside a slow attempt.</summary>
    public bool Hedged { get; init; }

    /// <summary>Gets whether the call may be hedged. Null: the pool's setting.</summary>
    public bool? MayHedge { get; init; }

    /// <summary>Gets whether the call may be sent again if it is not known whether it was processed.</summary>
    public bool MayRepeat { get; init; } = true;

    /// <summary>
    /// Gets whether the call had requirements that are not recorded: tags, a residency, a list of endpoints, or a model that no endpoint declares.
    /// </summary>
    public bool IsRestricted { get; init; }

    /// <summary>Gets whether the call needs tools.</summary>
    public bool NeedsTools { get; init; }

    /// <summary>Gets whether the call needs an endpoint that can read images.</summary>
    public bool NeedsVision { get; init; }

    /// <summary>Gets the model that the call needs, if an endpoint declares it.</summary>
    public string? Model { get; init; }

    /// <summary>Gets the priority of the call.</summary>
    public int Priority { get; init; }

    /// <summary>Gets the estimated number of tokens in the prompt. 0: not known.</summary>
    public int InputTokens { get; init; }

    /// <summary>Gets the maximum number of tokens in the answer. 0: not known.</summary>
    public int MaxOutputTokens { get; init; }
}

/// <summary>Represents an attempt. Immutable.</summary>
public sealed record RecordedAttempt : RecordedEvent
{
    /// <summary>Gets the number of the attempt's call.</summary>
    public required long Call { get; init; }

    /// <summary>Gets the number of the attempt; 1 for the first attempt of the call.</summary>
    public required int Number { get; init; }

    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets how long the attempt took; for a stream until its end.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>Gets the time from the beginning of the attempt to its first content. Null if there was none, or if it was not reported.</summary>
    public TimeSpan? FirstContent { get; init; }

    /// <summary>Gets the fault, without the provider's code. Null if the attempt served the call.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Gets the tokens of the prompt. Null: not reported.</summary>
    public int? InputTokens { get; init; }

    /// <summary>Gets the tokens of the answer. Null: not reported.</summary>
    public int? OutputTokens { get; init; }

    /// <summary>Gets the prompt tokens that came from the provider's cache. Null: not reported.</summary>
    public int? CachedTokens { get; init; }

    /// <summary>Gets whether the attempt was for a stream.</summary>
    public bool IsStream { get; init; }

    /// <summary>Gets whether the attempt was the trial of an ejected endpoint.</summary>
    public bool IsTrial { get; init; }

    /// <summary>Gets whether the attempt was a trial that tested whether an outage was over.</summary>
    public bool IsPaced { get; init; }

    /// <summary>Gets whether the attempt was a retry that the budget paid for.</summary>
    public bool IsPaid { get; init; }
}

/// <summary>Represents a probe. Immutable.</summary>
public sealed record RecordedProbe : RecordedEvent
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets the level that the probe tested.</summary>
    public required ProbeLevel Level { get; init; }

    /// <summary>Gets how long the probe took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>Gets the fault, without the provider's code. Null: the probe succeeded.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>Represents a change of an endpoint's status. Immutable.</summary>
public sealed record RecordedChange : RecordedEvent
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets the status before the change.</summary>
    public required EndpointHealthStatus Before { get; init; }

    /// <summary>Gets the status after the change.</summary>
    public required EndpointHealthStatus After { get; init; }

    /// <summary>Gets what caused the change.</summary>
    public required ChangeSource Source { get; init; }

    /// <summary>Gets how long an ejected endpoint is out. Zero if it is not ejected.</summary>
    public TimeSpan OutFor { get; init; }

    /// <summary>Gets the fault, without the provider's code. Null if the evidence was not a failure.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>Represents the configuration of the pool from this entry on. Immutable.</summary>
public sealed record RecordedConfiguration : RecordedEvent
{
    /// <summary>
    /// Gets the settings as JSON in the shape of a configuration, with the pool's name as <c>Pool</c>. Addresses, headers, credentials and paths are left out.
    /// </summary>
    public required string Json { get; init; }

    /// <summary>Serializes options to JSON in the same way as a recorder, without addresses, headers, credentials and paths. Thread-safe.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public static string Serialize(string pool, EndpointPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return System.Text.Encoding.UTF8.GetString(PoolConfiguration.Write(pool, options));
    }
}

/// <summary>Represents entries that were dropped before this entry, because the recorder could not write them fast enough. Immutable.</summary>
public sealed record RecordedGap : RecordedEvent
{
    /// <summary>Gets the number of dropped entries.</summary>
    public required long Dropped { get; init; }
}
