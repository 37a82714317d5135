using System.Collections.Concurrent;
using System.Globalization;
using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>A request that reached an upstream.</summary>
/// <param name="At">The time of the request, on the drill's clock.</param>
/// <param name="Upstream">The index of the upstream.</param>
/// <param name="Call">The number of the drill's call, which the prompt contains; 0 for a request of another client.</param>
internal readonly record struct UpstreamRequest(TimeSpan At, int Upstream, int Call);

/// <summary>A request that a fault affected.</summary>
/// <param name="At">The time of the request, on the drill's clock.</param>
/// <param name="Upstream">The index of the upstream.</param>
/// <param name="Call">The number of the affected call.</param>
/// <param name="RetryAfter">The wait that the refusal named; null when it named none.</param>
internal readonly record struct UpstreamStrike(TimeSpan At, int Upstream, int Call, TimeSpan? RetryAfter);

/// <summary>The scripted servers behind the component under test. They record the calls that reached them, and the calls that a fault affected.</summary>
internal sealed class DrillUpstreams : IAsyncDisposable
{
    // The time of a healthy upstream from request to headers: 10 ms, for half of the requests 10 ms more, for a quarter another 20 ms. Without such a
    // distribution a client that measures latencies would find one upstream slightly faster and send all calls to it.
    private static readonly (double Probability, double Milliseconds)[] Usual = [(1, 10), (0.5, 10), (0.25, 20)];
    private readonly List<FakeAiServer> _servers = [];
    private readonly Random _random;
    private readonly Lock _lock = new();
    private readonly DrillClock _clock;

    private DrillUpstreams(int seed, DrillClock clock) => (_random, _clock) = (new Random(seed), clock);

    public IReadOnlyList<FakeAiServer> Servers => _servers;

    public ConcurrentQueue<UpstreamRequest> Requests { get; } = [];

    public ConcurrentQueue<UpstreamStrike> Strikes { get; } = [];

    /// <exception cref="UsageException">Another process uses a port.</exception>
    public static async Task<DrillUpstreams> StartAsync(IReadOnlyList<int> ports, int seed, DrillClock clock, CancellationToken cancellationToken)
    {
        var upstreams = new DrillUpstreams(seed, clock);
        try
        {
            for (var i = 0; i < ports.Count; i++)
            {
                var index = i;
                var options = new FakeAiOptions
                {
                    Name = $"upstream-{i + 1}",
                    Seed = seed + i,
                    Observe = request =>
                    {
                        if (!request.IsProbe)
                            upstreams.Requests.Enqueue(new(clock.Now, index, CallOf(request.Prompt)));
                    },
                };
                var server = await FakeAiServer.StartAsync(options, ports[i], cancellationToken);
                foreach (var (probability, milliseconds) in Usual)
                    server.Faults.WithProbability(probability, FakeFault.Latency(toHeaders: TimeSpan.FromMilliseconds(milliseconds)));
                upstreams._servers.Add(server);
            }
            return upstreams;
        }
        catch (IOException taken)
        {
            await upstreams.DisposeAsync();
            throw new UsageException($"--upstreams: {taken.Message} Stop the program that listens there, or give other ports, such as --upstreams 9201,9202,9203.");
        }
    }

    /// <summary>Plays a fault to its end. The fault's upstream 0 is the given upstream.</summary>
    public Task PlayAsync(DrillFault fault, TimeSpan length, int first, CancellationToken cancellationToken)
    {
        var began = _clock.Now;
        return Task.WhenAll(fault.Steps(length).SelectMany(step => UpstreamsOf(step, first).Select(upstream => PlayAsync(step, upstream, began, cancellationToken))));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    /// <summary>Returns the prompt of a call. It is unique, so that no answer fits another call.</summary>
    public static string PromptOf(int call) => string.Create(CultureInfo.InvariantCulture, $"drill {call}: which of them answers?");

    private static int CallOf(string prompt) =>
        prompt.StartsWith("drill ", StringComparison.Ordinal) && int.TryParse(prompt.AsSpan(6, Math.Max(0, prompt.IndexOf(':', StringComparison.Ordinal) - 6)), NumberStyles.None, CultureInfo.InvariantCulture, out var call) ? call : 0;

    private IEnumerable<int> UpstreamsOf(DrillStep step, int first) =>
        step.Upstream is { } upstream ? [(first + upstream) % _servers.Count] : Enumerable.Range(0, _servers.Count);

    private async Task PlayAsync(DrillStep step, int upstream, TimeSpan began, CancellationToken cancellationToken)
    {
        var server = _servers[upstream];
        await _clock.UntilAsync(began + step.From, cancellationToken);
        if (step is { IsRefusal: true, Probability: 1 })
        {
            await server.KillAsync();
            await _clock.UntilAsync(began + step.Until, cancellationToken);
            await server.RestartAsync(CancellationToken.None);
            return;
        }
        using var rule = server.Faults.Add(new FaultRule(step.Fault) { Where = request => !request.IsProbe && IsStruck(step, upstream, request) });
        await _clock.UntilAsync(began + step.Until, cancellationToken);
    }

    private bool IsStruck(DrillStep step, int upstream, FakeRequest request)
    {
        if (step.Probability < 1)
        {
            lock (_lock)
            {
                if (_random.NextDouble() >= step.Probability)
                    return false;
            }
        }

        Strikes.Enqueue(new(_clock.Now, upstream, CallOf(request.Prompt), step.RetryAfter));
        return true;
    }
}
