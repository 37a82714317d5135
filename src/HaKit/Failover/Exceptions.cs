using System.Globalization;
using System.Text;
using HaKit.Faults;

namespace HaKit;

/// <summary>One attempt of a call that is over, as exceptions and results tell it. Immutable.</summary>
/// <param name="Endpoint">The endpoint's name.</param>
/// <param name="Fault">What its failure meant; null when it served the call or was still under way.</param>
/// <param name="Duration">How long it took.</param>
public sealed record AttemptRecord(string Endpoint, Fault? Fault, TimeSpan Duration)
{
    // Of a long history the beginning and the end tell the story.
    internal const int FirstTold = 3, LastTold = 10;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Endpoint}: {Fault?.ToString() ?? "no fault"} after {Duration.TotalSeconds:0.###} s");
}

/// <summary>Whatever the pool itself refuses or ends. Says what was tried and when to come back; never quotes keys, prompts or a provider's message.</summary>
public abstract class EndpointPoolException : Exception
{
    private protected EndpointPoolException(
        string pool, string what, IReadOnlyList<AttemptRecord> attempts, TimeSpan? retryAfter, Exception? inner, int attemptCount = 0, IReadOnlyList<WaitRule>? waitRules = null)
        : base(Describe(pool, what, attempts, Math.Max(attempts.Count, attemptCount), waitRules ?? [], retryAfter), inner)
    {
        Pool = pool;
        Attempts = attempts;
        AttemptCount = Math.Max(attempts.Count, attemptCount);
        WaitRules = waitRules ?? [];
        RetryAfter = retryAfter;
    }

    /// <summary>The pool's name.</summary>
    public string Pool { get; }

    /// <summary>What was tried, in order; of many attempts the first 3 and the last 10.</summary>
    public IReadOnlyList<AttemptRecord> Attempts { get; }

    /// <summary>How many attempts there were.</summary>
    public int AttemptCount { get; }

    /// <summary>By which rules the call waited, in the order in which they first applied; the last one is the one by which it ended. Empty when it never waited.</summary>
    public IReadOnlyList<WaitRule> WaitRules { get; }

    /// <summary>How long to stay away, as far as that is known.</summary>
    public TimeSpan? RetryAfter { get; }

    private static string Describe(
        string pool, string what, IReadOnlyList<AttemptRecord> attempts, int attemptCount, IReadOnlyList<WaitRule> waitRules, TimeSpan? retryAfter)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Pool '{pool}': {what}");
        if (attempts.Count == attemptCount && attemptCount > 0)
        {
            text.Append(" Tried ").AppendJoin("; ", attempts).Append('.');
        }
        else if (attempts.Count > 0)
        {
            text.Append(" Tried ").AppendJoin("; ", attempts.Take(AttemptRecord.FirstTold))
                .Append(CultureInfo.InvariantCulture, $"; {attemptCount - attempts.Count} more; ").AppendJoin("; ", attempts.Skip(AttemptRecord.FirstTold)).Append('.');
        }

        if (waitRules.Count > 0)
            text.Append(" Waiting went by ").AppendJoin(", ", waitRules).Append('.');
        if (retryAfter is { } after && after > TimeSpan.Zero)
            text.Append(CultureInfo.InvariantCulture, $" Come back in {after.TotalSeconds:0.###} s.");
        return text.ToString();
    }
}

/// <summary>No endpoint could take the request, now or in time for its deadline.</summary>
public sealed class NoEndpointAvailableException : EndpointPoolException
{
    internal NoEndpointAvailableException(
        string pool, string why, IReadOnlyList<AttemptRecord> attempts, IReadOnlyList<EndpointExplanation> endpoints, TimeSpan? retryAfter, Exception? inner,
        int attemptCount = 0, IReadOnlyList<WaitRule>? waitRules = null)
        : base(pool, why, attempts, retryAfter, inner, attemptCount, waitRules) => Endpoints = endpoints;

    /// <summary>Why each endpoint of the pool would or would not be chosen at that moment.</summary>
    public IReadOnlyList<EndpointExplanation> Endpoints { get; }
}

/// <summary>The deadline of the call passed before it was served.</summary>
public sealed class DeadlineExceededException : EndpointPoolException
{
    internal DeadlineExceededException(
        string pool, TimeSpan deadline, IReadOnlyList<AttemptRecord> attempts, TimeSpan? retryAfter, Exception? inner, int attemptCount = 0,
        IReadOnlyList<WaitRule>? waitRules = null)
        : base(
            pool, string.Create(CultureInfo.InvariantCulture, $"the deadline of {deadline.TotalSeconds:0.###} s passed."), attempts, retryAfter, inner, attemptCount,
            waitRules) =>
        Deadline = deadline;

    /// <summary>The deadline that passed, counted from the beginning of the call.</summary>
    public TimeSpan Deadline { get; }
}

/// <summary>
/// An answer that was cut after some of it had been delivered. It is never replayed silently: what was delivered stands, and the caller decides.
/// </summary>
public sealed class PartialResponseException : EndpointPoolException
{
    internal PartialResponseException(
        string pool, string endpoint, Fault fault, int delivered, IReadOnlyList<AttemptRecord> attempts, TimeSpan? retryAfter, Exception? inner,
        NotContinuedReason notContinued = NotContinuedReason.Off)
        : base(
            pool,
            string.Create(CultureInfo.InvariantCulture, $"the answer of '{endpoint}' ended early ({fault}), after {delivered} items with content.{Describe(notContinued)}"),
            attempts, retryAfter, inner)
    {
        NotContinued = notContinued;
        CutBy = [endpoint];
        Endpoint = endpoint;
        Fault = fault;
        DeliveredItems = delivered;
    }

    /// <summary>The endpoint whose answer was cut.</summary>
    public string Endpoint { get; }

    /// <summary>What happened to it.</summary>
    public Fault Fault { get; }

    /// <summary>Items with content that the caller had received.</summary>
    public int DeliveredItems { get; }

    /// <summary>Gets why the rest was not asked of another endpoint; <see cref="NotContinuedReason.Off"/> where continuation is off.</summary>
    public NotContinuedReason NotContinued { get; }

    /// <summary>Gets or sets the endpoints that have cut the answer so far, the last one last.</summary>
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

/// <summary>An endpoint answered with an error inside a response that looked well, and no other endpoint may be asked.</summary>
public sealed class EndpointFaultException : Exception
{
    /// <summary>The failure of one attempt, for adapters that find it in an answer; the pool goes by its fault.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">What its answer meant.</param>
    public EndpointFaultException(string endpoint, Fault fault)
        : base($"Endpoint '{endpoint}' answered with an error: {fault}.")
    {
        Endpoint = endpoint;
        Fault = fault;
    }

    /// <summary>The endpoint.</summary>
    public string Endpoint { get; }

    /// <summary>What its answer meant.</summary>
    public Fault Fault { get; }
}
