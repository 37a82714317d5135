namespace HaKit.Testing;

/// <summary>
/// Replicas of an application in virtual time: real pools on one clock. Each replica has its own scripted endpoints. The replicas share their observations
/// through a <see cref="VirtualStore"/>. For tests of fleet behaviour. For use on one thread.
/// </summary>
public sealed class Fleet : IDisposable
{
    private readonly List<TestPool> _replicas = [];
    private readonly Action<int, EndpointPoolOptions>? _configure;
    private readonly Action<int, EndpointPoolParts>? _parts;
    private readonly int _endpoints;
    private readonly int _seed;
    private readonly bool _shares;

    /// <summary>
    /// Creates the replicas. Their endpoints are named e0, e1, e2… and answer after 100 ms until their script says otherwise. Heartbeats are off.
    /// </summary>
    /// <param name="replicas">The number of replicas; 1 to 10,000.</param>
    /// <param name="endpoints">The number of endpoints of each replica; 1 to 1,000. Default 3.</param>
    /// <param name="configure">Changes the options of a replica. The first argument is the replica's index, from 0.</param>
    /// <param name="shares">True if the replicas share their observations. Default true; use false for comparison.</param>
    /// <param name="seed">The seed of all random numbers. Default 1.</param>
    /// <param name="parts">Changes the parts of a replica's pool. The first argument is the replica's index, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public Fleet(int replicas, int endpoints = 3, Action<int, EndpointPoolOptions>? configure = null, bool shares = true, int seed = 1, Action<int, EndpointPoolParts>? parts = null)
    {
        ArgumentRange.Check(replicas, 1, 10_000);
        ArgumentRange.Check(endpoints, 1, 1000);
        (_configure, _endpoints, _seed, _shares, _parts) = (configure, endpoints, seed, shares, parts);
        Store = new VirtualStore(Time, seed);
        for (var i = 0; i < replicas; i++)
            Add();
    }

    /// <summary>Gets the clock of all replicas.</summary>
    public ManualTimeProvider Time { get; } = new();

    /// <summary>Gets the store and network between the replicas.</summary>
    public VirtualStore Store { get; }

    /// <summary>Gets the replicas, in the order in which they started.</summary>
    public IReadOnlyList<TestPool> Replicas => _replicas;

    /// <summary>Starts another replica.</summary>
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

    /// <summary>
    /// Injects a fault into an endpoint for a while. All replicas see the fault, or only some of them, which simulates a broken part of the network.
    /// </summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="from">When the fault starts, on the fleet's clock. Default: now.</param>
    /// <param name="until">When the fault ends (exclusive), on the fleet's clock. Default: the fault never ends.</param>
    /// <param name="replicas">Selects the replicas that see the fault, by index. Default: all.</param>
    public void Fault(string endpoint, FakeFault fault, TimeSpan from = default, TimeSpan? until = null, Func<int, bool>? replicas = null)
    {
        ArgumentNullException.ThrowIfNull(fault);
        // A rule counts its times from the moment at which it is added.
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

    /// <summary>Returns the number of attempts on an endpoint by all or some replicas.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="replicas">Selects the replicas, by index. Default: all.</param>
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

    /// <summary>Sends calls to every replica and advances the clock until <paramref name="length"/> has passed and all calls have ended.</summary>
    /// <param name="workload">The calls of one replica. Each replica draws its own calls from the workload.</param>
    /// <param name="length">The period during which calls are sent; 0 to ten years.</param>
    /// <param name="replicas">Selects the replicas that get calls, by index. Default: all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The period is out of its range.</exception>
    public FleetResult Run(Workload workload, TimeSpan length, Func<int, bool>? replicas = null)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentRange.Check(length, TimeSpan.Zero, SettingRange.Longest);
        return new FleetRun(this, length).Run(workload, _seed, replicas ?? (static _ => true));
    }

    /// <summary>Disposes the pools.</summary>
    public void Dispose() => _replicas.ForEach(static r => r.Dispose());
}
