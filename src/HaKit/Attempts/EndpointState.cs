using System.Diagnostics.CodeAnalysis;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Attempts;

/// <summary>
/// The living side of an endpoint: its health, limits and counters. One instance for as long as an endpoint of that name belongs to the pool;
/// a reload that changes the identity's details swaps <see cref="Endpoint"/> and keeps the rest.
/// </summary>
internal sealed class EndpointState
{
    private const int SilencesThatTeach = 30;
    private const int SilencesOfATrial = 10;

    // Nothing answered for this long, and then something: the endpoint has come back.
    private static readonly TimeSpan SilenceOfAnOutage = TimeSpan.FromSeconds(1);

    // The attempts in flight in the lower bits, and all attempts above them: one addition counts both.
    private const int CallsShift = 24;
    private const long OneCall = (1L << CallsShift) + 1;
    private const long InFlightMask = (1L << CallsShift) - 1;

    private readonly AttemptCounts _counts = new();
    private int _foreign;
    private readonly StripedSum _successes = new();
    private long _leftBy = -1;
    private int _left;
    private long _cameBackBegan = -1;
    private long _pacedAt = -1;
    private int _seenBack;
    private object? _returnWatcher;
    private ReportedLoad? _load;
    private long _lackedModelAt = -1;
    private HeartbeatReading? _heartbeat;
    private bool _isLimited;

    /// <param name="endpoint">Its identity.</param>
    /// <param name="health">Its health.</param>
    /// <param name="limiter">Its own limits.</param>
    /// <param name="accountLimiter">Limits it shares.</param>
    /// <param name="pipeline">Its pipeline.</param>
    /// <param name="times">How long its silences are.</param>
    /// <param name="poolLatency">What is usual in its pool, for as long as nothing is known of itself.</param>
    /// <param name="telemetry">What its attempts report; null: they report nothing.</param>
    /// <param name="observer">Calls the application about failed attempts; null: there is nothing to call.</param>
    public EndpointState(
        PoolEndpoint endpoint, EndpointHealth health, Limiter limiter, Limiter accountLimiter, ResiliencePipeline pipeline, UsualTimes times, LatencyEstimate? poolLatency = null,
        EndpointTelemetry? telemetry = null, AttemptObserver? observer = null)
    {
        Endpoint = endpoint;
        Health = health;
        Pipeline = pipeline;
        Times = times;
        Latency = new LatencyEstimate(poolLatency);
        Telemetry = telemetry;
        Observer = observer;
        UseLimiters(limiter, accountLimiter);
    }

    public PoolEndpoint Endpoint { get; private set; }

    public EndpointHealth Health { get; }

    /// <summary>What its attempts report; null: they report nothing.</summary>
    public EndpointTelemetry? Telemetry { get; private set; }

    /// <summary>Calls the application about failed attempts; null: there is nothing to call.</summary>
    public AttemptObserver? Observer { get; }

    /// <summary>The endpoint's own limits.</summary>
    public Limiter Limiter { get; private set; }

    /// <summary>Limits it shares with the other endpoints of its account.</summary>
    public Limiter AccountLimiter { get; private set; }

    /// <summary>The endpoint's own pipeline: guard, attempt timeout, the user's strategies.</summary>
    public ResiliencePipeline Pipeline { get; private set; }

    /// <summary>How long this endpoint usually takes to its first content, and to a whole plain answer.</summary>
    public LatencyEstimate Latency { get; }

    /// <summary>How long its silences usually are.</summary>
    public UsualTimes Times { get; }

    /// <summary>How likely it fails.</summary>
    public FailureEstimate Failure { get; } = new();

    /// <summary>How overdue its silent attempts are.</summary>
    public Silence Silence { get; } = new();

    /// <summary>When traffic last had an answer from it; null before the first.</summary>
    public TimeSpan? AnsweredAt => Volatile.Read(ref _counts.AnsweredAt) is >= 0 and var ticks ? new TimeSpan(ticks) : null;

    /// <summary>Has it said that it does not have the model it is asked for, and answered nothing since?</summary>
    public bool LacksModel => Volatile.Read(ref _lackedModelAt) is >= 0 and var ticks && !(AnsweredAt?.Ticks > ticks);

    /// <summary>It says that it does not have the model.</summary>
    public void RecordLackOfModel(TimeSpan now) => Volatile.Write(ref _lackedModelAt, now.Ticks);

    /// <summary>Of the attempts that it served whole, when the latest one began: it was well since then. Before time began if there was none.</summary>
    public TimeSpan ServedBegan => new(Volatile.Read(ref _counts.ServedBegan));

    /// <summary>The credential with which it was last asked, where it comes from code; null where it does not.</summary>
    public string? UsedCredential { get; set; }

    /// <summary>Of the attempts whose answer ended a silence of the endpoint, when the latest began: the endpoint was back by then. Before time began if there was none.</summary>
    public TimeSpan CameBackBegan => new(Volatile.Read(ref _cameBackBegan));

