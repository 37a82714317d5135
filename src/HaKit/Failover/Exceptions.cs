using System.Globalization;
using System.Text;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit;

/// <summary>Describes one attempt, as it was when its call was served or failed. Immutable.</summary>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="Fault">The fault of the attempt. Null if the attempt served the call or was still running.</param>
/// <param name="Duration">The duration of the attempt. For a running attempt: its duration until its call was served or failed.</param>
public sealed record AttemptRecord(string Endpoint, Fault? Fault, TimeSpan Duration)
{
    // A long history shows only its first and last attempts.
    internal const int FirstShown = 3, LastShown = 10;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Endpoint}: {Fault?.ToString() ?? "no fault"} after {DurationText.Write(Duration)}";
}

/// <summary>
/// The base class of the exceptions with which a pool refuses or ends a call. The message contains the attempts and the time to wait before the next call. The
/// message never quotes keys, prompts or a provider's message.
/// </summary>
public abstract class EndpointPoolException : Exception
{
    private const int LeftOutShown = 3;

    private readonly int? _perhapsBilled;

    private protected EndpointPoolException(
        string pool, string what, IReadOnlyList<AttemptRecord> attempts, TimeSpan? retryAfter, Exception? inner, int attemptCount = 0, IReadOnlyList<WaitRule>? waitRules = null,
        IReadOnlyList<EndpointExplanation>? endpoints = null)
        : base(Describe(pool, what, attempts, Math.Max(attempts.Count, attemptCount), waitRules ?? [], retryAfter, endpoints ?? []), inner)
    {
        Pool = pool;
        Attempts = attempts;
        AttemptCount = Math.Max(attempts.Count, attemptCount);
        WaitRules = waitRules ?? [];
        RetryAfter = retryAfter;
    }

    /// <summary>Gets the pool's name.</summary>
    public string Pool { get; }

    /// <summary>Gets the attempts in the order in which they began. If there were more than 13, the list has the first 3 and the last 10.</summary>
    public IReadOnlyList<AttemptRecord> Attempts { get; }

    /// <summary>Gets the number of all attempts.</summary>
    public int AttemptCount { get; }

    /// <summary>
    /// Gets the number of attempts that may have been processed and billed, such as attempts that timed out. The number includes attempts that are missing from
    /// the list in <see cref="Attempts"/>.
    /// </summary>
    public int PerhapsBilled
    {
        get => _perhapsBilled ?? Attempts.Count(static a => a.Fault is null or { MayBeBilled: true });
        internal init => _perhapsBilled = value;
    }

    /// <summary>
    /// Gets the rules by which the call waited, tried again or ended. Each rule is listed once, in the order in which the rules last applied. A rule that ended
    /// the call is at the end of the list, even if the call never waited. Empty if no rule applied, for example if the deadline passed during the first attempt.
    /// </summary>
    public IReadOnlyList<WaitRule> WaitRules { get; }

    /// <summary>Gets how long to wait before the next call. Null: not known.</summary>
    public TimeSpan? RetryAfter { get; }

    private static string Describe(
        string pool, string what, IReadOnlyList<AttemptRecord> attempts, int attemptCount, IReadOnlyList<WaitRule> waitRules, TimeSpan? retryAfter,
        IReadOnlyList<EndpointExplanation> endpoints)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Pool '{pool}': {what}");
        if (attempts.Count == 1 && attemptCount == 1)
            text.Append(CultureInfo.InvariantCulture, $" Tried {attempts[0]}.");
        if (waitRules.Count > 0)
            text.Append(" Wait rules: ").AppendJoin(", ", waitRules.Select(WaitRuleText.Write)).Append('.');
        DescribeLeftOut(text, endpoints);
        if (retryAfter is { } after && after > TimeSpan.Zero)
            text.Append(CultureInfo.InvariantCulture, $" Try again in {DurationText.Write(after)}.");
        if (attemptCount > 1)
            DescribeAttempts(text, attempts, attemptCount);
        return text.ToString();
    }

    // If no endpoint meets the requirements, the first sentence of the message says so.
    private static void DescribeLeftOut(StringBuilder text, IReadOnlyList<EndpointExplanation> endpoints)
    {
        string[] leftOut = [.. endpoints.Where(static e => e.Missing is not null).Select(static e => $"'{e.Endpoint}' ({e.Missing})")];
        if (leftOut.Length == 0 || leftOut.Length == endpoints.Count)
            return;
        text.Append(" Not asked: ").AppendJoin(", ", leftOut.Take(LeftOutShown));
        if (leftOut.Length > LeftOutShown)
            text.Append(CultureInfo.InvariantCulture, $", and {leftOut.Length - LeftOutShown} more");
        text.Append('.');
    }

    // Several attempts are written on separate lines, because they are hard to distinguish in one sentence.
    private static void DescribeAttempts(StringBuilder text, IReadOnlyList<AttemptRecord> attempts, int attemptCount)
    {
        text.AppendLine().Append("Tried:");
        for (var i = 0; i < attempts.Count; i++)
        {
            if (i == AttemptRecord.FirstShown && attempts.Count < attemptCount)
                text.AppendLine().Append(CultureInfo.InvariantCulture, $"  ({attemptCount - attempts.Count} more)");
            text.AppendLine().Append("  ").Append(attempts[i]);
        }
    }
}

