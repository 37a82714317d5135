using System.Runtime.ExceptionServices;
using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Keeps the health of a pool's endpoints. It passes evidence to <see cref="HealthReducer"/>, spreads evidence to endpoints of the same failure domain, and reports changes.
/// Safe for concurrent use: one lock protects the health of all endpoints. The names of methods that need the lock end with <c>WhileLocked</c>.
/// </summary>
internal sealed class HealthTracker
{
    private static readonly TimeSpan s_lately = TimeSpan.FromHours(24);

    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly List<EndpointHealth> _endpoints = [];
    private readonly Queue<HealthChange> _changes = new();
    private readonly SelfSuspicion _suspicion = new();
    private HealthOptions _options;
    private HealthOptions? _asIfEnforced;
    private TimeSpan _connectEjectionAt = TimeSpan.MinValue;
    private long _nextChange = TimeSpan.MaxValue.Ticks;
    private bool _isDelivering;

    /// <param name="options">The rules for ejection and return. Do not change them afterwards.</param>
    /// <param name="random">The seeded source of jitter; used only under the lock.</param>
    public HealthTracker(HealthOptions options, Random random) => (_options, _asIfEnforced, _random) = (options, options.AsIfEnforced(), random);

    /// <summary>
    /// Occurs at every change of a state. The event also occurs when a rule in report mode would have taken an endpoint out (<see
    /// cref="HealthChange.IsReport"/>). No state changes then. The tracker raises the event outside the lock, in order, one at a time; a handler may call
    /// methods of the tracker. Add handlers before the first endpoint. If a handler throws, all other handlers still get all changes. The first exception is
    /// then thrown.
    /// </summary>
    public event Action<HealthChange>? Changed;

    /// <summary>
    /// Occurs when <see cref="Changed"/> has been raised for all changes so far. While a handler of this event runs, other threads can report the next changes. So
    /// use this event for work that takes long.
    /// </summary>
    public event Action? Delivered;

    /// <summary>
    /// Gets the next time at which the end of a period (an ejection, a cooldown, a trial, a slow start) changes a state. <see cref="TimeSpan.MaxValue"/>: none.
    /// Lock-free.
    /// </summary>
    public TimeSpan NextChange => TimeSpan.FromTicks(Volatile.Read(ref _nextChange));

    public EndpointHealth Add(string name, FailureDomains domains, TimeSpan now)
    {
        lock (_gate)
        {
            var endpoint = new EndpointHealth(this, name, domains, new SampleWindow(_options.SamplingDuration), now);
            _endpoints.Add(endpoint);
            return endpoint;
        }
    }

    /// <summary>Removes an endpoint. Its attempts may still complete, but its changes are no longer reported.</summary>
    public void Remove(EndpointHealth endpoint)
    {
        lock (_gate)
        {
            endpoint.IsRemoved = true;
            _endpoints.Remove(endpoint);
        }
    }

    /// <summary>Applies new options after a reload. Learned values stay; a sampling window of another length starts empty.</summary>
    public void UseOptions(HealthOptions options)
    {
        lock (_gate)
        {
            if (options.SamplingDuration != _options.SamplingDuration)
            {
                foreach (var endpoint in _endpoints)
                    endpoint.Window = new SampleWindow(options.SamplingDuration);
            }

            _options = options;
            _asIfEnforced = options.AsIfEnforced();
        }
    }

    /// <summary>Applies the elapsed time: ends trials without an answer, cooldowns and slow starts.</summary>
    public void Advance(TimeSpan now)
    {
        if (now < NextChange)
            return;
        lock (_gate)
        {
            var next = TimeSpan.MaxValue;
            foreach (var endpoint in _endpoints)
            {
                ApplyWhileLocked(endpoint, new HealthEvidence { Source = EvidenceSource.Time }, now);
                var edge = endpoint.State.NextEdge(now);
                if (edge < next)
                    next = edge;
            }

            Volatile.Write(ref _nextChange, next.Ticks);
        }

        Deliver();
    }

    /// <summary>
    /// Records that the timers of this process fired <paramref name="lateness"/> late, which means that the process was paused. Faults that the pause explains
    /// eject no endpoint, and recent ejections that the pause explains are undone.
    /// </summary>
    public void TimersWereLate(TimeSpan now, TimeSpan lateness)
    {
        lock (_gate)
        {
            if (lateness <= _options.LateTimers)
                return;
            _suspicion.RecordPause(now, _options);
            foreach (var endpoint in _endpoints)
            {
                ApplyWhileLocked(endpoint, new HealthEvidence { Source = EvidenceSource.SelfSuspicion, Length = lateness }, now);
                endpoint.Window.Clear();
            }
        }

        Deliver();
    }

