using HaKit.Attempts;
using HaKit.Failover.Waiting;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Selection;
using HaKit.Telemetry;

namespace HaKit.Failover;

/// <summary>
/// Makes the decisions of failover for one pool: the first endpoint, the next endpoint, the length of waits, and the end of the call. Each kind of decision has
/// its own object. The state of a call is in <see cref="FailoverCall"/>. <see cref="AttemptRace{TResult, TRaw, TRunner}"/> is the loop that executes the
/// decisions.
/// </summary>
internal sealed class FailoverEngine
{
    // Call objects are reused. Each call object reserves this many call numbers at once, so that the shared counter is rarely written. With a seed, each call
    // object reserves one number at a time, so that runs are reproducible.
    private readonly int _numbersAtOnce;

    private readonly ObjectCache<FailoverCall> _calls;
    private readonly HealthTracker _health;
    private readonly FailoverContext _context;
    private readonly AttemptStarter _starter;
    private readonly Backoff _backoff;
    private long _callNumber;
    private volatile bool _isClosed;

    public FailoverEngine(
        PoolClock clock, CurrentSnapshot snapshot, Selector selector, FailoverSettings settings, HealthTracker health,
        RetryBudget budget, WaitQueue queue, IFaultClassifier classifier, Chance chance, PoolTelemetry telemetry)
    {
        _context = new FailoverContext(clock, snapshot, selector, settings, budget, queue, chance, telemetry);
        _health = health;
        Guard = new EndpointGuard(classifier, clock.Time);
        Untried = new UntriedEndpoints(_context);
        Silence = new SilenceLimits(_context, Untried);
        _starter = new AttemptStarter(_context, Untried, Silence);
        Hedges = new HedgeStarter(_context, Untried, _starter);
        _backoff = new Backoff(chance);
        Waits = new ServiceWait(_context, _starter, _backoff);
        Results = new AttemptResults(_context);
        Outcomes = new CallOutcomes(_context, classifier);
        Failures = new CallFailures(_context);
        _numbersAtOnce = chance.IsSeeded ? 1 : 64;
        _calls = new(() => new FailoverCall(clock.Time));
    }

    /// <summary>Classifies how attempts end.</summary>
    public EndpointGuard Guard { get; }

    /// <summary>Gets the object that finds the endpoints that a call has not tried.</summary>
    public UntriedEndpoints Untried { get; }

    /// <summary>Gets the limits on the silence of attempts.</summary>
    public SilenceLimits Silence { get; }

    /// <summary>Gets the object that decides when a second attempt begins beside a slow attempt.</summary>
    public HedgeStarter Hedges { get; }

    /// <summary>Gets the object that decides what calls do while no endpoint can serve them.</summary>
    public ServiceWait Waits { get; }

    /// <summary>Records the ends of attempts.</summary>
    public AttemptResults Results { get; }

    /// <summary>Records the ends of calls.</summary>
    public CallOutcomes Outcomes { get; }

    /// <summary>Creates the exceptions of calls that were not served.</summary>
    public CallFailures Failures { get; }

    /// <summary>Counts the calls. Null: calls are not counted.</summary>
    public TrafficMeter? Traffic { get; init; }

    /// <summary>Gets the callback for each seam. A seam is the place at which another endpoint continued an answer that was cut.</summary>
    public Action<StreamSeam>? SeamMade { get; init; }

    /// <summary>
    /// Gets the callback for an answer that is too long for <see cref="HoldUntil.End"/>. The callback gets the endpoint's name and the number of bytes that
    /// were held.
    /// </summary>
    public Action<string, long>? HeldTooLong { get; init; }

    public PoolClock Clock => _context.Clock;

    public RetryBudget Budget => _context.Budget;

    public PoolTelemetry Telemetry => _context.Telemetry;

    public WaitQueue Queue => _context.Queue;

    public WaitingCalls Waiting => _context.Waiting;

    public OutagePace Outage => _context.Outage;

    public PoolSnapshot Snapshot => _context.Snapshot;

    public FailoverSettings Settings
    {
        get => _context.Settings;
        set => _context.Settings = value;
    }

    /// <summary>Gets the message of the exception for calls to a disposed pool.</summary>
    public string DisposedMessage =>
        $"Pool '{Settings.Pool}' has been disposed. Keep one EndpointPool for the life of the application; the container disposes the pools that it makes.";

    public Selector Selector
    {
        get => _context.Selector;
        set => _context.Selector = value;
    }

    /// <summary>Refuses new calls. Calls in flight run to their end.</summary>
    public void Close() => _isClosed = true;

    /// <summary>Begins a call.</summary>
    /// <param name="profile">The information about the request that the pool cannot see: requirements, sizes, deadline.</param>
    /// <param name="isStream">True for a stream. The call then ends at the first content: its deadline and its measured duration do not include the rest of the stream.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="callerToken">The caller's cancellation token.</param>
    /// <param name="earlier">The failures of earlier tries of the same request. Null for the first try.</param>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public FailoverCall BeginCall(RequestProfile profile, bool isStream, TimeSpan now, CancellationToken callerToken, EarlierTries? earlier = null)
    {
        if (_isClosed)
            throw new ObjectDisposedException("EndpointPool", DisposedMessage);
        Budget.RecordCall();
        Traffic?.RecordCall(profile.LimitTokens, now);
        var call = _calls.Rent().Begin(profile, isStream, profile.Deadline ?? Settings.Deadline, now, callerToken);
        if (call.NumbersLeft == 0)
            call.AddNumbers(Interlocked.Add(ref _callNumber, _numbersAtOnce) - _numbersAtOnce, _numbersAtOnce);
        call.UseNextNumber();
        call.Engine = this;
        call.RequestNumber = earlier?.RequestNumberIn(this) ?? call.Number;
        // An outer handler may send a copy of a request while the first call for it is still running. The copy must not use an endpoint that the first call
        // has tried. If the first call has tried every endpoint, the copy may use any of them.
        if (earlier?.AddTo(this, call.History, now) == true && !Untried.HasAny(call, now))
            call.History.Clear();
        call.Span = profile.IsContinuation ? Telemetry.FindCall() : Telemetry.BeginCall(isStream);
        return call;
    }

