using System.Diagnostics;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// Holds the state of one call. It is stored in the call's <see cref="ResilienceContext"/>. So the state is kept if a strategy outside failover, for example a
/// retry of the application, runs failover again.
/// </summary>
internal sealed class FailoverCall(TimeProvider time) : IAttemptOwner
{
    public static readonly ResiliencePropertyKey<FailoverCall> Key = new("HaKit.Call");

    public RequestProfile Profile { get; private set; } = RequestProfile.Default;

    public AttemptHistory History { get; } = new();

    public AsyncSignal Signal { get; } = new(time);

    public CancellationToken CallerToken { get; private set; }

    public TimeSpan Started { get; private set; }

    public TimeSpan Deadline { get; private set; }

    /// <summary>Gets whether the attempt's callback ends at the first content of a stream.</summary>
    public bool IsStream { get; private set; }

    /// <summary>Gets or sets the engine that runs the call.</summary>
    public FailoverEngine? Engine { get; set; }

    /// <summary>Gets or sets whether a hedge was started.</summary>
    public bool Hedged { get; set; }

    /// <summary>Gets or sets whether the call was released because capacity became free or an endpoint came back, and was not woken by its own timer.</summary>
    public bool WasReleased { get; set; }

    /// <summary>Gets or sets whether a hedge was considered and must not be considered again.</summary>
    public bool HedgeWasConsidered { get; set; }

    /// <summary>Gets the rules of waiting that have applied to the call, in order. Each rule has four bits. The latest rule has the lowest bits.</summary>
    public ulong Rules { get; set; }

    /// <summary>Gets or sets the endpoint that this call watches: the call wakes when the cooldown of the endpoint ends. The other waiting calls wake later.</summary>
    public EndpointState? Watched { get; set; }

    /// <summary>Gets or sets whether this is the one call that tests whether an outage is over.</summary>
    public bool HoldsTrialClaim { get; set; }

    /// <summary>Gets or sets whether the retry budget has paid for the next attempt of the call.</summary>
    public bool HasPaid { get; set; }

    /// <summary>Gets or sets whether the call has kept the silent trial of an outage. The same endpoint may then get a second attempt beside it.</summary>
    public bool KeepsTrial { get; set; }

    public TimeSpan Waited { get; set; }

    /// <summary>Gets or sets whether the call leaves a free place to the calls behind it, because its own attempt would probably be cut short by its deadline.</summary>
    public bool GivesWay { get; set; }

    /// <summary>Gets or sets whether the call is one of <see cref="Waiting.WaitingCalls"/>.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Gets or sets when the waiting call ends if no endpoint has served it.</summary>
    public TimeSpan GivesUpAt { get; set; }

    /// <summary>Gets or sets the call's span. Null if there is no listener.</summary>
    public Activity? Span { get; set; }

    /// <summary>Gets the attempt whose stream continues after the call is over.</summary>
    public Lease? HandedOver { get; private set; }

    /// <summary>Gets the number of the call, unique within the pool.</summary>
    public long Number { get; private set; }

    /// <summary>Gets or sets the number of the first call that was made for the same request.</summary>
    public long RequestNumber { get; set; }

    /// <summary>
    /// Gets or sets the time of the latest failure. The backoff counts from this time. An endpoint counts as back only if it recovered after this time.
    /// Before the first failure, the value is the start of the call. While a silent attempt is kept, the value is the start of that attempt.
    /// </summary>
    public TimeSpan LastFailure { get; set; }

    /// <summary>Gets or sets how many times the call has waited for a backoff.</summary>
    public int Backoffs { get; set; }

    /// <summary>Gets or sets the end of the backoff, which has a random length and begins at <see cref="LastFailure"/>. Null: not chosen yet.</summary>
    public TimeSpan? BackoffUntil { get; set; }

    /// <summary>Gets or sets the time before which no attempt begins.</summary>
    public TimeSpan HoldUntil { get; set; }

    /// <summary>
    /// Ends the wait before the next attempt (<see cref="HoldUntil"/>), because the queue of waiting calls is full. The call then makes its next attempt at
    /// once. Returns false if the call does not have to wait.
    /// </summary>
    public bool TryEndHold(TimeSpan now)
    {
        if (HoldUntil <= now)
            return false;
        HoldUntil = now;
        return true;
    }

    /// <summary>Gets the time from the beginning of the call to its deadline.</summary>
    public TimeSpan DeadlineSpan { get; private set; }

