using System.Globalization;
using HaKit.Limits;
using HaKit.Peers;

namespace HaKit.Testing.Tests.Fleets;

/// <summary>Tests limits on requests and tokens that all replicas share.</summary>
public sealed class FleetUsageTests(ITestOutputHelper output)
{
    private const int Limit = 600;

    [Theory(Timeout = 120_000)]
    [InlineData(true, 4, 4)]
    [InlineData(true, 20, 1)]
    [InlineData(false, 20, 1)]
    public Task The_fleet_keeps_to_the_limit_of_an_account_and_makes_use_of_it(bool isAccount, int replicas, double rate)
    {
        using var fleet = NewFleet(replicas, isAccount);
        var (most, last) = Load(fleet, rate, 30);
        most.Should().BeLessThanOrEqualTo((long)(Limit * 1.05), "the limit, and what is accepted before the others have heard of it");
        last.Should().BeGreaterThanOrEqualTo((long)(Limit * 0.85));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task Without_the_switch_each_replica_has_the_whole_limit()
    {
        using var fleet = NewFleet(4, isAccount: true, isShared: false);
        Load(fleet, 4, 20).Most.Should().BeGreaterThan(900);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task Cut_off_each_replica_takes_an_equal_share_and_afterwards_they_share_again()
    {
        using var fleet = NewFleet(4, isAccount: true);
        Load(fleet, 4, 20);
        fleet.Store.Kill();
        Load(fleet, 4, 8);
        var apart = Load(fleet, 4, 12);
        apart.Most.Should().BeLessThanOrEqualTo((long)(Limit * 1.05));
        apart.Last.Should().BeGreaterThanOrEqualTo((long)(Limit * 0.9));
        fleet.Store.Restart();
        var (most, last) = Load(fleet, 4, 20);
        most.Should().BeLessThanOrEqualTo((long)(Limit * 1.1), "those that were apart do not know of each other's at first");
        last.Should().BeGreaterThanOrEqualTo((long)(Limit * 0.85));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task The_only_busy_replica_has_nearly_all_of_it()
    {
        using var fleet = NewFleet(4, isAccount: true);
        Load(fleet, 20, 20, static i => i == 0).Last.Should().BeGreaterThanOrEqualTo((long)(Limit * 0.93));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 120_000)]
    public Task What_a_liar_claims_to_have_taken_stops_no_replica()
    {
        using var fleet = NewFleet(2, isAccount: true);
        fleet.Store.Wire = new();
        Load(fleet, 4, 6);
        var subject = fleet.Store.Wire.ToString().Split('\n').First(static l => l.Contains("\"Usage\"", StringComparison.Ordinal)).Split("\"subject\":\"")[1].Split('"')[0];
        fleet.Store.Wire.ToString().Should().NotContain("acme", "the account's name is on no wire");
        for (var i = 0; i < 100; i++)
        {
            fleet.Store.Inject("fleet", "test", new PeerFact
            {
                Kind = PeerFactKind.Usage,
                Subject = subject,
                Replica = "liar",
                Version = i + 1,
                Length = S(60),
                Left = S(60),
                Requests = long.MaxValue,
                Tokens = long.MaxValue,
            });
            fleet.Run(Workload.Steady(4), S(1));
        }
        Load(fleet, 4, 5).Last.Should().BeInRange(20, 200, "each keeps a tenth of its equal share");
        return Task.CompletedTask;
    }

    // Advances ten seconds at a time. Returns the most that all replicas used of e0 in any minute, and what they used in the last minute.
    private (long Most, long Last) Load(Fleet fleet, double rate, int steps, Func<int, bool>? replicas = null)
    {
        var taken = new List<long>();
        var before = fleet.Attempts("e0");
        for (var i = 0; i < steps; i++)
        {
            fleet.Run(Workload.Steady(rate), S(10), replicas).Lost.Should().Be(0);
            taken.Add(fleet.Attempts("e0") - before);
            before += taken[^1];
        }
        var most = Enumerable.Range(0, Math.Max(1, steps - 5)).Max(i => taken.Skip(i).Take(6).Sum());
        var last = taken.TakeLast(6).Sum();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fleet.Replicas.Count} x {rate}/s: at most {most} of {Limit} in a minute, {last} in the last, {fleet.Store.Messages} messages"));
        return (most, last);
    }

    private static Fleet NewFleet(int replicas, bool isAccount, bool isShared = true) => new(replicas, 2, (_, o) =>
    {
        o.Sharing.Usage = isShared;
        o.Endpoints[1].Tier = 1; // the second endpoint takes the rest
        var limits = new LimitOptions { RequestsPerMinute = Limit };
        if (isAccount)
        {
            o.Endpoints[0].Account = "acme";
            o.AccountLimits["acme"] = limits;
        }
        else
        {
            o.Endpoints[0].Limits = limits;
        }
    });

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