    /// <summary>Records how a call ended, and keeps its object for reuse.</summary>
    public void EndCall(FailoverCall call, CallOutcome outcome, string? error)
    {
        Outcomes.RecordOutcome(call, outcome, error);
        call.StopWatching();
        if (call.HasPaid)
            Budget.Refund();
        call.Clear();
        _calls.Return(call);
    }

    /// <summary>Decides the next step of a call without an attempt in flight.</summary>
    public Step Next(FailoverCall call, TimeSpan now)
    {
        AdvanceHealth(now);
        if (call.HoldUntil > now)
        {
            if (call.RecordRule(WaitRule.Policy))
                Telemetry.RecordWait(WaitRule.Policy);
            return Step.Wait(call.HoldUntil);
        }
        var refusal = call.History.Refusal;
        if (refusal == RefusalState.Final && !MayPreferredServe(call, now))
            return Step.EndCall("the request was refused.");
        if (_starter.StartUntried(call, now) is { } lease)
            return Step.Start(lease);
        if (call.GivesWay)
            return Waits.EndWithoutTime(call);
        var rules = call.Rules;
        // A refused call does not wait for an endpoint that is out. Otherwise a call with a wrong path would wait until its deadline. There is one exception:
        // other calls have shown that the endpoint refuses requests of this kind (RequestProfile.Preferred). Then the call waits for an endpoint that serves
        // such requests.
        var step = refusal != RefusalState.None && !MayPreferredServe(call, now)
            ? Step.EndCall("the request was refused, and no other endpoint can be asked now.")
            : Waits.AwaitService(call, now);
        if (step.Kind != StepKind.GiveUp || !call.TryAcceptLessRoom() || _starter.StartUntried(call, now) is not { } smaller)
            return step;
        call.Rules = rules; // AwaitService has recorded the rule that would end the call, but the call does not end
        return Step.Start(smaller);
    }

    /// <summary>
    /// Decides the next step of a call whose only attempt is kept running although it has been silent for longer than its limit. A second attempt may begin
    /// beside the silent attempt: now, later or never. An exception of the application's selector does not end the call, because the first attempt is still
    /// running.
    /// </summary>
    public Step NextBeside(FailoverCall call, TimeSpan now)
    {
        AdvanceHealth(now);
        call.WasReleased = true; // the kept attempt has been silent for longer than its limit, so the call may try an endpoint that has come back since that attempt began
        if (!_starter.TryStartBeside(call, now, out var lease))
            return Step.Wait(TimeSpan.MaxValue);
        var step = lease is not null ? Step.Start(lease) : Waits.AwaitService(call, now, isSecond: true);
        if (step.Kind != StepKind.Start)
            return step;
        call.StopWatching(); // a call with two attempts in flight does not wait for the end of a cooldown
        call.Hedged = true;
        if (call.RecordRule(WaitRule.Silence))
            Telemetry.RecordWait(WaitRule.Silence);
        return step;
    }

    /// <summary>Checks whether the attempt tests if the outage of the pool is over: it is the paced trial of the outage, or the trial after an ejection or cooldown.</summary>
    public bool IsTrialInOutage(Lease lease) => lease.AsksOutage || lease.IsTrial && Outage.Since is not null;

    /// <summary>Decides what to do about the fault of an attempt. If the action is to wait, this method also sets the end of the wait.</summary>
    public FaultAction ActionFor(FailoverCall call, Fault fault)
    {
        var action = FailoverPolicy.ActionFor(fault, call.Profile, Settings.OnFault);
        if (action == FaultAction.Wait)
            call.HoldUntil = _backoff.EndFor(call, Settings);
        return action;
    }

    /// <summary>
    /// Decides whether a call ends when the pool gives up one of its attempts. If the attempt was given up early because the call had little time left for it,
    /// its fault is <see cref="FaultKind.DeadlineExceeded"/>, even before the call's deadline. This fault does not count against the endpoint, but the endpoint
    /// may have processed the request. So the call ends if the request must not be repeated. Otherwise the call goes on.
    /// </summary>
    public bool EndsGivenUp(FailoverCall call, Fault fault) => fault.Kind switch
    {
        FaultKind.CallerCancelled or FaultKind.Superseded => false,
        FaultKind.DeadlineExceeded => !call.Profile.MayRepeat,
        _ => ActionFor(call, fault) == FaultAction.Return,
    };

    private bool MayPreferredServe(FailoverCall call, TimeSpan now) =>
        call.Profile.Preferred is not null && new SelectionQuery(call.Profile, call.History, now).MayPreferredServe(Snapshot);

    private void AdvanceHealth(TimeSpan now)
    {
        if (now >= _health.NextChange)
            _health.Advance(now);
    }
}
