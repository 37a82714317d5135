using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit;

/// <summary>
/// Represents the attempt that a callback makes. It gives the callback the endpoint and the remaining time, and takes the callback's reports. It is valid until
/// the callback's task ends; later reports are ignored. Safe to copy; thread-safe.
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

    /// <summary>Gets the endpoint to call.</summary>
    public PoolEndpoint Endpoint { get; }

    /// <summary>Gets the number of the attempt; 1 for the first attempt of the call.</summary>
    public int Number { get; }

    /// <summary>
    /// Gets a key that is the same for all attempts of this call, for servers that recognise repeated requests. Empty after the attempt has ended.
    /// </summary>
    public string IdempotencyKey => IsCurrent ? _lease.IdempotencyKey : "";

    /// <summary>
    /// Gets the time that is left until the call's deadline; never negative. <see cref="TimeSpan.MaxValue"/> if the call has no deadline; zero after the
    /// attempt has ended.
    /// </summary>
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

    /// <summary>
    /// Reports that the endpoint has begun to answer. The first-content timeout then no longer applies. If the attempt is the half-open trial of an ejected
    /// endpoint, the trial has succeeded.
    /// </summary>
    public void ReportFirstContent()
    {
        if (IsCurrent)
            _lease.RecordFirstContent(_lease.Clock.Now);
    }

    /// <summary>
    /// Reports the actual usage, so that token limits count the actual tokens instead of the estimate. Null keeps an earlier report. A number above 2,147,483,647 is
    /// ignored.
    /// </summary>
    /// <param name="inputTokens">Tokens of the prompt, at least 0. Null: not known.</param>
    /// <param name="outputTokens">Tokens of the answer, at least 0. Null: not known.</param>
    /// <param name="cachedInputTokens">The tokens of the prompt that came from the provider's cache, at least 0. Null: not known.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
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

    /// <summary>
    /// Sets the operation on the attempt's span (<c>gen_ai.operation.name</c> of OpenTelemetry's semantic conventions for generative AI). Calls over HTTP set
    /// it themselves.
    /// </summary>
    /// <param name="operation">The operation, for example <c>chat</c> or <c>embeddings</c>.</param>
    public void ReportOperation(string operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        if (IsCurrent && _lease.Span is { IsAllDataRequested: true } span)
        {
            span.SetTag(Tags.Operation, operation);
        }
    }

    /// <summary>
    /// Reports that this attempt has failed, although the callback returns a result instead of throwing. Call it before the callback returns. If the call moves
    /// on to another endpoint, the pool disposes the result.
    /// </summary>
    /// <param name="fault">The meaning of the failure.</param>
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

    /// <summary>Compares two attempts.</summary>
    /// <param name="left">The first attempt.</param>
    /// <param name="right">The second attempt.</param>
    public static bool operator ==(EndpointAttempt left, EndpointAttempt right) => left.Equals(right);

    /// <summary>Compares two attempts.</summary>
    /// <param name="left">The first attempt.</param>
    /// <param name="right">The second attempt.</param>
    public static bool operator !=(EndpointAttempt left, EndpointAttempt right) => !left.Equals(right);
}
