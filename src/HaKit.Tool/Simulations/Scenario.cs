using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>A way of using the endpoints of a scenario.</summary>
internal sealed record Strategy(string Name, Action<EndpointPoolOptions> Configure)
{
    /// <summary>The default policy, its other ways of choosing, and what an application does without a pool: the first endpoint alone, repeating or not.</summary>
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
/// <param name="World">Describes it.</param>
/// <param name="Load">The calls of the scenario.</param>
/// <param name="Length">The period during which calls arrive.</param>
internal sealed record Scenario(string Name, string What, string Target, Func<Simulation> World, Workload Load, TimeSpan Length)
{
    /// <summary>Without the strategies that have one endpoint: it could not carry the load.</summary>
    public bool NeedsAll { get; init; }

    /// <summary>Figures that others published for it.</summary>
    public IReadOnlyList<(string Strategy, string Served, string Mean)> Published { get; init; } = [];

    public SimulationResult Run(Strategy strategy) => World().Options(strategy.Configure).Run(Load, Length);
}
