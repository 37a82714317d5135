using HaKit.Limits;
using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>Describes one kind of random worlds.</summary>
internal sealed record WorldShape(string Name)
{
    /// <summary>Gets the calls per second, from a random number between 0 and 1.</summary>
    public Func<double, double> Rate { get; init; } = static x => 40 + 50 * x;

    /// <summary>
    /// Gets the kinds of limits among which each endpoint's limit is chosen: 0 requests, 1 tokens, 2 calls in flight, 3 requests and tokens; other numbers: no
    /// limit.
    /// </summary>
    public IReadOnlyList<int> Limits { get; init; } = [0, 1, 2, 3];

    /// <summary>Gets the mean duration of a call, in seconds.</summary>
    public double Seconds { get; init; } = 1;

    public Func<double, ServiceModel> Service { get; init; } = static seconds => ServiceModel.Exponential(TimeSpan.FromSeconds(seconds));

    /// <summary>Gets the load for a rate. Null: calls arrive at random times.</summary>
    public Func<double, Workload>? Load { get; init; }

    /// <summary>Gets whether the size of a call is known before the call begins.</summary>
    public bool KnowsTokens { get; init; }

    /// <summary>Gets the number of runs for each true value: enough for an error far below five percentage points.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>Gets how long the pool runs before its prediction is read. The pool learns the duration of calls from calls that have ended.</summary>
    public double WarmSeconds { get; init; } = 62;

    /// <summary>Gets the number of worlds in each build.</summary>
    public int Worlds { get; init; } = 3;

    public Action<Random, EndpointPoolOptions>? Options { get; init; }

    public Action<Random, Simulation, int>? Scene { get; init; }

    public static WorldShape Mixed { get; } = new("mixed");

    public static IReadOnlyList<WorldShape> All { get; } =
    [
        new("one call a second") { Rate = static x => 0.5 + x, Runs = 30, WarmSeconds = 602 },
        new("ten calls a second") { Rate = static x => 5 + 10 * x, Runs = 10 },
        new("a thousand calls a second") { Rate = static x => 800 + 400 * x, Runs = 1, Worlds = 1 },
        new("tokens only") { Limits = [1] },
        new("tokens only, sizes known, long calls") { Limits = [1], KnowsTokens = true, Seconds = 8, WarmSeconds = 222 },
        new("tokens only, sizes unknown, long calls") { Limits = [1], Seconds = 8, WarmSeconds = 222 },
        new("requests only") { Limits = [0] },
        new("calls in flight only") { Limits = [2] },
        new("calls in flight, long calls") { Limits = [2], Seconds = 15, WarmSeconds = 362, Service = static seconds => ServiceModel.Exponential(TimeSpan.FromSeconds(seconds)).FirstContentAfter(0.05) },
        new("calls in flight, short calls of one length") { Limits = [2], Seconds = 0.2, Service = static seconds => ServiceModel.Fixed(TimeSpan.FromSeconds(seconds)) },
        new("mixed, long tails") { Seconds = 2, Service = static seconds => ServiceModel.LogNormal(TimeSpan.FromSeconds(seconds / 2), TimeSpan.FromSeconds(seconds * 5)) },
        new("even load") { Load = static rate => Workload.Steady(rate) },
        new("bursts") { Load = static rate => Workload.Bursts((int)(2 * rate), TimeSpan.FromSeconds(2)) },
        new("tiers of different sizes") { Options = static (random, pool) => Each(pool, e => (e.Tier, e.Weight) = (random.Next(3), random.Next(1, 4))) },
        new("strict tiers") { Options = static (random, pool) => UseStrictTiers(random, pool) },
        new("other presets") { Options = static (random, pool) => pool.Selection.Preset = (SelectionPreset)random.Next(Enum.GetValues<SelectionPreset>().Length) },
        new("endpoints that fail now and then") { Scene = static (random, simulation, count) => simulation.Fault($"e{random.Next(count)}", FakeFault.Status(503), probability: 0.02 + 0.04 * random.NextDouble()) },
        new("endpoints of different speed") { Scene = static (random, simulation, count) => SlowEach(random, simulation, count) },
        new("orders") { Scene = static (random, simulation, count) => Drain(simulation, $"e{random.Next(count)}") },
        new("zones and prices") { Options = static (random, pool) => UseZonesAndPrices(random, pool) },
    ];

