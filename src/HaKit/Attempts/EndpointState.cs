using System.Diagnostics.CodeAnalysis;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Limits;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Attempts;

/// <summary>
/// Holds the changing state of an endpoint: its health, limits and counters. The instance stays the same as long as an endpoint of that name belongs to the
/// pool. A reload that changes details of the endpoint replaces only <see cref="Endpoint"/>. Thread-safe.
/// </summary>
internal sealed class EndpointState
{
    // Up to this number of consecutive silences, the endpoint is assumed to be out. After more silences it is assumed to have become slow. A silent trial counts
    // as several silences.
    private const int SilencesWhileOut = 30;
    private const int SilencesOfATrial = 10;

    // One counter holds two numbers: the attempts in flight in its lower 24 bits, and all attempts in the bits above. So one addition counts both.
    private const int CallsShift = 24;
    private const long OneCall = (1L << CallsShift) + 1;
    private const long InFlightMask = (1L << CallsShift) - 1;

    private readonly AttemptCounts _counts = new();
    private int _otherRequests;
    private readonly StripedSum _successes = new();
    private long _lastLeftCall = -1;
    private int _leftInSilence;
    private long _pacedAt = -1;
    private int _seenBack;
    private object? _returnWatcher;
    private ReportedLoad? _load;
    private long _lackedModelAt = -1;
    private HeartbeatReading? _heartbeat;
    private bool _isLimited;

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="health">The endpoint's health.</param>
    /// <param name="limiter">The endpoint's own limits.</param>
    /// <param name="accountLimiter">The limits of the endpoint's account.</param>
    /// <param name="pipeline">The pipeline of each attempt: <see cref="Failover.EndpointGuardStrategy"/>, then the application's strategies.</param>
    /// <param name="times">The usual lengths of the endpoint's silences.</param>
    /// <param name="poolLatency">The usual latency in the pool, for use until the endpoint's own latency is known.</param>
    /// <param name="telemetry">The telemetry of the endpoint's attempts. Null: none.</param>
    /// <param name="observer">Calls the application's callbacks for failed attempts. Null: there are no callbacks.</param>
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

    /// <summary>Gets when a reload last replaced <see cref="Endpoint"/>. Attempts that began earlier may have used another credential.</summary>
    public TimeSpan ReplacedAt { get; private set; }

    public EndpointHealth Health { get; }

    /// <summary>Gets the telemetry of the endpoint's attempts. Null: none.</summary>
    public EndpointTelemetry? Telemetry { get; private set; }

    /// <summary>Gets the application's callbacks for failed attempts. Null: none.</summary>
    public AttemptObserver? Observer { get; }

    /// <summary>Gets the endpoint's own limits.</summary>
    public Limiter Limiter { get; private set; }

    /// <summary>Gets the limits that the endpoint shares with the other endpoints of its account.</summary>
    public Limiter AccountLimiter { get; private set; }

    /// <summary>Gets the pipeline of each attempt: <see cref="Failover.EndpointGuardStrategy"/>, then the application's strategies.</summary>
    public ResiliencePipeline Pipeline { get; private set; }

    /// <summary>Gets the usual times of this endpoint: to the first content of a stream, and to the whole answer of any other call.</summary>
    public LatencyEstimate Latency { get; }

    /// <summary>Gets the usual lengths of the endpoint's silences.</summary>
    public UsualTimes Times { get; }

    /// <summary>Gets the estimated probability that an attempt fails.</summary>
    public FailureEstimate Failure { get; } = new();

    /// <summary>Gets the measure of how late the endpoint's silent attempts are.</summary>
    public Silence Silence { get; } = new();

    /// <summary>Gets when a call last got an answer from the endpoint. Null before the first answer.</summary>
    public TimeSpan? AnsweredAt => Volatile.Read(ref _counts.AnsweredAt) is >= 0 and var ticks ? new TimeSpan(ticks) : null;

    /// <summary>Gets whether the endpoint has answered that it does not have the requested model, and has served no call since then.</summary>
    public bool LacksModel => Volatile.Read(ref _lackedModelAt) is >= 0 and var ticks && !(AnsweredAt?.Ticks > ticks);

