namespace HaKit.AI;

/// <summary>Computes the endpoints that one call may use, from the data that is known before the call.</summary>
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

    /// <summary>Gets the current endpoints of the pool.</summary>
    public IReadOnlyList<PoolEndpoint> All { get; }

    /// <summary>Gets whether parameters would be left out for at least one endpoint.</summary>
    public bool MayDrop { get; private set; }

    /// <summary>
    /// Gets the names of the endpoints that the call may use. Empty: all. A call with state lists the checked endpoints, so that the state is not sent to an
    /// endpoint that joins the pool later.
    /// </summary>
    public readonly IReadOnlyList<string> Names => _some is null || _some.Count == All.Count && !_isPinned ? _given.Endpoints : _some.ConvertAll(static e => e.Name);

    /// <summary>Excludes the endpoints that do not support the parameters of the call.</summary>
    /// <exception cref="UnsupportedParametersException">No endpoint is left.</exception>
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

    /// <summary>Confines the call to the endpoints with its state.</summary>
    /// <exception cref="StateNotPortableException">The call cannot, or may not, be confined.</exception>
    public void PinTo(List<CarriedState> states, bool mayPin)
    {
        if (states.Count == 0)
            return;
        _some = StatePins.Narrow(_pool.Name, Given(), Candidates(), states, mayPin);
        _isPinned = true;
    }

    /// <summary>Gets an endpoint that shares the state of unknown origin. Null: not known (<see cref="StatePins.AnyMaker"/>).</summary>
    public readonly PoolEndpoint? AnyMaker() => StatePins.AnyMaker(Given());

    private readonly List<PoolEndpoint> Candidates() => _some ?? Given();

    private readonly List<PoolEndpoint> Given()
    {
        var given = _given.Endpoints;
        return given.Count == 0 ? [.. All] : [.. All.Where(e => given.Contains(e.Name))];
    }
}
