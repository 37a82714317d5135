using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Runs the heartbeats of one pool. It adds and removes heartbeats with the pool's members. It probes an endpoint at once after the endpoint's ejection, and
/// probes more often while no endpoint can serve. It also watches whether the timers of this process are late. Thread-safe.
/// </summary>
internal sealed class Pacemaker
{
    private readonly Lock _gate = new();
    private readonly HealthTracker _health;
    private readonly Func<TimeSpan, TimeSpan> _outagePause;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMinutes(1);

    private readonly Action<TimeSpan?> _outageChanged;
    private readonly Queue<TimeSpan?> _outageChanges = new();
    private readonly Dictionary<EndpointHealth, Heartbeat> _heartbeats = [];
    private readonly ITimer _watch;
    private readonly ITimer _outage;
    private EndpointState[] _members = [];
    private TimeSpan _lateTimers;
    private TimeSpan _watchPeriod;
    private TimeSpan _watchDue;
    private TimeSpan? _outageSince;
    private bool _hasHadMembers;
    private TimeSpan _waitedSince;
    private volatile bool _isWaitedFor;
    private uint _outageCursor;
    private TimeSpan _reportedAt;
    private bool _isDelivering;
    private bool _isStopped;

    /// <param name="clock">The pool's clock.</param>
    /// <param name="health">Receives late timers and the elapsed time.</param>
    /// <param name="chance">The random numbers for start times and jitter.</param>
    /// <param name="outagePause">Gets the pause between two probes in an outage of a given age.</param>
    /// <param name="outageChanged">Called with null when an outage begins, and with the length of the outage when it ends. The calls come in order, one at a time, under no lock.</param>
    public Pacemaker(PoolClock clock, HealthTracker health, Chance chance, Func<TimeSpan, TimeSpan> outagePause, Action<TimeSpan?> outageChanged)
    {
        (Clock, _health, Chance, _outagePause, _outageChanged) = (clock, health, chance, outagePause, outageChanged);
        _watch = clock.Time.NewTimer(static pacemaker => ((Pacemaker)pacemaker!).Watch(), this);
        _outage = clock.Time.NewTimer(static pacemaker => ((Pacemaker)pacemaker!).ProbeInOutage(), this);
    }

    /// <summary>Gets the callback that runs once a minute during an outage. It gets the age of the outage, and runs under no lock.</summary>
    public Action<TimeSpan>? OutageGoesOn { get; init; }

    public PoolClock Clock { get; }

    public Chance Chance { get; }

    /// <summary>Gets whether no member can serve: each is out, cools down, or cannot be reached. False until the pool has had a member.</summary>
    public bool IsOutage { get; private set; }

    /// <summary>Gets the start of the current outage (<see cref="IsOutage"/>). Null if there is none.</summary>
    public TimeSpan? OutageSince
    {
        get
        {
            lock (_gate)
                return _outageSince;
        }
    }

    /// <summary>Gets a function that checks whether calls wait now. Null: calls never wait.</summary>
    public Func<bool>? AreCallsWaiting { get; init; }

    /// <summary>Gets whether one answer of an endpoint is enough to bring it back, because no endpoint can serve, or because calls are waiting.</summary>
    public bool IsAnswerDecisive => IsOutage || _isWaitedFor;

