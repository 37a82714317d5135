namespace HaKit.AI;

/// <summary>Where one call may go, as far as that is known before it is made.</summary>
internal ref struct Placement
{
    private readonly EndpointPool _pool;
    private readonly RequestProfile _given;
    private List<PoolEndpoint>? _some;
    private bool _isPinned;

    public Placement(EndpointPool pool, RequestProfile given)
    {
        _pool = pool;
        _given = given;
        All = pool.Endpoints;
    }

    /// <summary>The pool's endpoints at this moment.</summary>
    public IReadOnlyList<PoolEndpoint> All { get; }

    /// <summary>Is there an endpoint for which something would be left out?</summary>
    public bool MayDrop { get; private set; }

    /// <summary>The names of those it may go to; empty for all. State goes to those it was seen to fit, not to one that joins meanwhile.</summary>
    public readonly IReadOnlyList<string> Names => _some is null || _some.Count == All.Count && !_isPinned ? _given.Endpoints : _some.ConvertAll(static e => e.Name);

    /// <summary>Leaves out the endpoints that do not support what the call uses.</summary>
    /// <exception cref="UnsupportedParametersException">None is left.</exception>
    public void RequireSupport(ChatParameters used)
    {
        if (used == ChatParameters.None)
            return;
        var refused = ChatParameters.None;
        for (var i = 0; i < All.Count; i++)
        {
            refused |= ChatEndpoint.RefusedBy(All[i], used);
            MayDrop |= ChatEndpoint.DroppedBy(All[i], used) != ChatParameters.None;
        }
        if (refused == ChatParameters.None)
            return;
        _some = Candidates().FindAll(e => ChatEndpoint.RefusedBy(e, used) == ChatParameters.None);
        if (_some.Count == 0)
            throw new UnsupportedParametersException(_pool.Name, refused);
    }

    /// <summary>Confines the call to where its state is.</summary>
    /// <exception cref="StateNotPortableException">That cannot be, or may not be.</exception>
    public void PinTo(List<CarriedState> states, bool mayPin)
    {
        if (states.Count == 0)
            return;
        _some = StatePins.Narrow(_pool.Name, Given(), Candidates(), states, mayPin);
        _isPinned = true;
    }

    /// <summary>The estimate, but no more than the largest window takes: an estimate must not refuse a call, so what looks too large for all goes to the largest.</summary>
    public readonly int Capped(int inputTokens, int maxOutputTokens)
    {
        var largest = 0;
        var some = _some ?? All;
        for (var i = 0; i < some.Count; i++)
        {
            if (some[i].Capabilities.ContextWindow is not { } window)
                return inputTokens;
            else
                largest = Math.Max(largest, window);
        }

        return Math.Min(inputTokens, Math.Max(0, largest - maxOutputTokens));
    }

    private readonly List<PoolEndpoint> Candidates() => _some ?? Given();

    private readonly List<PoolEndpoint> Given()
    {
        var given = _given.Endpoints;
        return given.Count == 0 ? [.. All] : [.. All.Where(e => given.Contains(e.Name))];
    }
}
