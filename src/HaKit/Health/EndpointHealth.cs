using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// Holds the health of one endpoint for its tracker. Safe for concurrent use. While the endpoint is healthy, the beginning and the success of an attempt
/// allocate nothing. They take no lock, except the first success in each bucket of the sampling window. A failure takes the tracker's lock.
/// </summary>
internal sealed class EndpointHealth
{
    private readonly HealthTracker _tracker;
    private volatile HealthState _state;
    private volatile SampleWindow _window;

    internal EndpointHealth(HealthTracker tracker, string name, FailureDomains domains, SampleWindow window, TimeSpan now)
    {
        (_tracker, Name, Domains, _window) = (tracker, name, domains, window);
        _state = new HealthState(now);
    }

    public string Name { get; }

    public FailureDomains Domains { get; }

    /// <summary>Gets the latest state; a volatile read.</summary>
    public HealthState State => _state;

    /// <summary>Gets or sets when an attempt to connect last failed. Guarded by the tracker's lock.</summary>
    internal TimeSpan? ConnectFailedAt { get; set; }

    internal bool IsRemoved { get; set; }

    /// <summary>Gets or sets when a rule in report mode last reported. Guarded by the tracker's lock.</summary>
    internal TimeSpan? ReportedAt { get; set; }

    // The time at which an attempt was last served, in ticks; negative if no attempt was served yet.
    private long _servedAt = -1;

    /// <summary>Checks whether the endpoint has served an attempt within the given time.</summary>
    internal bool HasServedWithin(TimeSpan time, TimeSpan now) => Volatile.Read(ref _servedAt) is >= 0 and var ticks && now - new TimeSpan(ticks) <= time;

    internal SampleWindow Window
    {
        get => _window;
        set => _window = value;
    }

    /// <summary>Tries to begin one attempt. Returns false if the mode does not allow an attempt on the endpoint in its current state.</summary>
    public bool TryBegin(BeginMode mode, TimeSpan now, out HealthTicket ticket)
    {
        var state = _state;
        if (mode is BeginMode.Normal or BeginMode.FailOpen && state.Admits(now))
        {
            ticket = new HealthTicket(state.Epoch, now, isTrial: false);
            return true;
        }

        ticket = default;
        return mode != BeginMode.Normal && _tracker.TryBeginTrial(this, mode, now, out ticket);
    }

    /// <summary>Records the first content, with which a half-open trial has succeeded. Does nothing for other attempts.</summary>
    public void RecordFirstContent(in HealthTicket ticket, TimeSpan now)
    {
        if (ticket.IsTrial)
            _tracker.Report(this, Evidence(ticket, null), now);
    }

    /// <summary>Records the end of an attempt. Call it exactly once for each ticket.</summary>
    /// <param name="ticket">The attempt's ticket.</param>
    /// <param name="fault">The fault; null for success.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="begun">The number of attempts that have ever begun on the endpoint, if the caller counts them.</param>
    /// <param name="inFlight">The number of other attempts in flight on the endpoint.</param>
    /// <param name="servedBegan">The start of the latest attempt that the endpoint has served.</param>
    public void Complete(in HealthTicket ticket, Fault? fault, TimeSpan now, long? begun = null, int inFlight = 0, TimeSpan? servedBegan = null)
    {
        if (fault is null)
        {
            // All threads share this field, and each write costs them time. So it is written at most once per millisecond, which is exact enough for periods of
            // hours.
            if (now.Ticks - Volatile.Read(ref _servedAt) >= TimeSpan.TicksPerMillisecond || _servedAt < 0)
                Volatile.Write(ref _servedAt, now.Ticks);
            var state = _state;
            if (ticket.Epoch == state.Epoch && state.IsInService && !_window.TryCountSuccess(now))
                _tracker.CountSuccess(this, now);
            if (state.IsClean || ticket.Epoch != state.Epoch && !ticket.IsTrial)
                return;
        }
        else if (fault.IsNeutral && !ticket.IsTrial)
        {
            return;
        }

        _tracker.Report(this, Evidence(ticket, fault) with { Begun = begun, InFlight = inFlight, HasServedLater = servedBegan > ticket.Began }, now);
    }

