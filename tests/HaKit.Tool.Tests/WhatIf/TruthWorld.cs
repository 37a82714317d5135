using System.Globalization;
using HaKit.Recording;
using HaKit.Testing;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Tests.WhatIf;

/// <summary>
/// Describes a world in which the truth is known: endpoints with their faults, calls, settings A with which the world is recorded, and settings B.
/// </summary>
internal sealed record TruthWorld
{
    public required int Seed { get; init; }

    /// <summary>Gets what is special about the world, and how B differs from A.</summary>
    public required string Story { get; init; }

    public required IReadOnlyList<(string Name, ServiceModel Service)> Endpoints { get; init; }

    public required IReadOnlyList<Action<Simulation>> Troubles { get; init; }

    public required string[] Trace { get; init; }

    public required TimeSpan Length { get; init; }

    public required Action<EndpointPoolOptions> A { get; init; }

    public required Action<EndpointPoolOptions> B { get; init; }

    /// <summary>Runs settings A, records them, and reads the recording.</summary>
    public (SimulationResult Result, RecordedWorld Recorded) Record()
    {
        var folder = Directory.CreateTempSubdirectory("hakit-truth-").FullName;
        var options = new FlightRecorderOptions { Folder = folder, Capacity = 1 << 17 };
        var result = Simulate(A).Parts(parts => parts.UseFlightRecorder(options)).Run(Workload.Trace(Trace), Length);
        var recorded = RecordedWorld.FromRecording(FlightRecording.Read(folder));
        Directory.Delete(folder, recursive: true);
        return (result, recorded);
    }

    /// <summary>Runs settings B in the true world.</summary>
    public SimulationResult Truth() => Simulate(B).Run(Workload.Trace(Trace), Length);

    public EndpointPoolOptions OptionsOfB()
    {
        var options = new EndpointPoolOptions();
        foreach (var (name, _) in Endpoints)
            options.Endpoints.Add(new EndpointOptions { Name = name });
        options.Heartbeat.Enabled = false;
        B(options);
        return options;
    }

    private Simulation Simulate(Action<EndpointPoolOptions> settings)
    {
        var simulation = new Simulation(Seed).Options(settings);
        foreach (var (name, service) in Endpoints)
            simulation.Endpoint(name, service);
        foreach (var trouble in Troubles)
            trouble(simulation);
        var tokens = Trace.Select(static l => l.Split(',')).Select(static f => (int.Parse(f[1], CultureInfo.InvariantCulture), int.Parse(f[2], CultureInfo.InvariantCulture))).ToArray();
        return simulation.Profile(number => new RequestProfile { InputTokens = tokens[number].Item1, MaxOutputTokens = tokens[number].Item2 });
    }
}

/// <summary>Creates random worlds.</summary>
internal static class TruthWorlds
{
    /// <summary>Creates the world of the given seed, with the given number of calls.</summary>
    public static TruthWorld Random(int seed, int calls)
    {
        var random = new Random(seed * 31 + 7);
        var rate = 4 + 6 * random.NextDouble();
        var length = TimeSpan.FromSeconds(calls / rate);
        var count = random.Next(2, 5);
        var story = new List<string>();
        var perEndpoint = rate / count;
        var endpoints = Enumerable.Range(0, count).Select(i => ($"e{i}", Service(random, perEndpoint, story))).ToArray();
        var troubles = new List<Action<Simulation>>();
        foreach (var (name, _) in endpoints)
            troubles.AddRange(Troubles(random, name, length));
        var hasProbes = random.NextDouble() < 0.85;
        var usual = Usual(hasProbes, 30 + 30 * random.NextDouble());
        var (better, worse, what) = Settings(random, usual, count);
        var isReversed = !what.StartsWith("deadline", StringComparison.Ordinal) && !what.StartsWith("without", StringComparison.Ordinal) && !what.StartsWith("only", StringComparison.Ordinal)
            && !what.StartsWith("tiers", StringComparison.Ordinal) && random.NextDouble() < 0.4;
        story.Insert(0, $"{count} endpoints");
        if (!hasProbes)
            story.Add("no probes");
        return new TruthWorld
        {
            Seed = seed,
            Story = string.Join(", ", story.Distinct()) + (isReversed ? $"; from {what} to the defaults" : $"; {what}"),
            Endpoints = endpoints,
            Troubles = troubles,
            Trace = Calls(random, rate, calls),
            Length = length,
            A = isReversed ? worse : better,
            B = isReversed ? better : worse,
        };
    }

    /// <summary>Creates a world with standbys that the recording never called, and that are the only endpoints of B.</summary>
    public static TruthWorld NeverCalled(int seed, int calls) => Random(seed, calls) with
    {
        Story = "a standby that was never called",
        Troubles = [],
        A = Usual(seed % 2 == 0, 60) + Tiers(0, 1),
        B = Usual(seed % 2 == 0, 60) + (static o => o.Endpoints.RemoveAt(0)),
    };

    /// <summary>Creates a world with an endpoint that A ejects for twenty minutes at a time and never probes, and that is the only endpoint of B.</summary>
    public static TruthWorld EjectedUnseen(int seed, int calls)
    {
        var world = Random(seed, calls);
        var length = world.Length;
        return world with
        {
            Story = "an endpoint that was ejected without probes",
            Endpoints = [.. world.Endpoints.Select(static e => (e.Name, ServiceModel.LogNormal(TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(3))))],
            Troubles = [.. Enumerable.Range(0, 6).Select(i => (Action<Simulation>)(s => s.Fault("e0", FakeFault.Status(503), length * (0.05 + 0.15 * i), length * (0.05 + 0.15 * i + 0.02))))],
            A = Usual(false, 60) + (o => (o.CircuitBreaker.BreakDuration, o.CircuitBreaker.MaxBreakDuration) = (TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(40))),
            B = Usual(false, 60) + Only(0),
        };
    }

