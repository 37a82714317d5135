using System.Globalization;
using HaKit.Endpoints;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;

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

    public static Step GiveUp(string why) => new(StepKind.GiveUp, Why: why);
}

/// <summary>
/// The decisions of failover for one pool: where to go first, where next, how long to wait, when to give up. It holds the pool's shared
/// budget, pace and queue; the calls themselves are <see cref="FailoverCall"/>s, and the loop that acts on the decisions is the contest.
/// </summary>
internal sealed class FailoverEngine
{
    // The share of a call's remaining time after which it spends its last attempt without any sign of recovery.
    private const double LastAttemptAt = 0.75;

    // Nothing served for this long, and then something: an outage has ended.
    private static readonly TimeSpan SilenceOfAnOutage = TimeSpan.FromSeconds(1);

    private readonly ObjectCache<Lease> _leases = new(static () => new Lease());
    private readonly ObjectCache<FailoverCall> _calls;
    private readonly HealthTracker _health;
    private readonly IFaultClassifier _classifier;
    private readonly Chance _chance;
    private PoolSnapshot _snapshot;
    private Selector _selector;
    private FailoverSettings _settings;
    private readonly string _idempotencyPrefix;
    private long _callNumber;
    private long _lastServed = -1;
    private long _cameBack = -1;

    public FailoverEngine(
        PoolClock clock, PoolSnapshot snapshot, Selector selector, FailoverSettings settings, HealthTracker health,
        RetryBudget budget, WaitQueue queue, IFaultClassifier classifier, Chance chance)
    {
        Clock = clock;
        _snapshot = snapshot;
        _selector = selector;
        _settings = settings;
        _health = health;
        Budget = budget;
        Queue = queue;
        _classifier = classifier;
        _chance = chance;
        _idempotencyPrefix = chance.Next().ToString("x16", CultureInfo.InvariantCulture) + "-";
        _calls = new(() => new FailoverCall(clock.Time));
    }

    public PoolClock Clock { get; }

    public RetryBudget Budget { get; }

    public WaitQueue Queue { get; }

    public OutagePace Outage { get; } = new();

