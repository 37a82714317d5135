using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>A strategy for the use of a scenario's endpoints.</summary>
internal sealed record Strategy(string Name, Action<EndpointPoolOptions> Configure)
{
    /// <summary>
    /// Gets the strategies: the default policy, the other selectors, and an application without a pool, which calls the first endpoint with or without
    /// retries.
    /// </summary>
    public static IReadOnlyList<Strategy> All { get; } =
    [
        new("default", static _ => { }),
        Preset("round robin", SelectionPreset.RoundRobin),
        Preset("least outstanding", SelectionPreset.LeastOutstanding),
        Preset("peak EWMA", SelectionPreset.Latency),
        new("retry only", First),
        new("single endpoint", static options =>
        {
            First(options);
            options.Retry.MaxRetryAttempts = 0;
        }),
    ];

    private static Strategy Preset(string name, SelectionPreset preset) => new(name, options => options.Selection.Preset = preset);

    private static void First(EndpointPoolOptions options) => options.Endpoints = [options.Endpoints[0]];
}

/// <summary>A scenario of the report.</summary>
/// <param name="Name">The scenario's name, which is also the name of its drawing.</param>
/// <param name="What">One sentence that describes the scenario.</param>
/// <param name="Target">The result that the default settings should reach.</param>
/// <param name="World">Adds the scenario's endpoints and faults to a simulation.</param>
/// <param name="Load">The calls of the scenario.</param>
/// <param name="Length">The period during which calls arrive.</param>
internal sealed record Scenario(string Name, string What, string Target, Func<Simulation> World, Workload Load, TimeSpan Length)
{
    /// <summary>Returns the scenario without the strategies that use one endpoint, because one endpoint could not carry the load.</summary>
    public bool NeedsAll { get; init; }

    /// <summary>Gets figures that others published for the scenario.</summary>
    public IReadOnlyList<(string Strategy, string Served, string Mean)> Published { get; init; } = [];

    public SimulationResult Run(Strategy strategy) => World().Options(strategy.Configure).Run(Load, Length);
}
