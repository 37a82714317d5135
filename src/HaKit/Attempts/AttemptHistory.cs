using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>What one call has tried so far, in order, and so where it must not go again. Owned by one call; not thread-safe.</summary>
internal sealed class AttemptHistory
{
    // A call without a deadline may wait through an outage of days: from here on the oldest attempts in the middle are forgotten.
    private const int MostKept = 256;

    private Entry[] _entries = new Entry[6];
    private int _kept;

    /// <summary>Attempts that were begun, refusals that named their time included.</summary>
    public int Begun { get; private set; }

    /// <summary>Of <see cref="Begun"/>, those of earlier tries of the same request, with which the history began.</summary>
    public int Inherited { get; private set; }

    /// <summary>Has the call itself begun no attempt yet? It may make one, whatever the earlier tries have used up.</summary>
    public bool HasNoOwn => Begun == Inherited;

    /// <summary>Was no attempt begun yet?</summary>
    public bool IsFresh => Begun == 0;

    /// <summary>The number of the attempt that begins next: one for the first.</summary>
    public int NextNumber => Begun + 1;

    /// <summary>Refusals that named the time at which they want to be asked again: they are no attempts for the bounds on attempts.</summary>
    public int NamedRefusals { get; private set; }

    /// <summary>Attempts that were begun under the pace of an outage.</summary>
    public int Paced { get; private set; }

    /// <summary>Attempts as a bound on all attempts counts them.</summary>
    public int Counted => Begun - NamedRefusals;

    /// <summary>Attempts after the first that were made in ordinary service, and not under the pace of an outage.</summary>
    public int OrdinaryRetries => Math.Max(0, Counted - Paced - 1);

    /// <summary>The attempts that are remembered, in order: all, unless there were very many.</summary>
    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, _kept);

    /// <param name="state">The endpoint.</param>
    /// <param name="started">When the attempt begins.</param>
    /// <param name="isInService">Was the endpoint in service then? Otherwise the attempt is a trial.</param>
    /// <param name="isPaced">Was the attempt made under the pace of an outage?</param>
    public void Add(EndpointState state, TimeSpan started, bool isInService = true, bool isPaced = false)
    {
        if (_kept == MostKept)
            ForgetMiddle();
        if (_kept == _entries.Length)
            Array.Resize(ref _entries, _kept * 2);
        _entries[_kept++] = new Entry(state, state.Endpoint, started) { Number = NextNumber, IsInService = isInService };
        Begun++;
        if (isPaced)
            Paced++;
    }

    // The first ones tell how it began, and the later half what is so now.
    private void ForgetMiddle()
    {
        const int first = MostKept / 4, from = MostKept / 2;
        Array.Copy(_entries, from, _entries, first, MostKept - from);
        _kept = first + MostKept - from;
        Array.Clear(_entries, _kept, MostKept - _kept);
    }

    /// <param name="number">The number of the attempt: a call may have two on the same endpoint at once.</param>
    /// <param name="fault">What went wrong; null for nothing.</param>
    /// <param name="now">The time on the pool's clock.</param>
    public void Ended(int number, Fault? fault, TimeSpan now)
    {
        for (var i = _kept - 1; i >= 0; i--)
        {
            if (_entries[i].Number == number && _entries[i].Ended is null)
            {
                if (fault?.NamesTime == true)
                    NamedRefusals++;
                _entries[i].Fault = fault;
                _entries[i].Ended = now;
                return;
            }
        }
    }

    /// <summary>Takes over an attempt of an earlier try of the same request. One that was left, or is under way elsewhere, was silent as far as this call knows.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="now">The time on the pool's clock.</param>
    public void Inherit(EarlierAttempt attempt, TimeSpan now)
    {
        var isSilent = attempt.Fault is null or { Blame: FaultBlame.Caller } or { Kind: FaultKind.Superseded };
        Add(attempt.State, attempt.Started);
        Ended(Begun, isSilent ? KnownFaults.FirstContentTimeout : attempt.Fault, attempt.Fault is null ? now : attempt.Ended);
        Inherited++;
    }

    public int TimesTried(EndpointState state)
    {
        var times = 0;
        foreach (ref readonly var entry in Entries)
        {
            if (ReferenceEquals(entry.State, state))
                times++;
        }

        return times;
    }

    /// <summary>What this call knows of one endpoint from its own attempts.</summary>
    public Findings FindingsOf(EndpointState state)
    {
        var findings = default(Findings);
        foreach (ref readonly var entry in Entries)
        {
            var isOwn = ReferenceEquals(entry.State, state);
            if (isOwn)
            {
                findings.Attempts++;
                findings.Counted += entry.Fault?.NamesTime == true ? 0 : 1;
                findings.AskedAt = entry.Started;
                findings.WasInService |= entry.IsInService;
                findings.IsUnderWay |= entry.Ended is null;
            }
            if (entry.Fault is { } fault && (isOwn || !fault.IsNeutral && fault.Reach != FaultReach.Endpoint && entry.Endpoint.Domains.Shares(state.Endpoint.Domains, fault.Reach)))
                findings.Fault = fault;
        }
        return findings;
    }

    /// <summary>What a call's own attempts say of one endpoint.</summary>
    internal struct Findings
    {
        /// <summary>Attempts of this call on it.</summary>
        public int Attempts;

        /// <summary>The same without refusals that named their time.</summary>
        public int Counted;

        /// <summary>When the latest of them began.</summary>
        public TimeSpan AskedAt;

        /// <summary>Was it in service at any of them?</summary>
        public bool WasInService;

        /// <summary>Is one of them under way?</summary>
        public bool IsUnderWay;

        /// <summary>The latest fault that concerns it: of an attempt on it, or of one on an endpoint with which it shares what is broken.</summary>
        public Fault? Fault;
    }

    /// <summary>Has this call found a fault that reaches the candidate through something they share?</summary>
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

    /// <summary>Was an endpoint of the same account throttled in this call? Its siblings are then the last resort.</summary>
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

    /// <summary>Has the endpoint refused this very request, or asked not to be sent it again?</summary>
    public bool WasRefusedBy(EndpointState state)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (ReferenceEquals(entry.State, state) && entry.Fault is { SecondOpinion: not SecondOpinion.None } or { MayAskAgain: false })
                return true;
        }

        return false;
    }

    /// <summary>Whether and where a call that was refused goes on.</summary>
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

    /// <summary>Was the prompt too long, and has the candidate the same model, as far as its options say?</summary>
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

    /// <summary>The context window that proved too small, if one did.</summary>
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

    /// <summary>Has the endpoint told this call that its prompt is too long? It would say so again.</summary>
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
        _kept = Begun = Inherited = NamedRefusals = Paced = 0;
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
    }
}

/// <summary>Whether and where a call that was refused goes on.</summary>
internal enum RefusalState
{
    /// <summary>It was not refused.</summary>
    None,

    /// <summary>One other endpoint may be asked for its opinion, if the retry budget pays.</summary>
    MayAskOne,

    /// <summary>Each endpoint that it has not tried may be asked once, if it can be asked now.</summary>
    MayAskEach,

    /// <summary>Two endpoints have refused the request as it is.</summary>
    Final,
}
