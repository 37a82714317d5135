using System.Diagnostics.CodeAnalysis;

namespace HaKit;

/// <summary>Describes how one call was served. Immutable.</summary>
public sealed record CallDetail
{
    private readonly TimeSpan _took;

    // The value -1 means "not reported". Each nullable would be twice as large, in an object that every call creates.
    private readonly long _inputTokens = -1;
    private readonly long _outputTokens = -1;

    // The value -1 means that the attempts in the list are counted. A larger type would make each of these objects larger.
    private readonly short _perhapsBilled = -1;

    /// <summary>Creates an empty description of a call.</summary>
    public CallDetail()
    {
    }

    /// <summary>Creates the description of a call that its only attempt served.</summary>
    [SetsRequiredMembers]
    internal CallDetail(string endpoint, TimeSpan took)
    {
        Endpoint = endpoint;
        AttemptCount = 1;
        Attempts = null!; // created when it is first read
        _took = took;
    }

    /// <summary>
    /// Gets the name of the endpoint that served the call. For a refusal that the caller gets as the result, gets the name of the endpoint that refused. Empty
    /// if a strategy of the application answered without an attempt.
    /// </summary>
    public required string Endpoint { get; init; }

    /// <summary>
    /// Gets the attempts in the order in which they began. If there were more than 13, the list has the first 3 and the last 10. The attempt that served has no
    /// fault. <see cref="AttemptCount"/> is the number of all attempts.
    /// </summary>
    public required IReadOnlyList<AttemptRecord> Attempts { get => field ??= [new AttemptRecord(Endpoint, null, _took)]; init; }

    /// <summary>Gets the number of all attempts.</summary>
    public required int AttemptCount { get; init; }

    /// <summary>
    /// Gets the rules by which the call waited or tried again when no untried endpoint was left. Each rule is listed once, in the order in which
    /// the rules last applied. Empty if an untried endpoint was always left.
    /// </summary>
    public IReadOnlyList<WaitRule> WaitRules { get; init; } = [];

    /// <summary>Gets whether a second attempt was started beside a slow attempt.</summary>
    public bool Hedged { get; init; }

    /// <summary>Gets how long the call waited with no attempt in flight.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>
    /// Gets the places at which the answer was cut and another endpoint continued it, in order. Empty if the answer was not cut. The list is complete when the
    /// stream has ended.
    /// </summary>
    public IReadOnlyList<StreamSeam> Seams { get; init; } = [];

    /// <summary>Gets the number of tokens in the prompt. Null if it was not reported.</summary>
    public long? InputTokens
    {
        get => _inputTokens < 0 ? null : _inputTokens;
        init => _inputTokens = value ?? -1;
    }

    /// <summary>Gets the number of tokens in the answer. Null if it was not reported before this object was created.</summary>
    public long? OutputTokens
    {
        get => _outputTokens < 0 ? null : _outputTokens;
        init => _outputTokens = value ?? -1;
    }

    /// <summary>
    /// Gets the number of attempts that may have been processed and billed, except the attempt that served the call. Attempts that <see cref="Attempts"/>
    /// leaves out count too. If this property is not set, its value is the number of such attempts in the list. At most 32,767.
    /// </summary>
    public int PerhapsBilled
    {
        get => _perhapsBilled >= 0 ? _perhapsBilled : Attempts.Count(static a => a.Fault is { MayBeBilled: true });
        init => _perhapsBilled = (short)Math.Clamp(value, 0, short.MaxValue);
    }
}

/// <summary>Holds the result of a call and the details of how the call was served.</summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
/// <param name="Result">The result of the callback.</param>
/// <param name="Detail">The details of how the call was served.</param>
public readonly record struct Served<TResult>(TResult Result, CallDetail Detail);