    /// <summary>When it was last asked under the pace of an outage; before time began if it never was.</summary>
    public TimeSpan PacedAt
    {
        get => new(Volatile.Read(ref _pacedAt));
        set => Volatile.Write(ref _pacedAt, value.Ticks);
    }

    /// <summary>Something other than a call, such as a probe, has shown that it is back: one waiting call may ask it at once.</summary>
    public void SeeBack() => Volatile.Write(ref _seenBack, 1);

    /// <summary>Takes what <see cref="SeeBack"/> left. Of several calls one gets it.</summary>
    public bool TryTakeSeenBack() => Volatile.Read(ref _seenBack) != 0 && Interlocked.Exchange(ref _seenBack, 0) != 0;

    /// <summary>Would <see cref="TryTakeSeenBack"/> succeed?</summary>
    public bool IsSeenBack => Volatile.Read(ref _seenBack) != 0;

    /// <summary>Of the calls that wait for the end of its cooldown, one wakes at that moment and the others later. Takes that place, or says that this call has it.</summary>
    public bool TryWatchReturn(object call) => Interlocked.CompareExchange(ref _returnWatcher, call, null) is var watcher && (watcher is null || watcher == call);

    /// <summary>Gives the place back, if this call has it.</summary>
    public void LeaveReturn(object call) => Interlocked.CompareExchange(ref _returnWatcher, null, call);

    /// <summary>The load it reported at its latest heartbeat; null when it does not, or that heartbeat failed.</summary>
    public ReportedLoad? ReportedLoad
    {
        get => Volatile.Read(ref _load);
        set
        {
            Volatile.Write(ref _load, value);
            Volatile.Write(ref _foreign, value is null ? 0 : Math.Max(0, value.Running + value.Waiting - InFlight));
        }
    }

    /// <summary>Its latest heartbeat; null before the first.</summary>
    public HeartbeatReading? Heartbeat
    {
        get => Volatile.Read(ref _heartbeat);
        set => Volatile.Write(ref _heartbeat, value);
    }

    /// <summary>What the pool's calls ask for; null where that is not measured.</summary>
    public TrafficMeter? Traffic { get; init; }

    /// <summary>Records its attempts and probes; null: nothing is recorded.</summary>
    public IAttemptRecorder? Recorder { get; init; }

    /// <summary>For how long a served attempt takes its place, in seconds, as recent ones did; a stream until it ends. Null before the first.</summary>
    public double? HeldSeconds => Volatile.Read(ref _counts.HeldSeconds) is var seconds && double.IsNaN(seconds) ? null : seconds;

    public int InFlight => (int)(Volatile.Read(ref _counts.Begun) & InFlightMask);

    /// <summary>Attempts in flight, and the requests of other clients that it had when it last reported its load.</summary>
    public int Load => InFlight + Volatile.Read(ref _foreign);

    /// <summary>How long all its successes took together: a stream to its first content, any other to its answer.</summary>
    public TimeSpan AnswerTime => new(_successes.Sum);

    public long Calls => Volatile.Read(ref _counts.Begun) >> CallsShift;

    public long Successes => _successes.Count;

    public long Faults => Volatile.Read(ref _counts.Faults);

    /// <summary>Attempts that ended for a reason that blames no endpoint: the request's or the caller's.</summary>
    public long Neutrals => Volatile.Read(ref _counts.Neutrals);

    /// <summary>May it take ordinary traffic as far as health and limits are concerned?</summary>
    public bool Admits(long tokens, TimeSpan now) => Health.State.Admits(now) && HasRoom(tokens, now);

    public bool IsLimited => _isLimited;

    public bool HasRoom(long tokens, TimeSpan now) => !_isLimited || Limiter.HasRoom(tokens, now) && AccountLimiter.HasRoom(tokens, now);

    /// <summary>Is something in flight that counts against its limits, so that its end may make room?</summary>
    public bool IsBusy => Limiter.InFlight > 0 || AccountLimiter.InFlight > 0;

