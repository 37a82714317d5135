namespace HaKit.Testing;

/// <summary>
/// Replicas of an application in virtual time: real pools on one clock, each over scripted endpoints of its own, that share what they know through a
/// <see cref="VirtualStore"/>. For tests of how a fleet behaves. For one thread.
/// </summary>
public sealed class Fleet : IDisposable
{
    private readonly List<TestPool> _replicas = [];
    private readonly Action<int, EndpointPoolOptions>? _configure;
    private readonly Action<int, EndpointPoolParts>? _parts;
    private readonly int _endpoints;
    private readonly int _seed;
    private readonly bool _shares;

    /// <summary>Makes the replicas. Their endpoints are named e0, e1, e2…, each answering after 100 ms until its script says otherwise; heartbeats are off.</summary>
    /// <param name="replicas">How many; at least 1.</param>
    /// <param name="endpoints">How many endpoints each has; at least 1.</param>
    /// <param name="configure">Changes the options of a replica, by its place from 0.</param>
    /// <param name="shares">Do they share what they know? Default true; false to compare.</param>
    /// <param name="seed">The seed of all random numbers. Default 1.</param>
    /// <param name="parts">Changes what else a replica's pool is made of, by its place from 0.</param>
    public Fleet(int replicas, int endpoints = 3, Action<int, EndpointPoolOptions>? configure = null, bool shares = true, int seed = 1, Action<int, EndpointPoolParts>? parts = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(endpoints, 1);
        (_configure, _endpoints, _seed, _shares, _parts) = (configure, endpoints, seed, shares, parts);
        Store = new VirtualStore(Time, seed);
        for (var i = 0; i < replicas; i++)
            Add();
    }

    /// <summary>The clock of everything.</summary>
    public ManualTimeProvider Time { get; } = new();

    /// <summary>The store and the network between the replicas.</summary>
    public VirtualStore Store { get; }

    /// <summary>The replicas, in the order in which they came.</summary>
    public IReadOnlyList<TestPool> Replicas => _replicas;

    /// <summary>Another replica starts.</summary>
    public TestPool Add()
    {
        var place = _replicas.Count;
        var options = new EndpointPoolOptions { Seed = _seed * 104_729 + place };
        options.Heartbeat.Enabled = false;
        options.Sharing.Name = "fleet";
        options.Sharing.Replica = FormattableString.Invariant($"r{place}");
        for (var i = 0; i < _endpoints; i++)
            options.Endpoints.Add(new EndpointOptions { Name = FormattableString.Invariant($"e{i}") });
        _configure?.Invoke(place, options);
        var replica = new TestPool(options, parts =>
        {
            parts.PeerLink = _shares ? Store.Connect : null;
            _parts?.Invoke(place, parts);
        }, _seed * 7919 + place, Time);
        _replicas.Add(replica);
        return replica;
    }

    /// <summary>An endpoint goes wrong for a while, as all replicas see it or as some do: those that cannot reach it are blind.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="from">From when, on the fleet's clock; default now.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    /// <param name="replicas">Which replicas see it, by their place; default all.</param>
    public void Fault(string endpoint, FakeFault fault, TimeSpan from = default, TimeSpan? until = null, Func<int, bool>? replicas = null)
    {
        ArgumentNullException.ThrowIfNull(fault);
        // A rule counts from the moment at which it is added.
        var now = Time.Elapsed;
        for (var i = 0; i < _replicas.Count; i++)
        {
            if (replicas?.Invoke(i) != false)
            {
                _replicas[i][endpoint].Faults.Add(new FaultRule(fault)
                {
                    From = FromNow(from),
                    Until = until is { } end ? FromNow(end) : TimeSpan.MaxValue,
                    Where = static _ => true,
                });
            }
        }

        TimeSpan FromNow(TimeSpan at) => at > now ? at - now : TimeSpan.Zero;
    }

    /// <summary>Attempts on an endpoint by all replicas, or by some.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="replicas">Which replicas, by their place; default all.</param>
    public long Attempts(string endpoint, Func<int, bool>? replicas = null)
    {
        var sum = 0L;
        for (var i = 0; i < _replicas.Count; i++)
        {
            if (replicas?.Invoke(i) != false)
                sum += _replicas[i][endpoint].Attempts;
        }

        return sum;
    }

    /// <summary>Lets calls come to every replica, and the clock go on, until <paramref name="length"/> has passed and the calls under way have ended.</summary>
    /// <param name="workload">The calls of one replica; each has its own draw of it.</param>
    /// <param name="length">For how long calls come.</param>
    /// <param name="replicas">Which replicas are called, by their place; default all.</param>
    public FleetResult Run(Workload workload, TimeSpan length, Func<int, bool>? replicas = null)
    {
        ArgumentNullException.ThrowIfNull(workload);
        return new FleetRun(this, length).Run(workload, _seed, replicas ?? (static _ => true));
    }

    /// <summary>Ends the pools.</summary>
    public void Dispose() => _replicas.ForEach(static r => r.Dispose());
}
