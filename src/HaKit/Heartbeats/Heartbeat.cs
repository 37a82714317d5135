using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>Holds how one endpoint is probed. A reload replaces the whole object.</summary>
internal sealed record HeartbeatSetup(IProbe Probe, ProbeContext Context, HeartbeatOptions Options)
{
    // A probe is the application's code. A timeout such as Timeout.InfiniteTimeSpan (-1 ms) must not make each of its heartbeats a miss.
    public TimeSpan LongestWait => Probe.Timeout is { } own && own > TimeSpan.Zero ? TimeSpan.FromTicks(Math.Min(own.Ticks, TimeSpan.TicksPerDay)) : Options.Timeout;

    public Fault Silence { get; } = new(Probe.Silence);

    public Fault FaultOf(Exception exception)
    {
        if (exception is OperationCanceledException)
            return Silence;
        try
        {
            var evidence = new FaultEvidence { Exception = exception, Dialect = Context.Endpoint.Dialect, Now = Context.Time.GetUtcNow() };
            return Context.Classifier.Classify(in evidence) ?? new Fault(FaultKind.Unknown);
        }
#pragma warning disable CA1031 // A classifier that throws must not end the loop.
        catch
#pragma warning restore CA1031
        {
            return new Fault(FaultKind.Unknown);
        }
    }
}

/// <summary>
/// Runs the heartbeat loop of one endpoint: wait, probe, evaluate, repeat. The loop has its own timer, which is used for the wait and then for the timeout. So
/// a probe that is slow, hangs, throws or blocks its thread delays no probe of another endpoint. The first heartbeat comes at a random time, and each interval
/// has jitter. An interval begins when the previous heartbeat was due, so delays do not add up. Thread-safe.
/// </summary>
internal sealed class Heartbeat
{
    /// <summary>
    /// The maximum number of probes that hang because they ignored their timeout. If so many hang, no further probe begins, and the heartbeat is a miss.
    /// </summary>
    private const int MaxHanging = 3;

    // The system's timers and its timestamps are different clocks: a timer that fires at most this much too early is on time.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(50);

    // The interval is divided into this number of grains. Heartbeats of several endpoints that are due within one grain share one wake-up of the process, because
    // a wake-up costs far more than a heartbeat.
    private const int GrainsPerInterval = 200;

    private readonly Lock _gate = new();
    private readonly EndpointState _member;
    private readonly Pacemaker _pacemaker;
    private readonly ITimer _timer;
    private HeartbeatSetup _setup;
    private LearnedTimeout _times;
    private IFailureDetector? _detector;
    private CancellationTokenSource? _cancellation;
    private TimeSpan _due;
    private TimeSpan _asked = TimeSpan.MinValue;
    private TimeSpan _timeout;
    private int _probeNumber;
    private int _hanging;
    private bool _isAsking;
    private bool _isDoubted;
    private bool _isStopped;

    public Heartbeat(EndpointState member, Pacemaker pacemaker, HeartbeatSetup setup)
    {
        (_member, _pacemaker, _setup) = (member, pacemaker, setup);
        (_times, _detector) = NewHistory(setup);
        _timer = pacemaker.Clock.Time.NewTimer(static heartbeat => ((Heartbeat)heartbeat!).OnTimer(), this);
        lock (_gate)
            ScheduleFirstBeat(pacemaker.Clock.Now);
    }

    /// <summary>Applies another probe or other options. Learned times are kept where they still apply.</summary>
    public void ApplySetup(HeartbeatSetup setup)
    {
        lock (_gate)
        {
            var old = _setup;
            _setup = setup;
            if (old.Probe.GetType() != setup.Probe.GetType() || old.LongestWait != setup.LongestWait || old.Options.MinTimeout != setup.Options.MinTimeout
                || old.Options.Detector != setup.Options.Detector || old.Options.PhiThreshold != setup.Options.PhiThreshold)
            {
                (_times, _detector) = NewHistory(setup);
            }

            if (old.Options.Interval != setup.Options.Interval && !_isAsking && !_isStopped)
                ScheduleFirstBeat(_pacemaker.Clock.Now);
        }
    }

    /// <summary>
    /// Starts a probe without waiting for the next heartbeat, on the timer's thread. False if a probe is running, or if a probe would be useless.
    /// </summary>
    /// <param name="isDoubted">True if other replicas report that the endpoint is down. A recent answer then does not make the probe useless.</param>
    public bool ProbeNow(bool isDoubted = false)
    {
        var now = _pacemaker.Clock.Now;
        lock (_gate)
        {
            _isDoubted = isDoubted;
            if (_isStopped || _isAsking || RestUntil(now) is not null)
                return false;
            if (_setup.Probe.Pace == ProbePace.Sparingly && _asked > now - _setup.Options.Interval)
                return false;
            _due = now;
            ArmTimer(TimeSpan.Zero);
            return true;
        }
    }

