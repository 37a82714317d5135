using System.Diagnostics;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>Everything one call knows of itself. Lives in the call's <see cref="ResilienceContext"/>, so that a strategy outside failover that runs it twice resets nothing.</summary>
internal sealed class FailoverCall(TimeProvider time)
{
    public static readonly ResiliencePropertyKey<FailoverCall> Key = new("HaKit.Call");

    public RequestProfile Profile { get; private set; } = RequestProfile.Default;

    public AttemptHistory History { get; } = new();

    public AsyncSignal Signal { get; } = new(time);

    public CancellationToken CallerToken { get; private set; }

    public TimeSpan Started { get; private set; }

    public TimeSpan Deadline { get; private set; }

    /// <summary>Does the attempt's callback end at the first content of a stream?</summary>
    public bool IsStream { get; private set; }

    public bool Hedged { get; set; }

    /// <summary>It is the one call that asks whether an outage is over.</summary>
    public bool IsAsker { get; set; }

    /// <summary>It has paid for its next attempt.</summary>
    public bool HasPaid { get; set; }

    public TimeSpan Waited { get; set; }

    /// <summary>Its span, if somebody follows it.</summary>
    public Activity? Span { get; set; }

    /// <summary>The attempt whose stream goes on when the call is over.</summary>
    public Lease? HandedOver { get; private set; }

    /// <summary>Unique within the pool.</summary>
    public long Number { get; private set; }

    /// <summary>When the last attempt failed; backoff counts from here.</summary>
    public TimeSpan LastFailure { get; set; }

    /// <summary>How many waits for backoff there were.</summary>
    public int Backoffs { get; set; }

    /// <summary>When the backoff that was drawn for <see cref="LastFailure"/> ends.</summary>
    public TimeSpan? BackoffUntil { get; set; }

    /// <summary>No attempt begins before then.</summary>
    public TimeSpan HoldUntil { get; set; }

    public TimeSpan DeadlineSpan => Deadline - Started;

    public FailoverCall Begin(RequestProfile profile, bool isStream, TimeSpan deadline, long number, TimeSpan now, CancellationToken callerToken)
    {
        Profile = profile;
        IsStream = isStream;
        CallerToken = callerToken;
        Started = now;
        Deadline = deadline > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + deadline;
        Number = number;
        return this;
    }

    public void Clear()
    {
        Profile = RequestProfile.Default;
        History.Clear();
        CallerToken = default;
        Hedged = HasPaid = false;
        Waited = LastFailure = HoldUntil = default;
        Backoffs = 0;
        BackoffUntil = null;
        _servedBy = null;
        _tokens = default;
        Span = null;
        HandedOver = null;
    }

    private string? _servedBy;
    private (long? Input, long? Output) _tokens;

    public TimeSpan ServedAt { get; private set; }

    public bool IsServed => _servedBy is not null;

    public void Served(Lease lease, TimeSpan now)
    {
        ServedAt = now;
        _servedBy = lease.State.Endpoint.Name;
        _tokens = (lease.InputTokens, lease.OutputTokens);
        HandedOver = lease.IsHandedOver ? lease : null;
    }

    public CallDetail Detail(TimeSpan now) => new()
    {
        Endpoint = _servedBy ?? History.Entries[^1].Endpoint.Name, // a refusal of the request itself was not served, but it did come from somewhere
        Attempts = Attempts(now),
        Hedged = Hedged,
        Waited = Waited,
        InputTokens = _tokens.Input,
        OutputTokens = _tokens.Output,
    };

    public IReadOnlyList<AttemptRecord> Attempts(TimeSpan now)
    {
        var entries = History.Entries;
        var records = new AttemptRecord[entries.Length];
        for (var i = 0; i < records.Length; i++)
            records[i] = new AttemptRecord(entries[i].Endpoint.Name, entries[i].Fault, (entries[i].Ended ?? now) - entries[i].Started);
        return records;
    }
}
