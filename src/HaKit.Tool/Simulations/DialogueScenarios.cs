using HaKit.Testing;
using static HaKit.Tool.Simulations.Scenarios;

namespace HaKit.Tool.Simulations;

/// <summary>
/// The scenarios of Palantir Dialogue's SimulationTest by name, written from their description, with the figures that its report publishes
/// (https://github.com/palantir/dialogue, Apache 2.0). Dialogue's clients do not repeat a 500. Dialogue uses ten clients; these scenarios use one pool.
/// </summary>
internal static class DialogueScenarios
{
    private static readonly ServiceModel At600 = ServiceModel.Fixed(Ms(600));
    private static readonly ServiceModel Sharing60 = ServiceModel.Fixed(Ms(60)).Sharing(60);
    private static readonly FakeFault Fails500 = FakeFault.Status(500).And(FakeFault.Latency(Ms(600)));

    public static IReadOnlyList<Scenario> All { get; } =
    [
        New("simplest_possible_case", "3 servers with answer times of 600, 800 and 1,000 ms.",
            () => new Simulation().Endpoint("e0", At600).Endpoint("e1", ServiceModel.Fixed(Ms(800))).Endpoint("e2", ServiceModel.Fixed(Ms(1000))), 11, 600,
            ("100.0 %", "0.600"), ("100.0 %", "0.794"), ("100.0 %", "0.794")),
        New("slowdown_and_error_thresholds", "3 servers with answer times of 600, 800 and 1,000 ms and capacity for 30 requests each get many more requests.",
            () => new Simulation().Endpoint("e0", At600.Sharing(30)).Endpoint("e1", ServiceModel.Fixed(Ms(800)).Sharing(30)).Endpoint("e2", ServiceModel.Fixed(Ms(1000)).Sharing(30)), 500, 5,
            ("1.2 %", "24.027"), ("1.2 %", "24.118"), ("1.2 %", "3.956")),
        New("slow_503s_then_revert", "e0 of 2 answers 503 after 1 s, from 3 s to 10 s.",
            () => new Simulation().Endpoints(2, Sharing60).Fault("e0", FakeFault.Status(503).And(FakeFault.Latency(S(1))), S(3), S(10)), 200, 15,
            ("100.0 %", "0.076"), ("100.0 %", "0.703"), ("100.0 %", "1.471")),
        New("fast_500s_then_revert", "e0 of 2 answers 500 within 10 ms, from 3 s to 10 s.",
            () => new Simulation().Endpoints(2, Sharing60).Fault("e0", FakeFault.Status(500).And(FakeFault.Latency(Ms(10))), S(3), S(10)), 250, 15,
            ("100.0 %", "0.081"), ("76.0 %", "0.055"), ("76.0 %", "0.055")),
        New("drastic_slowdown", "e0 of 2 takes 10 s instead of 60 ms, from 3 s to 10 s.",
            () => new Simulation().Endpoints(2, Sharing60).Slow("e0", 10_000 / 60.0, S(3), S(10)), 200, 20,
            ("100.0 %", "0.076"), ("100.0 %", "2.063"), ("100.0 %", "9.158")),
        New("all_nodes_500", "Both servers answer 500 for 10 of 20 s.",
            () => new Simulation().Endpoints(2, At600).FaultOfAll(Fails500, until: S(10)), 100, 20,
            ("50.0 %", "0.600"), ("50.0 %", "0.600"), ("50.0 %", "0.600")),
        New("black_hole", "e0 of 2 does not answer from 3 s on. Calls end at 30 s.",
            () => new Simulation().Endpoints(2, At600).Fault("e0", FakeFault.Hang, from: S(3)).Options(o => Deadline(o, 30)), 200, 10,
            ("88.7 %", "0.600"), ("90.0 %", "0.600"), ("68.3 %", "0.600")),
        New("one_endpoint_dies_on_each_server", "From 3 s on, each of 2 servers fails one of two kinds of requests, which is half of its requests.",
            () => new Simulation().Endpoints(2, At600).FaultOfAll(Fails500, from: S(3), probability: 0.5), 250, 10,
            ("64.8 %", "0.600"), ("65.3 %", "0.600"), ("65.6 %", "0.600")),
        New("live_reloading", "One server is healthy, e0 fails, and a third server is added after 5 s. Each has capacity for 60 requests.",
            () => new Simulation().Endpoints(3, At600.Sharing(60)).Fault("e0", Fails500)
                .At(TimeSpan.Zero, static test => test.Pool.RemoveEndpoint("e2")).At(S(5), static test => test.Pool.AddEndpoint(new() { Name = "e2" })), 250, 10,
            ("66.0 %", "4.052"), ("64.6 %", "4.166"), ("55.8 %", "2.849")),
        New("uncommon_flakes", "2 servers answer at once. One of a hundred answers is a 500.",
            () => new Simulation().Endpoints(2, ServiceModel.Fixed(TimeSpan.FromMicroseconds(1))).FaultOfAll(FakeFault.Status(500), probability: 0.01), 1000, 10,
            ("99.0 %", "0.000"), ("99.0 %", "0.000"), ("99.0 %", "0.000")),
        New("one_big_spike", "2 servers with an answer time of 150 ms answer 429 to more than 100 requests at the same time. 1,000 calls arrive at once.",
            () => new Simulation().Endpoints(2, ServiceModel.Fixed(Ms(150))).At(TimeSpan.Zero, static test =>
            {
                foreach (var endpoint in test.Endpoints)
                    endpoint.Faults.Add(new FaultRule(FakeFault.Status(429)) { Where = _ => endpoint.InFlight > 100 });
            }), 1000, 1,
            ("100.0 %", "1.807"), ("100.0 %", "1.807"), ("100.0 %", "1.116")),
    ];

    private static Scenario New(
        string name, string what, Func<Simulation> world, double perSecond, double seconds,
        (string, string) pinned, (string, string) roundRobin, (string, string) unlimited) =>
        new(name, what, "", world, name == "one_big_spike" ? Workload.Bursts(1000, TimeSpan.FromMinutes(1)) : Workload.Steady(perSecond), S(seconds))
        {
            Published =
            [
                ("Dialogue: pinned until an error", pinned.Item1, pinned.Item2), ("Dialogue: round robin", roundRobin.Item1, roundRobin.Item2),
                ("Dialogue: round robin, unlimited", unlimited.Item1, unlimited.Item2),
            ],
        };
}