    /// <summary>Records that the endpoint does not have the requested model.</summary>
    public void RecordLackOfModel(TimeSpan now) => Volatile.Write(ref _lackedModelAt, now.Ticks);

    /// <summary>
    /// Gets the start of the latest attempt that the endpoint served completely. It shows that the endpoint was healthy at that time. Negative if there was
    /// none.
    /// </summary>
    public TimeSpan ServedBegan => new(Volatile.Read(ref _counts.ServedBegan));

    /// <summary>Gets or sets the credential of the latest HTTP attempt if it came from code. Null: the attempt used the options' credential, or there was none yet.</summary>
    public string? UsedCredential { get; set; }

    /// <summary>
    /// Gets the start of the latest attempt that was answered: with its first content, or with a whole answer. It shows that the endpoint was healthy at that
    /// time. Negative if there was none.
    /// </summary>
    public TimeSpan AnsweredBegan => new(Volatile.Read(ref _counts.AnsweredBegan));

    /// <summary>Gets or sets when the endpoint last got the trial of an outage (<see cref="Failover.Waiting.OutagePace"/>). Negative if there was none.</summary>
    public TimeSpan PacedAt
    {
        get => new(Volatile.Read(ref _pacedAt));
        set => Volatile.Write(ref _pacedAt, value.Ticks);
    }

    /// <summary>
    /// Records that evidence other than a call, for example a probe, has shown that the endpoint is back. One waiting call may then make a trial at once.
    /// </summary>
    public void RecordSeenBack() => Volatile.Write(ref _seenBack, 1);

    /// <summary>Takes the permission for a trial that <see cref="RecordSeenBack"/> gave. Only one of several calls gets it.</summary>
    public bool TryTakeSeenBack() => Volatile.Read(ref _seenBack) != 0 && Interlocked.Exchange(ref _seenBack, 0) != 0;

    /// <summary>Checks whether <see cref="TryTakeSeenBack"/> would succeed.</summary>
    public bool IsSeenBack => Volatile.Read(ref _seenBack) != 0;

    /// <summary>
    /// Registers the given call as the only call that wakes at the end of the endpoint's cooldown; the other waiting calls wake later. Returns true if the call
    /// is registered now, or already was.
    /// </summary>
    public bool TryWatchReturn(object call) => Interlocked.CompareExchange(ref _returnWatcher, call, null) is var watcher && (watcher is null || watcher == call);

    /// <summary>Ends the registration of <see cref="TryWatchReturn"/>, if this call is the watcher.</summary>
    public void StopWatching(object call) => Interlocked.CompareExchange(ref _returnWatcher, null, call);

    /// <summary>Gets the load that the endpoint reported at its latest heartbeat. Null if it reports none, or if that heartbeat failed.</summary>
    public ReportedLoad? ReportedLoad
    {
        get => Volatile.Read(ref _load);
        set
        {
            Volatile.Write(ref _load, value);
            Volatile.Write(ref _otherRequests, value is null ? 0 : (int)Math.Clamp((long)value.Running + value.Waiting - InFlight, 0, ReportedLoad.MaxCount));
        }
    }

    /// <summary>Gets the endpoint's latest heartbeat. Null before the first heartbeat.</summary>
    public HeartbeatReading? Heartbeat
    {
        get => Volatile.Read(ref _heartbeat);
        set => Volatile.Write(ref _heartbeat, value);
    }

    /// <summary>Gets the meter of the pool's demand. Null if the demand is not measured.</summary>
    public TrafficMeter? Traffic { get; init; }

    /// <summary>Gets the recorder of the endpoint's attempts and probes. Null: nothing is recorded.</summary>
    public IAttemptRecorder? Recorder { get; init; }

    /// <summary>Gets the recent mean duration of a served attempt, in seconds; for a stream until its end. Null before the first served attempt.</summary>
    public double? HeldSeconds => Volatile.Read(ref _counts.HeldSeconds) is var seconds && double.IsNaN(seconds) ? null : seconds;

