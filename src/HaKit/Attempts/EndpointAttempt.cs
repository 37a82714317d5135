using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit;

/// <summary>
/// What a callback is told about the attempt it makes, and what it can say in return. Valid until the callback's task ends;
/// what is said later is ignored. Safe to copy.
/// </summary>
public readonly struct EndpointAttempt : IEquatable<EndpointAttempt>
{
    private readonly Lease _lease;
    private readonly int _version;

    internal EndpointAttempt(Lease lease)
    {
        _lease = lease;
        _version = lease.Version;
        Endpoint = lease.State.Endpoint;
        Number = lease.Number;
    }

    /// <summary>The endpoint to call.</summary>
    public PoolEndpoint Endpoint { get; }

    /// <summary>1 for the first attempt of the call.</summary>
    public int Number { get; }

    /// <summary>A key that is the same for all attempts of this call, for servers that recognise repetitions.</summary>
    public string IdempotencyKey => IsCurrent ? _lease.IdempotencyKey : "";

    /// <summary>What is left of the call's deadline; never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (!IsCurrent)
                return TimeSpan.Zero;
            if (_lease.Deadline == TimeSpan.MaxValue)
                return TimeSpan.MaxValue;
            return _lease.Deadline - _lease.Clock.Now is { Ticks: > 0 } left ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Says that the endpoint has begun to answer: the first-content timeout no longer applies, and a trial is decided.</summary>
    public void ReportFirstContent()
    {
        if (IsCurrent)
            _lease.FirstContent(_lease.Clock.Now);
    }

    /// <summary>Says what was used, so that token limits are settled by the truth.</summary>
    /// <param name="inputTokens">Tokens of the prompt, at least 0; null when not known.</param>
    /// <param name="outputTokens">Tokens of the answer, at least 0; null when not known.</param>
    /// <param name="cachedInputTokens">Of the prompt's tokens, those that a cache of the provider's held, at least 0; null when not known.</param>
    public void ReportUsage(long? inputTokens, long? outputTokens, long? cachedInputTokens = null)
    {
        if (cachedInputTokens < 0)
            throw new ArgumentOutOfRangeException(nameof(cachedInputTokens), cachedInputTokens, "At least 0 is needed.");
        if (inputTokens < 0)
            throw new ArgumentOutOfRangeException(nameof(inputTokens), inputTokens, "At least 0 is needed.");
        if (outputTokens < 0)
            throw new ArgumentOutOfRangeException(nameof(outputTokens), outputTokens, "At least 0 is needed.");
        if (IsCurrent)
            _lease.CountTokens(inputTokens, outputTokens, cachedInputTokens);
    }

    /// <summary>Says what the attempt is in the words of OpenTelemetry's conventions for generative AI (<c>gen_ai.operation.name</c>), for its span. Calls over HTTP say it themselves.</summary>
    /// <param name="operation">Such as <c>chat</c> or <c>embeddings</c>.</param>
    public void ReportOperation(string operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        if (IsCurrent && _lease.Span is { IsAllDataRequested: true } span)
        {
            span.SetTag(Tags.Operation, operation);
        }
    }

    /// <summary>Says that the result the callback is about to return is a failure, and what it means. The result is disposed if the call moves on.</summary>
    /// <param name="fault">What it means.</param>
    public void ReportFault(Fault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        if (IsCurrent)
            _lease.Declared = fault;
    }

    internal Lease Lease => _lease;

    private bool IsCurrent => _lease is not null && _lease.Version == _version;

    /// <inheritdoc/>
    public bool Equals(EndpointAttempt other) => ReferenceEquals(_lease, other._lease) && _version == other._version;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EndpointAttempt other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_lease, _version);

    /// <summary>Same attempt?</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(EndpointAttempt left, EndpointAttempt right) => left.Equals(right);

    /// <summary>Different attempts?</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(EndpointAttempt left, EndpointAttempt right) => !left.Equals(right);
}