    public FailoverSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set => Volatile.Write(ref _settings, value);
    }

    public PoolSnapshot Snapshot
    {
        get => Volatile.Read(ref _snapshot);
        set => Volatile.Write(ref _snapshot, value);
    }

    public Selector Selector
    {
        get => Volatile.Read(ref _selector);
        set => Volatile.Write(ref _selector, value);
    }

    public FailoverCall Begin(RequestProfile profile, bool isStream, CancellationToken callerToken)
    {
        Budget.Call();
        return _calls.Rent().Begin(profile, isStream, profile.Deadline ?? Settings.Deadline, Interlocked.Increment(ref _callNumber), Clock.Now, callerToken);
    }

    public void End(FailoverCall call)
    {
        call.Clear();
        _calls.Return(call);
    }

    /// <summary>The next thing for a call of which nothing is in flight.</summary>
    public Step Next(FailoverCall call, TimeSpan now)
    {
        if (now >= _health.NextChange)
            _health.Advance(now);
        var settings = Settings;
        if (call.History.Count >= settings.MaxAttempts)
            return Step.GiveUp($"all {settings.MaxAttempts} attempts failed.");
        var snapshot = Snapshot;
        // A choice may be taken by another call, or ejected, between choosing and entering: look again, but not for ever.
        for (var look = 0; look <= snapshot.Members.Length + 3; look++)
        {
            var query = new SelectionQuery(call.Profile, call.History, now);
            var choice = Selector.Choose(snapshot = Snapshot, in query);
            if (choice.State is null || !MayMoveTo(call, choice.State))
                break;
            if (TryStart(call, choice.State, ModeOf(choice.Admission), now) is { } lease)
                return Step.Start(lease);
        }
        return AgainOrWait(call, snapshot, settings, now);
    }

    // Moving on to an endpoint that is well is free: losing one with 200 calls in flight must not use up the budget. One that is suspect itself is not
    // free, or a call would go round a pool of which nothing can be reached.
    private bool MayMoveTo(FailoverCall call, EndpointState state) =>
        call.History.Count == 0 || state.Health.State.Status != HealthStatus.Suspect || CameBackSince(call, state) || Budget.TryRetry();

    // Something was served after a silence, or this endpoint has returned, since the call last failed: it was waiting, not hammering.
    private bool CameBackSince(FailoverCall call, EndpointState state) =>
        Volatile.Read(ref _cameBack) > call.LastFailure.Ticks
        || state.Health.State is { Status: HealthStatus.Recovering, Since: var since } && since > call.LastFailure;

    private static BeginMode ModeOf(Admission admission) => admission switch
    {
        Admission.Trial => BeginMode.Trial,
        Admission.FailOpen => BeginMode.FailOpen,
        _ => BeginMode.Normal,
    };

    // No endpoint is left that this call has not tried: the soonest of backoff, Retry-After and recovery, if the deadline allows.
    private Step AgainOrWait(FailoverCall call, PoolSnapshot snapshot, FailoverSettings settings, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        var soonest = TimeSpan.MaxValue;
        EndpointState? first = null;
        var able = false;
        var admitted = false;
        var mayComeFree = false;
        var left = 0;
        foreach (var member in snapshot.Members)
        {
            if (!query.CanServe(member))
                continue;
            able = true;
            admitted |= member.Health.State.Admits(now);
            mayComeFree |= member.Health.State.Status == HealthStatus.Trial || member.Health.State.Admits(now) && member.IsBusy;
            left += Math.Max(0, settings.Retry.MaxAttemptsPerEndpoint - TimesTried(call, member));
        }
        left = Math.Min(left, settings.MaxAttempts - call.History.Count);
        if (!able)
            return Step.GiveUp("no endpoint has the capabilities that the request needs.");
        if (left <= 0)
            return Step.GiveUp("every endpoint that may serve the request was tried as often as allowed.");
        foreach (var member in snapshot.Members)
        {
            if (!query.CanServe(member) || TimesTried(call, member) is var tried && tried >= settings.Retry.MaxAttemptsPerEndpoint)
                continue;
            var at = member.AvailableAt(call.Profile.Tokens, now);
            if (tried > 0 || call.History.FoundBroken(member))
                at = Max(at, NotBefore(call, left, settings));
            if (at < soonest)
                (soonest, first) = (at, member);
        }
        if (first is not null && soonest <= now)
            return Again(call, first, settings, now);
        if (!admitted && AskOutage(call, snapshot, settings, left, now) is { } step
            && (step.Kind == StepKind.Start || step.Until < soonest))
            return step;
        return soonest < call.Deadline ? Step.Wait(soonest)
            : mayComeFree ? Step.Wait(call.Deadline) // a trial's or a call's end may come at any moment, and wakes us
            : Step.GiveUp(soonest == TimeSpan.MaxValue ? "nothing can serve the request." : "nothing can serve the request before its deadline.");
    }

    // The last attempt a call has left is kept until it is likely to succeed: until anything was served since the last failure, or late in the
    // deadline. Spent on a third backoff within a second, it would lose the call to an outage that the deadline outlives.
    private TimeSpan NotBefore(FailoverCall call, int left, FailoverSettings settings)
    {
        var backoff = BackoffEnd(call, settings);
        return left > 1 || call.Deadline == TimeSpan.MaxValue || Volatile.Read(ref _lastServed) > call.LastFailure.Ticks
            ? backoff
            : Max(backoff, call.LastFailure + LastAttemptAt * (call.Deadline - call.LastFailure));
    }

    private Step Again(FailoverCall call, EndpointState state, FailoverSettings settings, TimeSpan now)
    {
        // A call that has tried nothing adds no load by trying; one that has, spends from the shared budget.
        if (call.History.Count == 0 || CameBackSince(call, state) || Budget.TryRetry())
        {
            var mode = state.Health.State.IsTrialReady(now) ? BeginMode.Trial : BeginMode.Normal;
            if (TryStart(call, state, mode, now) is { } lease)
                return Step.Start(lease);
        }
        return Step.Wait(DrawBackoff(call, now, settings));
    }

    // Nothing that could serve the request is admitted. One call at a time asks, at the outage's pace; the others wait to be let in. A call that
    // has asked before spends from the shared budget, and spreads the attempts it has left over its deadline.
    private Step? AskOutage(FailoverCall call, PoolSnapshot snapshot, FailoverSettings settings, int left, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        var candidates = 0;
        foreach (var member in snapshot.Members)
            if (MayBeAsked(member, in query, settings))
                candidates++;
        if (candidates == 0)
            return null;
        var isFresh = call.History.Count == 0;
        if (!isFresh && call.Deadline < TimeSpan.MaxValue)
        {
            var share = left > 1 ? 1.0 / (left + 1) : LastAttemptAt;
            if (call.LastFailure + share * (call.Deadline - call.LastFailure) is var turn && turn > now)
                return Step.Wait(turn);
        }
        if (!call.IsAsker && !Outage.TryClaim())
            return Step.Wait(call.Deadline);
        call.IsAsker = true;
        if (Outage.NextTrialAt is var next && next > now)
            return Step.Wait(next);
        if (isFresh || Outage.TryFree(now) || Budget.TryRetry())
        {
            var pick = Outage.NextTurn(candidates);
            foreach (var member in snapshot.Members)
                if (MayBeAsked(member, in query, settings) && pick-- == 0 && TryStart(call, member, BeginMode.OutageTrial, now) is { } lease)
                {
                    Outage.Began(now);
                    lease.AsksOutage = true;
                    call.IsAsker = false;
                    return Step.Start(lease);
                }
        }
        Resign(call);
        return Step.Wait(call.Deadline);
    }

    /// <summary>The call asks no more: it was served, gave up, or may not spend. The next in line may.</summary>
    public void Resign(FailoverCall call)
    {
        if (!call.IsAsker)
            return;
        call.IsAsker = false;
        Outage.Resign();
    }

    // An attempt on an endpoint that has come back since counts no more: it was spent on another state of things. The cap on the whole call stays.
    private static int TimesTried(FailoverCall call, EndpointState member)
    {
        var health = member.Health.State;
        return call.History.TimesTried(member, since: health.Status is HealthStatus.Healthy or HealthStatus.Recovering ? health.Since : TimeSpan.Zero);
    }

    private static bool MayBeAsked(EndpointState member, in SelectionQuery query, FailoverSettings settings) =>
        query.CanServe(member)
        && query.History.TimesTried(member) < settings.Retry.MaxAttemptsPerEndpoint
        && member.Health.State.IsTrialAllowedInOutage(query.Now)
        && member.HasRoom(query.Profile.Tokens, query.Now);

    private Lease? TryStart(FailoverCall call, EndpointState state, BeginMode mode, TimeSpan now)
    {
        var lease = _leases.Rent();
        if (!lease.TryBegin(state, mode, call.Profile.InputTokens, call.Profile.Tokens, call.History.Count + 1, call.Deadline, Clock, now))
        {
            _leases.Return(lease);
            return null;
        }
        lease.CallerToken = call.CallerToken;
        lease.IsStream = call.IsStream;
        lease.TimeoutAt = TimeoutAt(call, state, now);
        lease.Identify(call.Profile.IdempotencyKey, _idempotencyPrefix, call.Number);
        call.History.Add(state, now);
        return lease;
    }

    // Bounded by the endpoint's own limits, and while another endpoint is untried by half of what is left, so that a black hole does not eat the deadline.
    private TimeSpan TimeoutAt(FailoverCall call, EndpointState state, TimeSpan now)
    {
        var settings = Settings;
        var left = call.Deadline - now;
        var limit = state.Endpoint.AttemptTimeout ?? settings.AttemptTimeout ?? left;
        if (FirstContentLimit(call, state, settings) is { } silence && silence < limit)
            limit = silence;
        if (Snapshot.Members.Length > call.History.Count + 1 && left < TimeSpan.MaxValue / 2 && left / 2 < limit)
            limit = left / 2;
        return limit < left ? now + limit : call.Deadline;
    }

    private static TimeSpan? FirstContentLimit(FailoverCall call, EndpointState state, FailoverSettings settings) =>
        settings.FirstContent.Learned ? state.Times.Limit(call.IsStream)
        : call.IsStream ? settings.FirstContent.Timeout
        : null;

    /// <summary>Has the attempt been silent for longer than is usual for its endpoint?</summary>
    public bool IsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && FirstContentLimit(call, lease.State, Settings) is { } limit && now - lease.Started >= limit;

    /// <summary>
    /// Had an attempt that lost to another been silent for so long that it was given company? A well endpoint's calls are so slow in at most
    /// <see cref="HedgingOptions.MaxShare"/> of all cases, far from what ejects; a silent endpoint's always are.
    /// </summary>
    public bool WasUnusuallySilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && (lease.State.Times.Quantile(call.IsStream, 1 - Settings.Hedging.MaxShare) ?? lease.State.Times.Limit(call.IsStream)) is { } usual
        && now - lease.Started >= usual;

    public void Served(FailoverCall call, Lease lease)
    {
        Budget.Success();
        var now = Clock.Now;
        if (now.Ticks - Volatile.Read(ref _lastServed) > SilenceOfAnOutage.Ticks)
            Volatile.Write(ref _cameBack, now.Ticks);
        Volatile.Write(ref _lastServed, now.Ticks);
        Outage.Served();
        if (Queue.Count > 0)
            Queue.Release(2); // each one served lets two in: the waiting return on a ramp that their own success paces
        call.Served(lease, now);
        Release(call, lease, null, now);
    }

    /// <summary>Notes the end of an attempt in its call and puts the lease away.</summary>
    public void Release(FailoverCall call, Lease lease, Fault? fault, TimeSpan now)
    {
        call.History.Ended(lease.State, fault, now);
        if (fault is not null)
        {
            call.LastFailure = now;
            call.BackoffUntil = null;
            if (lease.AsksOutage)
                Outage.Asked(now);
            if (Queue.Count > 0)
                Queue.Release(1);
        }
        else if (lease.AsksOutage)
            Outage.Asked(now);
        if (lease.TryReset())
            _leases.Return(lease);
    }

    public Fault Classify(Exception exception, Endpoint endpoint) =>
        _classifier.Classify(new FaultEvidence { Exception = exception, Dialect = endpoint.Dialect, Now = Clock.Time.GetUtcNow() }) ?? KnownFaults.Unknown;

    /// <summary>When a second attempt may be started beside this one; never for calls and endpoints that must not be hedged.</summary>
    public TimeSpan HedgeAt(FailoverCall call, Lease lease)
    {
        var hedging = Settings.Hedging;
        if (!(call.Profile.MayHedge ?? hedging.Enabled) || !call.Profile.MayRepeat || lease.FirstContentAt is not null
            || lease.State.Times.Quantile(call.IsStream, 1 - hedging.MaxShare) is not { } slow)
            return TimeSpan.MaxValue;
        return lease.Started + Max(slow, hedging.MinimumDelay);
    }

    /// <summary>A second attempt on another, unburdened endpoint, if the budget has room for it.</summary>
    public Lease? TryHedge(FailoverCall call, TimeSpan now)
    {
        var snapshot = Snapshot;
        var choice = call.History.Count < Settings.MaxAttempts
            ? Selector.Choose(snapshot, new SelectionQuery(call.Profile, call.History, now))
            : Choice.None;
        if (choice is not { State: { } state, Admission: Admission.Normal } || IsOverBound(state, snapshot) || !Budget.TryHedge())
            return null;
        call.Hedged = true;
        return TryStart(call, state, BeginMode.Normal, now);
    }

    // The load bound of Mirrokni, Thorup and Zadimoghaddam (2018): no endpoint above 1.25 of the average.
    private static bool IsOverBound(EndpointState state, PoolSnapshot snapshot)
    {
        var total = 1;
        foreach (var member in snapshot.Members)
            total += member.InFlight;
        return state.InFlight + 1 > Math.Ceiling(1.25 * total / snapshot.Members.Length);
    }

    public IReadOnlyList<EndpointExplanation> Explain(FailoverCall call, TimeSpan now) =>
        Selector.Explain(Snapshot, new SelectionQuery(call.Profile, call.History, now));

    /// <summary>The soonest time at which any endpoint could take the request; null when time alone will not do.</summary>
    public TimeSpan? RetryAfter(FailoverCall call, TimeSpan now)
    {
        var soonest = TimeSpan.MaxValue;
        var query = new SelectionQuery(call.Profile, call.History, now);
        foreach (var member in Snapshot.Members)
            if (query.CanServe(member) && member.AvailableAt(call.Profile.Tokens, now) is var at && at < soonest)
                soonest = at;
        return soonest == TimeSpan.MaxValue ? null : soonest - now;
    }

    // Full jitter (Brooker 2015) from the last failure; drawn once per failure, so that looking again does not draw again.
    private TimeSpan BackoffEnd(FailoverCall call, FailoverSettings settings) => call.BackoffUntil ?? DrawBackoff(call, call.LastFailure, settings);

    private TimeSpan DrawBackoff(FailoverCall call, TimeSpan from, FailoverSettings settings)
    {
        var ceiling = settings.Retry.Delay * Math.Pow(2, Math.Min(call.Backoffs, 30));
        if (ceiling > settings.Retry.MaxDelay)
            ceiling = settings.Retry.MaxDelay;
        call.Backoffs++;
        var until = from + ceiling * _chance.NextDouble();
        call.BackoffUntil = until;
        return until;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