    private static Action<EndpointPoolOptions> Usual(bool hasProbes, double deadline) => o =>
    {
        o.Heartbeat.Enabled = hasProbes;
        o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(deadline);
    };

    private static Action<EndpointPoolOptions> Tiers(params int[] tiers) => o =>
    {
        for (var i = 0; i < o.Endpoints.Count; i++)
            o.Endpoints[i].Tier = tiers[Math.Min(i, tiers.Length - 1)];
    };

    private static Action<EndpointPoolOptions> Only(int endpoint) => o => o.Endpoints = [o.Endpoints[endpoint]];

    private static (Action<EndpointPoolOptions> Better, Action<EndpointPoolOptions> Worse, string What) Settings(Random random, Action<EndpointPoolOptions> usual, int count)
    {
        var seconds = Math.Round(2 + 4 * random.NextDouble(), 1);
        var endpoint = random.Next(count);
        var deadline = usual + (o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(seconds));
        var text = string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
        return random.Next(10) switch
        {
            0 or 1 => (usual, deadline, $"deadline {text}"),
            // One endpoint of four would have four times the load that the recording contains, so the recording cannot show its behaviour.
            3 when count < 4 => (usual, usual + Only(endpoint), $"only e{endpoint}"),
            2 or 3 => (usual, usual + (o => o.Endpoints.RemoveAt(endpoint)), $"without e{endpoint}"),
            4 => (usual, usual + (o => o.Retry.MaxRetryAttempts = 0), "no retries"),
            5 => (usual, usual + (o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (0, TimeSpan.FromSeconds(20))), "no retries and ejections of 20 s"),
            6 => (usual, deadline + (o => o.Hedging.Enabled = true), $"deadline {text} and hedging"),
            7 => (usual, deadline + Tiers([.. Enumerable.Range(0, count).Select(i => i == endpoint ? 0 : 1)]), $"tiers with e{endpoint} first and a deadline of {text}"),
            8 => (usual, usual + (o => (o.Retry.MaxRetryAttempts, o.RetryBudget.Cap) = (0, 0)) + deadline, $"no retries and a deadline of {text}"),
            _ => (usual, usual + (o => (o.Retry.MaxRetryAttempts, o.MaxWait) = (1, TimeSpan.Zero)), "one retry and no waiting"),
        };
    }

    private static ServiceModel Service(Random random, double perSecond, List<string> story)
    {
        var median = 0.5 + random.NextDouble();
        ServiceModel service;
        if (random.NextDouble() < 0.5)
            service = ServiceModel.Tokens(prefillPerSecond: 3000 + 4000 * random.NextDouble(), perSecond: 100 / median);
        else
            service = ServiceModel.LogNormal(TimeSpan.FromSeconds(median), TimeSpan.FromSeconds(median * (3 + 3 * random.NextDouble()))).FirstContentAfter(0.3);
        if (random.NextDouble() < 0.2)
        {
            story.Add("load-dependent times");
            var capacity = Math.Ceiling(perSecond * median * (1.5 + 2 * random.NextDouble()));
            service = service.Sharing(capacity);
        }
        if (random.NextDouble() < 0.1)
        {
            story.Add("a quota");
            service = service.Quota(tokensPerMinute: perSecond * 60 * 800 * (0.8 + 0.6 * random.NextDouble()));
        }
        return service;
    }

    private static IEnumerable<Action<Simulation>> Troubles(Random random, string endpoint, TimeSpan length)
    {
        var at = TimeSpan.FromSeconds(120 + 600 * random.NextDouble());
        while (at < length - TimeSpan.FromSeconds(120))
        {
            var lasts = TimeSpan.FromSeconds(Math.Min(600, 20 + -120 * Math.Log(1 - random.NextDouble())));
            yield return Trouble(random, endpoint, at, at + lasts);
            at += lasts + TimeSpan.FromSeconds(300 + -1200 * Math.Log(1 - random.NextDouble()));
        }
    }

    private static Action<Simulation> Trouble(Random random, string endpoint, TimeSpan from, TimeSpan until)
    {
        var share = 0.15 + 0.45 * random.NextDouble();
        var factor = 2 + 6 * random.NextDouble();
        return random.Next(7) switch
        {
            0 => s => s.Fault(endpoint, FakeFault.Refused, from, until),
            1 => s => s.Fault(endpoint, FakeFault.Hang, from, until),
            2 => s => s.At(from, test => test.Endpoints.FirstOrDefault(e => e.Name == endpoint)?.SlowDown(factor, from, until)), // B may have no such endpoint
            3 or 4 => s => s.Fault(endpoint, FakeFault.Status(500), from, until, share),
            _ => s => s.Fault(endpoint, FakeFault.Status(503).And(FakeFault.Latency(TimeSpan.FromMilliseconds(100))), from, until),
        };
    }

    private static string[] Calls(Random random, double rate, int calls)
    {
        var lines = new string[calls];
        var at = new DateTime(2026, 1, 1);
        for (var i = 0; i < calls; i++)
        {
            at += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / rate);
            var input = (int)Math.Min(8000, 500 * Math.Exp(0.8 * Normal(random)));
            var output = 1 + (int)Math.Min(800, 100 * Math.Exp(0.6 * Normal(random)));
            lines[i] = string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm:ss.fffffff},{input},{output}");
        }
        return lines;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