/// <summary>The exception that is thrown when no endpoint could take the request, now or in time for its deadline.</summary>
public sealed class NoEndpointAvailableException : EndpointPoolException
{
    internal NoEndpointAvailableException(
        string pool, string why, IReadOnlyList<AttemptRecord> attempts, IReadOnlyList<EndpointExplanation> endpoints, TimeSpan? retryAfter, Exception? inner,
        int attemptCount = 0, IReadOnlyList<WaitRule>? waitRules = null)
        : base(pool, why, attempts, retryAfter, inner, attemptCount, waitRules, endpoints) => Endpoints = endpoints;

    /// <summary>Gets an explanation for each endpoint of the pool: why it would or would not have been chosen when the exception was thrown.</summary>
    public IReadOnlyList<EndpointExplanation> Endpoints { get; }
}

/// <summary>The exception that is thrown when the deadline of the call passed before the call was served.</summary>
public sealed class DeadlineExceededException : EndpointPoolException
{
    internal DeadlineExceededException(
        string pool, TimeSpan deadline, IReadOnlyList<AttemptRecord> attempts, TimeSpan? retryAfter, Exception? inner, int attemptCount = 0,
        IReadOnlyList<WaitRule>? waitRules = null, IReadOnlyList<EndpointExplanation>? endpoints = null)
        : base(
            pool, deadline > TimeSpan.Zero ? $"the deadline of {DurationText.OfSetting(deadline)} passed." : $"the deadline is {DurationText.OfSetting(deadline)}, so the call failed at once: set Deadline of the profile to more than 0, or to null for the pool's deadline.", attempts, retryAfter, inner, attemptCount, waitRules, endpoints) =>
        (Deadline, Endpoints) = (deadline, endpoints ?? []);

    /// <summary>Gets an explanation for each endpoint of the pool: why it would or would not have been chosen when the exception was thrown.</summary>
    public IReadOnlyList<EndpointExplanation> Endpoints { get; }

    /// <summary>Gets the deadline that passed, counted from the beginning of the call.</summary>
    public TimeSpan Deadline { get; }
}

/// <summary>
/// The exception that is thrown when an answer was cut after a part of it had been delivered. The pool never delivers this part again; the caller decides
/// whether to keep it.
/// </summary>
public sealed class PartialResponseException : EndpointPoolException
{
    internal PartialResponseException(
        string pool, string endpoint, Fault fault, int delivered, AttemptTotals attempts, TimeSpan? retryAfter, Exception? inner,
        NotContinuedReason notContinued = NotContinuedReason.Off)
        : base(
            pool,
            string.Create(CultureInfo.InvariantCulture, $"the answer of '{endpoint}' was cut by {fault} after {delivered} {(delivered == 1 ? "item" : "items")} with content.{Describe(notContinued)}"),
            attempts.Listed, retryAfter, inner, attempts.Count, attempts.WaitRules)
    {
        PerhapsBilled = attempts.PerhapsBilled;
        NotContinued = notContinued;
        CutBy = [endpoint];
        Endpoint = endpoint;
        Fault = fault;
        DeliveredItems = delivered;
    }

    /// <summary>Gets the name of the endpoint that sent the cut answer.</summary>
    public string Endpoint { get; }

    /// <summary>Gets the fault that cut the answer.</summary>
    public Fault Fault { get; }

    /// <summary>Gets the number of items with content that the caller had received.</summary>
    public int DeliveredItems { get; }

    /// <summary>Gets the reason why no other endpoint continued the answer; <see cref="NotContinuedReason.Off"/> if continuation is off.</summary>
    public NotContinuedReason NotContinued { get; }

    /// <summary>Gets or sets the endpoints that have cut the answer so far, the latest at the end.</summary>
    internal IReadOnlyList<string> CutBy { get; set; }

    /// <summary>Gets or sets the call's deadline on the pool's clock.</summary>
    internal TimeSpan Deadline { get; set; }

    private static string Describe(NotContinuedReason reason) => reason switch
    {
        NotContinuedReason.Off => "",
        NotContinuedReason.Failed => " Its continuation failed.",
        _ => $" It was not continued: {reason}.",
    };
}

/// <summary>
/// The exception with which an adapter reports to the pool that an endpoint answered with an error. The caller gets this exception if an endpoint answered with
/// an error in a response of status 200 and the pool must not send the request to another endpoint, for example because the request itself was refused or must
/// not be repeated.
/// </summary>
public sealed class EndpointFaultException : Exception
{
    /// <summary>
    /// Creates the exception for an adapter that finds an error in an answer. The pool handles the given fault as the result of the attempt.
    /// </summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault of the answer.</param>
    /// <param name="innerException">The exception of the endpoint's client about the answer. Default: none.</param>
    public EndpointFaultException(string endpoint, Fault fault, Exception? innerException = null)
        : base($"Endpoint '{endpoint}' answered with an error: {fault}.", innerException)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(fault);
        Endpoint = endpoint;
        Fault = fault;
    }

    /// <summary>Gets the endpoint's name.</summary>
    public string Endpoint { get; }

    /// <summary>Gets the fault of the answer.</summary>
    public Fault Fault { get; }
}
