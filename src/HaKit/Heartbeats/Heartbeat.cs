using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Runs the heartbeat loop of one endpoint: wait, probe, evaluate, repeat. The loop has its own timer, which is used for the wait and then for the timeout. So
/// a probe that is slow, hangs, throws or blocks its thread delays no probe of another endpoint. The first heartbeat comes at a random time, and each interval
/// has jitter. An interval begins when the previous heartbeat was due, so delays do not add up. Thread-safe.
/// </summary>
internal sealed class Heartbeat
{
    /// <summary>
    /// The maximum number of probes that hang because they ignored their timeout. If so many probes hang, no further probe begins, and each heartbeat is a
    /// miss.
    /// </summary>
    private const int MaxHanging = 3;

    // The system's timers and its timestamps are different clocks. A timer that fires too early by at most this time counts as on time.
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
    private TimeSpan _probeBegan = TimeSpan.MinValue;
    private TimeSpan _timeout;
    private int _probeNumber;
    private int _hanging;
    private bool _isProbing;
    private bool _isDoubted;
    private bool _hasRested;
    private bool? _reportsLoad;
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
            if (!old.HasSameProbe(setup))
            {
                // The old probe has read this load. The new probe may read no load, or may rest for a long time.
                _member.ReportedLoad = null;
                _reportsLoad = null;
            }
            if (old.Probe.GetType() != setup.Probe.GetType() || old.LongestWait != setup.LongestWait || old.Options.MinTimeout != setup.Options.MinTimeout
                || old.Options.Detector != setup.Options.Detector || old.Options.PhiThreshold != setup.Options.PhiThreshold || old.UsualInterval != setup.UsualInterval)
            {
                (_times, _detector) = NewHistory(setup);
            }

