using System.ClientModel;
using HaKit.Failover;
using HaKit.Heartbeats;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;
using Polly;

namespace HaKit.Tool.Rehearsals;

/// <summary>An event of a server, as text for people.</summary>
internal readonly record struct Happening(TimeSpan At, string Text);

/// <summary>Three real servers on loopback, a pool over them, the SDK over the pool, and a plan that runs once.</summary>
internal sealed class Rehearsal : IAsyncDisposable
{
    private static readonly string[] Names = ["alpha", "bravo", "charlie"];
    private readonly Lock _lock = new();
    private readonly List<Happening> _happenings = [];
    private readonly TimeSpan?[] _actsBegan;
    private readonly HashSet<(int, Trouble)> _troubles = [];
    private readonly TimeProvider _time = TimeProvider.System;

    private Rehearsal(Plan plan, FakeAiServer[] servers)
    {
        Plan = plan;
        Servers = servers;
        Ledger = new Ledger(_time);
        _actsBegan = new TimeSpan?[plan.Acts.Count];
        Pool = new EndpointPool("drill", Options(plan, servers), new EndpointPoolParts
        {
            ConfigureEndpointPipeline = (builder, endpoint) => builder.AddStrategy(_ => new AttemptRecorder(Ledger, endpoint.Name), new AttemptRecorderOptions()),
        });
    }

    public Plan Plan { get; }

    public IReadOnlyList<FakeAiServer> Servers { get; }

    public EndpointPool Pool { get; }

    public Ledger Ledger { get; }

    /// <summary>Gets the events of the servers so far.</summary>
    public IReadOnlyList<Happening> Happenings
    {
        get
        {
            lock (_lock)
                return [.. _happenings];
        }
    }

    /// <summary>Gets the real start of each act; null for an act that has not started.</summary>
    public IReadOnlyList<TimeSpan?> ActsBegan => _actsBegan;

    public static async Task<Rehearsal> StartAsync(Plan plan, CancellationToken cancellationToken)
    {
        var servers = new FakeAiServer[Names.Length];
        for (var i = 0; i < servers.Length; i++)
        {
            servers[i] = await FakeAiServer.StartAsync(new FakeAiOptions { Name = Names[i], Seed = plan.Seed + i }, cancellationToken: cancellationToken);
            servers[i].Faults.Always(plan.Usual);
        }
        return new Rehearsal(plan, servers);
    }

    /// <summary>Makes all calls while the plan's troubles happen. Returns when every call has ended and every server is idle.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var options = new OpenAIClientOptions { Endpoint = Pool.Origin }.UseHaEndpointPool(Pool);
        var caller = new Caller(new ChatClient("model", new ApiKeyCredential("unused"), options), Ledger);
        await Task.WhenAll([CallAsync(caller, cancellationToken), .. Plan.Acts.Select((act, index) => PlayAsync(act, index, cancellationToken))]);
        // A cancelled attempt may still be ending after another endpoint has served its call.
        for (var patience = 0; patience < 500 && (Ledger.HasOpenAttempts || Servers.Any(s => s.Counts.InFlight > 0)); patience++)
            await Task.Delay(10, cancellationToken);
    }

    /// <summary>Returns the current trouble of a server; null when it has none.</summary>
    public Trouble? TroubleOf(int server)
    {
        lock (_lock)
            return _troubles.Where(t => t.Item1 == server).Select(t => (Trouble?)t.Item2).FirstOrDefault();
    }

    public async ValueTask DisposeAsync()
    {
        await Pool.DisposeAsync();
        foreach (var server in Servers)
            await server.DisposeAsync();
    }

    private static EndpointPoolOptions Options(Plan plan, FakeAiServer[] servers) => new()
    {
        Seed = plan.Seed,
        Endpoints = [.. servers.Select(s => new EndpointOptions { Name = s.Name, Address = s.OpenAIAddress.AbsoluteUri })],
        TotalRequestTimeout = new TimeoutOptions { Timeout = plan.Deadline },
        AttemptTimeout = new TimeoutOptions { Timeout = plan.AttemptTimeout },
        Retry = new RetryOptions { MaxRetryAttempts = plan.Failover ? 5 : 0 },
        Heartbeat = new HeartbeatOptions { Path = "/health", Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1) },
    };

    private async Task CallAsync(Caller caller, CancellationToken cancellationToken)
    {
        var random = new Random(Plan.Seed);
        var calls = new List<Task>();
        foreach (var arrival in Plan.Arrivals)
        {
            await UntilAsync(arrival.At, cancellationToken);
            calls.Add(caller.CallAsync(calls.Count + 1, arrival, random.NextDouble() < Plan.StreamedShare, cancellationToken));
        }
        await Task.WhenAll(calls);
    }

    private async Task PlayAsync(Act act, int index, CancellationToken cancellationToken)
    {
        var server = Servers[act.Server];
        await UntilAsync(act.From, cancellationToken);
        _actsBegan[index] = Ledger.Now;
        RecordTrouble(act, begins: true);
        switch (act.Trouble)
        {
            case Trouble.Killed:
                await server.KillAsync();
                await UntilAsync(act.Until, cancellationToken);
                await server.RestartAsync(cancellationToken);
                break;
            case Trouble.Slowed:
                using (server.Faults.Always(FakeFault.Latency(toHeaders: Plan.Slowness)))
                    await UntilAsync(act.Until, cancellationToken);
                break;
            default:
                using (server.Faults.Always(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1))))
                    await UntilAsync(act.Until, cancellationToken);
                break;
        }
        RecordTrouble(act, begins: false);
    }

    private void RecordTrouble(Act act, bool begins)
    {
        var name = Servers[act.Server].Name;
        lock (_lock)
        {
            _happenings.Add(new Happening(Ledger.Now, begins ? $"{name} is {act.Trouble.ToString().ToLowerInvariant()}" : $"{name} has recovered"));
            _ = begins ? _troubles.Add((act.Server, act.Trouble)) : _troubles.Remove((act.Server, act.Trouble));
        }
    }

    private async Task UntilAsync(TimeSpan at, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (at - Ledger.Now is { Ticks: > 0 } wait)
            await Task.Delay(wait, _time, cancellationToken);
    }
}