    public int InFlight => (int)(Volatile.Read(ref _counts.Begun) & InFlightMask);

    /// <summary>Gets the attempts in flight, plus the requests of other clients in the latest reported load.</summary>
    public int Load => InFlight + Volatile.Read(ref _otherRequests);

    /// <summary>Gets the total time of all successes: for a stream until its first content, for any other call until its answer.</summary>
    public TimeSpan AnswerTime => new(_successes.Sum);

    /// <summary>Gets the number of attempts that have begun, including the attempts in flight.</summary>
    public long Calls => Volatile.Read(ref _counts.Begun) >> CallsShift;

    public long Successes => _successes.Count;

    public long Faults => Volatile.Read(ref _counts.Faults);

    /// <summary>Gets the number of attempts that ended because of the request or the caller.</summary>
    public long Neutrals => Volatile.Read(ref _counts.Neutrals);

    /// <summary>Checks whether health and limits allow ordinary traffic.</summary>
    public bool Admits(long tokens, TimeSpan now) => Health.State.Admits(now) && HasRoom(tokens, now);

    public bool IsLimited => _isLimited;

    public bool HasRoom(long tokens, TimeSpan now) => !_isLimited || Limiter.HasRoom(tokens, now) && AccountLimiter.HasRoom(tokens, now);

    /// <summary>Checks whether the limits can ever have capacity for the tokens.</summary>
    public bool CanHold(long tokens) => Limiter.CanHold(tokens) && AccountLimiter.CanHold(tokens);

    /// <summary>Checks whether an attempt that counts against the limits is in flight. Its end may release capacity.</summary>
    public bool IsBusy => Limiter.InFlight > 0 || AccountLimiter.InFlight > 0;