    public override string ToString() => Name;

    private static void SlowEach(Random random, Simulation simulation, int count)
    {
        for (var i = 0; i < count; i++)
            simulation.Slow($"e{i}", 0.5 + 2 * random.NextDouble());
    }

    private static void Drain(Simulation simulation, string endpoint) => simulation.At(TimeSpan.FromSeconds(20), test => _ = test.Pool.DrainAsync(endpoint).AsTask());

    private static void UseStrictTiers(Random random, EndpointPoolOptions pool)
    {
        pool.Selection.StrictTiers = true;
        Each(pool, e => e.Tier = random.Next(3));
    }

    private static void UseZonesAndPrices(Random random, EndpointPoolOptions pool)
    {
        pool.Selection.Zone = "z0";
        Each(pool, e => (e.Zone, e.InputTokenPrice, e.OutputTokenPrice) = ($"z{random.Next(2)}", random.Next(1, 5), random.Next(1, 5)));
    }

    private static void Each(EndpointPoolOptions pool, Action<EndpointOptions> configure)
    {
        foreach (var endpoint in pool.Endpoints)
            configure(endpoint);
    }
}

/// <summary>Creates a pool with random limits, domains, tiers and an endpoint that may be out, under a random load.</summary>
internal sealed record RedundancyWorld(
    WorldShape Shape, int Seed, IReadOnlyList<Action<EndpointOptions>> Endpoints, IReadOnlyDictionary<string, LimitOptions> Accounts, double Rate, int Input, int Output, int? Out)
{
    private TimeSpan Warm => TimeSpan.FromSeconds(Shape.WarmSeconds);

    private TimeSpan Settled => Warm + TimeSpan.FromSeconds(65);

    private TimeSpan End => Settled + TimeSpan.FromSeconds(120.5);

    private PoolDemand? _measured;

    public static RedundancyWorld Random(WorldShape shape, int seed)
    {
        var random = new Random(seed);
        var count = random.Next(2, 7);
        var rate = shape.Rate(random.NextDouble());
        var (input, output) = (random.Next(50, 500), random.Next(20, 200));
        var accounts = new Dictionary<string, LimitOptions>();
        var endpoints = new List<Action<EndpointOptions>>();
        for (var i = 0; i < count; i++)
        {
            // The capacity of the whole pool is then between just enough and too much.
            var share = rate * 60 / count * (0.8 + 1.7 * random.NextDouble());
            LimitOptions? limits = shape.Limits[random.Next(4) % shape.Limits.Count] switch
            {
                0 => new() { RequestsPerMinute = (int)Math.Max(1, share) },
                1 => new() { TokensPerMinute = (int)(share * (input + output)) },
                2 => new() { MaxConcurrency = (int)Math.Max(1, share / 60 * 2 * shape.Seconds) },
                _ => random.Next(3) == 0 ? null : new() { RequestsPerMinute = (int)Math.Max(1, share), TokensPerMinute = (int)(1.5 * share * (input + output)) },
            };
            var (account, region, provider, tier) = ($"acc{random.Next(3)}", $"r{random.Next(2)}", $"p{random.Next(2)}", random.Next(4) == 0 ? 1 : 0);
            endpoints.Add(e => (e.Limits, e.Account, e.Region, e.Provider, e.Tier) = (limits, account, region, provider, tier));
            if (random.Next(6) == 0)
                accounts[account] = new() { RequestsPerMinute = (int)Math.Max(1, share * 1.5) };
        }
        return new RedundancyWorld(shape, seed, endpoints, accounts, rate, input, output, count > 2 && random.Next(5) == 0 ? random.Next(count) : null);
    }

    /// <summary>Gets the predicted losses after the warm-up, for one domain of each kind.</summary>
    public IReadOnlyList<DomainLoss> Told()
    {
        RedundancyReport? report = null;
        Simulation(Seed).At(Warm, test => report = test.Pool.GetRedundancy()).Run(Load(Rate), Warm + TimeSpan.FromSeconds(1));
        _measured = report!.Demand;
        var random = new Random(Seed);
        return [.. report.Domains.GroupBy(d => d.Domain).Select(g => g.ElementAt(random.Next(g.Count()))).Where(d => !d.IsWholePool).OrderBy(_ => random.Next()).Take(3)];
    }

    /// <summary>Gets the share of the calls that fail if these endpoints are lost, the demand stays as measured, and no call waits.</summary>
    /// <remarks>
    /// The result is the mean of several runs. In the two minutes of one run, the number of random arrivals differs so much from the demand that the share is
    /// off by one or two percentage points where a limit is just reached.
    /// </remarks>
    public double Truth(IReadOnlyCollection<string> lost) => Enumerable.Range(0, Shape.Runs).Average(run => TruthOf(lost, Seed + 1000 * run));

    private double TruthOf(IReadOnlyCollection<string> lost, int seed)
    {
        var (calls, from) = (0L, 0L);
        var simulation = Simulation(seed).FaultOf(e => lost.Contains(e.Name), FakeFault.Refused, from: Warm)
            .Profile(number => { calls = number + 1; return Profile; })
            .At(Settled, _ => from = calls);
        var result = simulation.Run(Load(_measured!.CallsPerMinute / 60), End);
        var failed = result.LostPerInterval.Skip((int)(Settled / result.Interval)).Sum();
        return (double)failed / (calls - from);
    }

    public override string ToString() => FormattableString.Invariant($"{Rate:0.00} calls/s, measured {_measured}, of {Input}+{Output} tokens, out: {Out}, ")
        + string.Join(" ", Endpoints.Select(static (configure, i) => Described(configure, $"e{i}")).Concat(Accounts.Select(static a => $"{a.Key}({Described(a.Value)})")));

    private static string Described(Action<EndpointOptions> configure, string name)
    {
        var endpoint = new EndpointOptions();
        configure(endpoint);
        return $"{name}({endpoint.Tier} {endpoint.Account} {endpoint.Region} {endpoint.Provider} {Described(endpoint.Limits)})";
    }

    private static string Described(LimitOptions? limits) => limits is null ? "unlimited" : $"{limits.RequestsPerMinute}r {limits.TokensPerMinute}t {limits.MaxConcurrency}c";

    private RequestProfile? Profile => Shape.KnowsTokens ? new RequestProfile { InputTokens = Input, MaxOutputTokens = 2 * Output } : null;

    // If calls arrive at random times, the load has the measured rate. Any other load stays as it is.
    private Workload Load(double rate) => (Shape.Load?.Invoke(Rate) ?? Workload.Poisson(rate)).OfTokens(Input, Output);

    private Simulation Simulation(int seed)
    {
        var simulation = new Simulation(seed).Options(options =>
        {
            options.MaxWaitingCalls = 0;
            options.Heartbeat.Enabled = true;
            foreach (var (account, limits) in Accounts)
                options.AccountLimits[account] = limits;
            Shape.Options?.Invoke(new Random(~Seed), options);
        });
        for (var i = 0; i < Endpoints.Count; i++)
            simulation.Endpoint($"e{i}", Shape.Service(Shape.Seconds), Endpoints[i]);
        if (Out is { } down)
            simulation.Fault($"e{down}", FakeFault.Refused);
        Shape.Scene?.Invoke(new Random(~Seed), simulation, Endpoints.Count);
        return simulation.Profile(_ => Profile);
    }
}