    internal bool TryBeginTrial(EndpointHealth endpoint, BeginMode mode, TimeSpan now, out HealthTicket ticket)
    {
        bool begun;
        lock (_gate)
            begun = TryBeginTrialWhileLocked(endpoint, mode, now, out ticket);
        Deliver();
        return begun;
    }

    internal void CountSuccess(EndpointHealth endpoint, TimeSpan now)
    {
        lock (_gate)
        {
            endpoint.Window.Roll(now);
            endpoint.Window.TryCountSuccess(now);
        }
    }

    internal void Report(EndpointHealth endpoint, HealthEvidence evidence, TimeSpan now)
    {
        lock (_gate)
            ReportWhileLocked(endpoint, evidence, now);
        Deliver();
    }

    /// <summary>
    /// Makes an endpoint suspect without a failure. The evidence does not count in the sampling window and does not spread to other endpoints.
    /// </summary>
    internal void Hint(EndpointHealth endpoint, HealthEvidence evidence, TimeSpan now)
    {
        lock (_gate)
            ApplyWhileLocked(endpoint, evidence with { Jitter = _random.NextDouble() }, now);
        Deliver();
    }

    /// <summary>Applies a fact of other replicas. Such a fact never takes out the only endpoint that is still admitted.</summary>
    internal void ApplyPeerFact(EndpointHealth endpoint, HealthEvidence evidence, TimeSpan now)
    {
        lock (_gate)
            ApplyWhileLocked(endpoint, evidence with { Jitter = _random.NextDouble(), IsLast = evidence.IsLast || IsLastWhileLocked(endpoint, now) }, now);
        Deliver();
    }

    private bool TryBeginTrialWhileLocked(EndpointHealth endpoint, BeginMode mode, TimeSpan now, out HealthTicket ticket)
    {
        ticket = default;
        ApplyWhileLocked(endpoint, new HealthEvidence { Source = EvidenceSource.Time }, now);
        var state = endpoint.State;
        var isReady = state.IsTrialReady(now);
        if (isReady || (mode != BeginMode.Trial && state.IsTrialAllowedInOutage(now)))
        {
            var isOutage = mode == BeginMode.OutageTrial || !isReady;
            ApplyWhileLocked(endpoint, new HealthEvidence { Source = EvidenceSource.TrialBegun, IsOutage = isOutage }, now);
            if (state.IsCooling(now))
                InformSharersWhileLocked(endpoint, state.Cooldown!, new HealthEvidence { Source = EvidenceSource.TrialElsewhere }, now);
            ticket = new HealthTicket(endpoint.State.Epoch, now, isTrial: true);
            return true;
        }

        if (mode != BeginMode.FailOpen || state.IsCooling(now))
            return false;
        if (state.IsInService)
            ticket = new HealthTicket(state.Epoch, now, isTrial: false);
        else if (state.Status is EndpointHealthStatus.Ejected or EndpointHealthStatus.Trial)
            ticket = new HealthTicket(HealthTicket.NoEpoch, now, isTrial: false);
        else
            return false;
        return true;
    }

    private void ReportWhileLocked(EndpointHealth endpoint, HealthEvidence evidence, TimeSpan now)
    {
        var before = endpoint.State;
        var fault = evidence.Fault;
        evidence = evidence with
        {
            IsExcused = _suspicion.Explains(evidence, now),
            Jitter = _random.NextDouble(),
            HasServedLately = fault?.Kind == FaultKind.Unauthorized && KeyHasServedWhileLocked(endpoint, now),
        };
        if (fault is not null && !evidence.IsExcused && evidence.Epoch == before.Epoch && before.IsInService && fault.Counts())
        {
            endpoint.Window.CountFailure(now);
            var (samples, failures) = endpoint.Window.Sum(now);
            evidence = evidence with { Samples = samples, Failures = failures };
        }

        if (fault is { IsConnectClass: true } && !evidence.IsExcused && IsOwnNetworkSuspectWhileLocked(endpoint, evidence, now))
            evidence = evidence with { IsNetworkSuspect = true };
        ApplyWhileLocked(endpoint, evidence, now);
        if (fault is not null && Spreads(fault))
            SpreadWhileLocked(endpoint, before, evidence, now);
        // The evidence is a success, and the cooldown is gone before its end. So the success has cleared the cooldown, also for the endpoints that share the
        // cooldown.
        if (fault is null && before.Cooldown is { } cooldown && now < cooldown.Until && !ReferenceEquals(cooldown, endpoint.State.Cooldown))
            InformSharersWhileLocked(endpoint, cooldown, new HealthEvidence { Source = EvidenceSource.ClearedElsewhere, Began = evidence.Began }, now);

        // An early trial that is throttled makes no cooldown longer, so it makes the cooldowns of the other endpoints no longer either.
        bool Spreads(Fault found) => found is { IsNeutral: false, Reach: not FaultReach.Endpoint } && !evidence.IsExcused
            && !(evidence.IsTrial && before.IsInEarlyTrial(now) && found.IsOwnThrottle());
    }

