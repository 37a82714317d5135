using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>The simulated system: the user's pool with the real incidents of the services.</summary>
internal sealed record World
{
    /// <summary>The speed of the endpoints: 5,000 tokens of the prompt and 50 tokens of the answer per second.</summary>
    private static readonly ServiceModel Model = ServiceModel.Tokens(prefillPerSecond: 5000, perSecond: 50);

    // The endpoint answers an error status after the time that a server needs to refuse a request.
    private static readonly FakeFault Down = FakeFault.Status(503).And(FakeFault.Latency(TimeSpan.FromMilliseconds(200)));

    public required History History { get; init; }

    public required Workload Arrivals { get; init; }

    public required int Seed { get; init; }

    /// <summary>Gets the function that creates the pool's options.</summary>
    public required Action<EndpointPoolOptions> Pool { get; init; }

    /// <summary>Runs the simulation.</summary>
    /// <param name="minorAsErrors">True to simulate impact 1 as failures of three answers in ten, false for failures of all answers.</param>
    /// <param name="progress">Is called from time to time with the completed share.</param>
    /// <returns>The results, and the number of calls that arrived while no service was up.</returns>
    public (SimulationResult Result, long CameInVain) Run(bool minorAsErrors, Action<double> progress)
    {
        var options = new EndpointPoolOptions();
        Pool(options);
        var simulation = new Simulation(Seed).Options(Pool);
        foreach (var endpoint in options.Endpoints)
            simulation.Endpoint(endpoint.Name, Model);
        // The incidents of a status page are failing answers. The usual heartbeat only opens a connection, which still succeeds during such an incident.
        simulation.Parts(parts => parts.Probe = static _ => new ScriptedProbe(new FaultScript()) { Level = ProbeLevel.Reachable });
        foreach (var service in History.Services)
        {
            bool Has(EndpointOptions e) => IsOf(e, service);
            foreach (var span in History.SpansOf(service, impact => impact >= (minorAsErrors ? 2 : 1)))
                simulation.FaultOf(Has, Down, span.From, span.Until, probes: false);
            if (minorAsErrors)
            {
                foreach (var span in History.SpansOf(service, static impact => impact == 1))
                    simulation.FaultOf(Has, Down, span.From, span.Until, probability: 0.3, probes: false);
            }
        }
        for (var percent = 1; percent <= 100; percent++)
        {
            var share = percent / 100.0;
            simulation.At(History.Length * share, _ => progress(share));
        }
        var (calls, inVain) = (0L, 0L);
        simulation.Profile(number => { calls = number + 1; return null; });
        foreach (var span in History.AllDown())
            simulation.At(span.From, _ => inVain -= calls).At(span.Until, _ => inVain += calls);
        return (simulation.Run(Arrivals, History.Length), inVain);
    }

    /// <summary>Returns true if the incidents of the service affect the endpoint.</summary>
    public static bool IsOf(EndpointOptions endpoint, string service) =>
        endpoint.Name == service || endpoint.Provider == service || endpoint.Account == service;
}
