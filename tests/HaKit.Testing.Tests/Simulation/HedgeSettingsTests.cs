using HaKit.Selection;

namespace HaKit.Testing.Tests;

/// <summary>
/// The settings of hedging decide how many second attempts there are, and not which endpoints are ejected. The calls are the same with each setting.
/// </summary>
public sealed class HedgeSettingsTests
{
    private static readonly Dictionary<string, Action<EndpointPoolOptions>> s_settings = new()
    {
        ["off"] = static o => o.Hedging.Enabled = false,
        ["share 0.1 %"] = static o => o.Hedging.MaxShare = o.RetryBudget.HedgesPerCall = 0.001,
        ["share 1 %"] = static o => o.Hedging.MaxShare = o.RetryBudget.HedgesPerCall = 0.01,
        ["share 20 %"] = static o => o.Hedging.MaxShare = o.RetryBudget.HedgesPerCall = 0.2,
        ["share 50 %"] = static o => o.Hedging.MaxShare = o.RetryBudget.HedgesPerCall = 0.5,
        ["a hedge per call"] = static o => o.RetryBudget.HedgesPerCall = 1,
        ["no hedge is paid"] = static o => o.RetryBudget.HedgesPerCall = 0,
        ["cost 0"] = static o => o.RetryBudget.Cost = 0,
        ["cost 0.1"] = static o => o.RetryBudget.Cost = 0.1,
        ["cost 5"] = static o => o.RetryBudget.Cost = 5,
        ["delay 0.5 s"] = static o => o.Hedging.MinimumDelay = S(0.5),
        ["delay 3 s"] = static o => o.Hedging.MinimumDelay = S(3),
        ["delay 20 s"] = static o => o.Hedging.MinimumDelay = S(20),
    };

    public static MatrixTheoryData<string, int> Cases() => new(s_settings.Keys, [1, 2, 3]);

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Cases))]
    public Task The_price_of_hedges_moves_no_ejection(string setting, int seed)
    {
        Ejections(FakeFault.Hang).Should().Be((5, 0), "a silent endpoint is ejected five times in two minutes");
        Ejections(FakeFault.Status(500)).Should().Be((5, 0));
        Ejections(FakeFault.None).Should().Be((0, 0), "an endpoint that is slow in one of a hundred calls is well");
        return Task.CompletedTask;

        (int OfE0, int OfOthers) Ejections(FakeFault fault)
        {
            using var fleet = new Fleet(1, 3, (_, o) =>
            {
                o.Selection.Preset = SelectionPreset.RoundRobin;
                o.Hedging.Enabled = true;
                s_settings[setting](o);
            }, shares: false, seed: seed);
            foreach (var endpoint in fleet.Replicas[0].Endpoints)
                endpoint.Service = ServiceModel.LogNormal(S(0.3), S(1));
            fleet.Run(Workload.Poisson(2), S(200));
            fleet.Fault("e0", fault);
            fleet.Run(Workload.Poisson(2), S(120)).Lost.Should().Be(0);
            var ejected = fleet.Replicas[0].Events.GetEvents<EndpointEjected>();
            return (ejected.Count(static e => e.Endpoint == "e0"), ejected.Count(static e => e.Endpoint != "e0"));
        }
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
