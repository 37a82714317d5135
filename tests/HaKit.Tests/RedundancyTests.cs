using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>Compares the pool's prediction for the loss of each failure domain with the result of the simulator.</summary>
public sealed class RedundancyTests
{
    // HAKIT_REDUNDANCY_SEED selects other worlds than the worlds of every build.
    private static readonly int First = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_REDUNDANCY_SEED"), out var seed) ? seed : 1;

    // HAKIT_REDUNDANCY_WORLDS sets the number of worlds of the other shapes.
    private static readonly int? Worlds = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_REDUNDANCY_WORLDS"), out var worlds) ? worlds : null;

    [Theory(Timeout = 300_000)]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(30)]
    [InlineData(40)]
    public void In_fifty_random_worlds_every_loss_is_told_within_five_points(int from) => CompareWithTruth(WorldShape.Mixed, First + from, 10, atLeast: 24);

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Shapes))]
    public void In_worlds_of_other_shapes_too(string name)
    {
        var shape = WorldShape.All.Single(s => s.Name == name);
        CompareWithTruth(shape, First, Worlds ?? shape.Worlds, atLeast: 2);
    }

    public static TheoryData<string> Shapes => [.. WorldShape.All.Select(static s => s.Name)];

    private static void CompareWithTruth(WorldShape shape, int first, int worlds, int atLeast)
    {
        var wrong = new List<string>();
        var differences = new List<double>();
        for (var seed = first; seed < first + worlds; seed++)
        {
            var world = RedundancyWorld.Random(shape, seed);
            foreach (var loss in world.Told())
            {
                var truth = world.Truth(loss.Endpoints);
                differences.Add(Math.Abs(truth - loss.LostShare));
                if (differences[^1] > 0.05)
                    wrong.Add(FormattableString.Invariant($"seed {seed}: {loss}: told {loss.LostShare:0.000}, true {truth:0.000}; {world}"));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(
            $"{shape.Name}: {differences.Count} losses, mean difference {differences.Average():0.0000}, worst {differences.Max():0.000}; {string.Join("; ", wrong)}"));
        differences.Count.Should().BeGreaterThanOrEqualTo(atLeast);
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void An_endpoint_without_limits_carries_everything_and_no_endpoint_carries_nothing()
    {
        var pool = Report(60, o => o.Endpoints[0].Limits = new() { RequestsPerMinute = 10 });

        Loss(pool, RedundancyDomain.Endpoint, "a").LostShare.Should().Be(0);
        Loss(pool, RedundancyDomain.Endpoint, "b").LostShare.Should().BeApproximately(Availability.Queueing.ErlangB(10, 60), 0.01, "a limit of 10 requests a minute is a loss system with 10 servers");
        Loss(pool, RedundancyDomain.Endpoint, "b").ToString().Should().Be("losing endpoint b: 83 % of calls would wait or fail (requests 600 % of what is left)");
        Loss(pool, RedundancyDomain.Endpoint, "a").ToString().Should().Be("losing endpoint a: nothing");
    }

    [Fact]
    public void Endpoints_of_one_account_carry_together_what_the_account_may()
    {
        var pool = Report(600, o =>
        {
            o.Endpoints.Add(new EndpointOptions { Name = "c", Account = "other", Limits = new() { RequestsPerMinute = 300 } });
            (o.Endpoints[0].Account, o.Endpoints[1].Account) = ("shared", "shared");
            o.AccountLimits["shared"] = new() { RequestsPerMinute = 500 };
        });

        Loss(pool, RedundancyDomain.Account, "other").Limit.Should().Be("account.requests");
        Loss(pool, RedundancyDomain.Account, "other").Utilization.Should().BeApproximately(1.2, 1e-9);
        Loss(pool, RedundancyDomain.Account, "shared").Utilization.Should().BeApproximately(2, 1e-9);
        Loss(pool, RedundancyDomain.Endpoint, "a").LostShare.Should().BeLessThan(1e-9, "the other endpoint of the account may use what is left of it");
    }

    [Fact]
    public void What_is_out_already_carries_nothing()
    {
        using var test = TestPools.Create(["a", "b"]);
        test.Time.Run(() => test.Pool.ForceDownAsync("a").AsTask());

        var loss = Loss(test.Pool.GetRedundancy(new PoolDemand(60, 100)), RedundancyDomain.Endpoint, "b");

        loss.LostShare.Should().Be(1);
        loss.IsWholePool.Should().BeFalse();
        loss.ToString().Should().Be("losing endpoint b: every call would wait or fail (no endpoint is left)");
    }

    [Fact]
    public void Regions_models_and_keys_are_those_of_a_provider()
    {
        using var test = TestPools.Create(["a", "b", "c"], o =>
        {
            foreach (var (i, provider) in new[] { (0, "openai"), (1, "openai"), (2, "azure") })
                (o.Endpoints[i].Provider, o.Endpoints[i].Region, o.Endpoints[i].Model, o.Endpoints[i].KeyName) = (provider, "eu", "gpt", "key");
        });

        var domains = test.Pool.GetRedundancy().Domains;

        foreach (var kind in (RedundancyDomain[])[RedundancyDomain.Region, RedundancyDomain.Model, RedundancyDomain.Key, RedundancyDomain.Provider])
            domains.Where(d => d.Domain == kind).Select(d => string.Join(",", d.Endpoints)).Should().BeEquivalentTo("a,b", "c");
        domains.Should().OnlyContain(d => d.LostShare == 0, "nothing has called yet");
    }

    private static RedundancyReport Report(double callsPerMinute, Action<EndpointPoolOptions> configure)
    {
        using var test = TestPools.Create(["a", "b"], configure);
        return test.Pool.GetRedundancy(new PoolDemand(callsPerMinute, 100));
    }

    private static DomainLoss Loss(RedundancyReport report, RedundancyDomain domain, string name) => report.Domains.Single(d => d.Domain == domain && d.Name == name);
}
