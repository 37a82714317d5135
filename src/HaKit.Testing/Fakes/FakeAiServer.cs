using System.Net;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A real HTTP server on loopback that speaks OpenAI's and Anthropic's dialects well enough for their official SDKs, and Ollama's <c>/api/chat</c>: chat
/// and responses (streamed and not, with a tool call when tools are offered, but for Ollama), embeddings, file upload, image generation, models,
/// <c>/health</c> and vLLM's <c>/metrics</c>. Its answers are <see cref="FakeAnswers"/>; what goes wrong is
/// <see cref="Faults"/>.
/// </summary>
/// <remarks>
/// It can be stopped, killed and started again on the same port. HTTP/1.1 without TLS. Latencies and schedules are on
/// <see cref="FakeAiOptions.Time"/>. Thread-safe; starts and stops take their turns.
/// </remarks>
public sealed class FakeAiServer : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Backend _backend;
    private readonly Lock _lock = new();
    private readonly List<ITimer> _outages = [];
    private Task _lastTurn = Task.CompletedTask;
    private volatile Listener? _listener;
    private int _port;

    private FakeAiServer(FakeAiOptions options) => _backend = new(options);

    /// <summary>Its name.</summary>
    public string Name => _backend.Options.Name;

    /// <summary>Its root, <c>http://127.0.0.1:port/</c>: what the Anthropic SDK is given. Stays the same over stops and starts.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Its base for OpenAI's dialect, <c>http://127.0.0.1:port/v1</c>: what the OpenAI SDK is given.</summary>
    public Uri OpenAIAddress => new(Address, "v1");

    /// <summary>Whether it is listening. When not, connections are refused.</summary>
    public bool IsListening => _listener is not null;

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults => _backend.Faults;

    /// <summary>What it did so far. An answer counts as whole when its last bytes are given to the connection: before its client has them.</summary>
    public FakeCounts Counts => _backend.Tally.Snapshot();

    /// <summary>The load that <c>/metrics</c> claims.</summary>
    public FakeLoad Load => _backend.Load;

    /// <summary>Starts a server on a free port.</summary>
    /// <param name="options">How it is when nothing goes wrong; default as <see cref="FakeAiOptions"/> says.</param>
    /// <param name="port">The port, 0 (the default) for a free one.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<FakeAiServer> StartAsync(FakeAiOptions? options = null, int port = 0, CancellationToken cancellationToken = default)
    {
        var server = new FakeAiServer(options ?? new()) { _port = port };
        await server.RestartAsync(cancellationToken).ConfigureAwait(false);
        return server;
    }

    /// <summary>Listens again, on the same port; nothing when it is listening.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The port was taken meanwhile.</exception>
    public Task RestartAsync(CancellationToken cancellationToken = default) => InTurn(async () =>
    {
        if (_listener is not null)
            return;
        _listener = await Listener.StartAsync(_backend, new(IPAddress.Loopback, _port), cancellationToken).ConfigureAwait(false);
        _port = _listener.Port;
        Address = new($"http://127.0.0.1:{_port}/");
    });

    /// <summary>Refuses connections from now on, lets what is being answered end for at most 2 s, and closes. Nothing when stopped.</summary>
    public Task StopAsync() => EndAsync(kill: false);

    /// <summary>
    /// Dies: refuses connections from now on and resets every connection that waits for an answer, which counts as cut or
    /// failed. Nothing when stopped.
    /// </summary>
    public Task KillAsync() => EndAsync(kill: true);

    /// <summary>Dies and comes back on the server's clock.</summary>
    /// <param name="from">When it is killed, counted from now.</param>
    /// <param name="until">When it listens again, counted from now.</param>
    /// <returns>Disposing it calls off what has not happened yet.</returns>
    public IDisposable Outage(TimeSpan from, TimeSpan until)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(until, from);
        var begin = RunAt(from, () => KillAsync());
        return new Both(begin, RunAt(until, () => RestartAsync()));
    }

    /// <summary>Kills it and calls off its outages.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            foreach (var timer in _outages)
                timer.Dispose();
        }

        await KillAsync().ConfigureAwait(false);
    }

    private Task EndAsync(bool kill) => InTurn(async () =>
    {
        if (_listener is not { } listener)
            return;
        _listener = null;
        using var _ = listener;
        await listener.StopAsync(kill, Grace).ConfigureAwait(false);
    });

    private ITimer RunAt(TimeSpan due, Func<Task> act)
    {
        var timer = _backend.Options.Time.CreateTimer(static state => _ = ((Func<Task>)state!)(), act, due, Timeout.InfiniteTimeSpan);
        lock (_lock)
            _outages.Add(timer);
        return timer;
    }

    private async Task InTurn(Func<Task> step)
    {
        var turn = new TaskCompletionSource();
        Task previous;
        lock (_lock)
            (previous, _lastTurn) = (_lastTurn, turn.Task);
        await previous.ConfigureAwait(false);
        try
        {
            await step().ConfigureAwait(false);
        }
        finally
        {
            turn.SetResult();
        }
    }

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
