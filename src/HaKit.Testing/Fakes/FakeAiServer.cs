using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A real HTTP server on loopback for tests. It supports the dialects of OpenAI and Anthropic as far as their official SDKs need them, and Ollama's
/// <c>/api/chat</c>. It serves chat and responses as plain answers and as streams, embeddings, file uploads, image generation, the list of models,
/// <c>/health</c>, and vLLM's <c>/metrics</c>. If a request offers tools, the answer has a tool call (not in Ollama's dialect). The server answers with
/// <see cref="FakeAnswers"/> and injects the faults of <see cref="Faults"/>.
/// </summary>
/// <remarks>
/// Paths that no provider has are answered with 404, for example <c>/chat/completions</c> without <c>/v1</c>, or with <c>/v1</c> twice. A
/// <c>previous_response_id</c> that this server did not create is answered with 400 and the code <c>previous_response_not_found</c>. The server can be stopped,
/// killed and started again on the same port. It speaks HTTP/1.1 without TLS. Latencies and schedules use the clock of <see cref="FakeAiOptions.Time"/>.
/// Thread-safe; concurrent starts and stops run one after another.
/// </remarks>
public sealed class FakeAiServer : IAsyncDisposable
{
    private const int LowestPort = 20_000, HighestPort = 32_000, MostTries = 50;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private static int s_portsGiven = RandomNumberGenerator.GetInt32(HighestPort - LowestPort);

    private readonly Backend _backend;
    private readonly Lock _lock = new();
    private readonly List<ITimer> _outages = [];
    private Task _lastTurn = Task.CompletedTask;
    private volatile Listener? _listener;
    private volatile bool _isDisposed;
    private int _port;

    private FakeAiServer(FakeAiOptions options) => _backend = new(options) { ChecksPaths = true };

    /// <summary>Gets the fake's name.</summary>
    public string Name => _backend.Options.Name;

    /// <summary>
    /// Gets the server's root address, <c>http://127.0.0.1:port/</c>. Give it to the Anthropic SDK. It stays the same when the server is stopped and started
    /// again.
    /// </summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Gets the base address of the OpenAI dialect, <c>http://127.0.0.1:port/v1</c>. Give it to the OpenAI SDK.</summary>
    public Uri OpenAIAddress => new(Address, "v1");

    /// <summary>Gets whether the server is listening. A server that is not listening refuses connections.</summary>
    public bool IsListening => _listener is not null;

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults => _backend.Faults;

    /// <summary>
    /// Gets the counts of the requests so far. An answer counts as whole when its last bytes were given to the connection, which is before the client has
    /// read them.
    /// </summary>
    public FakeCounts Counts => _backend.Tally.Snapshot();

    /// <summary>Gets the load that <c>/metrics</c> reports.</summary>
    public FakeLoad Load => _backend.Load;

    /// <summary>Starts a server.</summary>
    /// <param name="options">The behaviour without faults. Default: the defaults of <see cref="FakeAiOptions"/>.</param>
    /// <param name="port">The port. Default 0, which selects a free port between 20000 and 31999.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="IOException">Another process uses the port.</exception>
    public static async Task<FakeAiServer> StartAsync(FakeAiOptions? options = null, int port = 0, CancellationToken cancellationToken = default)
    {
        var server = new FakeAiServer(options ?? new()) { _port = port };
        await server.RestartAsync(cancellationToken).ConfigureAwait(false);
        return server;
    }

    /// <summary>Starts listening again on the same port. Does nothing when the server is listening.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="IOException">Another process has taken the port.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    public Task RestartAsync(CancellationToken cancellationToken = default) => InTurn(() =>
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ListenAsync(cancellationToken);
    });

    /// <summary>
    /// Stops the server: it refuses new connections, waits at most 2 s for the answers in flight, and closes. Does nothing when the server is stopped.
    /// </summary>
    public Task StopAsync() => InTurn(() => CloseAsync(kill: false));

    /// <summary>
    /// Kills the server: it refuses new connections and resets every connection that waits for an answer. The requests on these connections count as cut or
    /// failed. Does nothing when the server is stopped.
    /// </summary>
    public Task KillAsync() => InTurn(() => CloseAsync(kill: true));

    /// <summary>Schedules an outage on the server's clock: the server is killed and later starts again.</summary>
    /// <param name="from">When the server is killed, counted from now.</param>
    /// <param name="until">When the server listens again, counted from now.</param>
    /// <returns>A handle. Disposing it cancels the parts of the outage that have not happened yet.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="from"/> is negative, or <paramref name="until"/> is before it.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    public IDisposable Outage(TimeSpan from, TimeSpan until)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, TimeSpan.Zero); // -1 ms would be a timer that never runs
        ArgumentOutOfRangeException.ThrowIfLessThan(until, from);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var begin = RunAt(from, () => KillAsync());
        return new Both(begin, RunAt(until, () => InTurn(() => _isDisposed ? Task.CompletedTask : ListenAsync(CancellationToken.None))));
    }

    /// <summary>Kills the server and cancels its outages. The server cannot be started again.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            foreach (var timer in _outages)
                timer.Dispose();
        }

        await InTurn(() =>
        {
            _isDisposed = true;
            return CloseAsync(kill: true);
        }).ConfigureAwait(false);
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
            return;
        _listener = _port == 0 ? await ListenOnFreePortAsync(cancellationToken).ConfigureAwait(false) : await ListenOnAsync(_port, cancellationToken).ConfigureAwait(false);
        _port = _listener.Port;
        Address = new($"http://127.0.0.1:{_port}/");
    }

    // A server that is down does not hold its port. If the operating system chose the port, it could give this port to an outgoing connection in the meantime, and
    // the server could not start again. So the port is chosen here, below the ports that common systems choose from. The servers of a process get one port after
    // another, so no server gets the port of another server that is down.
    private async Task<Listener> ListenOnFreePortAsync(CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            try
            {
                var port = LowestPort + (int)((uint)Interlocked.Increment(ref s_portsGiven) % (HighestPort - LowestPort));
                return await ListenOnAsync(port, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // Another program uses this port, or it is reserved.
            }
        }
        return await ListenOnAsync(0, cancellationToken).ConfigureAwait(false);
    }

    private Task<Listener> ListenOnAsync(int port, CancellationToken cancellationToken) => Listener.StartAsync(_backend, new(IPAddress.Loopback, port), cancellationToken);

    private async Task CloseAsync(bool kill)
    {
        if (_listener is not { } listener)
            return;
        _listener = null;
        using var _ = listener;
        await listener.StopAsync(kill, Grace).ConfigureAwait(false);
    }

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