    /// <summary>The earliest instant at which it may take ordinary traffic or a trial, by time alone.</summary>
    public TimeSpan AvailableAt(long tokens, TimeSpan now)
    {
        var state = Health.State;
        if (state.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            return TimeSpan.MaxValue;
        var at = now;
        if (state.Status == EndpointHealthStatus.Ejected)
            at = Max(at, state.Until ?? now);
        else if (state.Status == EndpointHealthStatus.Trial)
            at = Max(at, state.TrialUntil); // its slot is taken
        at = Max(at, state.AskableAt(now));
        at = Max(at, Limiter.AvailableAt(tokens, now));
        return Max(at, AccountLimiter.AvailableAt(tokens, now));
    }

    /// <summary>The earliest instant at which its limits have room, by time alone.</summary>
    public TimeSpan RoomAt(long tokens, TimeSpan now) => _isLimited ? Max(Limiter.AvailableAt(tokens, now), AccountLimiter.AvailableAt(tokens, now)) : now;

    public void Replace(PoolEndpoint endpoint, ResiliencePipeline pipeline, EndpointTelemetry telemetry)
    {
        Endpoint = endpoint;
        Telemetry = telemetry;
        Pipeline = pipeline;
    }

    /// <summary>
    /// Takes limiters in place of <see cref="Limiter.Unlimited"/>. A real one is never replaced, because reservations in flight belong to it; it takes
    /// new options instead.
    /// </summary>
    [MemberNotNull(nameof(Limiter), nameof(AccountLimiter))]
    public void UseLimiters(Limiter limiter, Limiter accountLimiter)
    {
        Limiter = limiter;
        AccountLimiter = accountLimiter;
        _isLimited = limiter != Limiter.Unlimited || accountLimiter != Limiter.Unlimited;
    }

    /// <summary>An attempt begins. The answer marks its silence.</summary>
    public long Began(long inputTokens, TimeSpan now)
    {
        Interlocked.Add(ref _counts.Begun, OneCall);
        // Times vary: twice the usual is late.
        return Silence.RecordStart(now + TimeSpan.FromSeconds(2 * Latency.Expected(LatencyEstimate.UnitsOf(inputTokens), now)));
    }

    /// <summary>Takes back <see cref="Began"/>: the attempt was not let in.</summary>
    public void NeverBegan(long silence)
    {
        Silence.RecordEnd(silence);
        Interlocked.Add(ref _counts.Begun, -OneCall);
    }

    /// <summary>A served attempt had its place for so long. A race loses one sample of a mean of a thousand.</summary>
    public void Held(TimeSpan length)
    {
        var samples = Math.Min(1000, ++_counts.Held);
        var before = Volatile.Read(ref _counts.HeldSeconds);
        Volatile.Write(ref _counts.HeldSeconds, double.IsNaN(before) ? length.TotalSeconds : before + (length.TotalSeconds - before) / Math.Max(2, samples));
    }

    /// <summary>
    /// An attempt was given up in silence: does that show that the endpoint has become slow, and not that it is out for a moment? Only after many in a row; a
    /// trial after an ejection's period counts for many. A few silences in a hundred would otherwise be the 99th percentile of its times, and each limit that
    /// is learned from them would be three times the last.
    /// </summary>
    public bool IsSlow(bool isTrial) => Interlocked.Add(ref _counts.Silences, isTrial ? SilencesOfATrial : 1) > SilencesThatTeach;

    /// <summary>An attempt has shown the first sign of its answer.</summary>
    /// <param name="now">The time on the pool's clock.</param>
    /// <param name="began">When the attempt began.</param>
    public void RecordAnswer(TimeSpan now, TimeSpan began)
    {
        var last = Volatile.Read(ref _counts.AnsweredAt);
        Volatile.Write(ref _counts.AnsweredAt, now.Ticks);
        if (now.Ticks - last > SilenceOfAnOutage.Ticks && began.Ticks > last)
            Volatile.Write(ref _cameBackBegan, began.Ticks);
        if (Volatile.Read(ref _left) != 0)
            Volatile.Write(ref _left, 0);
        if (Volatile.Read(ref _counts.Silences) != 0)
            Volatile.Write(ref _counts.Silences, 0);
        // A probe's word is old news now.
        if (Volatile.Read(ref _seenBack) != 0)
            Volatile.Write(ref _seenBack, 0);
    }

    /// <summary>A caller gave up an unusually silent attempt. Gives how many calls did so in a row, with no answer between them.</summary>
    public int LeftInSilence(long call) =>
        Interlocked.Exchange(ref _leftBy, call) == call ? Volatile.Read(ref _left) : Interlocked.Increment(ref _left);

    public void Served(TimeSpan began)
    {
        if (began.Ticks > Volatile.Read(ref _counts.ServedBegan))
            Volatile.Write(ref _counts.ServedBegan, began.Ticks);
    }

    public void Ended(Fault? fault, TimeSpan now, TimeSpan answered = default, TimeSpan? firstContentAt = null)
    {
        Interlocked.Decrement(ref _counts.Begun);
        Failure.Ended(fault, now);
        if (fault is null)
        {
            _successes.Add(answered.Ticks);
            if (firstContentAt is null)
                RecordAnswer(now, now - answered);
            else
                Volatile.Write(ref _counts.AnsweredAt, now.Ticks); // that it answers was news at its first content
        }
        else if (!fault.IsNeutral)
        {
            Interlocked.Increment(ref _counts.Faults);
        }
        else
        {
            Interlocked.Increment(ref _counts.Neutrals);
        }
    }

    /// <summary>Another endpoint has served the call that this one refused.</summary>
    public void Refuted(Fault refusal, TimeSpan began, TimeSpan now)
    {
        if (refusal.OfRequestsWith is not null)
            return; // it serves all other callers
        Interlocked.Increment(ref _counts.Faults);
        Failure.Refuted(now);
        Health.Refuted(refusal, began, now);
    }

    public override string ToString() => Endpoint.Name;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
