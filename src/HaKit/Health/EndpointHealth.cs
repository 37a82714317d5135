using HaKit.Faults;

namespace HaKit.Health;

/// <summary>
/// One endpoint's health as its tracker keeps it. Safe for concurrent use. As long as the endpoint is well, beginning and completing an
/// attempt takes no lock and allocates nothing.
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

    /// <summary>The latest state; a volatile read.</summary>
    public HealthState State => _state;

    /// <summary>The latest failure to connect. Guarded by the tracker's lock.</summary>
    internal TimeSpan? ConnectFailedAt { get; set; }

    internal bool IsRemoved { get; set; }

    /// <summary>When a rule that only reports last did so. Guarded by the tracker's lock.</summary>
    internal TimeSpan? ReportedAt { get; set; }

    /// <summary>When an attempt was last served, in ticks; negative before the first.</summary>
    private long _servedAt = -1;

    /// <summary>Has it served an attempt within the given time?</summary>
    internal bool HasServedWithin(TimeSpan time, TimeSpan now) => Volatile.Read(ref _servedAt) is >= 0 and var ticks && now - new TimeSpan(ticks) <= time;

    internal SampleWindow Window
    {
        get => _window;
        set => _window = value;
    }

    /// <summary>Asks to send one attempt. False: not now, not in this role.</summary>
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

    /// <summary>The first content has come: enough to resolve a trial. Costs nothing for other attempts.</summary>
    public void FirstContent(in HealthTicket ticket, TimeSpan now)
    {
        if (ticket.IsTrial)
            _tracker.Report(this, Evidence(ticket, null), now);
    }

    /// <summary>The attempt has ended; <see langword="null"/> for success. Exactly once for each ticket.</summary>
    /// <param name="ticket">The attempt's.</param>
    /// <param name="fault">What went wrong, or <see langword="null"/>.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="begun">How many attempts have ever begun on the endpoint, if the caller counts them.</param>
    /// <param name="inFlight">How many are under way on it, this one no more among them.</param>
    /// <param name="servedBegan">Of the attempts that the endpoint has served, when the latest one began.</param>
    public void Complete(in HealthTicket ticket, Fault? fault, TimeSpan now, long? begun = null, int inFlight = 0, TimeSpan? servedBegan = null)
    {
        if (fault is null)
        {
            // It is asked within hours, and all attempts write it.
            if (now.Ticks - Volatile.Read(ref _servedAt) >= TimeSpan.TicksPerMillisecond || _servedAt < 0)
                Volatile.Write(ref _servedAt, now.Ticks);
            var state = _state;
            if (ticket.Epoch == state.Epoch && state.IsInService && !_window.TryCountSuccess(now))
                _tracker.CountSuccess(this, now);
            if (state.IsClean || ticket.Epoch != state.Epoch)
                return;
        }
        else if (fault.IsNeutral && !ticket.IsTrial)
        {
            return;
        }

        _tracker.Report(this, Evidence(ticket, fault) with { Begun = begun, InFlight = inFlight, HasServedLater = servedBegan > ticket.Began }, now);
    }

    /// <summary>A caller gave up an attempt whose silence was unusual: the endpoint is suspect, and nothing is counted against it.</summary>
    /// <param name="ticket">The attempt's.</param>
    /// <param name="silence">What it would have been, had the pool given it up.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void LeftInSilence(in HealthTicket ticket, Fault silence, TimeSpan now)
    {
        if (!ticket.IsTrial)
            _tracker.Hint(this, new HealthEvidence { Source = EvidenceSource.LeftInSilence, Fault = silence, Began = ticket.Began, Epoch = ticket.Epoch }, now);
    }

    /// <summary>Another endpoint has served the call that this one refused.</summary>
    /// <param name="refusal">What it said.</param>
    /// <param name="began">When the attempt began that it refused.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void Refuted(Fault refusal, TimeSpan began, TimeSpan now) =>
        _tracker.Report(this, new HealthEvidence { Source = EvidenceSource.Refuted, Fault = refusal.Refuted(), Began = began, Epoch = HealthTicket.NoEpoch }, now);

    /// <summary>The endpoint has another credential: that the old one was refused says nothing any more.</summary>
    public void CredentialChanged(TimeSpan now) =>
        _tracker.Report(this, new HealthEvidence { Source = EvidenceSource.CredentialChanged, Began = now, Epoch = HealthTicket.NoEpoch }, now);

    /// <summary>A probe has ended; <see langword="null"/> for success.</summary>
    /// <param name="level">What it exercised.</param>
    /// <param name="fault">What went wrong, or <see langword="null"/>.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="isDecisive">A failure detector has decided: this one counts as many misses or hits as are needed.</param>
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

    /// <summary>Other replicas say something about it.</summary>
    /// <param name="word">What they say.</param>
    /// <param name="fault">The fault that they saw; for <see cref="PeerWord.Cooldown"/> and <see cref="PeerWord.Ejected"/>.</param>
    /// <param name="said">When it was said, on this pool's clock.</param>
    /// <param name="length">How much of the cooldown is left.</param>
    /// <param name="isLast">No other endpoint would remain that could serve what this one serves.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void HearPeers(PeerWord word, Fault? fault, TimeSpan said, TimeSpan length, bool isLast, TimeSpan now)
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
        _tracker.HearPeers(this, evidence, now);
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