    /// <summary>Applies the members of the pool. <paramref name="setupOf"/> returns how each member is probed, or null if the member is not probed.</summary>
    public void ApplyMembers(EndpointState[] members, Func<EndpointState, HeartbeatSetup?> setupOf, HealthOptions options)
    {
        var setups = new Dictionary<EndpointHealth, (EndpointState Member, HeartbeatSetup Setup)>();
        foreach (var member in members)
        {
            if (setupOf(member) is { } setup)
                setups.Add(member.Health, (member, setup));
        }

        var gone = new List<Heartbeat>();
        lock (_gate)
        {
            if (_isStopped)
                return;
            _members = members;
            _hasHadMembers |= members.Length > 0;
            foreach (var health in _heartbeats.Keys.Where(h => !setups.ContainsKey(h)).ToArray())
            {
                if (_heartbeats.Remove(health, out var heartbeat))
                    gone.Add(heartbeat);
            }

            foreach (var (health, (member, setup)) in setups)
            {
                if (_heartbeats.TryGetValue(health, out var heartbeat))
                    heartbeat.ApplySetup(setup);
                else
                    _heartbeats.Add(health, new Heartbeat(member, this, setup));
            }
            // The timer runs at least four times within the tolerated lateness, so that it notices a longer pause of the process.
            var period = options.LateTimers / 4;
            if (period > TimeSpan.FromSeconds(1))
                period = TimeSpan.FromSeconds(1);
            _lateTimers = options.LateTimers;
            // Frequent changes of the members must not postpone the timer, because the timer ends cooldowns and slow starts.
            if (period != _watchPeriod)
            {
                _watchPeriod = period;
                ArmWatch(Clock.Now);
            }
        }
        gone.ForEach(static heartbeat => heartbeat.StopAndForget());
        UpdateOutage();
    }

    /// <summary>Handles every change of an endpoint's health.</summary>
    public void OnHealthChanged(in HealthChange change, TimeSpan now)
    {
        var (before, after) = (change.Before, change.After);
        // If a cooldown ends by itself, the endpoint can serve before this change is reported. The two states then do not differ in whether they can serve. So
        // the change is examined too if the endpoint can serve during an outage.
        var canServe = CanServe(after, now);
        if (canServe != CanServe(before, now) || canServe && IsOutage)
            UpdateOutage();
        // No probe is needed if a probe has just ejected the endpoint. A fault may eject all endpoints of a failure domain, for example all endpoints with the same
        // model. Then only the endpoint on which the fault was found is probed.
        var isEjected = after.Status == EndpointHealthStatus.Ejected && before.Status != EndpointHealthStatus.Ejected
            && change.Evidence is { Source: not EvidenceSource.Probe, IsShared: false };
        var isBroughtUp = change.Evidence is { Source: EvidenceSource.Order, Order: HealthOrder.BringUp };
        if (isEjected || isBroughtUp)
            FindHeartbeat(change.Endpoint)?.ProbeNow();
        else if (after.Status == EndpointHealthStatus.Ejected && before.Status != EndpointHealthStatus.Ejected)
            FindHeartbeat(change.Endpoint)?.EndLongRest();
    }

    /// <summary>Gets or sets a function that checks whether this replica may send probes that cost money. Null: it may.</summary>
    public Func<bool>? MaySendCostly { get; set; }

