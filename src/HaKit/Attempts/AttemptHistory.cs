using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>What one call has tried so far, in order, and so where it must not go again. Owned by one call; not thread-safe.</summary>
internal sealed class AttemptHistory
{
    private Entry[] _entries = new Entry[6];

    public int Count { get; private set; }

    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, Count);

    public void Add(EndpointState state, TimeSpan started)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        _entries[Count++] = new Entry(state, state.Endpoint, started);
    }

    public void Ended(EndpointState state, Fault? fault, TimeSpan now)
    {
        for (var i = Count - 1; i >= 0; i--)
            if (ReferenceEquals(_entries[i].State, state) && _entries[i].Ended is null)
            {
                _entries[i].Fault = fault;
                _entries[i].Ended = now;
                return;
            }
    }

    public int TimesTried(EndpointState state, TimeSpan since = default)
    {
        var times = 0;
        foreach (ref readonly var entry in Entries)
            if (ReferenceEquals(entry.State, state) && entry.Started >= since)
                times++;
        return times;
    }

    /// <summary>Has this call found a fault that reaches the candidate through something they share?</summary>
    public bool FoundBroken(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
            if (entry.Fault is { Reach: not FaultReach.Endpoint } fault && (!fault.IsNeutral || fault.Kind == FaultKind.RequestTooLarge)
                && !ReferenceEquals(entry.State, candidate) && entry.Endpoint.Domains.Shares(candidate.Endpoint.Domains, fault.Reach))
                return true;
        return false;
    }

    /// <summary>Was an endpoint of the same account throttled in this call? Its siblings are then the last resort.</summary>
    public bool SharesThrottledAccount(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
            if (entry.Fault is { Blame: FaultBlame.Throttle } fault && entry.Endpoint.Domains.Shares(
                candidate.Endpoint.Domains, fault.Reach == FaultReach.Endpoint ? FaultReach.Account : fault.Reach))
                return true;
        return false;
    }

    /// <summary>Has the endpoint refused this very request, or asked not to be sent it again?</summary>
    public bool WasRefusedBy(EndpointState state)
    {
        foreach (ref readonly var entry in Entries)
            if (ReferenceEquals(entry.State, state) && entry.Fault is { SecondOpinion: not SecondOpinion.None } or { MayAskAgain: false })
                return true;
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
                switch (entry.Fault?.SecondOpinion)
                {
                    case SecondOpinion.One:
                        state = ++opinions > 1 ? RefusalState.Final : RefusalState.MayAskOne;
                        break;
                    case SecondOpinion.Each:
                        state = opinions > 1 ? RefusalState.Final : entry.Fault.Kind == FaultKind.Forbidden ? RefusalState.MayAskNow : RefusalState.MayAskEach;
                        break;
                }
            return state;
        }
    }

    /// <summary>Was the prompt too long, and has the candidate the same model, as far as its options say?</summary>
    public bool IsTooLongForModelOf(EndpointState candidate)
    {
        foreach (ref readonly var entry in Entries)
            if (entry.Fault?.Kind == FaultKind.ContextLength)
                if (candidate.Endpoint.Domains.Model is not { } model || entry.Endpoint.Domains.Model is not { } refused || string.Equals(model, refused, StringComparison.Ordinal))
                    return true;
        return false;
    }

    /// <summary>The context window that proved too small, if one did.</summary>
    public int? ContextWindowTooSmall
    {
        get
        {
            int? largest = null;
            foreach (ref readonly var entry in Entries)
                if (entry.Fault?.Kind == FaultKind.ContextLength)
                    largest = Math.Max(largest ?? 0, entry.Endpoint.Capabilities.ContextWindow ?? 0);
            return largest;
        }
    }

    /// <summary>Has the endpoint told this call that its prompt is too long? It would say so again.</summary>
    public bool FoundTooSmall(EndpointState state)
    {
        foreach (ref readonly var entry in Entries)
            if (ReferenceEquals(entry.State, state) && entry.Fault?.Kind == FaultKind.ContextLength)
                return true;
        return false;
    }

    public void Clear()
    {
        Array.Clear(_entries, 0, Count);
        Count = 0;
    }

    internal struct Entry(EndpointState state, PoolEndpoint endpoint, TimeSpan started)
    {
        public readonly EndpointState State = state;
        public readonly PoolEndpoint Endpoint = endpoint;
        public readonly TimeSpan Started = started;
        public Fault? Fault;
        public TimeSpan? Ended;
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
    MayAskNow,

    /// <summary>Each endpoint that it has not tried may be asked once, and is worth waiting for: the refusal says more about its endpoint.</summary>
    MayAskEach,

    /// <summary>Two endpoints have refused the request as it is.</summary>
    Final,
}