            if (old.Options.Interval != setup.Options.Interval && !_isProbing && !_isStopped)
                ScheduleFirstBeat(_pacemaker.Clock.Now);
            else
                EndLongRestWhileLocked();
        }
    }

    /// <summary>
    /// Makes the next heartbeat due within one interval, because the reason for a longer rest may be gone. If the reason is not gone, the heartbeat rests again.
    /// </summary>
    public void EndLongRest()
    {
        lock (_gate)
            EndLongRestWhileLocked();
    }

    /// <summary>Stops the loop, and removes its latest result from the endpoint, because no heartbeat renews it any more.</summary>
    public void StopAndForget()
    {
        Stop();
        lock (_gate)
            (_member.ReportedLoad, _member.Heartbeat) = (null, null);
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
            if (_isStopped || _isProbing || RestUntil(now, out _) is not null)
                return false;
            if (_setup.Pace == ProbePace.Sparingly && _probeBegan > now - _setup.Options.Interval)
                return false;
            _due = now;
            ArmTimer(TimeSpan.Zero);
            return true;
        }
    }

    /// <summary>Checks whether a success of the probe could clear the endpoint's fault.</summary>
    public bool CanClear(HealthState state) => _setup.Level >= state.CauseLevel;

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
            var due = _isProbing ? _probeBegan + _timeout : _due;
            if (now < due - Tolerance)
            {
                ArmTimer(due - now);
                return;
            }
            if (!_isProbing && RestUntil(now, out var isUsual) is { } later)
            {
                _hasRested |= !isUsual;
                _due = later;
                ArmForBeat(now);
                return;
            }
            // The probe ends or begins under the lock that checked the due time. Otherwise the answer of the running probe could arrive in between, and the next
            // probe would begin at once, even during a cooldown.
            if (_isProbing)
                overdue = EndOverdueProbeWhileLocked(now);
            else
                begun = BeginProbeWhileLocked(now);
        }
        if (overdue is { } ended)
        {
            RecordResult(ended.Setup, new ProbeResult(ended.Setup.Silence), ended.Began, now);
            Cancel(ended.Cancellation);
        }
        else if (begun is { } probe)
        {
            _ = RunProbeAsync(probe);
        }
    }

    // Returns null if too many probes hang. This heartbeat is then a miss without a probe.
    private BegunProbe? BeginProbeWhileLocked(TimeSpan now)
    {
        if (_hasRested)
            _detector?.Resume(now);
        _hasRested = false;
        _probeBegan = now;
        _isDoubted = false;
        _timeout = _setup.Options.LearnTimeout ? _times.Current : _setup.LongestWait;
        _isProbing = true;
        ArmTimer(_timeout);
        return _hanging >= MaxHanging ? null : new BegunProbe(_setup, _probeNumber, (_cancellation ??= new CancellationTokenSource()).Token);
    }

    // The time of the probe is over, so any later answer is ignored.
    private OverdueProbe EndOverdueProbeWhileLocked(TimeSpan now)
    {
        var overdue = new OverdueProbe(_setup, _probeBegan, _cancellation);
        if (_cancellation is not null)
            _hanging++;
        _cancellation = null;
        _probeNumber++;
        _isProbing = false;
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
        TimeSpan began;
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
            _isProbing = false;
            began = _probeBegan;
            if (_cancellation?.TryReset() == false)
                _cancellation = null;
            ScheduleNextBeat(now);
        }
        RecordResult(setup, result, began, now);
    }

    private void RecordResult(HeartbeatSetup setup, ProbeResult result, TimeSpan began, TimeSpan now)
    {
        var fault = result.Fault is { IsNeutral: true } ours ? ours with { Blame = FaultBlame.Endpoint, SecondOpinion = SecondOpinion.None, IsProvisional = false } : result.Fault;
        if (fault is not null)
            fault = _member.Endpoint.WithoutOwnSecret(fault);
        // The timeout of the probe is learned from the recorded times. A probe that timed out is recorded with the time that it waited, because otherwise only
        // fast answers would be learned. Any other failure is not recorded, because the server may refuse a probe before it does any work.
        if (fault is null || ReferenceEquals(fault, setup.Silence))
            _times.Record(now - began);
        var level = setup.Level;
        var reading = new HeartbeatReading
        {
            At = now,
            Level = level,
            Fault = fault,
            Took = now - began,
            NextTimeout = setup.Options.LearnTimeout ? _times.Current : setup.LongestWait,
            IsTimeoutLearned = setup.Options.LearnTimeout && _times.IsLearned,
        };
        StoreResult(setup, reading, result.Load);
        _member.Telemetry?.RecordHeartbeat(now - began, fault?.KindName);
        _member.Recorder?.RecordProbe(_member, level, fault, began, now);
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
        _member.Health.Probe(level, fault, now, isDecisive);
    }

    // Under the lock, this result cannot be stored after the loop has stopped, or after another probe has replaced the probe that read the load.
    private void StoreResult(HeartbeatSetup setup, HeartbeatReading reading, ReportedLoad? load)
    {
        lock (_gate)
        {
            if (_isStopped)
                return;
            _member.Heartbeat = reading;
            if (!setup.HasSameProbe(_setup))
                return;
            _reportsLoad = load is not null || reading.Fault is not null && _reportsLoad == true;
            _member.ReportedLoad = reading.Fault is null && load is not null ? load with { At = reading.At } : null;
        }
    }

    // Gets the time until which a probe is useless. Null: probe now. isUsual is true if the probe only waits for its normal interval (SparingInterval).
    private TimeSpan? RestUntil(TimeSpan now, out bool isUsual)
    {
        isUsual = false;
        var (pace, options) = (_setup.Pace, _setup.Options);
        var state = _member.Health.State;
        if (state.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            return now + options.Interval;
        // If the server has named a time (Retry-After), it may refuse every request until this time has passed. So until then only probes that just connect are sent.
        if (_setup.Level > ProbeLevel.Reachable && state.Cooldown is { IsUntilCleared: false } cooldown && now < cooldown.Until)
            return Min(cooldown.Until, now + options.SparingInterval);
        // One replica makes the probes that cost money, and the other replicas get the result.
        if (pace == ProbePace.Sparingly && _pacemaker.MaySendCostly?.Invoke() == false)
            return now + options.Interval;
        if (state.Status == EndpointHealthStatus.Ejected)
            return null;
        var last = _member.AnsweredAt ?? TimeSpan.MinValue;
        switch (pace)
        {
            case ProbePace.WhenQuiet when !_isDoubted && !MayReportLoad && state.IsClean && last > now - options.Interval * (1 - options.Jitter):
                return last + Interval(options);
            case ProbePace.Sparingly:
                isUsual = _probeBegan > last;
                if (isUsual)
                    last = _probeBegan;
                return last > now - options.SparingInterval * (1 - options.Jitter) ? Min(last + options.SparingInterval, now + options.SparingInterval) : null;
            default:
                return null;
        }
    }

    // A service may report its load at its health path. The first answer shows whether it does, so the first heartbeat is sent even to a busy endpoint. This
    // heartbeat remembers the result, because a reload creates a new HttpProbe, which has the pace WhenQuiet until its first answer.
    private bool MayReportLoad => _setup.Probe is HttpProbe && _reportsLoad != false;

    // Without this method, a heartbeat that rests for a long time would be sent only at the end of this time, even if the reason for the rest is gone.
    private void EndLongRestWhileLocked()
    {
        var now = _pacemaker.Clock.Now;
        if (!_isStopped && !_isProbing && _due - now > _setup.Options.Interval * (1 + _setup.Options.Jitter))
            ScheduleFirstBeat(now);
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
            ? new PhiAccrual(setup.Options.PhiThreshold, setup.UsualInterval, setup.UsualInterval * 0.1)
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

    private readonly record struct OverdueProbe(HeartbeatSetup Setup, TimeSpan Began, CancellationTokenSource? Cancellation);
}
