using System.Diagnostics.CodeAnalysis;

namespace HaKit;

/// <summary>The story of one call that was served. Immutable.</summary>
public sealed record CallDetail
{
    private readonly TimeSpan _took;

    // -1: not reported. Each nullable would be twice as large, in an object that every call makes.
    private readonly long _inputTokens = -1;
    private readonly long _outputTokens = -1;

    /// <summary>Makes the story of a call.</summary>
    public CallDetail()
    {
    }

    /// <summary>The story of a call that its only attempt served.</summary>
    [SetsRequiredMembers]
    internal CallDetail(string endpoint, TimeSpan took)
    {
        Endpoint = endpoint;
        AttemptCount = 1;
        Attempts = null!; // made when it is asked for
        _took = took;
    }

    /// <summary>The name of the endpoint that served it.</summary>
    public required string Endpoint { get; init; }

    /// <summary>
    /// The attempts in the order in which they began, of many the first 3 and the last 10; the one that served has no fault. <see cref="AttemptCount"/> says how
    /// many there were.
    /// </summary>
    public required IReadOnlyList<AttemptRecord> Attempts { get => field ??= [new AttemptRecord(Endpoint, null, _took)]; init; }

    /// <summary>How many attempts there were.</summary>
    public required int AttemptCount { get; init; }

    /// <summary>By which rules it waited or tried again when no endpoint was left untried, in the order in which they first applied; empty when it never came to that.</summary>
    public IReadOnlyList<WaitRule> WaitRules { get; init; } = [];

    /// <summary>Was a second attempt started beside a slow one?</summary>
    public bool Hedged { get; init; }

    /// <summary>How long it waited with nothing in flight.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Where the answer was cut and another endpoint went on with it, in order; empty for an answer of one piece. Complete once the stream has ended.</summary>
    public IReadOnlyList<StreamSeam> Seams { get; init; } = [];

    /// <summary>Tokens of the prompt, as far as they were reported.</summary>
    public long? InputTokens
    {
        get => _inputTokens < 0 ? null : _inputTokens;
        init => _inputTokens = value ?? -1;
    }

    /// <summary>Tokens of the answer, as far as they were reported by the time this was written.</summary>
    public long? OutputTokens
    {
        get => _outputTokens < 0 ? null : _outputTokens;
        init => _outputTokens = value ?? -1;
    }

    /// <summary>The number of attempts, besides the one that served, that may have been processed and billed.</summary>
    public int PerhapsBilled => Attempts.Count(a => a.Fault is { Applied: FaultApplied.Ambiguous or FaultApplied.Partial });
}

/// <summary>A result and how it came about.</summary>
/// <typeparam name="TResult">The result's type.</typeparam>
/// <param name="Result">What the callback returned.</param>
/// <param name="Detail">How it came about.</param>
public readonly record struct Served<TResult>(TResult Result, CallDetail Detail);