    /// <summary>
    /// Probes one endpoint after another, with the short pauses of an outage, until no call waits. This method is called whenever a call begins or continues to
    /// wait, even if no endpoint is known to be out.
    /// </summary>
    /// <param name="since">The time at which calls first found the outage. Calls may find an outage before the heartbeats do.</param>
    public void ProbeWhileCallsWait(TimeSpan since)
    {
        if (_isWaitedFor || IsOutage)
            return;
        lock (_gate)
        {
            if (_isStopped || _isWaitedFor || IsOutage || _heartbeats.Count == 0)
                return;
            (_isWaitedFor, _waitedSince) = (true, since);
            _outage.Change(_outagePause(Clock.Now - since), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Probes an endpoint at once. False if it has no heartbeat, or if a probe would be useless now.</summary>
    public bool ProbeNow(EndpointState member) => FindHeartbeat(member.Health)?.ProbeNow(isDoubted: true) == true;

    public void Stop()
    {
        Heartbeat[] heartbeats;
        lock (_gate)
        {
            _isStopped = true;
            Clock.ExpectTickBy(TimeSpan.MaxValue);
            _watch.Dispose();
            _outage.Dispose();
            heartbeats = [.. _heartbeats.Values];
            _heartbeats.Clear();
        }
        // This runs outside the lock, because stopping a heartbeat cancels its probe, and the cancellation runs the callbacks of the probe's own code.
        Array.ForEach(heartbeats, static heartbeat => heartbeat.Stop());
    }

    private Heartbeat? FindHeartbeat(EndpointHealth endpoint)
    {
        lock (_gate)
            return _heartbeats.GetValueOrDefault(endpoint);
    }

    // Late timers mean that this process was paused. This method also applies the elapsed time to the health when there are no calls.
    private void Watch()
    {
        var now = Clock.Now;
        var lateness = now - _watchDue;
        if (lateness > _lateTimers)
        {
            Clock.RecordPause(now);
            _health.TimersWereLate(now, lateness);
        }
        _health.Advance(now);
        lock (_gate)
        {
            if (!_isStopped)
                ArmWatch(Clock.Now);
        }
    }

    private void ArmWatch(TimeSpan now)
    {
        _watchDue = now + _watchPeriod;
        Clock.ExpectTickBy(_watchDue + _lateTimers);
        _watch.Change(_watchPeriod, Timeout.InfiniteTimeSpan);
    }

    private void UpdateOutage()
    {
        lock (_gate)
        {
            // The time and the states are read under the lock. Otherwise an endpoint could recover in between, and an outage that is already over would begin.
            var now = Clock.Now;
            // A pool that starts empty waits for service discovery, which is not an outage.
            var isOutage = _hasHadMembers && !Array.Exists(_members, m => CanServe(m.Health.State, now));
            if (_isStopped || isOutage == IsOutage)
                return;
            IsOutage = isOutage;
            if (isOutage)
            {
                _outageChanges.Enqueue(null);
                _outageSince = _reportedAt = now;
                _outage.Change(_outagePause(TimeSpan.Zero), Timeout.InfiniteTimeSpan);
            }
            else
            {
                _outageChanges.Enqueue(now - _outageSince);
                _outageSince = null;
                _isWaitedFor = false;
                _outage.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
        DeliverOutageChanges();
    }

    // The first thread delivers the changes of all threads, one at a time. Otherwise the end of an outage could be reported before its beginning.
    private void DeliverOutageChanges()
    {
        while (TryTakeOutageChange(out var lasted))
        {
            try
            {
                _outageChanged(lasted);
            }
            finally
            {
                lock (_gate)
                    _isDelivering = false;
            }
        }
    }

    private bool TryTakeOutageChange(out TimeSpan? lasted)
    {
        lasted = null;
        lock (_gate)
            return !_isDelivering && (_isDelivering = _outageChanges.TryDequeue(out lasted));
    }

    // Runs again and again during an outage, and while calls wait. Each run probes the next endpoint for which a probe is useful. During an outage this method
    // also reports the outage once a minute.
    private void ProbeInOutage()
    {
        UpdateOutage();
        var now = Clock.Now;
        var members = _members;
        for (var i = 0; i < members.Length; i++)
        {
            var member = members[(int)(_outageCursor++ % (uint)members.Length)];
            if (member.Health.State is { Status: EndpointHealthStatus.Ejected or EndpointHealthStatus.Suspect or EndpointHealthStatus.SlowStart } state
                && FindHeartbeat(member.Health) is { } heartbeat && heartbeat.CanClear(state) && heartbeat.ProbeNow())
            {
                break;
            }
        }
        TimeSpan? age = null;
        lock (_gate)
        {
            _isWaitedFor = _isWaitedFor && _outageSince is null && AreCallsWaiting?.Invoke() == true;
            if (!_isStopped && (_isWaitedFor ? _waitedSince : _outageSince) is { } since)
                _outage.Change(_outagePause(now - since), Timeout.InfiniteTimeSpan);
            if (!_isStopped && _outageSince is { } outageSince && now - _reportedAt >= ReportInterval)
                (_reportedAt, age) = (now, now - outageSince);
        }

        if (age is { } length)
            OutageGoesOn?.Invoke(length);
    }

    // An endpoint to which the pool cannot connect serves no calls. It may be admitted all the same, because this machine's network may be at fault.
    private static bool CanServe(HealthState state, TimeSpan now) => state.Admits(now) && !state.IsUnreachable;
}