    // A silence is an attempt that timed out because nothing arrived. Up to this many silences may be caused by an outage. More silences are probably caused by
    // the request, because its answer takes longer than other answers of the same endpoints.
    private const int SilencesOfAnOutage = 6;
    private const int MostDoublings = 6;

    private int _silences;
    private int _ownSilences;

    /// <summary>
    /// Gets the factor by which the attempts of this call may be silent for longer than usual. A silence doubles the factor if the same endpoint meanwhile
    /// served a later attempt, because the endpoint is then healthy and this request takes longer. Any other silence may be caused by an outage, so only six of
    /// these silences together double the factor. 1 to 64.
    /// </summary>
    public int Patience => 1 << Math.Min(_ownSilences + _silences / SilencesOfAnOutage, MostDoublings);

    /// <summary>Gets whether an attempt of the call timed out because nothing arrived within its limit.</summary>
    public bool HasBeenSilent => _silences + _ownSilences > 0;

    /// <summary>Records that an attempt timed out because nothing arrived within its limit.</summary>
    /// <param name="hasServedLater">True if the endpoint has served an attempt that began later.</param>
    public void RecordSilence(bool hasServedLater)
    {
        if (hasServedLater)
            _ownSilences++;
        else
            _silences++;
    }

    private long _nextNumber;
    private Lease? _spareLease;

    /// <summary>Gets how many calls may still take their number from the numbers that this object has reserved.</summary>
    public int NumbersLeft { get; private set; }

    public void AddNumbers(long first, int count) => (_nextNumber, NumbersLeft) = (first, count);

    public void UseNextNumber()
    {
        Number = ++_nextNumber;
        NumbersLeft--;
    }

    /// <summary>Rents a lease for the next attempt.</summary>
    public Lease RentLease()
    {
        var lease = _spareLease ?? new Lease();
        _spareLease = null;
        return lease;
    }

    /// <summary>Keeps a lease that is ready for reuse, for a later attempt of this call or of the next call that uses this object.</summary>
    public void KeepLease(Lease lease) => _spareLease = lease;

    public FailoverCall Begin(RequestProfile profile, bool isStream, TimeSpan deadline, TimeSpan now, CancellationToken callerToken)
    {
        Profile = profile;
        IsStream = isStream;
        CallerToken = callerToken;
        Started = now;
        DeadlineSpan = deadline;
        var began = profile.BeganAt ?? now;
        Deadline = deadline > TimeSpan.MaxValue - began ? TimeSpan.MaxValue : began + deadline;
        LastFailure = now;
        return this;
    }

    /// <summary>
    /// Lets endpoints that seem too small by an estimate serve the call too. Returns false if the size of the request is not estimated, or if the call already
    /// accepts such endpoints.
    /// </summary>
    public bool TryAcceptLessRoom()
    {
        if (!Profile.IsWindowEstimated || Profile.MayLackRoom)
            return false;
        Profile = Profile with { MayLackRoom = true, Preferred = Profile.Preferred is { } preferred ? preferred with { MayLackRoom = true } : null };
        return true;
    }

    /// <summary>Records that a rule of waiting applies, as the latest rule. Returns false if that rule has applied before.</summary>
    public bool RecordRule(WaitRule rule)
    {
        for (var shift = 0; Rules >> shift != 0; shift += 4)
        {
            if ((WaitRule)(Rules >> shift & 0xF) == rule)
            {
                var later = Rules & (1ul << shift) - 1;
                var earlier = Rules >> shift >> 4 << shift;
                Rules = (earlier | later) << 4 | (uint)rule;
                return false;
            }
        }

        Rules = Rules << 4 | (uint)rule;
        return true;
    }

    /// <summary>Gets the rules of waiting that have applied, each once, in the order in which they last applied.</summary>
    public IReadOnlyList<WaitRule> WaitRules()
    {
        if (Rules == 0)
            return [];
        var list = new List<WaitRule>(4);
        for (var rules = Rules; rules != 0; rules >>= 4)
            list.Insert(0, (WaitRule)(rules & 0xF));
        return list;
    }

    /// <summary>
    /// Checks whether less than a quarter of the call's time is left. Calls with more time left then go first, because their attempts are less likely to be cut
    /// short.
    /// </summary>
    public bool IsInLastPart(TimeSpan now) => Deadline < TimeSpan.MaxValue && Deadline - now < LastPart * DeadlineSpan;