    /// <summary>Gets the earliest time at which the endpoint may take ordinary traffic or a trial, if nothing else changes until then.</summary>
    public TimeSpan AvailableAt(long tokens, TimeSpan now)
    {
        var state = Health.State;
        if (state.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            return TimeSpan.MaxValue;
        var at = now;
        if (state.Status == EndpointHealthStatus.Ejected)
            at = Max(at, state.Until ?? now);
        else if (state.Status == EndpointHealthStatus.Trial)
            at = Max(at, state.TrialUntil); // a trial is running until then
        at = Max(at, state.AskableAt(now));
        at = Max(at, Limiter.AvailableAt(tokens, now));
        return Max(at, AccountLimiter.AvailableAt(tokens, now));
    }

    /// <summary>Gets the earliest time at which the limits have capacity, if nothing else changes until then.</summary>
    public TimeSpan RoomAt(long tokens, TimeSpan now) => _isLimited ? Max(Limiter.AvailableAt(tokens, now), AccountLimiter.AvailableAt(tokens, now)) : now;

    public void Replace(PoolEndpoint endpoint, ResiliencePipeline pipeline, EndpointTelemetry telemetry, TimeSpan now)
    {
        (Endpoint, ReplacedAt) = (endpoint, now);
        Telemetry = telemetry;
        Pipeline = pipeline;
    }

    /// <summary>
    /// Sets the limiters. A real limiter may replace <see cref="Limiter.Unlimited"/>. Do not replace a real limiter, because reservations in flight belong to it;
    /// give it new options instead.
    /// </summary>
    [MemberNotNull(nameof(Limiter), nameof(AccountLimiter))]
    public void UseLimiters(Limiter limiter, Limiter accountLimiter)
    {
        Limiter = limiter;
        AccountLimiter = accountLimiter;
        _isLimited = limiter != Limiter.Unlimited || accountLimiter != Limiter.Unlimited;
    }

    /// <summary>
    /// Records that an attempt begins. Pass the result once: to <see cref="Estimates.Silence.RecordEnd"/> when the attempt is no longer silent, or to <see cref="UndoStart"/>.
    /// </summary>
    public long RecordStart(long inputTokens, TimeSpan now)
    {
        Interlocked.Add(ref _counts.Begun, OneCall);
        return Silence.RecordStart(now + Latency.LateAfter(inputTokens, now));
    }

    /// <summary>Undoes <see cref="RecordStart"/>, because the attempt was not admitted.</summary>
    public void UndoStart(long silence)
    {
        Silence.RecordEnd(silence);
        Interlocked.Add(ref _counts.Begun, -OneCall);
    }

    /// <summary>
    /// Records the duration of a served attempt. Concurrent writes may lose a sample, which is harmless in a mean of up to a thousand samples.
    /// </summary>
    public void RecordHeldTime(TimeSpan length)
    {
        var samples = Math.Min(1000, ++_counts.HeldSamples);
        var before = Volatile.Read(ref _counts.HeldSeconds);
        Volatile.Write(ref _counts.HeldSeconds, double.IsNaN(before) ? length.TotalSeconds : before + (length.TotalSeconds - before) / Math.Max(2, samples));
    }

    /// <summary>
    /// Records that an attempt timed out while it was silent. Returns true if the length of the silence may be learned as a time of the endpoint. Up to 30
    /// consecutive silences, the endpoint is probably out, and the method returns false. After more silences, the endpoint has probably become slow, and the
    /// method returns true. A silent trial after an ejection counts as ten silences. If the first silences were learned, they would become the 99th percentile
    /// of the endpoint's times. The limit on silence is three times this percentile, so each timeout would triple the limit.
    /// </summary>
    public bool RecordSilence(bool isTrial) => Interlocked.Add(ref _counts.Silences, isTrial ? SilencesOfATrial : 1) > SilencesWhileOut;

    /// <summary>Records the first sign of an answer to an attempt.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="began">The time at which the attempt began.</param>
    public void RecordAnswer(TimeSpan now, TimeSpan began)
    {
        Volatile.Write(ref _counts.AnsweredAt, now.Ticks);
        if (began.Ticks > Volatile.Read(ref _counts.AnsweredBegan))
            Volatile.Write(ref _counts.AnsweredBegan, began.Ticks);
        if (Volatile.Read(ref _leftInSilence) != 0)
            Volatile.Write(ref _leftInSilence, 0);
        if (Volatile.Read(ref _counts.Silences) != 0)
            Volatile.Write(ref _counts.Silences, 0);
        // The answer is newer than the result of the probe, so no trial has to confirm the probe.
        if (Volatile.Read(ref _seenBack) != 0)
            Volatile.Write(ref _seenBack, 0);
    }

    /// <summary>
    /// Records that a caller cancelled an attempt that had been silent for longer than usual. Returns the sum of the weights of the consecutive calls that ended
    /// like this without an answer between them.
    /// </summary>
    public int RecordLeftInSilence(long call, int weight) =>
        Interlocked.Exchange(ref _lastLeftCall, call) == call ? Volatile.Read(ref _leftInSilence) : Interlocked.Add(ref _leftInSilence, weight);

    public void RecordServed(TimeSpan began)
    {
        if (began.Ticks > Volatile.Read(ref _counts.ServedBegan))
            Volatile.Write(ref _counts.ServedBegan, began.Ticks);
    }

    public void RecordEnd(Fault? fault, TimeSpan now, TimeSpan answered = default, TimeSpan? firstContentAt = null)
    {
        Interlocked.Decrement(ref _counts.Begun);
        Failure.RecordEnd(fault, now);
        if (fault is null)
        {
            _successes.Add(answered.Ticks);
            if (firstContentAt is null)
                RecordAnswer(now, now - answered);
            else
                Volatile.Write(ref _counts.AnsweredAt, now.Ticks); // RecordAnswer was called at the first content
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

    /// <summary>Records that another endpoint has served the call that this endpoint refused.</summary>
    public void RecordServedElsewhere(Fault refusal, TimeSpan began, TimeSpan now)
    {
        if (refusal.RequestFeature is not null)
            return; // the refusal concerns only requests of one kind, and the endpoint serves all others
        Interlocked.Increment(ref _counts.Faults);
        Failure.RecordServedElsewhere(now);
        Health.RecordServedElsewhere(refusal, began, now);
    }

    public override string ToString() => Endpoint.Name;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