    /// <summary>
    /// Records that a caller cancelled an attempt that had been silent for longer than usual. The endpoint becomes suspect, but no failure is counted.
    /// </summary>
    /// <param name="ticket">The attempt's ticket.</param>
    /// <param name="silence">The fault that the attempt would have had if the pool's own limit had ended it.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordLeftInSilence(in HealthTicket ticket, Fault silence, TimeSpan now)
    {
        if (!ticket.IsTrial)
            _tracker.Hint(this, new HealthEvidence { Source = EvidenceSource.LeftInSilence, Fault = silence, Began = ticket.Began, Epoch = ticket.Epoch }, now);
    }

    /// <summary>Records that the running trial is silent for longer than usual, although its attempt goes on. The next trial may begin.</summary>
    public void RecordSilentTrial(in HealthTicket ticket, TimeSpan now)
    {
        if (ticket.IsTrial)
            _tracker.Hint(this, new HealthEvidence { Source = EvidenceSource.TrialSilent, Began = ticket.Began, Epoch = ticket.Epoch, IsTrial = true }, now);
    }

    /// <summary>Records that another endpoint has served a call that this endpoint refused.</summary>
    /// <param name="refusal">The refusal.</param>
    /// <param name="began">The time at which the refused attempt began.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordServedElsewhere(Fault refusal, TimeSpan began, TimeSpan now) =>
        _tracker.Report(this, new HealthEvidence { Source = EvidenceSource.ServedElsewhere, Fault = refusal.AsEndpointFault(), Began = began, Epoch = HealthTicket.NoEpoch }, now);

    /// <summary>Records that the endpoint has a new credential. The refusal of the old credential no longer counts.</summary>
    public void RecordNewCredential(TimeSpan now) =>
        _tracker.Report(this, new HealthEvidence { Source = EvidenceSource.CredentialChanged, Began = now, Epoch = HealthTicket.NoEpoch }, now);

    /// <summary>Records the end of a probe.</summary>
    /// <param name="level">The level that the probe tested.</param>
    /// <param name="fault">The fault; null for success.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="isDecisive">
    /// True if this one result is enough to eject the endpoint or to bring it back, because a failure detector has made the decision. While no endpoint can
    /// serve, or while calls wait, one success is also enough to bring the endpoint back.
    /// </param>
    public void Probe(ProbeLevel level, Fault? fault, TimeSpan now, bool isDecisive = false)
    {
        if (fault is null ? _state is { IsClean: true, Cooldown: null } : fault.IsNeutral)
            return;
        var evidence = new HealthEvidence
        {
            Source = EvidenceSource.Probe,
            Level = level,
            Fault = fault,
            Began = now,
            Epoch = HealthTicket.NoEpoch,
            IsDecisive = isDecisive,
        };
        _tracker.Report(this, evidence, now);
    }

    public void Order(HealthOrder order, TimeSpan now, bool isFromPeer = false) =>
        _tracker.Report(this, new HealthEvidence { Source = EvidenceSource.Order, Order = order, Began = now, IsFromPeer = isFromPeer }, now);

    /// <summary>Applies a fact of other replicas about the endpoint.</summary>
    /// <param name="word">The fact of the other replicas.</param>
    /// <param name="fault">The fault that the other replicas found, for <see cref="PeerWord.Cooldown"/> and <see cref="PeerWord.Ejected"/>.</param>
    /// <param name="said">The time of the fact, on this pool's clock.</param>
    /// <param name="length">The remaining time of the cooldown.</param>
    /// <param name="isLast">True if no other admitted endpoint could serve every request that this endpoint can serve.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void ApplyPeerFact(PeerWord word, Fault? fault, TimeSpan said, TimeSpan length, bool isLast, TimeSpan now)
    {
        var evidence = new HealthEvidence
        {
            Source = EvidenceSource.Peer,
            Word = word,
            Fault = fault,
            Began = said,
            Length = length,
            IsLast = isLast,
            IsFromPeer = true,
            Epoch = HealthTicket.NoEpoch,
        };
        _tracker.ApplyPeerFact(this, evidence, now);
    }

    internal void Publish(HealthState state) => _state = state;

    private static HealthEvidence Evidence(in HealthTicket ticket, Fault? fault) => new()
    {
        Source = EvidenceSource.Traffic,
        Fault = fault,
        Epoch = ticket.Epoch,
        Began = ticket.Began,
        IsTrial = ticket.IsTrial,
    };
}
