using System.Globalization;
using System.Text;
using HaKit.Faults;

namespace HaKit.Testing.Tests.Swarm;

/// <summary>One endpoint of a case.</summary>
internal sealed record SwarmEndpoint(string Name, int Tier, string? Account, string? Key, WireDialect Dialect, ServiceModel Service, double Median)
{
    public FailureDomains Domains { get; } = new() { Account = Account, KeyName = Key, Provider = Dialect.ToString() };
}

/// <summary>Describes a fault that lasts for a while, on one endpoint or, with a null name, on all endpoints.</summary>
internal sealed record SwarmFault(string? Endpoint, FakeFault Fault, TimeSpan From, TimeSpan Until, double Probability, bool Probes)
{
    /// <summary>Gets whether no request gets an answer, but each request fails soon.</summary>
    public bool IsTotal => Endpoint is null && Probability == 1 && Fault.Name is not ("hang" or "slow" or "keep-alives only") && !Fault.Name.Contains("after", StringComparison.Ordinal);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Endpoint ?? "all"}: {Fault} from {From.TotalSeconds:0.0} s to {Until.TotalSeconds:0.0} s, chance {Probability:0.00}{(Probes ? ", probes too" : "")}");
}

/// <summary>Holds a pool, its policy, its traffic and its faults, all from one seed. Immutable, so that it can be shrunk.</summary>
internal sealed record SwarmCase
{
    public required int Seed { get; init; }
    public required IReadOnlyList<SwarmEndpoint> Endpoints { get; init; }
    public required IReadOnlyList<SwarmFault> Faults { get; init; }
    public required double Rate { get; init; }
    public required double Streams { get; init; }
    public required double BadRequests { get; init; }
    public required double Cancelled { get; init; }
    public required bool Heartbeats { get; init; }
    public required bool Hedging { get; init; }
    public required TimeSpan Deadline { get; init; }
    public required TimeSpan Length { get; init; }
    public TimeSpan? Pause { get; init; }

    /// <summary>A bug that is planted in the policy.</summary>
    public Action<EndpointPoolOptions>? Plant { get; init; }

    /// <summary>A bug that is planted in the parts.</summary>
    public Action<EndpointPoolParts>? PlantedParts { get; init; }

    /// <summary>The longest silence before the first content of a stream, for all planted faults.</summary>
    public static TimeSpan FirstContentLimit { get; } = new EndpointPoolOptions().FirstContent.Timeout;

    public static SwarmCase Of(int seed)
    {
        var random = new Random(seed);
        var count = random.Next(2, 6);
        var tiers = random.Next(4) == 0;
        var shared = random.Next(3) == 0;
        var dialect = random.Next(2) == 0 ? WireDialect.OpenAI : WireDialect.Anthropic;
        var median = Pick(random, 0.05, 0.2, 0.5, 1.0);
        var endpoints = new SwarmEndpoint[count];
        for (var i = 0; i < count; i++)
        {
            var own = median * (0.7 + 0.6 * random.NextDouble());
            endpoints[i] = new SwarmEndpoint(
                $"e{i}", tiers && i > 0 && random.Next(2) == 0 ? 1 : 0, shared && i < 2 ? "shared" : $"account{i}", shared && i < 2 ? "shared" : $"key{i}",
                shared && i < 2 || random.Next(2) == 0 ? dialect : WireDialect.OpenAI,
                ServiceModel.LogNormal(TimeSpan.FromSeconds(own), TimeSpan.FromSeconds(own * 2.5)).FirstContentAfter(0.4), own);
        }
        var length = TimeSpan.FromSeconds(random.Next(30, 60));
        // This value has its own random source, so that the other values of a seed stay the same.
        var apart = new Random(~seed);
        var rate = Pick(random, 0.7, 3, 5, 12);
        if (apart.Next(2) == 0)
            rate = 0.01 * Math.Pow(10_000, apart.NextDouble());
        if (rate < 0.3)
            length = TimeSpan.FromSeconds(600);
        return new SwarmCase
        {
            Seed = seed,
            Endpoints = endpoints,
            Faults = [.. FaultsOf(random, endpoints, length).Concat(MixedFaultsOf(apart, length)).OrderBy(f => f.From)],
            Rate = rate,
            Streams = Pick(random, 0, 0, 0.3, 1),
            BadRequests = Pick(random, 0, 0, 0.05, 0.2),
            Cancelled = Pick(random, 0, 0, 0.05, 0.2),
            Heartbeats = random.Next(2) == 0,
            Hedging = random.Next(4) == 0,
            Deadline = TimeSpan.FromSeconds(Pick(random, 10, 20, 40, 100)),
            Length = length,
            Pause = random.Next(12) == 0 ? length * random.NextDouble() : null,
        };
    }