    /// <summary>Checks whether a success of the probe could clear the endpoint's fault.</summary>
    public bool CanClear(HealthState state) => _setup.Probe.Level >= state.CauseLevel;

    public void Stop()
    {
        CancellationTokenSource? underWay;
        lock (_gate)
        {
            _isStopped = true;
            _probeNumber++;
            underWay = _cancellation;
            _cancellation = null;
            _timer.Dispose();
        }
        Cancel(underWay);
    }

    private void OnTimer()
    {
        var now = _pacemaker.Clock.Now;
        OverdueProbe? overdue = null;
        BegunProbe? begun = null;
        lock (_gate)
        {
            if (_isStopped)
                return;
            var due = _isAsking ? _asked + _timeout : _due;
            if (now < due - Tolerance)
            {
                ArmTimer(due - now);
                return;
            }
            if (!_isAsking && RestUntil(now) is { } later)
            {
                _due = later;
                ArmForBeat(now);
                return;
            }
            // The probe ends or begins under the lock that checked the due time. Otherwise the answer of the running probe could arrive in between, and the next
            // probe would begin at once, even during a cooldown.
            if (_isAsking)
                overdue = EndOverdueProbeWhileLocked(now);
            else
                begun = BeginProbeWhileLocked(now);
        }
        if (overdue is { } ended)
        {
            RecordResult(ended.Setup, new ProbeResult(ended.Setup.Silence), ended.Asked, now);
            Cancel(ended.Cancellation);
        }
        else if (begun is { } probe)
        {
            _ = RunProbeAsync(probe);
        }
    }

    // Null if the heartbeat is a miss without a probe, because too many probes hang.
    private BegunProbe? BeginProbeWhileLocked(TimeSpan now)
    {
        _asked = now;
        _isDoubted = false;
        _timeout = _setup.Options.LearnTimeout ? _times.Current : _setup.LongestWait;
        _isAsking = true;
        ArmTimer(_timeout);
        return _hanging >= MaxHanging ? null : new BegunProbe(_setup, _probeNumber, (_cancellation ??= new CancellationTokenSource()).Token);
    }

    // The time of the probe is over, so any later answer is ignored.
    private OverdueProbe EndOverdueProbeWhileLocked(TimeSpan now)
    {
        var overdue = new OverdueProbe(_setup, _asked, _cancellation);
        if (_cancellation is not null)
            _hanging++;
        _cancellation = null;
        _probeNumber++;
        _isAsking = false;
        ScheduleNextBeat(now);
        return overdue;
    }

