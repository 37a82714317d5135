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
    private readonly ObjectCache<Lease> _leases = new(static () => new Lease());
    private readonly ObjectCache<FailoverCall> _calls;
    private readonly HealthTracker _health;
    private readonly Chance _chance;
    private PoolSnapshot _snapshot;
    private Selector _selector;
    private FailoverSettings _settings;
    private readonly string _idempotencyPrefix;
    private long _callNumber;

    public FailoverEngine(
        PoolClock clock, PoolSnapshot snapshot, Selector selector, FailoverSettings settings, HealthTracker health,
        RetryBudget budget, WaitQueue queue, Chance chance)
    {
        Clock = clock;
        _snapshot = snapshot;
        _selector = selector;
        _settings = settings;
        _health = health;
        Budget = budget;
        Queue = queue;
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
            if (choice.State is null)
                break;
            if (TryStart(call, choice.State, ModeOf(choice.Admission), now) is { } lease)
                return Step.Start(lease);
        }
        return AgainOrWait(call, snapshot, settings, now);
    }

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
        var able = 0;
        var left = 0;
        var admitted = false;
        foreach (var member in snapshot.Members)
        {
            if (!query.CanServe(member))
                continue;
            able++;
            admitted |= member.Health.State.Admits(now);
            var tried = call.History.TimesTried(member);
            if (tried >= settings.Retry.MaxAttemptsPerEndpoint)
                continue;
            left += settings.Retry.MaxAttemptsPerEndpoint - tried;
            var at = member.AvailableAt(call.Profile.Tokens, now);
            if (tried > 0 || call.History.FoundBroken(member))
                at = Max(at, BackoffEnd(call, settings));
            if (at < soonest)
                (soonest, first) = (at, member);
        }
        if (able == 0)
            return Step.GiveUp("no endpoint has the capabilities that the request needs.");
        if (left == 0)
            return Step.GiveUp("every endpoint that may serve the request was tried as often as allowed.");
        if (first is not null && soonest <= now)
            return Again(call, first, settings, now);
        if (!admitted && AskOutage(call, snapshot, settings, Math.Min(left, settings.MaxAttempts - call.History.Count), now) is { } step
            && (step.Kind == StepKind.Start || step.Until < soonest))
            return step;
        return soonest < call.Deadline
            ? Step.Wait(soonest)
            : Step.GiveUp(soonest == TimeSpan.MaxValue ? "nothing can serve the request." : "nothing can serve the request before its deadline.");
    }

    private Step Again(FailoverCall call, EndpointState state, FailoverSettings settings, TimeSpan now)
    {
        // A call that has tried nothing adds no load by trying; one that has, spends from the shared budget.
        if (call.History.Count == 0 || Budget.TryRetry())
        {
            var mode = state.Health.State.IsTrialReady(now) ? BeginMode.Trial : BeginMode.Normal;
            if (TryStart(call, state, mode, now) is { } lease)
                return Step.Start(lease);
        }
        call.BackoffUntil = null;
        call.LastFailure = now;
        return WaitIfInTime(call, BackoffEnd(call, settings));
    }

    // Nothing that could serve the request is admitted: one trial at a time asks. A call that has asked before spreads what it has left over its deadline.
    private Step? AskOutage(FailoverCall call, PoolSnapshot snapshot, FailoverSettings settings, int attemptsLeft, TimeSpan now)
    {
        var query = new SelectionQuery(call.Profile, call.History, now);
        var candidates = 0;
        foreach (var member in snapshot.Members)
            if (MayBeAsked(member, in query, settings))
                candidates++;
        if (candidates == 0)
            return null;
        var at = Max(now, Outage.NextTrialAt);
        if (call.History.Count > 0 && call.Deadline < TimeSpan.MaxValue)
            at = Max(at, call.LastFailure + (call.Deadline - call.LastFailure) / (attemptsLeft + 1));
        if (at > now || !Outage.TryTake(now))
            return WaitIfInTime(call, Max(at, now + OutagePace.PauseAfter(TimeSpan.Zero)));
        var turn = Outage.NextTurn(candidates);
        foreach (var member in snapshot.Members)
            if (MayBeAsked(member, in query, settings) && turn-- == 0
                && (call.History.Count == 0 || Budget.TryRetry())
                && TryStart(call, member, BeginMode.OutageTrial, now) is { } lease)
            {
                lease.AsksOutage = true;
                return Step.Start(lease);
            }
        Outage.Asked(now);
        return WaitIfInTime(call, Outage.NextTrialAt);
    }

    private static bool MayBeAsked(EndpointState member, in SelectionQuery query, FailoverSettings settings) =>
        query.CanServe(member)
        && query.History.TimesTried(member) < settings.Retry.MaxAttemptsPerEndpoint
        && member.Health.State.IsTrialAllowedInOutage(query.Now)
        && member.HasRoom(query.Profile.Tokens, query.Now);

    private static Step WaitIfInTime(FailoverCall call, TimeSpan until) =>
        Step.Wait(until < call.Deadline ? until : call.Deadline);

    private Lease? TryStart(FailoverCall call, EndpointState state, BeginMode mode, TimeSpan now)
    {
        var lease = _leases.Rent();
        if (!lease.TryBegin(state, mode, call.Profile.InputTokens, call.Profile.Tokens, call.History.Count + 1, call.Deadline, Clock, now))
        {
            _leases.Return(lease);
            return null;
        }
        lease.CallerToken = call.CallerToken;
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
        settings.FirstContent.Learned ? state.Latency.Limit(call.IsStream, settings.FirstContent.Minimum, settings.FirstContent.Timeout, settings.FirstContent.Multiplier)
        : call.IsStream ? settings.FirstContent.Timeout
        : null;

    /// <summary>Has the attempt been silent for longer than is usual for its endpoint?</summary>
    public bool IsSilent(FailoverCall call, Lease lease, TimeSpan now) =>
        lease.FirstContentAt is null && FirstContentLimit(call, lease.State, Settings) is { } limit && now - lease.Started >= limit;

    public void Served(FailoverCall call, Lease lease)
    {
        Budget.Success();
        Outage.Served();
        if (Queue.Count > 0)
            Queue.Release(2); // each one served lets two in: the waiting return on a ramp that their own success paces
        Release(call, lease, null, lease.Clock.Now);
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
    private TimeSpan BackoffEnd(FailoverCall call, FailoverSettings settings)
    {
        if (call.BackoffUntil is { } until)
            return until;
        var ceiling = settings.Retry.Delay * Math.Pow(2, Math.Min(call.Backoffs, 30));
        if (ceiling > settings.Retry.MaxDelay)
            ceiling = settings.Retry.MaxDelay;
        call.Backoffs++;
        until = call.LastFailure + ceiling * _chance.NextDouble();
        call.BackoffUntil = until;
        return until;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
