using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// Records the attempts of one call, in order. The call uses the record to decide which endpoints it must not try again. Owned by one call; not thread-safe.
/// </summary>
internal sealed class AttemptHistory
{
    // A call without a deadline may wait through an outage of days. Above this number, attempts in the middle of the history are removed.
    private const int MostKept = 256;

    private Entry[] _entries = new Entry[6];
    private RemovedAttempts? _removed;
    private int _kept;

    /// <summary>Gets the number of attempts that were begun, including attempts that were refused with a <c>Retry-After</c>.</summary>
    public int Begun { get; private set; }

    /// <summary>
    /// Gets how many of <see cref="Begun"/> were made for the same request by other calls, because a handler above the pool retries or hedges the request. The
    /// history starts with them.
    /// </summary>
    public int Inherited { get; private set; }

    /// <summary>
    /// Gets whether the call itself has begun no attempt yet. The call may then make one attempt, even if earlier tries of the same request have used up the
    /// attempts.
    /// </summary>
    public bool HasNoOwn => Begun == Inherited;

    /// <summary>Gets whether no attempt was begun yet.</summary>
    public bool IsFresh => Begun == 0;

    /// <summary>Gets the number of the next attempt; 1 for the first.</summary>
    public int NextNumber => Begun + 1;

    /// <summary>Gets the number of attempts that were refused with a <c>Retry-After</c>. These attempts do not count towards the limits on attempts.</summary>
    public int NamedRefusals { get; private set; }

    /// <summary>Gets the number of ended attempts that may have been processed and billed although they failed.</summary>
    public int PerhapsBilled { get; private set; }

    /// <summary>
    /// Gets the number of attempts that were trials of an outage (<see cref="Failover.Waiting.OutagePace"/>), without the trials in <see cref="NamedRefusals"/>.
    /// </summary>
    public int Paced { get; private set; }

    /// <summary>Gets the number of attempts that count towards the limits on attempts (<see cref="Failover.RetryOptions.MaxRetryAttempts"/>).</summary>
    public int Counted => Begun - NamedRefusals;

    /// <summary>Gets the number of attempts after the first that were made in ordinary service. Trials of an outage are not included.</summary>
    public int OrdinaryRetries => Math.Max(0, Counted - Paced - 1);

