using System.Diagnostics;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>Everything one call knows of itself. Lives in the call's <see cref="ResilienceContext"/>, so that a strategy outside failover that runs it twice resets nothing.</summary>
internal sealed class FailoverCall(TimeProvider time) : IAttemptOwner
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

    /// <summary>The engine that runs it.</summary>
    public FailoverEngine? Engine { get; set; }

    /// <summary>Was a hedge started?</summary>
    public bool Hedged { get; set; }

    /// <summary>It was woken because something came free or came back, and not by its own time.</summary>
    public bool WasReleased { get; set; }

    /// <summary>A hedge was thought of, and is not to be thought of again.</summary>
    public bool HedgeWasConsidered { get; set; }

    /// <summary>The rules of waiting that have applied to it, in order: four bits each, the latest lowest.</summary>
    public ulong Rules { get; private set; }

    /// <summary>The endpoint the end of whose cooldown it wakes for, so that others need not.</summary>
    public EndpointState? Watched { get; set; }

    /// <summary>It is the one call that asks whether an outage is over.</summary>
    public bool IsAsker { get; set; }

    /// <summary>It has paid for its next attempt.</summary>
    public bool HasPaid { get; set; }

    public TimeSpan Waited { get; set; }

    /// <summary>Its span, if there is a listener.</summary>
    public Activity? Span { get; set; }

    /// <summary>The attempt whose stream goes on when the call is over.</summary>
    public Lease? HandedOver { get; private set; }

    /// <summary>Unique within the pool.</summary>
    public long Number { get; private set; }

    /// <summary>The number of the first call that was made for the same request.</summary>
    public long RequestNumber { get; set; }

    /// <summary>When the last attempt failed; backoff counts from here.</summary>
    public TimeSpan LastFailure { get; set; }

    /// <summary>How many waits for backoff there were.</summary>
    public int Backoffs { get; set; }

    /// <summary>When the backoff that was drawn for <see cref="LastFailure"/> ends.</summary>
    public TimeSpan? BackoffUntil { get; set; }

    /// <summary>No attempt begins before then.</summary>
    public TimeSpan HoldUntil { get; set; }

    public TimeSpan DeadlineSpan => Deadline - Started;

    // So many silences may be an outage's. More of them are probably the request's own: it takes longer than its endpoints usually do.
    private const int SilencesOfAnOutage = 6;
    private const int MostDoublings = 6;

    private int _silences;
    private int _ownSilences;

    /// <summary>
    /// How many times longer than usual its attempts may be silent. Doubled by each silence of an endpoint that served a later attempt meanwhile, because the
    /// endpoint is well then and it is this request that takes longer; and by every sixth silence of which nothing is known.
    /// </summary>
    public int Patience => 1 << Math.Min(_ownSilences + _silences / SilencesOfAnOutage, MostDoublings);

    /// <summary>An attempt was given up because nothing came within its limit.</summary>
    /// <param name="hasServedLater">Has the endpoint served an attempt that began later?</param>
    public void NoteSilence(bool hasServedLater)
    {
        if (hasServedLater)
            _ownSilences++;
        else
            _silences++;
    }

    private long _nextNumber;
    private Lease? _spareLease;

    /// <summary>How many calls may still take their number from what this object has.</summary>
    public int NumbersLeft { get; private set; }

    public void TakeNumbers(long first, int count) => (_nextNumber, NumbersLeft) = (first, count);

    public void UseNextNumber()
    {
        Number = ++_nextNumber;
        NumbersLeft--;
    }

    /// <summary>A lease for its next attempt.</summary>
    public Lease TakeLease()
    {
        var lease = _spareLease ?? new Lease();
        _spareLease = null;
        return lease;
    }

    /// <summary>Keeps a lease that is as good as new for a later attempt, of this call or of the next one that uses this object.</summary>
    public void KeepLease(Lease lease) => _spareLease = lease;

    public FailoverCall Begin(RequestProfile profile, bool isStream, TimeSpan deadline, TimeSpan now, CancellationToken callerToken)
    {
        Profile = profile;
        IsStream = isStream;
        CallerToken = callerToken;
        Started = now;
        Deadline = deadline > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + deadline;
        LastFailure = now;
        return this;
    }

    /// <summary>A rule of waiting applies to it. False when that rule has applied before.</summary>
    public bool RecordRule(WaitRule rule)
    {
        for (var rules = Rules; rules != 0; rules >>= 4)
        {
            if ((WaitRule)(rules & 0xF) == rule)
                return false;
        }

        Rules = Rules << 4 | (uint)rule;
        return true;
    }

    /// <summary>The rules of waiting that have applied to it, in the order in which they first did.</summary>
    public IReadOnlyList<WaitRule> WaitRules()
    {
        if (Rules == 0)
            return [];
        var list = new List<WaitRule>(4);
        for (var rules = Rules; rules != 0; rules >>= 4)
            list.Insert(0, (WaitRule)(rules & 0xF));
        return list;
    }

    /// <summary>Until when it may go on waiting; the waits so far count.</summary>
    /// <param name="usual">The pool's bound; null: the deadline.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public TimeSpan MayWaitUntil(TimeSpan? usual, TimeSpan now) =>
        (Profile.MaxWait ?? usual) is { } most && most - Waited is var left && left < Deadline - now ? now + left : Deadline;

    /// <summary>It wakes for the end of no cooldown any more; another call may.</summary>
    public void LeaveReturn()
    {
        Watched?.LeaveReturn(this);
        Watched = null;
    }

    bool IAttemptOwner.HasUntried(TimeSpan now) => Engine?.HasUntried(this, now) == true;

    TimeSpan? IAttemptOwner.UsualOfOthers(EndpointState state, bool isStream) => Engine?.UsualOfOthers(state, isStream);

    public void Clear()
    {
        Profile = RequestProfile.Default;
        History.Clear();
        CallerToken = default;
        Hedged = HedgeWasConsidered = HasPaid = false;
        Rules = 0;
        WasReleased = false;
        Waited = LastFailure = HoldUntil = default;
        Backoffs = _silences = _ownSilences = 0;
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

    public CallDetail Detail(TimeSpan now)
    {
        if (_servedBy is not null && History is { Begun: 1, Entries: [{ Fault: null, Ended: { } ended, Started: var started }] })
            return new CallDetail(_servedBy, ended - started) { WaitRules = WaitRules(), Waited = Waited, InputTokens = _tokens.Input, OutputTokens = _tokens.Output };
        return DetailOfMany(now);
    }

    private CallDetail DetailOfMany(TimeSpan now) => new()
    {
        Endpoint = _servedBy ?? History.Entries[^1].Endpoint.Name, // a refusal of the request itself was not served, but it did come from somewhere
        Attempts = Attempts(now),
        AttemptCount = History.Begun,
        WaitRules = WaitRules(),
        Hedged = Hedged,
        Waited = Waited,
        InputTokens = _tokens.Input,
        OutputTokens = _tokens.Output,
    };

    public IReadOnlyList<AttemptRecord> Attempts(TimeSpan now)
    {
        var entries = History.Entries;
        var left = Math.Max(0, entries.Length - AttemptRecord.FirstTold - AttemptRecord.LastTold);
        var records = new AttemptRecord[entries.Length - left];
        for (var i = 0; i < records.Length; i++)
        {
            ref readonly var entry = ref entries[i < AttemptRecord.FirstTold ? i : i + left];
            records[i] = new AttemptRecord(entry.Endpoint.Name, entry.Fault, (entry.Ended ?? now) - entry.Started);
        }
        return records;
    }
}
