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

/// <summary>What a call does next when nothing of it is in flight.</summary>
internal enum StepKind
{
    Start,
    Wait,
    GiveUp,
}

/// <summary>One decision of the engine.</summary>
internal readonly record struct Step(StepKind Kind, Lease? Lease = null, TimeSpan Until = default, string Why = "")
{
    public static Step Start(Lease lease) => new(StepKind.Start, lease);

    public static Step Wait(TimeSpan until) => new(StepKind.Wait, Until: until);

    public static Step EndCall(string why) => new(StepKind.GiveUp, Why: why);
}

/// <summary>
/// The decisions of failover for one pool: where to go first, where next, how long to wait, when to give up. It holds the pool's shared
/// budget, pace and queue; the calls themselves are <see cref="FailoverCall"/>s, and the loop that acts on the decisions is the contest.
/// </summary>
internal sealed partial class FailoverEngine
{
    // All but one in a hundred of an endpoint's answers come within its usual time.
    private const double UsualShare = 0.99;

    // Nothing was served for this long: it was an outage.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    // A call object takes so many numbers at once, so that the counter is written seldom; one by one where a seed is to repeat everything.
    private readonly int _numbersAtOnce;

    // One in twenty of an endpoint's answers is as slow as that, whatever hedges cost.
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

    /// <summary>Judges what attempts came to.</summary>
    public EndpointGuard Guard { get; }

    public RetryBudget Budget { get; }

    public PoolTelemetry Telemetry { get; }

    public WaitQueue Queue { get; }

    /// <summary>Counts the calls; null where they are not counted.</summary>
    public TrafficMeter? Traffic { get; init; }

    public OutagePace Outage { get; }

    /// <summary>Told of each seam of an answer.</summary>
    public Action<StreamSeam>? SeamMade { get; set; }

    /// <summary>Told of the endpoint and the bytes where an answer is too long to be held to its end.</summary>
    public Action<string, long>? HeldTooLong { get; set; }

    /// <summary>Told, whenever a call begins or goes on to wait because nothing serves it, when the outage began that it knows.</summary>
    public Action<TimeSpan>? CallWaits { get; set; }

    /// <summary>Told of the endpoint and the fault of an attempt outside an outage whose call was served nevertheless, and of the endpoint that served it.</summary>
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

    /// <summary>Lets no more calls begin. Those under way run to their end.</summary>
    public void Close() => _isClosed = true;

    /// <param name="profile">What the caller knows about the request: requirements, sizes, deadline.</param>
    /// <param name="isStream">Is it measured by its first content?</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="callerToken">The caller's.</param>
    /// <param name="earlier">What earlier tries of the same request have found; null for the first.</param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public FailoverCall Begin(RequestProfile profile, bool isStream, TimeSpan now, CancellationToken callerToken, EarlierTries? earlier = null)
    {
        if (_isClosed)
            throw new ObjectDisposedException("EndpointPool", $"Pool '{Settings.Pool}' has been disposed.");
        Budget.Call();
        Traffic?.CallBegan(now);
        var call = _calls.Rent().Begin(profile, isStream, profile.Deadline ?? Settings.Deadline, now, callerToken);
        if (call.NumbersLeft == 0)
            call.TakeNumbers(Interlocked.Add(ref _callNumber, _numbersAtOnce) - _numbersAtOnce, _numbersAtOnce);
        call.UseNextNumber();
        call.Engine = this;
        call.RequestNumber = earlier?.RequestNumberIn(this) ?? call.Number;
        // A copy beside a try that is under way goes to another endpoint. Where every endpoint was asked, it is a request like any other.
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

    /// <summary>The next thing for a call of which nothing is in flight.</summary>
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
        // An endpoint that is out does not hold the answer back: waiting for it would turn a wrong path into a call as long as its deadline.
        return refusal != RefusalState.None
            ? Step.EndCall("the request was refused, and no other endpoint can be asked now.")
            : AwaitService(call, Snapshot, settings, now);
    }

    /// <summary>The next thing for a call of which one attempt is under way that is kept although it is silent: a second attempt beside it, or not before then.</summary>
    public Step NextBeside(FailoverCall call, TimeSpan now)
    {
        if (now >= _health.NextChange)
            _health.Advance(now);
        var settings = Settings;
        call.WasReleased = true; // it has waited for longer than its limit: what has come back since it began may be asked at once
        var step = StartUntried(call, settings, now) is { } lease ? Step.Start(lease) : AwaitService(call, Snapshot, settings, now, isCompany: true);
        if (step.Kind == StepKind.Start && call.RecordRule(WaitRule.Silence))
            Telemetry.RecordWait(WaitRule.Silence);
        return step;
    }