    /// <summary>Gets the remembered attempts in order. These are all attempts, unless there were very many.</summary>
    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, _kept);

    /// <param name="state">The endpoint.</param>
    /// <param name="started">The time at which the attempt begins.</param>
    /// <param name="isInService">True if the endpoint was in service then; otherwise the attempt is a trial.</param>
    /// <param name="isPaced">True if the attempt is a trial of an outage.</param>
    public void Add(EndpointState state, TimeSpan started, bool isInService = true, bool isPaced = false)
    {
        if (_kept == MostKept)
            ForgetMiddle();
        if (_kept == _entries.Length)
            Array.Resize(ref _entries, _kept * 2);
        _entries[_kept++] = new Entry(state, state.Endpoint, started) { Number = NextNumber, IsInService = isInService, IsPaced = isPaced };
        Begun++;
        if (isPaced)
            Paced++;
    }

    // The first entries show how the call began, and the later half shows the current state. So the entries in the middle are removed, except the entries that
    // still decide what the call may do. At least one entry is removed.
    private void ForgetMiddle()
    {
        const int first = MostKept / 4, from = MostKept / 2;
        _kept = first;
        for (var i = first; i < from; i++)
        {
            if (_entries[i].IsLasting && _kept < from - 1)
                _entries[_kept++] = _entries[i];
            else
                (_removed ??= new RemovedAttempts()).Add(in _entries[i]);
        }
        Array.Copy(_entries, from, _entries, _kept, MostKept - from);
        _kept += MostKept - from;
        Array.Clear(_entries, _kept, MostKept - _kept);
    }

    /// <summary>Records the end of an attempt.</summary>
    /// <param name="number">
    /// The number of the attempt. Its endpoint does not identify the attempt, because a call may have two attempts on the same endpoint at once.
    /// </param>
    /// <param name="fault">The fault; null if the attempt succeeded.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordEnd(int number, Fault? fault, TimeSpan now)
    {
        for (var i = _kept - 1; i >= 0; i--)
        {
            if (_entries[i].Number == number && _entries[i].Ended is null)
            {
                if (fault?.NamesTime == true)
                {
                    NamedRefusals++;
                    Paced -= _entries[i].IsPaced ? 1 : 0; // OrdinaryRetries must subtract the attempt only once
                }
                if (fault?.MayBeBilled == true)
                    PerhapsBilled++;
                _entries[i].Fault = fault;
                _entries[i].Ended = now;
                return;
            }
        }
    }

    /// <summary>
    /// Takes over an attempt of an earlier try of the same request. If that attempt was abandoned, or is still running elsewhere, this call treats it as
    /// silent.
    /// </summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void Inherit(EarlierAttempt attempt, TimeSpan now)
    {
        var isSilent = attempt.Fault is null or { Blame: FaultBlame.Caller } or { Kind: FaultKind.Superseded };
        Add(attempt.State, attempt.Started);
        RecordEnd(Begun, isSilent ? KnownFaults.FirstContentTimeout : attempt.Fault, attempt.Fault is null ? now : attempt.Ended);
        Inherited++;
    }

    public int TimesTried(EndpointState state)
    {
        var times = _removed?.FindingsOf(state).Attempts ?? 0;
        foreach (ref readonly var entry in Entries)
        {
            if (ReferenceEquals(entry.State, state))
                times++;
        }

        return times;
    }

    /// <summary>Collects the findings about one endpoint from the attempts of this call.</summary>
    public Findings FindingsOf(EndpointState state)
    {
        var findings = _removed?.FindingsOf(state) ?? default;
        foreach (ref readonly var entry in Entries)
        {
            var isOwn = ReferenceEquals(entry.State, state);
            if (isOwn)
                findings.Add(in entry);
            if (entry.Fault is { } fault && (isOwn || !fault.IsNeutral && fault.Reach != FaultReach.Endpoint && entry.Endpoint.Domains.Shares(state.Endpoint.Domains, fault.Reach)))
                (findings.Fault, findings.FaultBegan) = (fault, entry.Started);
        }
        return findings;
    }

    /// <summary>Holds the findings about one endpoint from the attempts of a call.</summary>
    internal struct Findings
    {
        /// <summary>The number of this call's attempts on the endpoint.</summary>
        public int Attempts;

        /// <summary>The number of this call's attempts on the endpoint, without attempts that were refused with a <c>Retry-After</c>.</summary>
        public int Counted;

        /// <summary>The start of the latest of these attempts.</summary>
        public TimeSpan AskedAt;

        /// <summary>True if the endpoint was in service at one of these attempts.</summary>
        public bool WasInService;

        /// <summary>True if one of these attempts is still running.</summary>
        public bool IsUnderWay;

        /// <summary>The latest fault that concerns the endpoint: from an attempt on it, or on an endpoint that shares the broken failure domain.</summary>
        public Fault? Fault;

        /// <summary>The start of the attempt that ended with <see cref="Fault"/>.</summary>
        public TimeSpan FaultBegan;

        /// <summary>Adds an attempt on the endpoint.</summary>
        public void Add(in Entry entry)
        {
            Attempts++;
            Counted += entry.Fault?.NamesTime == true ? 0 : 1;
            AskedAt = entry.Started;
            WasInService |= entry.IsInService;
            IsUnderWay |= entry.Ended is null;
        }
    }

    /// <summary>Checks whether this call has found a fault that reaches the candidate through a shared failure domain.</summary>
    public bool FoundBroken(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (entry.Fault is { Reach: not FaultReach.Endpoint } fault && (!fault.IsNeutral || fault.Kind == FaultKind.RequestTooLarge)
                && !ReferenceEquals(entry.State, candidate) && entry.Endpoint.Domains.Shares(candidate.Endpoint.Domains, fault.Reach))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Checks whether an endpoint of the same account was throttled in this call. The endpoints of that account are then the last choice.</summary>
    public bool SharesThrottledAccount(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (entry.Fault is { Blame: FaultBlame.Throttle } fault && entry.Endpoint.Domains.Shares(
                candidate.Endpoint.Domains, fault.Reach == FaultReach.Endpoint ? FaultReach.Account : fault.Reach))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Checks whether the endpoint has refused this request, or has answered that the request must not be repeated.</summary>
    public bool WasRefusedBy(EndpointState state)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (ReferenceEquals(entry.State, state) && entry.Fault is { SecondOpinion: not SecondOpinion.None } or { MayAskAgain: false })
                return true;
        }

        return false;
    }

    /// <summary>Gets whether an endpoint has answered that the request must not be repeated.</summary>
    public bool ForbidsRepeat
    {
        get
        {
            foreach (ref readonly var entry in Entries)
            {
                if (entry.Fault is { MayAskAgain: false })
                    return true;
            }

            return false;
        }
    }

    /// <summary>Gets whether and where a refused call continues.</summary>
    public RefusalState Refusal
    {
        get
        {
            var state = RefusalState.None;
            var opinions = 0;
            foreach (ref readonly var entry in Entries)
            {
                switch (entry.Fault?.SecondOpinion)
                {
                    case SecondOpinion.One:
                        state = ++opinions > 1 ? RefusalState.Final : RefusalState.MayAskOne;
                        break;
                    case SecondOpinion.Each:
                        state = opinions > 1 ? RefusalState.Final : RefusalState.MayAskEach;
                        break;
                }
            }

            return state;
        }
    }

    /// <summary>
    /// Checks whether the prompt was too long for an endpoint that may have the candidate's model: both name the same model, or one of them names no model.
    /// </summary>
    public bool IsTooLongForModelOf(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (entry.Fault?.Kind == FaultKind.ContextLength)
            {
                if (candidate.Endpoint.Domains.Model is not { } model || entry.Endpoint.Domains.Model is not { } refused || string.Equals(model, refused, StringComparison.Ordinal))
                    return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Gets the largest context window that was too small for the prompt; 0 if its size is not known. Null if no endpoint has refused the prompt as too long.
    /// </summary>
    public int? ContextWindowTooSmall
    {
        get
        {
            int? largest = null;
            foreach (ref readonly var entry in Entries)
            {
                if (entry.Fault?.Kind == FaultKind.ContextLength)
                    largest = Math.Max(largest ?? 0, entry.Endpoint.Capabilities.ContextWindow ?? 0);
            }

            return largest;
        }
    }

    /// <summary>
    /// Checks whether the endpoint has already refused this call because the prompt is too long. The endpoint would give the same answer again.
    /// </summary>
    public bool FoundTooSmall(EndpointState state)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (ReferenceEquals(entry.State, state) && entry.Fault?.Kind == FaultKind.ContextLength)
                return true;
        }

        return false;
    }

    public void Clear()
    {
        Array.Clear(_entries, 0, _kept);
        _removed = null;
        _kept = Begun = Inherited = NamedRefusals = PerhapsBilled = Paced = 0;
    }

    internal struct Entry(EndpointState state, PoolEndpoint endpoint, TimeSpan started)
    {
        public readonly EndpointState State = state;
        public readonly PoolEndpoint Endpoint = endpoint;
        public readonly TimeSpan Started = started;
        public Fault? Fault;
        public TimeSpan? Ended;
        public int Number;
        public bool IsInService;
        public bool IsPaced;

        /// <summary>Gets whether the attempt is still running, or its endpoint must not get the request again.</summary>
        public readonly bool IsLasting => Ended is null || Fault is { MayAskAgain: false } or { IsRefusal: true };
    }
}