    private async Task RunProbeAsync(BegunProbe begun)
    {
        var setup = begun.Setup;
        ProbeResult result;
        try
        {
            result = await setup.Probe.ProbeAsync(setup.Context, begun.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A probe that throws is a failed heartbeat.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            result = new ProbeResult(setup.FaultOf(exception));
        }
        EndAnsweredProbe(setup, begun.Number, result);
    }

    private void EndAnsweredProbe(HeartbeatSetup setup, int number, ProbeResult result)
    {
        var now = _pacemaker.Clock.Now;
        TimeSpan asked;
        lock (_gate)
        {
            if (number != _probeNumber)
            {
                _hanging--;
                return;
            }
            if (_isStopped)
                return;
            _probeNumber++;
            _isAsking = false;
            asked = _asked;
            if (_cancellation?.TryReset() == false)
                _cancellation = null;
            ScheduleNextBeat(now);
        }
        RecordResult(setup, result, asked, now);
    }

    private void RecordResult(HeartbeatSetup setup, ProbeResult result, TimeSpan asked, TimeSpan now)
    {
        var fault = result.Fault is { IsNeutral: true } ours ? ours with { Blame = FaultBlame.Endpoint, SecondOpinion = SecondOpinion.None, IsProvisional = false } : result.Fault;
        if (fault is not null)
            fault = _member.Endpoint.WithoutOwnSecret(fault);
        // The timeout of the probe is learned from the recorded times. A probe that timed out is recorded with the time that it waited, because otherwise only
        // fast answers would be learned. Any other failure is not recorded, because the server may refuse a probe before it does any work.
        if (fault is null || ReferenceEquals(fault, setup.Silence))
            _times.Record(now - asked);
        _member.ReportedLoad = fault is null && result.Load is { } load ? load with { At = now } : null;
        _member.Heartbeat = new HeartbeatReading
        {
            At = now,
            Level = setup.Probe.Level,
            Fault = fault,
            Took = now - asked,
            NextTimeout = setup.Options.LearnTimeout ? _times.Current : setup.LongestWait,
            IsTimeoutLearned = setup.Options.LearnTimeout && _times.IsLearned,
        };
        _member.Telemetry?.RecordHeartbeat(now - asked, fault?.KindName);
        _member.Recorder?.RecordProbe(_member, setup.Probe.Level, fault, asked, now);
        // Calls have reached the endpoint, perhaps through a handler that resolves names in another way. So a DNS failure of the probe is no evidence against
        // the endpoint.
        if (fault?.Kind == FaultKind.DnsFailed && _member.Successes > 0 && _member.Health.State.IsInService)
            return;
        // While no endpoint can serve, or while calls are waiting, one successful probe brings its endpoint back.
        var isDecisive = fault is null && _pacemaker.IsAnswerDecisive;
        if (_detector is { } detector)
        {
            DetectorVerdict verdict;
            lock (_gate)
                verdict = detector.Observe(fault is null, now);
            if (verdict == DetectorVerdict.Undecided)
                return;
            isDecisive = true;
        }
        _member.Health.Probe(setup.Probe.Level, fault, now, isDecisive);
    }

    // Gets the time until which a probe is useless. Null: probe now.
    private TimeSpan? RestUntil(TimeSpan now)
    {
        var (probe, options) = (_setup.Probe, _setup.Options);
        var state = _member.Health.State;
        if (state.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            return now + options.Interval;
        // If the server has named a time (Retry-After), it may refuse every request until this time has passed. So until then only probes that just connect are sent.
        if (probe.Level > ProbeLevel.Reachable && state.Cooldown is { IsUntilCleared: false } cooldown && now < cooldown.Until)
            return Min(cooldown.Until, now + options.SparingInterval);
        // One replica makes the probes that cost money, and the other replicas get the result.
        if (probe.Pace == ProbePace.Sparingly && _pacemaker.MaySendCostly?.Invoke() == false)
            return now + options.Interval;
        if (state.Status == EndpointHealthStatus.Ejected)
            return null;
        var last = _member.AnsweredAt ?? TimeSpan.MinValue;
        switch (probe.Pace)
        {
            case ProbePace.WhenQuiet when !_isDoubted && state.IsClean && last > now - options.Interval * (1 - options.Jitter):
                return last + Interval(options);
            case ProbePace.Sparingly:
                if (_asked > last)
                    last = _asked;
                return last > now - options.SparingInterval * (1 - options.Jitter) ? Min(last + options.SparingInterval, now + options.SparingInterval) : null;
            default:
                return null;
        }
    }

    // The next heartbeat is counted from the time at which this heartbeat was due, not from now, so that delays do not add up. Heartbeats that were due during a
    // pause of the process are left out.
    private void ScheduleNextBeat(TimeSpan now)
    {
        var interval = Interval(_setup.Options);
        _due += interval;
        if (_due <= now)
            _due += interval * (1 + Math.Floor((now - _due) / interval));
        ArmForBeat(now);
    }

    private void ScheduleFirstBeat(TimeSpan now)
    {
        _due = now + _setup.Options.Interval * _pacemaker.Chance.NextDouble();
        ArmForBeat(now);
    }

    // Only the timer is rounded up, to the next grain of the pool's clock. The due time stays exact, so the rounding does not add up over several heartbeats.
    private void ArmForBeat(TimeSpan now)
    {
        var grain = Math.Max(1, _setup.Options.Interval.Ticks / GrainsPerInterval);
        ArmTimer(new TimeSpan((_due.Ticks + grain - 1) / grain * grain) - now);
    }

    // Timers count whole milliseconds. Rounding up avoids a timer that fires slightly too early.
    private void ArmTimer(TimeSpan wait)
    {
        if (!_isStopped)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 0, uint.MaxValue - 1)), Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Interval(HeartbeatOptions options) => options.Interval * (1 + options.Jitter * (2 * _pacemaker.Chance.NextDouble() - 1));

    private static (LearnedTimeout, IFailureDetector?) NewHistory(HeartbeatSetup setup) => (
        new LearnedTimeout(Min(setup.Options.MinTimeout, setup.LongestWait), setup.LongestWait),
        setup.Options.Detector == FailureDetection.PhiAccrual
            ? new PhiAccrual(setup.Options.PhiThreshold, setup.Options.Interval, setup.Options.Interval * 0.1)
            : null);

    private static void Cancel(CancellationTokenSource? source)
    {
        try
        {
            source?.Cancel();
        }
#pragma warning disable CA1031 // The probe's own registration on the token threw an exception.
        catch
#pragma warning restore CA1031
        {
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct BegunProbe(HeartbeatSetup Setup, int Number, CancellationToken Token);

    private readonly record struct OverdueProbe(HeartbeatSetup Setup, TimeSpan Asked, CancellationTokenSource? Cancellation);
}