    /// <summary>
    /// Passes evidence about an exhausted account or a refused key to all endpoints that share the account or key, so that one trial decides for all of them.
    /// </summary>
    private void InformSharersWhileLocked(EndpointHealth origin, Cooldown cooldown, in HealthEvidence evidence, TimeSpan now)
    {
        if (!cooldown.IsClearable)
            return;
        foreach (var sibling in FindSharersWhileLocked(origin, cooldown.Cause.Reach))
        {
            if (sibling.State.Cooldown is { IsClearable: true } shared && shared.Cause.Reach == cooldown.Cause.Reach)
                ApplyWhileLocked(sibling, evidence, now);
        }
    }

    /// <summary>
    /// Checks whether this machine's own network is the likely cause of a failure to connect, because no other endpoint can be reached either. If so, this
    /// failure ejects no endpoint, and the ejections shortly before are undone. The check is made only if the failure would eject the endpoint, or if another
    /// endpoint was ejected shortly before.
    /// </summary>
    private bool IsOwnNetworkSuspectWhileLocked(EndpointHealth endpoint, in HealthEvidence evidence, TimeSpan now)
    {
        var before = endpoint.State;
        var isOwn = evidence.Source == EvidenceSource.Probe || evidence.Epoch == before.Epoch;
        if (!isOwn || !before.Admits(now))
            return false;
        endpoint.ConnectFailedAt = now;
        var ejects = HealthReducer.Next(before, evidence with { IsLast = IsLastWhileLocked(endpoint, now) }, now, _options).Status == EndpointHealthStatus.Ejected;
        // Other endpoints may have been ejected shortly before. Even if this failure ejects no endpoint, it may show that this machine's network was at fault then.
        var excuses = _connectEjectionAt >= now - _options.SelfSuspicion && before.ConnectFailures + 1 >= SelfSuspicion.Enough(_options);
        if (!ejects && !excuses)
            return false;
        if (!SelfSuspicion.ConnectsNowhere(_endpoints, endpoint, evidence.Source == EvidenceSource.Probe, now, _options))
        {
            if (ejects)
                _connectEjectionAt = now;
            return false;
        }

        foreach (var other in _endpoints)
        {
            if (SelfSuspicion.IsEjectedJustNow(other.State, now, _options))
                ApplyWhileLocked(other, new HealthEvidence { Source = EvidenceSource.SelfSuspicion, IsNetworkSuspect = true, Length = _options.SelfSuspicion }, now);
        }

        return true;
    }

    private void SpreadWhileLocked(EndpointHealth origin, HealthState before, in HealthEvidence evidence, TimeSpan now)
    {
        // A probe whose level is too low to prove this fault does not spread the fault to other endpoints.
        if (evidence.Source == EvidenceSource.Probe && evidence.Fault!.IsUntilCleared() && evidence.Fault!.Level() > evidence.Level)
            return;
        // The other endpoints of the domain count the failure only if it ended an attempt (not a probe), and only if that attempt began in the current epoch of
        // the endpoint that failed. Otherwise only the cooldown of the fault spreads.
        var counts = evidence.Source == EvidenceSource.Traffic && evidence.Epoch == before.Epoch;
        foreach (var sibling in FindSharersWhileLocked(origin, evidence.Fault!.Reach))
        {
            var shared = new HealthEvidence
            {
                Source = EvidenceSource.Traffic,
                Fault = evidence.Fault,
                IsShared = true,
                Epoch = counts ? evidence.Epoch : HealthTicket.NoEpoch,
                Began = evidence.Began,
                HasServedLately = evidence.HasServedLately,
                Jitter = _random.NextDouble(),
            };
            ApplyWhileLocked(sibling, shared, now);
        }
    }