    public void Configure(EndpointPoolOptions options)
    {
        for (var i = 0; i < Endpoints.Count; i++)
        {
            var endpoint = options.Endpoints[i];
            (endpoint.Tier, endpoint.Account, endpoint.KeyName, endpoint.Dialect) = (Endpoints[i].Tier, Endpoints[i].Account, Endpoints[i].Key, Endpoints[i].Dialect);
            endpoint.Provider = Endpoints[i].Dialect.ToString();
        }
        options.TotalRequestTimeout.Timeout = Deadline;
        options.Heartbeat.Enabled = Heartbeats;
        options.Hedging.Enabled = Hedging;
        Plant?.Invoke(options);
    }

    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"seed {Seed}: {Rate} calls/s for {Length.TotalSeconds} s, deadline {Deadline.TotalSeconds} s, streams {Streams}, bad requests {BadRequests}, cancelled {Cancelled}, heartbeats {Heartbeats}, hedging {Hedging}, pause {Pause?.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) ?? "none"}");
        foreach (var e in Endpoints)
            text.Append(CultureInfo.InvariantCulture, $"\n  {e.Name}: tier {e.Tier}, account {e.Account}, {e.Dialect}, median {e.Median:0.00} s");
        foreach (var fault in Faults)
            text.Append("\n  ").Append(fault);
        return text.ToString();
    }

    private static IEnumerable<SwarmFault> FaultsOf(Random random, SwarmEndpoint[] endpoints, TimeSpan length)
    {
        var faults = random.Next(0, 6);
        for (var i = 0; i < faults; i++)
        {
            // Sometimes one endpoint stays healthy, so that calls must succeed.
            var endpoint = endpoints[random.Next(random.Next(2) == 0 ? endpoints.Length : endpoints.Length - 1)];
            var from = length * random.NextDouble();
            var lasts = TimeSpan.FromSeconds(Pick(random, 1, 5, 20, 60) * (0.5 + random.NextDouble()));
            yield return new(endpoint.Name, FaultOf(random, endpoint.Dialect), from, from + lasts, Pick(random, 1, 1, 1, 0.5, 0.2), random.Next(2) == 0);
        }
        if (random.Next(3) == 0)
        {
            var from = length * (0.1 + 0.6 * random.NextDouble());
            var fault = Pick(random, FakeFault.Refused, FakeFault.Reset, Slowly(FakeFault.Status(503)), Slowly(FakeFault.Status(500)), FakeFault.Hang);
            yield return new(null, fault, from, from + TimeSpan.FromSeconds(Pick(random, 2, 8, 20, 45)), 1, random.Next(2) == 0);
        }
    }

    // All endpoints refuse most calls, and serve the others.
    private static IEnumerable<SwarmFault> MixedFaultsOf(Random random, TimeSpan length)
    {
        if (random.Next(6) > 0)
            yield break;
        var from = length * (0.1 + 0.6 * random.NextDouble());
        yield return new(null, Slowly(FakeFault.Status(500)), from, from + TimeSpan.FromSeconds(Pick(random, 5, 20, 45)), Pick(random, 0.5, 0.7, 0.9), Probes: false);
    }

    private static FakeFault FaultOf(Random random, WireDialect dialect) => random.Next(18) switch
    {
        0 => FakeFault.Refused,
        1 => FakeFault.Reset,
        2 or 3 => FakeFault.Hang,
        4 => Slowly(FakeFault.Status(500)),
        5 => Slowly(FakeFault.Status(503)),
        6 => Slowly(FakeFault.Status(503).WithHeader("Retry-After", Seconds(random))),
        7 or 8 => Slowly(FakeFault.Status(429).WithHeader("Retry-After", Seconds(random))),
        9 => Slowly(FakeFault.Status(429)),
        10 => dialect == WireDialect.Anthropic ? FakeFaults.Anthropic.Overloaded() : FakeFaults.OpenAI.Overloaded(),
        11 => dialect == WireDialect.Anthropic ? FakeFaults.Anthropic.CreditExhausted() : FakeFaults.OpenAI.QuotaExhausted(),
        12 => dialect == WireDialect.Anthropic ? FakeFaults.Anthropic.BadKey() : FakeFaults.OpenAI.BadKey(),
        13 => FakeFault.Latency(TimeSpan.FromSeconds(Pick(random, 2, 8, 25))).Named("slow"),
        14 => FakeFault.CutAfter(random.Next(0, 4)),
        15 => FakeFault.EndAfter(random.Next(0, 4)),
        16 => FakeFault.ErrorEventAfter(random.Next(0, 4)),
        _ => FakeFault.KeepAlivesOnly(TimeSpan.FromSeconds(1)),
    };

    private static FakeFault Slowly(FakeFault fault) => fault.And(FakeFault.Latency(TimeSpan.FromMilliseconds(20))).Named(fault.Name);

    private static string Seconds(Random random) => random.Next(1, 25).ToString(CultureInfo.InvariantCulture);

    private static T Pick<T>(Random random, params ReadOnlySpan<T> values) => values[random.Next(values.Length)];
}
