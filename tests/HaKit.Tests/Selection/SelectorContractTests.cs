using HaKit.Faults;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

/// <summary>Tests the guarantees of every selector: the presets, and the application's own selector.</summary>
public sealed class SelectorContractTests
{
    private static int Pools => int.TryParse(Environment.GetEnvironmentVariable("HAKIT_SELECTION_POOLS"), out var pools) ? pools : 300;

    public static TheoryData<SelectionPreset, bool> Ways
    {
        get
        {
            var ways = new TheoryData<SelectionPreset, bool>();
            foreach (var preset in Enum.GetValues<SelectionPreset>())
                ways.Add(preset, false);
            ways.Add(SelectionPreset.Adaptive, true);
            return ways;
        }
    }

    private sealed class LastCandidate : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => candidates.Length - 1;
    }

    private static SelectionBench Bench(SelectionPreset preset, bool own, IEnumerable<EndpointOptions> endpoints, ulong seed = 1) =>
        new(endpoints, new SelectionOptions { Preset = preset, Zone = "z0" }, seed, own ? new LastCandidate() : null);

    [Theory, MemberData(nameof(Ways))]
    public void Never_a_forbidden_endpoint_and_never_none_while_one_is_admitted(SelectionPreset preset, bool own)
    {
        var random = new Random(7);
        for (var pool = 0; pool < Pools; pool++)
        {
            var bench = Bench(preset, own, SelectionBench.Numbered(random.Next(1, 40), (_, e) =>
            {
                e.Tier = random.Next(3);
                e.Weight = random.Next(1, 100);
                e.Residency = random.Next(3) == 0 ? "us" : "eu";
                e.Tools = random.Next(4) != 0;
                e.Zone = $"z{random.Next(3)}";
                e.ContextWindow = random.Next(3) == 0 ? 1000 : null;
                e.Limits = random.Next(3) == 0 ? new() { MaxConcurrency = 1 } : null;
            }), (ulong)pool);
            foreach (var member in bench.Members)
                Upset(bench, member.Endpoint.Name, random);
            for (var pick = 0; pick < 30; pick++)
            {
                var profile = new RequestProfile
                {
                    Residency = random.Next(2) == 0 ? "eu" : null,
                    Tools = random.Next(2) == 0,
                    InputTokens = random.Next(2) * 2000,
                    AffinityKey = random.Next(2) == 0 ? "key" : null,
                    MayRepeat = false,
                };
                var admitted = bench.Members.Where(m =>
                    (profile.Residency is null || m.Endpoint.Capabilities.Residency == profile.Residency) && (!profile.Tools || m.Endpoint.Capabilities.Tools)
                    && (m.Endpoint.Capabilities.ContextWindow is not { } window || profile.InputTokens <= window)
                    && m.Health.State.Admits(bench.Now) && m.HasRoom(profile.InputTokens, bench.Now)).ToArray();
                var choice = bench.Choose(profile);
                if (admitted.Length == 0)
                    choice.Should().Be(Choice.None);
                else
                    admitted.Should().Contain(choice.State!);
                bench.Now += TimeSpan.FromSeconds(random.NextDouble());
            }
        }
    }

    [Theory, MemberData(nameof(Ways))]
    public void A_retry_never_goes_where_it_was_and_finds_everybody_who_is_left(SelectionPreset preset, bool own)
    {
        var bench = Bench(preset, own, SelectionBench.Numbered(8, (i, e) => (e.Tier, e.Account, e.Zone) = (i % 2, $"account{i % 3}", $"z{i % 2}")));
        var tried = new List<(string, Fault?)>();
        for (var i = 0; i < 8; i++)
        {
            var name = bench.After([.. tried]).Pick(new RequestProfile { AffinityKey = "key" });
            tried.Select(t => t.Item1).Should().NotContain(name);
            tried.Add((name!, new Fault(FaultKind.ServerError)));
        }
        bench.After([.. tried]).Choose().Should().Be(Choice.None);
    }

    [Theory]
    [InlineData(SelectionPreset.Adaptive)]
    [InlineData(SelectionPreset.Weighted)]
    [InlineData(SelectionPreset.Random)]
    [InlineData(SelectionPreset.LeastOutstanding)]
    [InlineData(SelectionPreset.Latency)]
    [InlineData(SelectionPreset.Sticky)]
    [InlineData(SelectionPreset.Cheapest)]
    [InlineData(SelectionPreset.Nearest)]
    public void An_idle_pool_is_shared_in_proportion_to_weight(SelectionPreset preset)
    {
        var bench = new SelectionBench("abcd", preset, 1, 5, 3, 1, 1);
        var shares = bench.Shares(100_000);
        shares["a"].Should().BeApproximately(0.5, 0.01);
        shares["b"].Should().BeApproximately(0.3, 0.01);
        shares["c"].Should().BeApproximately(0.1, 0.01);
    }

    [Theory]
    [InlineData(SelectionPreset.Adaptive)]
    [InlineData(SelectionPreset.LeastOutstanding)]
    [InlineData(SelectionPreset.Latency)]
    [InlineData(SelectionPreset.Weighted)]
    [InlineData(SelectionPreset.Random)]
    public void A_loaded_pool_is_shared_in_proportion_to_weight(SelectionPreset preset)
    {
        var bench = new SelectionBench("abcd", preset, 1, 5, 3, 1, 1);
        for (var call = 0; call < 20_000; call++)
            bench.Begin(bench.Choose().State!);
        (bench["a"].InFlight / 20_000.0).Should().BeApproximately(0.5, 0.02);
        (bench["b"].InFlight / 20_000.0).Should().BeApproximately(0.3, 0.02);
        (bench["c"].InFlight / 20_000.0).Should().BeApproximately(0.1, 0.02);
    }

    [Theory, MemberData(nameof(Ways))]
    public void A_returning_endpoint_starts_with_a_tenth_of_its_share(SelectionPreset preset, bool own)
    {
        if (own || preset is SelectionPreset.Priority)
            return;
        var bench = new SelectionBench("abcde", preset);
        bench.Order("c", HealthOrder.ForceDown);
        bench.Order("c", HealthOrder.BringUp);
        bench.Shares(50_000)["c"].Should().BeApproximately(0.1 / 4.1, 0.01);
    }

    [Theory, MemberData(nameof(Ways))]
    public void Choosing_allocates_nothing(SelectionPreset preset, bool own)
    {
        var bench = Bench(preset, own, SelectionBench.Numbered(20, (i, e) => (e.Tier, e.Weight, e.Zone) = (i % 2, 1 + i % 3, $"z{i % 2}")));
        bench.Eject("e0");
        bench.Order("e2", HealthOrder.ForceDown);
        bench.Order("e2", HealthOrder.BringUp);
        var profile = new RequestProfile { AffinityKey = "key", Tools = true, Tags = [] };
        Many();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Many();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Many()
        {
            Picks(RequestProfile.Default);
            Picks(profile);
        }

        void Picks(RequestProfile profile)
        {
            for (var i = 0; i < 200; i++)
                bench.Choose(profile);
        }
    }

    [Theory, MemberData(nameof(Ways))]
    public void The_same_seed_chooses_the_same(SelectionPreset preset, bool own)
    {
        var runs = Enumerable.Range(0, 2).Select(_ => Bench(preset, own, SelectionBench.Numbered(10), seed: 42).Picks(200)).ToArray();
        runs[0].Should().Be(runs[1]);
    }

    private static void Upset(SelectionBench bench, string name, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                bench.Eject(name);
                break;
            case 1:
                bench.CoolDown(name, random.Next(1, 20));
                break;
            case 2:
                bench.Order(name, HealthOrder.Drain);
                break;
            case 3:
                bench.Order(name, HealthOrder.ForceDown);
                bench.Order(name, HealthOrder.BringUp);
                break;
            case 4:
                bench.Load(name, 1);
                break;
            case 5:
                bench.Answered(name, random.NextDouble());
                break;
        }
    }
}
