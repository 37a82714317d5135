namespace HaKit.Testing;

/// <summary>
/// A scenario in virtual time: the real pool, with its pipelines, selectors, health and heartbeats, over scripted endpoints, on the caller's thread. The
/// same seed gives the same run, to the last attempt. Describe it fluently, then <see cref="Run"/> it, as often as wanted.
/// </summary>
/// <remarks>
/// The clock is confined to the thread: whatever leaves it fails the run. Memory does not grow with the run's length. Not thread-safe; several
/// simulations may run on several threads.
/// </remarks>
/// <param name="seed">Seed of everything random: the pool, arrivals, work and faults. Default 1.</param>
public sealed class Simulation(int seed = 1)
{
    private readonly List<(string Name, ServiceModel Service, Action<EndpointOptions>? Configure)> _endpoints = [];
    private readonly List<Action<EndpointPoolOptions>> _options = [];
    private readonly List<Action<EndpointPoolParts>> _parts = [];
    private readonly List<Action<TestPool>> _faults = [];
    private readonly List<(TimeSpan At, Action<TestPool> Do)> _schedule = [];
    private readonly List<(Func<EndpointOptions, bool> Which, FakeFault Fault, TimeSpan From, TimeSpan? Until)> _watched = [];
    private Func<long, RequestProfile?> _profile = static _ => null;
    private double _streamedShare;

    /// <summary>Adds endpoints that are alike, named e0, e1, e2… in the order of adding.</summary>
    /// <param name="count">How many.</param>
    /// <param name="service">How each works.</param>
    public Simulation Endpoints(int count, ServiceModel service)
    {
        for (var i = 0; i < count; i++)
            Endpoint($"e{_endpoints.Count}", service);
        return this;
    }

    /// <summary>Adds an endpoint.</summary>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="service">How it works.</param>
    /// <param name="configure">Its tier, domains, prices and the like; null for the defaults.</param>
    public Simulation Endpoint(string name, ServiceModel service, Action<EndpointOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(service);
        _endpoints.Add((name, service, configure));
        return this;
    }

    /// <summary>Changes the pool's options: the policy that is tried. Heartbeats are off unless turned on here.</summary>
    /// <param name="configure">Changes them.</param>
    public Simulation Options(Action<EndpointPoolOptions> configure) => Add(_options, configure);

    /// <summary>Changes what else the pool is made of.</summary>
    /// <param name="configure">Changes it.</param>
    public Simulation Parts(Action<EndpointPoolParts> configure) => Add(_parts, configure);

    /// <summary>Says what is known of each call.</summary>
    /// <param name="profile">From the call's number, from 0, to its profile; null for the default.</param>
    public Simulation Profile(Func<long, RequestProfile?> profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        _profile = profile;
        return this;
    }

    /// <summary>A share of the calls asks for a stream, and reads it to its end. Default none.</summary>
    /// <param name="share">0 to 1.</param>
    public Simulation Streams(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        _streamedShare = share;
        return this;
    }

    /// <summary>An endpoint goes wrong for a while.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">How: <see cref="FakeFault.Refused"/> is a crash, <see cref="FakeFault.Hang"/> a black hole, <see cref="FakeFaults"/> has the providers' own.</param>
    /// <param name="from">The time at which the fault starts. Default: the start of the run.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    /// <param name="probability">The probability for each request, 0 to 1. Default 1.</param>
    /// <param name="probes">True if the fault applies to probes too. Default true.</param>
    public Simulation Fault(string endpoint, FakeFault fault, TimeSpan from = default, TimeSpan? until = null, double probability = 1, bool probes = true) =>
        FaultOf(e => e.Name == endpoint, fault, from, until, probability, probes);

    /// <summary>All endpoints go wrong together for a while.</summary>
    /// <inheritdoc cref="Fault"/>
    public Simulation FaultOfAll(FakeFault fault, TimeSpan from = default, TimeSpan? until = null, double probability = 1, bool probes = true) =>
        FaultOf(static _ => true, fault, from, until, probability, probes);

