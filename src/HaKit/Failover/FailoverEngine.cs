using System.Globalization;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover.Waiting;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>Says what a call does next when it has no attempt in flight.</summary>
internal enum StepKind
{
    Start,
    Wait,
    GiveUp,
}

/// <summary>Holds one decision of the engine.</summary>
internal readonly record struct Step(StepKind Kind, Lease? Lease = null, TimeSpan Until = default, string Why = "")
{
    public static Step Start(Lease lease) => new(StepKind.Start, lease);

    public static Step Wait(TimeSpan until) => new(StepKind.Wait, Until: until);

    public static Step EndCall(string why) => new(StepKind.GiveUp, Why: why);
}

/// <summary>
/// Makes the decisions of failover for one pool: which endpoint comes first, which comes next, how long to wait, when to give up. It holds the pool's shared
/// budget, pace and queue. <see cref="FailoverCall"/> holds the state of a call, and the attempt race carries the decisions out.
/// </summary>
internal sealed partial class FailoverEngine
{
    // The usual time of an endpoint is the time within which 99 of 100 answers come.
    private const double UsualShare = 0.99;

    // If nothing was served for this long, it was an outage.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    // A call object reserves this many numbers at once, so that the shared counter is rarely written. With a seed it reserves one number, so that runs are
    // reproducible.
    private readonly int _numbersAtOnce;

    // 5 of 100 answers of an endpoint are this slow, whatever share of calls is hedged.
    private const double SlowShare = 0.95;

    private readonly ObjectCache<FailoverCall> _calls;
    private readonly HealthTracker _health;
    private readonly IFaultClassifier _classifier;
    private readonly Chance _chance;
    private readonly CurrentSnapshot _snapshot;
    private ITimer? _freeing;
    private Selector _selector;
    private FailoverSettings _settings;
    private readonly string _idempotencyPrefix;
    private long _callNumber;
    private volatile bool _isClosed;
    private ReturnSpreader? _returning;
    private long _lastServed = -1;

    public FailoverEngine(
        PoolClock clock, CurrentSnapshot snapshot, Selector selector, FailoverSettings settings, HealthTracker health,
        RetryBudget budget, WaitQueue queue, IFaultClassifier classifier, Chance chance, PoolTelemetry telemetry)
    {
        Clock = clock;
        _snapshot = snapshot;
        _selector = selector;
        _settings = settings;
        _health = health;
        Budget = budget;
        Queue = queue;
        _classifier = classifier;
        Guard = new EndpointGuard(classifier, clock.Time);
        _chance = chance;
        Telemetry = telemetry;
        Outage = new OutagePace { IsWithoutBudget = budget.IsWithoutSavings };
        _idempotencyPrefix = chance.Next().ToString("x16", CultureInfo.InvariantCulture) + "-";
        _numbersAtOnce = chance.IsSeeded ? 1 : 64;
        _calls = new(() => new FailoverCall(clock.Time));
    }

    public PoolClock Clock { get; }

    /// <summary>Gets the guard, which classifies the ends of attempts.</summary>
    public EndpointGuard Guard { get; }

    public RetryBudget Budget { get; }

    public PoolTelemetry Telemetry { get; }

    public WaitQueue Queue { get; }

    /// <summary>Gets the calls that have no endpoint at this moment.</summary>
    public WaitingCalls Waiting { get; } = new();

    /// <summary>Gets the meter that counts the calls. Null: they are not counted.</summary>
    public TrafficMeter? Traffic { get; init; }

    public OutagePace Outage { get; }

    /// <summary>Gets or sets the callback for each seam of an answer.</summary>
    public Action<StreamSeam>? SeamMade { get; set; }

    /// <summary>
    /// Gets or sets the callback for an answer that is too long to be held to its end; it gets the endpoint's name and the number of bytes.
    /// </summary>
    public Action<string, long>? HeldTooLong { get; set; }

    /// <summary>
    /// Gets or sets the callback for a call that begins to wait, or continues to wait, because no endpoint serves it. It gets the time at which the outage
    /// began.
    /// </summary>
    public Action<TimeSpan>? CallWaits { get; set; }

    /// <summary>
    /// Gets or sets the callback for a failed attempt outside an outage whose call was served nevertheless. It gets the endpoint, the fault and the endpoint
    /// that served the call.
    /// </summary>
    public Action<string, Fault, string>? FailureHidden { get; set; }