    private Lease? StartUntried(FailoverCall call, FailoverSettings settings, TimeSpan now)
    {
        if (!MayTryAnother(call, settings))
            return null;
        // A choice may be taken by another call, or ejected, between choosing and entering: look again, but not for ever.
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

    // Without a number that bounds all attempts the bound is on those in ordinary service; beyond it the outage's pace goes on.
    private static bool MayTryAnother(FailoverCall call, FailoverSettings settings)
    {
        if (call.History.HasNoOwn)
            return true;
        if (settings.MostAttempts is not { } most)
            return call.History.OrdinaryRetries < settings.OrdinaryRetries;
        return (most == 1 ? call.History.Begun : call.History.Counted) < most;
    }

    /// <summary>The slowest 99th percentile among the other endpoints; null where none of them has learned its own.</summary>
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

    /// <summary>Is an endpoint left that the call has not tried and could ask now?</summary>
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

    // The attempts tell how long they took themselves; the waits between them would be a riddle.
    private static string AllFailed(int attempts, TimeSpan took) => took < TimeSpan.FromSeconds(1)
        ? $"all {attempts} attempts failed."
        : string.Create(CultureInfo.InvariantCulture, $"all {attempts} attempts failed, {took.TotalSeconds:0.#} s after the call began, with the waits between them.");

    // Moving on to an endpoint that is well is free: losing one with 200 calls in flight must not use up the budget. One that is suspect itself, or out and
    // due for a trial, is not free, or a call would go round a pool of which nothing can be reached.
    private bool MayMoveTo(FailoverCall call, EndpointState state) =>
        call.History.IsFresh || call.History.Refusal != RefusalState.MayAskOne && IsWell(state.Health.State) || ProspectReader.HasComeBack(state, call.LastFailure) || TryPay(call);

    // What was paid for an attempt that could not be started then is good for the next one.
    private bool TryPay(FailoverCall call) => call.HasPaid = call.HasPaid || Budget.TryRetry();

    private static bool IsWell(HealthState health) => health is { Status: EndpointHealthStatus.Healthy or EndpointHealthStatus.SlowStart, ConsecutiveFailures: 0 };

    // Fewer than so many of its answers came within what is left: the attempt would be load and nothing else.
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

    // Bounded by the endpoint's own limits, and while another endpoint could serve by a share of what is left, so that a black hole does not eat the deadline;
    // but not where it usually takes longer, or long answers would be cut and their endpoints blamed. Until the endpoint's times are learned, an attempt that
    // reaches its limit may be kept. A call whose attempts were silent although their endpoints serve others is given more time with each.
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

    // Also one that is out now, or that the call has tried before, may be well again by then.
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
    /// Is an attempt to be kept that has been silent to its limit? Not if the limit was learned from the endpoint's own times. Otherwise a stream is given up
    /// where another endpoint is untried; a plain answer may legitimately take as long, and is kept, as is whatever must not be repeated.
    /// </summary>
    public bool KeepsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        !lease.IsLimitKnown && lease.KeptSince is null && lease.EndsAt > now && !(call.IsStream && call.Profile.MayRepeat && HasUntried(call, now));

    /// <summary>Has the attempt been silent for longer than is usual for its endpoint?</summary>
    public bool IsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && SilenceLimit(call, lease.State) is { } limit && now - lease.HeardAt >= limit;

    // A plain answer of which nothing is known may take as long as it likes.
    private TimeSpan? SilenceLimit(FailoverCall call, EndpointState state) =>
        FirstContentLimit(call, state, Settings) ?? (call.IsStream ? Settings.FirstContent.Timeout : null);

    /// <summary>Was it given up so early, for want of time, that its silence says nothing about its endpoint?</summary>
    public bool WasCutShort(FailoverCall call, Lease lease, TimeSpan now) =>
        now - lease.HeardAt < (lease.State.Times.Quantile(call.IsStream, SlowShare) ?? Settings.FirstContent.Minimum);

    /// <summary>
    /// Had an attempt that lost to another been silent for so long that it was given company? A well endpoint's calls are so slow in one case of twenty, far
    /// from what ejects; a silent endpoint's always are.
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
            Queue.Release(2); // each one served lets two in: the waiting return on a ramp that their own success paces
        call.Served(lease, now);
        Release(call, lease, null, now);
    }

    // What an endpoint refuses because of an image, or of tools, takes nothing from callers without them.
    private static bool IsOfItsRequest(Fault refusal, RequestProfile profile) => profile.Vision || profile.Tools && refusal.SecondOpinion == SecondOpinion.One;

    private void EndOutage(FailoverCall call, Lease lease, TimeSpan now)
    {
        var quiet = now - new TimeSpan(Volatile.Read(ref _lastServed));
        var wasQuiet = quiet >= Quiet;
        // All calls write it: as seldom as does no harm to a measure of seconds.
        if (quiet.Ticks >= TimeSpan.TicksPerMillisecond || quiet < TimeSpan.Zero)
            Volatile.Write(ref _lastServed, now.Ticks);
        // An endpoint that serves other kinds of requests says nothing of the outage that these calls wait for.
        if (Outage.Since is not { } since || !lease.AsksOutage && call.Rules == 0 && lease.State.PacedAt < since)
            return;
        // Where failures and successes are mixed those that wait come in with each success, and not all at once.
        if (Outage.EndOutage(now, Queue.Count > 0) is { } lasted && wasQuiet)
            (_returning ??= new ReturnSpreader(Queue, Clock.Time)).Release(lasted);
    }

    /// <summary>Notes the end of an attempt in its call and puts the lease away.</summary>
    public void Release(FailoverCall call, Lease lease, Fault? fault, TimeSpan now)
    {
        call.History.Ended(lease.Number, fault, now);
        if (fault is not null)
        {
            call.LastFailure = now;
            if (fault.Blame == FaultBlame.Endpoint)
                _returning?.Stop(); // not well yet: those that wait come in with each success
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

    /// <summary>What to do about an attempt that ended so; a wait begins here.</summary>
    public FaultAction ActionFor(FailoverCall call, Fault fault, TimeSpan now)
    {
        var action = FailoverPolicy.ActionFor(fault, call.Profile, Settings.OnFault);
        if (action == FaultAction.Wait)
            call.HoldUntil = BackoffEnd(call, Settings);
        return action;
    }

    /// <summary>An answer that went on after its call had returned is over, and with it its place on the endpoint: one of those that wait may look.</summary>
    public void PlaceFreed()
    {
        if (Queue.Count > 0)
            Queue.Release(1);
    }

    /// <summary>As <see cref="PlaceFreed"/>, for the finalizer's thread, which must not run what the waiting call does next.</summary>
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

    /// <summary>The soonest time at which any endpoint could take the request; null when time alone will not do.</summary>
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