    /// <summary>Endpoints that have something in common go wrong together for a while: <c>FaultOf(e => e.Region == "eu", FakeFault.Refused)</c>.</summary>
    /// <param name="which">Selects the endpoints.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="from">The time at which the fault starts. Default: the start of the run.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    /// <param name="probability">The probability for each request, 0 to 1. Default 1.</param>
    /// <param name="probes">True if the fault applies to probes too. Default true.</param>
    public Simulation FaultOf(
        Func<EndpointOptions, bool> which, FakeFault fault, TimeSpan from = default, TimeSpan? until = null, double probability = 1, bool probes = true)
    {
        ArgumentNullException.ThrowIfNull(which);
        ArgumentNullException.ThrowIfNull(fault);
        _watched.Add((which, fault, from, until));
        return Add(_faults, test =>
        {
            foreach (var endpoint in test.Options.Endpoints.Where(which))
                test[endpoint.Name].Faults.Add(Rule(fault, from, until, probability, probes));
        });
    }

    /// <summary>An endpoint goes wrong and comes back, again and again.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="down">For how long.</param>
    /// <param name="up">For how long it is well in between.</param>
    public Simulation Flap(string endpoint, FakeFault fault, TimeSpan down, TimeSpan up)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(down, TimeSpan.Zero);
        return Add(_faults, test => test[endpoint].Faults.Add(new FaultRule(fault) { Where = _ => test.Time.Elapsed.Ticks % (down + up).Ticks < down.Ticks }));
    }

    /// <summary>An endpoint is slower for a while.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="factor">How many times.</param>
    /// <param name="from">From when.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    public Simulation Slow(string endpoint, double factor, TimeSpan from = default, TimeSpan? until = null) =>
        Add(_faults, test => test[endpoint].SlowDown(factor, from, until));

    /// <summary>Our own process stands still. Calls that come meanwhile begin at its end.</summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="length">For how long.</param>
    public Simulation Pause(TimeSpan at, TimeSpan length) => At(at, test => test.Time.Pause(length));

    /// <summary>The wall clock jumps.</summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="by">The length of the jump. Negative moves the clock backwards.</param>
    public Simulation JumpClock(TimeSpan at, TimeSpan by) => At(at, test => test.Time.JumpWallClock(by));

    /// <summary>Anything else happens: an order, a reload, another script.</summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="what">What; must not wait.</param>
    public Simulation At(TimeSpan at, Action<TestPool> what)
    {
        ArgumentNullException.ThrowIfNull(what);
        _schedule.Add((at, what));
        return this;
    }

    /// <summary>Runs the scenario on this thread, and lets the calls under way at its end come to theirs.</summary>
    /// <param name="workload">When calls come.</param>
    /// <param name="length">For how long they come, in virtual time.</param>
    /// <exception cref="InvalidOperationException">Something left the thread, or the scenario has no endpoints.</exception>
    public SimulationResult Run(Workload workload, TimeSpan length)
    {
        ArgumentNullException.ThrowIfNull(workload);
        if (_endpoints.Count == 0)
            throw new InvalidOperationException("The scenario has no endpoints.");
        using var test = TestPools.Create(_endpoints.Select(static e => e.Name), Configure, parts => _parts.ForEach(p => p(parts)), seed);
        test.Time.ConfineToCurrentThread();
        // The policy may have left some out.
        foreach (var (name, service, _) in _endpoints)
        {
            if (test.Options.Endpoints.Any(e => e.Name == name))
                test[name].Service = service;
        }

        _faults.ForEach(fault => fault(test));
        return new SimulationRun(test, length, _profile, new FaultWatch(test, Watched(test)), _streamedShare, seed)
            .Run(workload.Arrivals(new Random(seed)), [.. _schedule.OrderBy(static s => s.At)]);
    }

    private void Configure(EndpointPoolOptions options)
    {
        for (var i = 0; i < _endpoints.Count; i++)
            _endpoints[i].Configure?.Invoke(options.Endpoints[i]);
        _options.ForEach(o => o(options));
    }

    private SimulatedFault[] Watched(TestPool test) =>
    [
        .. from watched in _watched
           from endpoint in test.Options.Endpoints
           where watched.Which(endpoint)
           select new SimulatedFault { Endpoint = endpoint.Name, Fault = watched.Fault, From = watched.From, Until = watched.Until },
    ];

    private static FaultRule Rule(FakeFault fault, TimeSpan from, TimeSpan? until, double probability, bool probes) => new(fault)
    {
        From = from,
        Until = until ?? TimeSpan.MaxValue,
        Probability = probability,
        Where = probes ? static _ => true : null,
    };

    private Simulation Add<T>(List<T> list, T item)
    {
        ArgumentNullException.ThrowIfNull(item);
        list.Add(item);
        return this;
    }
}