    public FailoverSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set => Volatile.Write(ref _settings, value);
    }

    public PoolSnapshot Snapshot => _snapshot.Value;

    public Selector Selector
    {
        get => Volatile.Read(ref _selector);
        set => Volatile.Write(ref _selector, value);
    }

    /// <summary>Refuses new calls. Calls in flight run to their end.</summary>
    public void Close() => _isClosed = true;

    /// <param name="profile">What the caller knows about the request: requirements, sizes, deadline.</param>
    /// <param name="isStream">True if the call is measured by its first content.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="callerToken">The caller's cancellation token.</param>
    /// <param name="earlier">What earlier tries of the same request have found. Null for the first try.</param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public FailoverCall Begin(RequestProfile profile, bool isStream, TimeSpan now, CancellationToken callerToken, EarlierTries? earlier = null)
    {
        if (_isClosed)
            throw new ObjectDisposedException("EndpointPool", $"Pool '{Settings.Pool}' has been disposed.");
        Budget.Call();
        Traffic?.CallBegan(profile.LimitTokens, now);
        var call = _calls.Rent().Begin(profile, isStream, profile.Deadline ?? Settings.Deadline, now, callerToken);
        if (call.NumbersLeft == 0)
            call.TakeNumbers(Interlocked.Add(ref _callNumber, _numbersAtOnce) - _numbersAtOnce, _numbersAtOnce);
        call.UseNextNumber();
        call.Engine = this;
        call.RequestNumber = earlier?.RequestNumberIn(this) ?? call.Number;
        // A copy of a request that is still running goes to another endpoint. If every endpoint was asked, it is treated like any other request.
        if (earlier?.AddTo(this, call.History, now) == true && !HasUntried(call, now))
            call.History.Clear();
        call.Span = profile.IsContinuation ? Telemetry.FindCall() : Telemetry.BeginCall(isStream);
        return call;
    }

    public void End(FailoverCall call, CallOutcome outcome, string? error)
    {
        RecordOutcome(call, outcome, error);
        call.LeaveReturn();
        if (call.HasPaid)
            Budget.GiveBack();
        call.Clear();
        _calls.Return(call);
    }

    /// <summary>Decides what a call does next that has no attempt in flight.</summary>
    public Step Next(FailoverCall call, TimeSpan now)
    {
        if (now >= _health.NextChange)
            _health.Advance(now);
        var settings = Settings;
        if (call.HoldUntil > now)
        {
            if (call.RecordRule(WaitRule.Policy))
                Telemetry.RecordWait(WaitRule.Policy);
            return Step.Wait(call.HoldUntil);
        }
        var refusal = call.History.Refusal;
        if (refusal == RefusalState.Final)
            return Step.EndCall("the request was refused.");
        if (StartUntried(call, settings, now) is { } lease)
            return Step.Start(lease);
        // An endpoint that is out does not delay a refusal: waiting for it would turn a wrong path into a call that lasts until its deadline.
        return refusal != RefusalState.None
            ? Step.EndCall("the request was refused, and no other endpoint can be asked now.")
            : AwaitService(call, Snapshot, settings, now);
    }

    /// <summary>Decides what a call does next whose only attempt is kept although it is silent: a second attempt beside it, now or at a later time.</summary>
    public Step NextBeside(FailoverCall call, TimeSpan now)
    {
        if (now >= _health.NextChange)
            _health.Advance(now);
        var settings = Settings;
        call.WasReleased = true; // the call has waited longer than its limit, so it may ask an endpoint that has come back since the call began
        var step = StartUntried(call, settings, now) is { } lease ? Step.Start(lease) : AwaitService(call, Snapshot, settings, now, isCompany: true);
        if (step.Kind == StepKind.Start && call.RecordRule(WaitRule.Silence))
            Telemetry.RecordWait(WaitRule.Silence);
        return step;
    }

    private Lease? StartUntried(FailoverCall call, FailoverSettings settings, TimeSpan now)
    {
        if (!MayTryAnother(call, settings))
            return null;
        // Between choosing and entering, another call may take the endpoint, or it may be ejected. So choose again, but not for ever.
        for (var look = 0; look <= Snapshot.Members.Length + 3; look++)
        {
            var query = new SelectionQuery(call.Profile, call.History, now);
            var choice = Selector.Choose(Snapshot, in query);
            if (choice.State is null || !MayMakeIt(call, choice.State, settings, now) || !MayMoveTo(call, choice.State))
                return null;
            if (TryStart(call, choice.State, ModeOf(choice.Admission), now) is { } lease)
                return lease;
        }
        return null;
    }

    // If no number limits all attempts, the limit applies to attempts in ordinary service; beyond it, attempts follow the outage's pace.
    private static bool MayTryAnother(FailoverCall call, FailoverSettings settings)
    {
        if (call.History.HasNoOwn)
            return true;
        if (settings.MostAttempts is not { } most)
            return call.History.OrdinaryRetries < settings.OrdinaryRetries;
        return (most == 1 ? call.History.Begun : call.History.Counted) < most;
    }

    /// <summary>Gets the slowest 99th percentile of the other endpoints. Null if none of them has learned its own.</summary>
    public TimeSpan? UsualOfOthers(EndpointState state, bool isStream)
    {
        TimeSpan? slowest = null;
        foreach (var member in Snapshot.Members)
        {
            if (!ReferenceEquals(member, state) && member.Times.Quantile(isStream, UsualShare) is { } usual && !(usual <= slowest))
                slowest = usual;
        }
        return slowest;
    }

    /// <summary>Checks whether an endpoint is left that the call has not tried and could ask now.</summary>
    public bool HasUntried(FailoverCall call, TimeSpan now)
    {
        if (!MayTryAnother(call, Settings))
            return false;
        try
        {
            return Selector.Choose(Snapshot, new SelectionQuery(call.Profile, call.History, now)).State is not null;
        }
#pragma warning disable CA1031 // A user's selector that throws now would leave the attempt that is under way without an owner.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    // The attempts already show their own durations, but the waits between them do not show.
    private static string AllFailed(int attempts, TimeSpan took) => took < TimeSpan.FromSeconds(1)
        ? $"all {attempts} attempts failed."
        : string.Create(CultureInfo.InvariantCulture, $"all {attempts} attempts failed, {took.TotalSeconds:0.#} s after the call began, with the waits between them.");

    // Moving on to a healthy endpoint is free, because the loss of an endpoint with 200 calls in flight must not use up the budget. Moving on to a suspect
    // endpoint, or to an ejected one that is due for a trial, is not free; otherwise a call could go round a pool in which no endpoint can be reached.
    private bool MayMoveTo(FailoverCall call, EndpointState state) =>
        call.History.IsFresh || call.History.Refusal != RefusalState.MayAskOne && IsWell(state.Health.State) || ProspectReader.HasComeBack(state, call.LastFailure) || TryPay(call);

    // If a paid attempt could not be started, the payment is used for the next attempt.
    private bool TryPay(FailoverCall call) => call.HasPaid = call.HasPaid || Budget.TryRetry();

    private static bool IsWell(HealthState health) => health is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart, ConsecutiveFailures: 0 };

    // If fewer than this share of the endpoint's answers came within the remaining time, the attempt would only add load.
    private static bool MayMakeIt(FailoverCall call, EndpointState state, FailoverSettings settings, TimeSpan at) =>
        call.History.IsFresh || settings.Retry.MinimumChance == 0 || call.Deadline == TimeSpan.MaxValue
        || state.Times.Quantile(call.IsStream, settings.Retry.MinimumChance) is not { } quick || call.Deadline - at > quick;

    private static BeginMode ModeOf(Admission admission) => admission switch
    {
        Admission.Trial => BeginMode.Trial,
        Admission.FailOpen => BeginMode.FailOpen,
        _ => BeginMode.Normal,
    };

    private Lease? TryStart(FailoverCall call, EndpointState state, BeginMode mode, TimeSpan now, bool isPaced = false)
    {
        var lease = call.TakeLease();
        if (!lease.TryBegin(state, mode, call.Profile.InputTokens, call.Profile.LimitTokens, call.History.NextNumber, call.Deadline, Clock, now))
        {
            call.KeepLease(lease);
            return null;
        }
        lease.CallerToken = call.CallerToken;
        lease.IsStream = call.IsStream;
        lease.Request = call.Profile.Request;
        (lease.SilentUntil, lease.EndsAt, lease.IsLimitKnown) = Timeouts(call, state, now);
        lease.Owner = call;
        lease.Identify(call.Profile.IdempotencyKey, _idempotencyPrefix, call.Number, call.RequestNumber);
        lease.CallSpan = call.Span;
        (lease.IsPaid, call.HasPaid) = (call.HasPaid, false);
        if (!call.History.IsFresh)
            TellAgain(call, state);
        call.History.Add(state, now, isInService: !lease.IsTrial, isPaced);
        return lease;
    }

    // The limits of an attempt are the endpoint's own limits. While another endpoint could serve, an attempt may also take only a share of the remaining
    // time, so that a black hole does not use up the deadline. This does not apply below the endpoint's usual time, because otherwise long answers would be
    // cut and their endpoints blamed. Until the endpoint's times are learned, an attempt that reaches its limit may be kept. A call whose attempts were
    // silent although their endpoints serve others gets more time with each attempt.
    private (TimeSpan Silent, TimeSpan Any, bool IsKnown) Timeouts(FailoverCall call, EndpointState state, TimeSpan now)
    {
        var settings = Settings;
        var left = call.Deadline - now;
        var whole = Min(state.Endpoint.AttemptTimeout ?? settings.AttemptTimeout ?? left, left);
        var known = FirstContentLimit(call, state, settings);
        var silent = Min(known * (settings.FirstContent.Learned ? call.Patience : 1) ?? (settings.FirstContent.Learned ? settings.FirstContent.Timeout : whole), whole);
        var share = left < TimeSpan.MaxValue / 2 ? left * settings.FirstContent.DeadlineShare : left;
        if (share < silent && AnotherCouldServe(call, state, now))
            silent = Min(silent, Max(share, state.Times.Quantile(call.IsStream, UsualShare) ?? TimeSpan.Zero));
        return (After(silent), After(whole), known is not null);

        TimeSpan After(TimeSpan limit) => limit < left ? now + limit : call.Deadline;
    }

    // An endpoint that is out now, or that the call has tried before, may also be healthy again by then.
    private bool AnotherCouldServe(FailoverCall call, EndpointState state, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        foreach (var member in Snapshot.Members)
        {
            if (!ReferenceEquals(member, state) && member.Health.State.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown) && query.CanServe(member))
                return true;
        }

        return false;
    }

    private static TimeSpan? FirstContentLimit(FailoverCall call, EndpointState state, FailoverSettings settings)
    {
        if (settings.FirstContent.Learned)
            return state.Times.LearnedLimit(call.IsStream);
        return call.IsStream ? settings.FirstContent.Timeout : null;
    }

    /// <summary>
    /// Decides whether an attempt is kept that has been silent up to its limit. It is not kept if the limit was learned from the endpoint's own times.
    /// Otherwise a stream is given up if another endpoint is untried. A plain answer is kept, because it may legitimately take that long; a request that must
    /// not be repeated is kept too.
    /// </summary>
    public bool KeepsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        !lease.IsLimitKnown && lease.KeptSince is null && lease.EndsAt > now && !(call.IsStream && call.Profile.MayRepeat && HasUntried(call, now));

    /// <summary>Checks whether the attempt has been silent for longer than usual for its endpoint.</summary>
    public bool IsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && SilenceLimit(call, lease.State) is { } limit && now - lease.HeardAt >= limit;

    // A plain answer has no limit as long as nothing is learned.
    private TimeSpan? SilenceLimit(FailoverCall call, EndpointState state) =>
        FirstContentLimit(call, state, Settings) ?? (call.IsStream ? Settings.FirstContent.Timeout : null);

    /// <summary>Checks whether the attempt was given up so early, for lack of time, that its silence says nothing about the endpoint.</summary>
    public bool WasCutShort(FailoverCall call, Lease lease, TimeSpan now) =>
        now - lease.HeardAt < (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? Settings.FirstContent.Minimum);

    /// <summary>
    /// Checks whether an attempt that lost to another attempt had been silent for longer than 95 of 100 of its endpoint's answers take. A healthy endpoint is
    /// that slow in one of twenty calls, which is far from an ejection; a silent endpoint always is.
    /// </summary>
    public bool WasUnusuallySilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? (call.IsStream || lease.KeptSince is not null ? Settings.FirstContent.Timeout : null)) is { } usual
        && now - lease.HeardAt >= usual;

    public void Served(FailoverCall call, Lease lease, TimeSpan now)
    {
        Budget.Success();
        if (lease.IsPaid)
            Budget.GiveBack();
        Outage.NoteServed(lease.Started, now);
        EndOutage(call, lease, now);
        foreach (ref readonly var entry in call.History.Entries)
        {
            if (entry.Fault is { IsProvisional: true } refusal && !IsOfItsRequest(refusal, call.Profile))
                entry.State.Refuted(refusal, entry.Started, now);
            if (entry is { IsInService: true, Fault: { Blame: FaultBlame.Endpoint or FaultBlame.Throttle } fault })
                FailureHidden?.Invoke(entry.Endpoint.Name, fault, lease.State.Endpoint.Name);
        }

        if (Queue.Count > 0)
            Queue.Release(2); // each served call lets two waiting calls in, so the returning traffic grows at the speed of its own success
        call.Served(lease, now);
        Release(call, lease, null, now);
    }

    // If an endpoint refuses a request because of an image or of tools, calls without images and tools do not avoid the endpoint.
    private static bool IsOfItsRequest(Fault refusal, RequestProfile profile) => profile.Vision || profile.Tools && refusal.SecondOpinion == SecondOpinion.One;

    private void EndOutage(FailoverCall call, Lease lease, TimeSpan now)
    {
        var quiet = now - new TimeSpan(Volatile.Read(ref _lastServed));
        var wasQuiet = quiet >= Quiet;
        // All calls write this field, so it is written only when it would change by more than a millisecond, which is exact enough for a limit of a second.
        if (quiet.Ticks >= TimeSpan.TicksPerMillisecond || quiet < TimeSpan.Zero)
            Volatile.Write(ref _lastServed, now.Ticks);
        // An endpoint that serves other kinds of requests does not show that the outage is over for which these calls wait.
        if (Outage.Since is not { } since || !lease.AsksOutage && call.Rules == 0 && lease.State.PacedAt < since)
            return;
        // If failures and successes are mixed, waiting calls are let in with each success, and not all at once.
        if (Outage.EndOutage(now, Queue.Count > 0) is { } lasted && wasQuiet)
            (_returning ??= new ReturnSpreader(Queue, Clock.Time)).Release(lasted);
    }

    /// <summary>Records the end of an attempt in its call and puts the lease away.</summary>
    public void Release(FailoverCall call, Lease lease, Fault? fault, TimeSpan now)
    {
        call.History.Ended(lease.Number, fault, now);
        if (fault is not null)
        {
            call.LastFailure = now;
            if (fault.Blame == FaultBlame.Endpoint)
                _returning?.Stop(); // the endpoint is not healthy yet, so waiting calls are let in with each success
            call.BackoffUntil = null;
            if (fault.Kind == FaultKind.FirstContentTimeout)
                call.NoteSilence(lease.State.ServedBegan > lease.Started);
            if (lease.AsksOutage)
                Outage.EndTrial(now, _chance.NextDouble());
            if (Queue.Count > 0)
                Queue.Release(1);
        }
        else if (lease.AsksOutage)
        {
            Outage.EndTrial(now, _chance.NextDouble());
        }

        if (lease.TryReset())
            call.KeepLease(lease);
    }

    /// <summary>Decides what to do about the fault of an attempt. A wait begins here.</summary>
    public FaultAction ActionFor(FailoverCall call, Fault fault, TimeSpan now)
    {
        var action = FailoverPolicy.ActionFor(fault, call.Profile, Settings.OnFault);
        if (action == FaultAction.Wait)
            call.HoldUntil = BackoffEnd(call, Settings);
        return action;
    }

    /// <summary>
    /// Lets one waiting call look for a place: a stream that continued after its call returned has ended, and its place on the endpoint is free.
    /// </summary>
    public void PlaceFreed()
    {
        if (Queue.Count > 0)
            Queue.Release(1);
    }

    /// <summary>Does the same as <see cref="PlaceFreed"/>, for the finalizer's thread, which must not run the continuation of the waiting call.</summary>
    public void PlaceFreedLater()
    {
        if (Queue.Count == 0)
            return;
        if (_freeing is null)
            Interlocked.CompareExchange(ref _freeing, Clock.Time.NewTimer(static engine => ((FailoverEngine)engine!).PlaceFreed(), this), null);
        _freeing.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public Fault Classify(Exception exception, PoolEndpoint endpoint) =>
        OwnFaults.In(exception) ?? _classifier.Classify(new FaultEvidence { Exception = exception, Dialect = endpoint.Dialect, Now = Clock.Time.GetUtcNow() }) ?? KnownFaults.Unknown;

    public IReadOnlyList<EndpointExplanation> Explain(FailoverCall call, TimeSpan now) =>
        Selector.Explain(Snapshot, new SelectionQuery(call.Profile, call.History, now));

    /// <summary>Gets the earliest time at which any endpoint could take the request. Null if time alone is not enough.</summary>
    public TimeSpan? RetryAfter(FailoverCall call, TimeSpan now)
    {
        var soonest = TimeSpan.MaxValue;
        var query = new SelectionQuery(call.Profile, call.History, now);
        foreach (var member in Snapshot.Members)
        {
            if (query.CanServe(member) && member.AvailableAt(call.Profile.LimitTokens, now) is var at && at < soonest)
                soonest = at;
        }

        return soonest == TimeSpan.MaxValue ? null : soonest - now;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
