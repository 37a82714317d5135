using HaKit.Limits;
using HaKit.Testing;

namespace HaKit.Tests;

/// <summary>The loss of each failure domain as the pool's arithmetic tells it, against the simulator's truth.</summary>
public sealed class RedundancyTests
{
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(62);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(127);
    private static readonly TimeSpan End = TimeSpan.FromSeconds(247.5);

    // Other worlds than those of every build: HAKIT_REDUNDANCY_SEED.
    private static readonly int First = int.TryParse(Environment.GetEnvironmentVariable("HAKIT_REDUNDANCY_SEED"), out var seed) ? seed : 1;

    [Fact(Timeout = 600_000)]
    public void In_fifty_random_worlds_every_loss_is_told_within_five_points()
    {
        var wrong = new List<string>();
        var (worst, losses) = (0.0, 0);
        for (var seed = First; seed < First + 50; seed++)
        {
            var world = World.Random(seed);
            foreach (var loss in world.Told())
            {
                losses++;
                var truth = world.Truth(loss.Endpoints);
                worst = Math.Max(worst, Math.Abs(truth - loss.LostShare));
                if (Math.Abs(truth - loss.LostShare) > 0.05)
                    wrong.Add(FormattableString.Invariant($"seed {seed}: {loss}: told {loss.LostShare:0.000}, true {truth:0.000}; {world}"));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"{losses} losses, worst difference {worst:0.000}; {string.Join("; ", wrong)}"));
        losses.Should().BeGreaterThan(120);
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

    /// <summary>A pool with random limits, domains, tiers and an endpoint that may be out, under a random load.</summary>
    private sealed record World(int Seed, IReadOnlyList<Action<EndpointOptions>> Endpoints, IReadOnlyDictionary<string, LimitOptions> Accounts, double Rate, int Input, int Output, int? Out)
    {
        private PoolDemand? _measured;

        public static World Random(int seed)
        {
            var random = new Random(seed);
            var count = random.Next(2, 7);
            var rate = 40 + 50 * random.NextDouble();
            var (input, output) = (random.Next(50, 500), random.Next(20, 200));
            var accounts = new Dictionary<string, LimitOptions>();
            var endpoints = new List<Action<EndpointOptions>>();
            for (var i = 0; i < count; i++)
            {
                // So that the pool as a whole has between enough and too much.
                var share = rate * 60 / count * (0.8 + 1.7 * random.NextDouble());
                LimitOptions? limits = random.Next(4) switch
                {
                    0 => new() { RequestsPerMinute = (int)Math.Max(1, share) },
                    1 => new() { TokensPerMinute = (int)(share * (input + output)) },
                    2 => new() { MaxConcurrency = (int)Math.Max(1, share / 60 * 2) },
                    _ => random.Next(3) == 0 ? null : new() { RequestsPerMinute = (int)Math.Max(1, share), TokensPerMinute = (int)(1.5 * share * (input + output)) },
                };
                var (account, region, provider, tier) = ($"acc{random.Next(3)}", $"r{random.Next(2)}", $"p{random.Next(2)}", random.Next(4) == 0 ? 1 : 0);
                endpoints.Add(e => (e.Limits, e.Account, e.Region, e.Provider, e.Tier) = (limits, account, region, provider, tier));
                if (random.Next(6) == 0)
                    accounts[account] = new() { RequestsPerMinute = (int)Math.Max(1, share * 1.5) };
            }
            return new World(seed, endpoints, accounts, rate, input, output, count > 2 && random.Next(5) == 0 ? random.Next(count) : null);
        }

        /// <summary>The losses that are told after the warm-up, of one domain of each kind.</summary>
        public IReadOnlyList<DomainLoss> Told()
        {
            RedundancyReport? report = null;
            Simulation(Seed).At(Warm, test => report = test.Pool.GetRedundancy()).Run(Load(Rate), Warm + TimeSpan.FromSeconds(1));
            _measured = report!.Demand;
            var random = new Random(Seed);
            return [.. report.Domains.GroupBy(d => d.Domain).Select(g => g.ElementAt(random.Next(g.Count()))).Where(d => !d.IsWholePool).OrderBy(_ => random.Next()).Take(3)];
        }

        /// <summary>The share of the calls that fail when these endpoints are lost, the demand stays what was measured, and no call waits.</summary>
        /// <remarks>
        /// The mean of three runs: the calls that happen to come in the two minutes of one run are so many more or fewer than the demand that its share is off by a point or
        /// two where a limit is just reached.
        /// </remarks>
        public double Truth(IReadOnlyCollection<string> lost) => Enumerable.Range(0, 3).Average(run => TruthOf(lost, Seed + 1000 * run));

        private double TruthOf(IReadOnlyCollection<string> lost, int seed)
        {
            var (calls, from) = (0L, 0L);
            var simulation = Simulation(seed).FaultOf(e => lost.Contains(e.Name), FakeFault.Refused, from: Warm)
                .Profile(number => { calls = number + 1; return null; })
                .At(Settled, _ => from = calls);
            var result = simulation.Run(Load(_measured!.CallsPerMinute / 60), End);
            var failed = result.LostPerInterval.Skip((int)(Settled / result.Interval)).Sum();
            return (double)failed / (calls - from);
        }

        public override string ToString() => FormattableString.Invariant($"{Rate:0.00} calls/s of {Input}+{Output} tokens, out: {Out}, ")
            + string.Join(" ", Endpoints.Select(static (configure, i) => Described(configure, $"e{i}")).Concat(Accounts.Select(static a => $"{a.Key}({Described(a.Value)})")));

        private static string Described(Action<EndpointOptions> configure, string name)
        {
            var endpoint = new EndpointOptions();
            configure(endpoint);
            return $"{name}({endpoint.Tier} {endpoint.Account} {endpoint.Region} {endpoint.Provider} {Described(endpoint.Limits)})";
        }

        private static string Described(LimitOptions? limits) => limits is null ? "unlimited" : $"{limits.RequestsPerMinute}r {limits.TokensPerMinute}t {limits.MaxConcurrency}c";

        private Workload Load(double rate) => Workload.Poisson(rate).OfTokens(Input, Output);

        private Simulation Simulation(int seed)
        {
            var simulation = new Simulation(seed).Options(options =>
            {
                options.MaxWaitingCalls = 0;
                options.Heartbeat.Enabled = true;
                foreach (var (account, limits) in Accounts)
                    options.AccountLimits[account] = limits;
            });
            for (var i = 0; i < Endpoints.Count; i++)
                simulation.Endpoint($"e{i}", ServiceModel.Exponential(TimeSpan.FromSeconds(1)), Endpoints[i]);
            if (Out is { } down)
                simulation.Fault($"e{down}", FakeFault.Refused);
            return simulation;
        }
    }
}