    // A key that has served recently is probably not wrong. The key may be rotating, or its server may have failed.
    private bool KeyHasServedWhileLocked(EndpointHealth endpoint, TimeSpan now)
    {
        if (endpoint.HasServedWithin(s_lately, now))
            return true;
        foreach (var sibling in FindSharersWhileLocked(endpoint, FaultReach.Key))
        {
            if (sibling.HasServedWithin(s_lately, now))
                return true;
        }

        return false;
    }

    private IEnumerable<EndpointHealth> FindSharersWhileLocked(EndpointHealth origin, FaultReach reach)
    {
        if (reach == FaultReach.Endpoint)
            yield break;
        foreach (var other in _endpoints)
        {
            if (other != origin && origin.Domains.Shares(other.Domains, reach))
                yield return other;
        }
    }

    private bool IsLastWhileLocked(EndpointHealth endpoint, TimeSpan now)
    {
        foreach (var other in _endpoints)
        {
            if (other != endpoint && other.State.Admits(now))
                return false;
        }

        return true;
    }

    private void ApplyWhileLocked(EndpointHealth endpoint, in HealthEvidence evidence, TimeSpan now)
    {
        var before = endpoint.State;
        // Evidence without a random number can eject an endpoint only because its trial has timed out. So the number is created here only during a trial.
        var mayFail = evidence.Jitter == 0 && before.Status == EndpointHealthStatus.Trial;
        var after = HealthReducer.Next(before, mayFail ? evidence with { Jitter = _random.NextDouble() } : evidence, now, _options);
        // The search for another admitted endpoint examines all endpoints. So it is made only if the evidence would eject this endpoint.
        if (evidence.Source is EvidenceSource.Traffic or EvidenceSource.ServedElsewhere && before.IsInService && after.Status == EndpointHealthStatus.Ejected && IsLastWhileLocked(endpoint, now))
            after = HealthReducer.Next(before, evidence with { IsLast = true }, now, _options);
        if (_asIfEnforced is not null)
            ReportUnenforcedWhileLocked(endpoint, before, after, evidence, now);
        if (ReferenceEquals(before, after))
            return;
        endpoint.Publish(after);
        if (after.Epoch != before.Epoch)
            endpoint.Window.Clear();
        var edge = after.NextEdge(now).Ticks;
        if (edge < _nextChange)
            Volatile.Write(ref _nextChange, edge);
        if (!endpoint.IsRemoved)
            _changes.Enqueue(new HealthChange(endpoint, before, after, evidence));
    }

    /// <summary>Reports that a rule in report mode would have taken the endpoint out, at most once per <c>BreakDuration</c>.</summary>
    private void ReportUnenforcedWhileLocked(EndpointHealth endpoint, HealthState before, HealthState after, in HealthEvidence evidence, TimeSpan now)
    {
        if (evidence.Fault is null || endpoint.IsRemoved || endpoint.ReportedAt is { } last && now - last < _options.BreakDuration)
            return;
        var would = HealthReducer.Next(before, evidence with { IsLast = IsLastWhileLocked(endpoint, now) }, now, _asIfEnforced!);
        var isOut = would.Status == EndpointHealthStatus.Ejected && after.Status != EndpointHealthStatus.Ejected
            || would.Cooldown is { IsUntilCleared: true } && after.Cooldown is not { IsUntilCleared: true };
        if (!isOut)
            return;
        endpoint.ReportedAt = now;
        _changes.Enqueue(new HealthChange(endpoint, before, before, evidence, IsReport: true));
    }

    /// <summary>
    /// Delivers changes in order. The first thread delivers the changes of all threads. A change that a handler causes is queued and delivered later.
    /// </summary>
    private void Deliver()
    {
        HealthChange change;
        lock (_gate)
        {
            if (_isDelivering || !_changes.TryDequeue(out change))
                return;
            _isDelivering = true;
        }

        ExceptionDispatchInfo? failure = null;
        var hasMore = true;
        while (hasMore)
        {
            // Each handler is called separately. Otherwise a handler that throws would hide the change from the handlers after it, and the queued changes would
            // wait until another change is delivered.
            foreach (var handler in Delegate.EnumerateInvocationList(Changed))
            {
                try
                {
                    handler(change);
                }
#pragma warning disable CA1031 // The exception is thrown again, after all changes are delivered.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    failure ??= ExceptionDispatchInfo.Capture(exception);
                }
            }

            lock (_gate)
                _isDelivering = hasMore = _changes.TryDequeue(out change);
        }

        Delivered?.Invoke();
        failure?.Throw();
    }
}