    private const double LastPart = 0.25;

    /// <summary>Gets the time at which the call must stop waiting. The waits of the call so far count too.</summary>
    /// <param name="usual">The pool's limit. Null: the deadline.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public TimeSpan MayWaitUntil(TimeSpan? usual, TimeSpan now) =>
        (Profile.MaxWait ?? usual) is { } most && most - Waited is var left && left < Deadline - now ? now + left : Deadline;

    /// <summary>Stops watching the end of a cooldown, so that another call may watch it.</summary>
    public void StopWatching()
    {
        Watched?.StopWatching(this);
        Watched = null;
    }

    bool IAttemptOwner.HasUntried(TimeSpan now) => Engine?.Untried.HasAny(this, now) == true;

    TimeSpan? IAttemptOwner.UsualOfOthers(EndpointState state, bool isStream) => Engine?.Silence.UsualOfOthers(state, isStream);

    public void Clear()
    {
        Profile = RequestProfile.Default;
        History.Clear();
        CallerToken = default;
        Hedged = HedgeWasConsidered = HasPaid = false;
        Rules = 0;
        WasReleased = GivesWay = KeepsTrial = false;
        Waited = LastFailure = HoldUntil = default;
        Backoffs = _silences = _ownSilences = 0;
        BackoffUntil = null;
        _servedBy = null;
        _tokens = default;
        Span = null;
        HandedOver = null;
        (_endedBy, _endFault, _endFailure) = (null, null, null);
    }

    private string? _endedBy;
    private Fault? _endFault;
    private Exception? _endFailure;

    /// <summary>
    /// Records the attempt that ends the call with a failure or a refusal. The caller's exception may tell less than the attempt's fault: a
    /// <see cref="TimeoutException"/> ends a call for several kinds of timeouts.
    /// </summary>
    /// <param name="endpoint">The name of the attempt's endpoint.</param>
    /// <param name="fault">The fault of the attempt.</param>
    /// <param name="failure">The exception that the caller gets. Null if the caller gets the endpoint's refusal as a result, without an exception.</param>
    public void RecordEnd(string endpoint, Fault fault, Exception? failure) => (_endedBy, _endFault, _endFailure) = (endpoint, fault, failure);

    /// <summary>Gets the fault of the attempt that ended the call with this exception. Null if no attempt did, for example if the deadline passed.</summary>
    /// <param name="failure">The exception that the caller gets. Null if the caller gets the endpoint's refusal as a result, without an exception.</param>
    public Fault? FaultBehind(Exception? failure) => ReferenceEquals(failure, _endFailure) ? _endFault : null;

    private string? _servedBy;
    private (long? Input, long? Output) _tokens;

    public TimeSpan ServedAt { get; private set; }

    public bool IsServed => _servedBy is not null;

    public void RecordServed(Lease lease, TimeSpan now)
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
        // The endpoint that served the call, or else the endpoint that sent the refusal that the caller gets. If a strategy of the application answered, this is
        // the endpoint of the last attempt, or an empty name without an attempt.
        Endpoint = _servedBy ?? _endedBy ?? (History.Entries is [.., var last] ? last.Endpoint.Name : ""),
        Attempts = Attempts(now),
        AttemptCount = History.Begun,
        PerhapsBilled = History.PerhapsBilled,
        WaitRules = WaitRules(),
        Hedged = Hedged,
        Waited = Waited,
        InputTokens = _tokens.Input,
        OutputTokens = _tokens.Output,
    };

    /// <summary>Gets how many attempts may have been billed, if the call has no answer. Attempts that are still running may be billed too.</summary>
    public int PerhapsBilled
    {
        get
        {
            var running = 0;
            foreach (ref readonly var entry in History.Entries)
                running += entry.Fault is null ? 1 : 0;
            return History.PerhapsBilled + running;
        }
    }

    public IReadOnlyList<AttemptRecord> Attempts(TimeSpan now)
    {
        var entries = History.Entries;
        var left = Math.Max(0, entries.Length - AttemptRecord.FirstShown - AttemptRecord.LastShown);
        var records = new AttemptRecord[entries.Length - left];
        for (var i = 0; i < records.Length; i++)
        {
            ref readonly var entry = ref entries[i < AttemptRecord.FirstShown ? i : i + left];
            records[i] = new AttemptRecord(entry.Endpoint.Name, entry.Fault, (entry.Ended ?? now) - entry.Started);
        }
        return records;
    }
}
