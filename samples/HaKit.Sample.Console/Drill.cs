using System.ClientModel;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using HaKit.Failover;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Sample;

/// <summary>The outcome of a call: the complete, correct answer, another answer, or no answer.</summary>
internal enum CallOutcome
{
    Served,
    Wrong,
    Lost,
}

/// <summary>One call of the drill.</summary>
internal sealed record DrillCall(CallOutcome Outcome, TimeSpan Time, string? ServedBy = null, string? Why = null);

/// <summary>Three real servers on loopback, a pool over them, and the official SDK over the pool.</summary>
internal sealed class Drill : IAsyncDisposable
{
    private readonly FakeAiServer[] _servers;
    private readonly EndpointPool _pool;
    private readonly ChatClient _client;
    private readonly TextWriter _output;
    private readonly int _seed;
    private readonly ConcurrentBag<DrillCall> _calls = [];

    private Drill(FakeAiServer[] servers, int seed, bool failover, TextWriter output)
    {
        (_servers, _seed, _output) = (servers, seed, output);
        var options = new EndpointPoolOptions { Seed = seed, Heartbeat = { Path = "/health", Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1) } };
        foreach (var server in servers)
            options.Endpoints.Add(new EndpointOptions { Name = server.Name, Address = server.OpenAIAddress.AbsoluteUri });
        // A slowed server takes 3 s for an answer, and the callers of the drill wait at most 10 s.
        options.AttemptTimeout = new TimeoutOptions { Timeout = TimeSpan.FromSeconds(1) };
        options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
        if (!failover)
            options.Retry.MaxRetryAttempts = 0;
        _pool = new EndpointPool("drill", options);
        _client = new ChatClient("model", new ApiKeyCredential("unused"), new OpenAIClientOptions { Endpoint = _pool.Origin }.UseHaEndpointPool(_pool));
    }

    public static async Task<Drill> StartAsync(int seed, bool failover, TextWriter output, CancellationToken cancellationToken)
    {
        var servers = new List<FakeAiServer>();
        foreach (var name in (string[])["alpha", "bravo", "charlie"])
            servers.Add(await FakeAiServer.StartAsync(new FakeAiOptions { Name = name, Seed = seed }, cancellationToken: cancellationToken));
        return new Drill([.. servers], seed, failover, output);
    }

    /// <summary>Makes calls at random times while one server after another has a fault, and waits for the last answer.</summary>
    public async Task<IReadOnlyCollection<DrillCall>> RunAsync(TimeSpan duration, double rate, CancellationToken cancellationToken)
    {
        var random = new Random(_seed);
        var running = new List<Task>();
        var troubles = TroublesAsync(duration, cancellationToken);
        // Each call starts at its own time, even if earlier calls are still running.
        var clock = Stopwatch.StartNew();
        for (var due = 0.0; (due -= Math.Log(1 - random.NextDouble()) / rate) < duration.TotalSeconds;)
        {
            if (TimeSpan.FromSeconds(due) - clock.Elapsed is { Ticks: > 0 } wait)
                await Task.Delay(wait, cancellationToken);
            running.Add(CallAsync(running.Count + 1, cancellationToken));
        }
        await Task.WhenAll([troubles, .. running]);
        return _calls;
    }

    public async ValueTask DisposeAsync()
    {
        await _pool.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private async Task CallAsync(int number, CancellationToken cancellationToken)
    {
        var prompt = $"{number}: are you there?";
        var began = Stopwatch.GetTimestamp();
        try
        {
            var result = await _client.CompleteChatAsync([new UserChatMessage(prompt)], cancellationToken: cancellationToken);
            var isRight = result.Value.Content[0].Text == FakeAnswers.AnswerTo(prompt);
            result.GetRawResponse().Headers.TryGetValue("x-fake-endpoint", out var servedBy);
            _calls.Add(new(isRight ? CallOutcome.Served : CallOutcome.Wrong, Stopwatch.GetElapsedTime(began), servedBy));
        }
        catch (EndpointPoolException refused)
        {
            _calls.Add(new(CallOutcome.Lost, Stopwatch.GetElapsedTime(began), Why: $"call {number}: {refused.GetType().Name}: {refused.Message}"));
        }
        catch (ClientResultException refused)
        {
            _calls.Add(new(CallOutcome.Lost, Stopwatch.GetElapsedTime(began), Why: $"call {number}: status {refused.Status}"));
        }
    }

    // Only one server has a fault at a time, so that another server can always answer.
    private async Task TroublesAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var (alpha, bravo, charlie) = (_servers[0], _servers[1], _servers[2]);
        await Task.Delay(duration * 0.1, cancellationToken);
        await DuringAsync("alpha is killed", alpha.KillAsync, () => alpha.RestartAsync(cancellationToken));
        IDisposable? fault = null;
        await DuringAsync("bravo takes 3 s longer", () => Break(bravo, FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(3))), Mend);
        await DuringAsync("charlie refuses with 429", () => Break(charlie, FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1))), Mend);
        await DuringAsync("alpha is killed", alpha.KillAsync, () => alpha.RestartAsync(cancellationToken));

        async Task DuringAsync(string what, Func<Task> begin, Func<Task> end)
        {
            await begin();
            await TellAsync(what);
            await Task.Delay(duration * 0.15, cancellationToken);
            await end();
            await TellAsync("all are well");
            await Task.Delay(duration * 0.06, cancellationToken);
        }

        Task Break(FakeAiServer server, FakeFault with)
        {
            fault = server.Faults.Always(with);
            return Task.CompletedTask;
        }

        Task Mend()
        {
            fault?.Dispose();
            return Task.CompletedTask;
        }
    }

    private Task TellAsync(string what) => _output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
        $"  {what,-28} {_calls.Count,5} calls done, {_calls.Count(c => c.Outcome != CallOutcome.Served)} of them not served"));
}
