using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Failover.Waiting;

/// <summary>
/// Reads all endpoints of a pool once to fill the <see cref="Prospects"/> of a call, and stores the endpoint of each prospect. It uses the same rules as the
/// code that later starts the attempt, so that no call waits for an attempt that would not be allowed.
/// </summary>
internal ref struct ProspectReader
{
    /// <summary>A call waits for the trial of an endpoint with a refused key or an exhausted quota only if the trial is due within this time.</summary>
    private static readonly TimeSpan NearTrial = TimeSpan.FromSeconds(10);

    // An endpoint in _earlierOut is out of service, and this call never tried it while it was in service. Such an endpoint may have recovered, so it sometimes
    // gets a trial before the endpoint in _trial. It gets such a trial only if it has got no request for this time. So these trials are rare and hardly delay
    // the other trials.
    private static readonly TimeSpan EarlierOutPause = TimeSpan.FromSeconds(5);

    // The same pause for an endpoint that was ejected for silence. It is longer, because a silent trial holds its call for longer than a trial that fails at once.
    private static readonly TimeSpan SilentOutPause = TimeSpan.FromSeconds(10);

    // If an endpoint fails four of ten attempts at random, one call in two million has this many failures in a row.
    private const int FailuresOfRequest = 16;
    private const double SeldomFails = 0.4;

    private readonly FailoverCall _call;
    private readonly FailoverSettings _settings;
    private readonly TimeSpan _now;
    private readonly TimeSpan? _outageSince;
    private readonly bool _isSecond;
    private readonly bool _hasRetryLeft;
    private readonly bool _hasRoomBesidePace;
    private long _turn;
    private int _able;
    private bool _anyAllowed;
    private bool _anyHeals;
    private bool _anyCanAnswer;
    private bool _mayComeFree;
    private bool _failsElsewhere;
    private bool _anyServes;
    private bool _isSpared;
    private int _serving;
    private TimeSpan _cameBackAt = TimeSpan.MaxValue;
    private TimeSpan _retryAt = TimeSpan.MaxValue;
    private TimeSpan _roomAt = TimeSpan.MaxValue;
    private TimeSpan _soonestTooLate = TimeSpan.MaxValue;
    private TimeSpan _earlierOutAskedAt;
    private double _returnedLoad = double.PositiveInfinity;
    private int _retryAttempts = int.MaxValue;
    private Trial _trial = Trial.None;
    private Trial _earlierOut = Trial.None;
    private Trial _kept = Trial.None;

    /// <param name="call">The call.</param>
    /// <param name="settings">The pool's settings.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="outage">The pace of trials in an outage of the pool. Its <see cref="OutagePace.Since"/> is null if no outage is known.</param>
    /// <param name="isSecond">True for a second attempt beside a silent attempt that the call keeps.</param>
    public ProspectReader(FailoverCall call, FailoverSettings settings, TimeSpan now, OutagePace outage, bool isSecond)
    {
        (_call, _settings, _now, _outageSince, _isSecond) = (call, settings, now, outage.Since, isSecond);
        _hasRoomBesidePace = outage.HasRoomBeside(now);
        // In an outage a call may usually make any number of trials. But after a fault that may never end (Healing.Doubtful), each trial counts as a retry, and the
        // call makes at most OrdinaryRetries retries. A call that has begun no attempt itself (HasNoOwn) may always make one attempt, even if earlier tries
        // of the same request have used up the retries.
        _hasRetryLeft = call.History.HasNoOwn || call.History.Counted <= settings.OrdinaryRetries;
    }

    /// <summary>Gets the endpoint of <see cref="Prospects.CameBackAt"/>.</summary>
    public EndpointState? Returned { get; private set; }

    /// <summary>Gets the endpoint of <see cref="Prospects.RetryAt"/>.</summary>
    public EndpointState? Serving { get; private set; }

    /// <summary>Gets the endpoint of <see cref="Prospects.TrialAt"/>.</summary>
    public EndpointState? Asked { get; private set; }

    /// <summary>Gets <see cref="Prospects.FailsAlone"/>.</summary>
    public readonly bool FailsAlone => _call.History.Counted >= FailuresOfRequest && !_failsElsewhere;

    public Prospects Read(PoolSnapshot snapshot)
    {
        var query = new SelectionQuery(_call.Profile, _call.History, _now).ForPreferred(snapshot).PreferRoom(snapshot);
        for (var i = 0; i < snapshot.Members.Length; i++)
        {
            _turn = (i + _call.Number) % snapshot.Members.Length;
            if (query.CanServe(snapshot.Members[i]))
                Read(snapshot.Members[i]);
        }
        // If other endpoints serve too, the returning endpoint gets only a small share of the waiting calls: twice its slow-start share. If all waiting calls
        // went to the endpoint at once and it failed, its many failures would eject it again.
        if (Returned is not null && _serving > 1 && Fraction(_call.Number) >= 2 * Returned.Health.State.SlowStartShare(_now))
            (_cameBackAt, Returned) = (TimeSpan.MaxValue, null);
        // The endpoint in _trial usually gets the trial. The endpoint in _earlierOut (see EarlierOutPause) gets the trial in two cases: _trial has no endpoint,
        // or _earlierOut comes first (Trial.IsBefore) and MayTryEarlierOut allows its trial.
        var trial = _trial.Endpoint is null || _earlierOut.IsBefore(_trial, _now) && MayTryEarlierOut() ? _earlierOut : _trial;
        // A plain answer may legitimately take long. So only a stream, or a call that has kept the silent trial of an outage, may get its second attempt on the
        // endpoint that already works on it.
        if (trial.Endpoint is null && MayAskTwice)
            trial = _kept;
        Asked = trial.Endpoint;
        return new Prospects
        {
            Able = _able,
            AnyAllowed = _anyAllowed,
            AnyHeals = _anyHeals,
            AnyCanAnswer = _anyCanAnswer || !_anyHeals,
            CameBackAt = _cameBackAt,
            RetryAt = _retryAt,
            RoomAt = _roomAt,
            TrialAt = trial.Endpoint is null ? _soonestTooLate : trial.At,
            AskedAt = trial.AskedAt,
            IsTrialTimeNamed = trial.IsNamed,
            MayComeFree = _mayComeFree,
            FailsAlone = FailsAlone,
        };
    }

    private readonly bool MayAskTwice => _call.IsStream || _call.KeepsTrial;

    private void Read(EndpointState member)
    {
        _able++;
        var health = member.Health.State;
        var findings = _call.History.FindingsOf(member);
        if (findings.Counted >= _settings.Retry.MaxAttemptsPerEndpoint && !_call.History.HasNoOwn)
            return;
        _anyAllowed = true;
        _failsElsewhere |= findings.Attempts > 0 && !ServesOthersOnly(member, in findings);
        if (health.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown || !Heals(in findings, health))
            return;
        _anyHeals = true;
        var admits = health.Admits(_now);
        _mayComeFree |= (health.Status == EndpointHealthStatus.Trial || admits && member.IsBusy) && member.CanHold(member.CountTokens(_call.Profile));
        if (health.Status == EndpointHealthStatus.Trial)
        {
            _anyCanAnswer = true; // until its trial ends, the call assumes that the endpoint can answer before the deadline
            return;
        }
        var at = Max(AskableAt(health), member.RoomAt(member.CountTokens(_call.Profile), _now));
        if (at >= _call.Deadline)
        {
            (_soonestTooLate, _anyCanAnswer) = (Min(_soonestTooLate, at), true);
            return;
        }
        if (!CanAnswerBy(member, at))
            return;
        _anyCanAnswer = true;
        if (admits)
            ReadServing(member, health, in findings, at);
        if (admits && at > _now && findings is { Attempts: 0, Fault: null })
            _roomAt = Min(_roomAt, at); // the call only waits for capacity of the endpoint, which is not an outage
        else
            ReadTrial(member, health, in findings, at);
    }

    // Reads an endpoint in service: it may have come back since the call's last failure, or it may serve other calls.
    private void ReadServing(EndpointState member, HealthState health, in AttemptHistory.Findings findings, TimeSpan at)
    {
        var failedAt = _call.LastFailure;
        var hasServed = member.AnsweredAt > failedAt;
        _anyServes |= hasServed && !health.IsSpared;
        _isSpared |= health.IsSpared;
        _serving += hasServed ? 1 : 0;
        // A plain answer may legitimately take long. So the endpoint that already works on it gets no second attempt, even if it answers other calls meanwhile.
        if (findings.IsUnderWay && !MayAskTwice)
            return;
        // Only calls that are released one after another may go to an endpoint that has come back. A call that was woken by its own timer must pay from the
        // retry budget, or wait for the next trial of the outage (OutagePace). Otherwise all calls would go to the endpoint at the same time.
        var isOpen = _call.WasReleased && HasComeBack(member, failedAt);
        // A probe may be wrong. So if only a probe shows that the endpoint is back, a call may make its attempt before the next trial is due only while the
        // outage allows more repeats beside its trials (OutagePace.HasRoomBeside).
        if ((isOpen || findings.Attempts > 0 && _hasRoomBesidePace && member.IsSeenBack) && member.Load < _returnedLoad)
            (_cameBackAt, _returnedLoad, Returned) = (at, member.Load, member);
        if (hasServed && (findings.Attempts > 0 || _isSecond) && findings.Attempts < _retryAttempts)
            (_retryAt, _retryAttempts, Serving) = (at, findings.Attempts, member);
    }

    /// <summary>
    /// Checks whether the endpoint has come back since the given time: it has answered an attempt that began later, and has not failed since. The end of a
    /// cooldown does not show that the endpoint has come back.
    /// </summary>
    /// <remarks>
    /// Each answer releases two waiting calls. If another attempt fails, the endpoint counts as back again only after its next answer. So an endpoint that answers
    /// only some attempts, for example because some servers behind its load balancer are down, gets at most two attempts of waiting calls for each answer. In a
    /// total outage it gets none.
    /// </remarks>
    public static bool HasComeBack(EndpointState member, TimeSpan failedAt) => member.AnsweredBegan > failedAt && member.Health.State.ConsecutiveFailures == 0;

    private void ReadTrial(EndpointState member, HealthState health, in AttemptHistory.Findings findings, TimeSpan at)
    {
        var trial = new Trial(
            member, at, IsNamed: at > _now && health.IsCooling(_now), IsSeenWell: member.IsSeenBack || IsProbedWell(member, health) || ServesOthers(member, in findings),
            Max(findings.AskedAt, member.PacedAt), _turn);
        if (findings.IsUnderWay)
        {
            _kept = trial.IsBefore(_kept, _now) ? trial : _kept; // the last choice, because the endpoint already works on the call (MayAskTwice)
            return;
        }
        var isReady = health.IsTrialReady(_now) && findings.Attempts > 0;
        if (health.IsInService || findings.WasInService || isReady)
            _trial = trial.IsBefore(_trial, _now) ? trial : _trial;
        else
            (_earlierOut, _earlierOutAskedAt) = (trial.IsBefore(_earlierOut, _now) ? trial : _earlierOut, Max(_earlierOutAskedAt, trial.AskedAt));
    }

    // Checks whether the endpoint has failed this call with a fault that the request may cause, for example a crash, but has served another call since then and
    // seldom fails. An endpoint that fails often is no evidence against the request.
    private readonly bool ServesOthersOnly(EndpointState member, in AttemptHistory.Findings findings) =>
        findings.Fault?.Kind is FaultKind.ServerError or FaultKind.ConnectionReset or FaultKind.BrokenBody && member.AnsweredAt > _call.LastFailure
        && member.Failure.ProbabilityAt(_now) < SeldomFails;

    // Checks whether the reason why the endpoint cannot take this call ends with time.
    private readonly bool Heals(in AttemptHistory.Findings findings, HealthState health)
    {
        if (health.Cooldown is { IsUntilCleared: true } cooldown && _now < cooldown.Until)
            return cooldown.TrialAt <= _now + NearTrial && findings.Fault?.Kind != FaultKind.Forbidden;
        return findings.Fault is not { } fault || WasClearedAfter(in findings, fault, health) || FaultHealing.Classify(fault) switch
        {
            Healing.InTime => true,
            Healing.Doubtful => _hasRetryLeft,
            _ => false,
        };
    }

    // Checks whether a fault of a key or quota was cleared after the attempt with this fault began: the key was accepted, or the quota restored. The endpoint's
    // health then ignores the fault, and so does the call.
    private static bool WasClearedAfter(in AttemptHistory.Findings findings, Fault fault, HealthState health) =>
        fault.IsUntilCleared() && fault.Kind != FaultKind.Forbidden && health.ClearedAt > findings.FaultBegan;

    // Gets the earliest time for an attempt. If the endpoint is in a cooldown, this is the end of the cooldown, or TrialAt if that is earlier. If the application's
    // own breaker in the endpoint's pipeline is open and has named its end, the attempt waits for that end too.
    private readonly TimeSpan AskableAt(HealthState health) =>
        Max(_now, Max(BreakerEnds(health), CooldownEnds(health)));

    private static TimeSpan BreakerEnds(HealthState health) =>
        health is { Status: EndpointHealthStatus.Ejected, Cause: { Kind: FaultKind.BreakerOpen, NamesTime: true }, Until: { } until } ? until : TimeSpan.Zero;

    private readonly TimeSpan CooldownEnds(HealthState health) =>
        health.Cooldown is { } cooldown && _now < cooldown.Until ? Min(cooldown.Until, cooldown.OutageTrialAt) : TimeSpan.Zero;

    // Checks whether the endpoint can answer before the deadline: the share of its recent answers that took no longer than the remaining time must be at least
    // Retry:MinimumChance. Otherwise the attempt would probably only add load. The first attempt of a call is always allowed.
    private readonly bool CanAnswerBy(EndpointState member, TimeSpan at) =>
        _call.History.IsFresh || new AnswerTime(_call.IsStream, _settings.Retry.MinimumChance, _call.Deadline - at).IsPossible(member);

    // Trials of _earlierOut take turns with trials of _trial. Otherwise many endpoints in _earlierOut would delay the trials of the endpoint that served most
    // recently, which will probably be back first.
    private readonly bool MayTryEarlierOut()
    {
        if (_anyServes || _earlierOutAskedAt > _trial.AskedAt)
            return false;
        var health = _earlierOut.Endpoint!.Health.State;
        var isSilent = health.Cause?.IsSilence() == true;
        return (_isSpared && !isSilent || _now - _outageSince >= EarlierOutPause)
            && _now - Max(_earlierOut.AskedAt, health.Since) >= (isSilent ? SilentOutPause : EarlierOutPause);
    }

    // An endpoint that has answered another call since this call began is the best choice among many endpoints that this call has not tried.
    private readonly bool ServesOthers(EndpointState member, in AttemptHistory.Findings findings) =>
        findings.Attempts == 0 && member.AnsweredAt > _call.Started && member.Health.State.ConsecutiveFailures == 0;

    private static bool IsProbedWell(EndpointState member, HealthState health) => member.Heartbeat is { Fault: null } reading && reading.At > health.Since && reading.Level >= health.CauseLevel;

    // Consecutive numbers are spread evenly from 0 to 1 (Weyl's sequence).
    private static double Fraction(long number) => number * 0.6180339887498949 % 1;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>Describes an endpoint that may get a trial.</summary>
    /// <param name="Endpoint">The endpoint. Null: none.</param>
    /// <param name="At">The time at which the endpoint may get the trial.</param>
    /// <param name="IsNamed">True if the endpoint named that time.</param>
    /// <param name="IsSeenWell">True if a probe has succeeded since the endpoint went out of service, or if other evidence has shown that the endpoint is back.</param>
    /// <param name="AskedAt">The time at which the endpoint last got a request.</param>
    /// <param name="Turn">Decides between endpoints that got no request yet, so that not every call begins with the same endpoint.</param>
    private readonly record struct Trial(EndpointState? Endpoint, TimeSpan At, bool IsNamed, bool IsSeenWell, TimeSpan AskedAt, long Turn)
    {
        public static readonly Trial None = new(null, TimeSpan.MaxValue, false, false, default, 0);

        // The earliest trial comes first. Of the endpoints that may get a trial now, an endpoint that a probe has found healthy comes first, then the endpoint
        // with the oldest last request, so that the endpoints take turns.
        public bool IsBefore(in Trial other, TimeSpan now)
        {
            if (Endpoint is null || other.Endpoint is null)
                return Endpoint is not null;
            if (At > now || other.At > now)
                return At < other.At;
            if (IsSeenWell != other.IsSeenWell)
                return IsSeenWell;
            return AskedAt != other.AskedAt ? AskedAt < other.AskedAt : Turn < other.Turn;
        }
    }
}
