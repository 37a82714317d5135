namespace HaKit.Testing;

/// <summary>
/// A scenario in virtual time: a real pool, with its pipelines, selectors, health and heartbeats, over scripted endpoints, on the caller's thread. The
/// same seed gives exactly the same run. Describe the scenario with chained calls, then call <see cref="Run"/> as often as you like.
/// </summary>
/// <remarks>
/// The clock can be used only on this thread; code that leaves the thread makes the run fail. Memory use does not depend on the run's length. Not thread-safe;
/// several simulations may run on several threads.
/// </remarks>
/// <param name="seed">The seed of all random numbers: the pool's, the arrivals, the work and the faults. Default 1.</param>
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

    /// <summary>Adds equal endpoints, named e0, e1, e2… in the order of adding.</summary>
    /// <param name="count">The number of endpoints; at least 1.</param>
    /// <param name="service">How long each endpoint works on a request.</param>
    public Simulation Endpoints(int count, ServiceModel service)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        for (var i = 0; i < count; i++)
            Endpoint($"e{_endpoints.Count}", service);
        return this;
    }

    /// <summary>Adds an endpoint.</summary>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="service">How long the endpoint works on a request.</param>
    /// <param name="configure">Sets the endpoint's tier, domains, prices and other options; null for the defaults.</param>
    public Simulation Endpoint(string name, ServiceModel service, Action<EndpointOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(service);
        _endpoints.Add((name, service, configure));
        return this;
    }

    /// <summary>Changes the pool's options. Heartbeats are off unless you turn them on here.</summary>
    /// <param name="configure">Changes the options.</param>
    public Simulation Options(Action<EndpointPoolOptions> configure) => Add(_options, configure);

    /// <summary>Changes the parts of the pool, such as its selector.</summary>
    /// <param name="configure">Changes the parts.</param>
    public Simulation Parts(Action<EndpointPoolParts> configure) => Add(_parts, configure);

    /// <summary>Sets the request profile of each call.</summary>
    /// <param name="profile">Returns the profile of a call. The argument is the call's number, from 0. Null means the default profile.</param>
    public Simulation Profile(Func<long, RequestProfile?> profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        _profile = profile;
        return this;
    }

    /// <summary>Makes a share of the calls ask for a stream and read it to its end. Default 0.</summary>
    /// <param name="share">The share of the calls, 0 to 1.</param>
    public Simulation Streams(double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        _streamedShare = share;
        return this;
    }

    /// <summary>Injects a fault into an endpoint for a while.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">
    /// The fault to inject. <see cref="FakeFault.Refused"/> simulates a crash, <see cref="FakeFault.Hang"/> an endpoint that never answers; <see
    /// cref="FakeFaults"/> has the errors of the providers.
    /// </param>
    /// <param name="from">The time at which the fault starts. Default: the start of the run.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    /// <param name="probability">The probability for each request, 0 to 1. Default 1.</param>
    /// <param name="probes">True if the fault applies to probes too. Default true.</param>
    public Simulation Fault(string endpoint, FakeFault fault, TimeSpan from = default, TimeSpan? until = null, double probability = 1, bool probes = true)
    {
        FaultOf(e => e.Name == endpoint, fault, from, until, probability, probes);
        return Add(_faults, test =>
        {
            // An endpoint of the simulation may be absent from the configured options. That is no mistake. But if the name is not an endpoint of the simulation
            // either, it is misspelt. The indexer then throws, because the fault would have no effect.
            if (!_endpoints.Exists(e => e.Name == endpoint))
                _ = test[endpoint];
        });
    }

    /// <summary>Injects a fault into all endpoints for a while.</summary>
    /// <inheritdoc cref="Fault"/>
    public Simulation FaultOfAll(FakeFault fault, TimeSpan from = default, TimeSpan? until = null, double probability = 1, bool probes = true) =>
        FaultOf(static _ => true, fault, from, until, probability, probes);

    /// <summary>
    /// Injects a fault into several endpoints for a while, for example into all of a region: <c>FaultOf(e => e.Region == "eu", FakeFault.Refused)</c>.
    /// </summary>
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

    /// <summary>Makes an endpoint fail and recover repeatedly.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="fault">The fault to inject.</param>
    /// <param name="down">How long the endpoint fails each time; more than 0.</param>
    /// <param name="up">How long the endpoint works in between; at least 0.</param>
    public Simulation Flap(string endpoint, FakeFault fault, TimeSpan down, TimeSpan up)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(down, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(up, TimeSpan.Zero);
        return Add(_faults, test => test[endpoint].Faults.Add(new FaultRule(fault) { Where = _ => test.Time.Elapsed.Ticks % (down + up).Ticks < down.Ticks }));
    }

    /// <summary>Makes an endpoint slower for a while.</summary>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="factor">The factor by which its times increase.</param>
    /// <param name="from">The time at which the endpoint becomes slower. Default: the start of the run.</param>
    /// <param name="until">When the fault ends, exclusive. Default: the end of the run.</param>
    public Simulation Slow(string endpoint, double factor, TimeSpan from = default, TimeSpan? until = null) =>
        Add(_faults, test => test[endpoint].SlowDown(factor, from, until));

    /// <summary>
    /// Simulates a pause of the process that contains the pool, for example a long garbage collection. Calls that arrive during the pause begin when the pause ends.
    /// </summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="length">The duration of the pause.</param>
    public Simulation Pause(TimeSpan at, TimeSpan length) => At(at, test => test.Time.Pause(length));

    /// <summary>Moves the wall clock.</summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="by">The length of the jump. Negative moves the clock backwards.</param>
    public Simulation JumpClock(TimeSpan at, TimeSpan by) => At(at, test => test.Time.JumpWallClock(by));

    /// <summary>Calls a function at a time of the run, for example to give an operator's order, reload options or change a script.</summary>
    /// <param name="at">The time of the change, from the start of the run.</param>
    /// <param name="what">The function; it must not wait.</param>
    public Simulation At(TimeSpan at, Action<TestPool> what)
    {
        ArgumentNullException.ThrowIfNull(what);
        _schedule.Add((at, what));
        return this;
    }

    /// <summary>Runs the scenario on this thread. Calls that have begun at the end of the run are completed.</summary>
    /// <param name="workload">The calls of the run.</param>
    /// <param name="length">The period during which calls arrive, in virtual time; 0 to ten years.</param>
    /// <exception cref="ArgumentOutOfRangeException">The period is out of its range.</exception>
    /// <exception cref="InvalidOperationException">Code left the thread, or the scenario has no endpoints.</exception>
    public SimulationResult Run(Workload workload, TimeSpan length)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentRange.Check(length, TimeSpan.Zero, SettingRange.Longest);
        if (_endpoints.Count == 0)
            throw new InvalidOperationException("The scenario has no endpoints.");
        using var test = TestPools.Create(_endpoints.Select(static e => e.Name), Configure, parts => _parts.ForEach(p => p(parts)), seed);
        test.Time.ConfineToCurrentThread();
        // The configured options may not contain all endpoints.
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
