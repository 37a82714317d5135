using System.Diagnostics;

namespace HaKit.Heartbeats;

/// <summary>
/// Runs a process when an endpoint is ejected, for example a process that restarts a local model server. The process gets the pool, the endpoint and the kind
/// of fault in the environment variables <c>HAKIT_POOL</c>, <c>HAKIT_ENDPOINT</c> and <c>HAKIT_FAULT</c>. It runs for every endpoint of the pool, unless you
/// call <see cref="RunAsync"/> only for some of them, as in the example. Thread-safe.
/// </summary>
/// <example><code>
/// var server = new ProcessRecovery("ollama", "serve") { IsServer = true };
/// builder.OnEjected((evidence, token) =&gt; evidence.Endpoint.Name == "local" ? server.RunAsync(evidence, token) : default);
/// </code></example>
public sealed class ProcessRecovery
{
    private readonly Lock _gate = new();
    private readonly string _fileName;
    private readonly string[] _arguments;
    private readonly Dictionary<string, Server> _servers = new(StringComparer.Ordinal);

    /// <summary>Creates an action that runs a program, without a shell.</summary>
    /// <param name="fileName">The program.</param>
    /// <param name="arguments">The arguments, passed unchanged.</param>
    public ProcessRecovery(string fileName, params string[] arguments)
    {
        GivenName.ThrowIfBlank(fileName, nameof(fileName), nameof(ProcessRecovery), "a program", "systemctl");
        ArgumentNullException.ThrowIfNull(arguments);
        (_fileName, _arguments) = (fileName, [.. arguments]);
    }

    /// <summary>
    /// Gets whether the process is the server itself. If true, the process keeps running, and the next run for the same endpoint first ends it. Each endpoint has
    /// a process of its own. If false, the action waits for the end of the process, and kills it with its child processes when <see cref="RecoveryOptions.Timeout"/> is over. Default false.
    /// </summary>
    public bool IsServer { get; init; }

    /// <summary>Gets the folder in which the process starts. Default null: the folder of this process.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Runs the process; add this method to <see cref="EndpointPoolParts.OnEjected"/>.</summary>
    /// <param name="evidence">The ejection.</param>
    /// <param name="cancellationToken">Cancelled when the time for recovery is over.</param>
    /// <exception cref="InvalidOperationException">The process could not be started, or its exit code was not 0.</exception>
    public async ValueTask RunAsync(EjectionEvidence evidence, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (IsServer)
        {
            await RestartAsync(evidence, cancellationToken).ConfigureAwait(false);
            return;
        }
        using var process = Start(evidence);
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Kill(process);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{_fileName}' ended with exit code {process.ExitCode}.");
    }

    private async Task RestartAsync(EjectionEvidence evidence, CancellationToken cancellationToken)
    {
        // One run at a time for each endpoint, each run with its own time limit.
        var turn = new TaskCompletionSource();
        Server? server;
        Task last;
        lock (_gate)
        {
            if (!_servers.TryGetValue(evidence.Endpoint.Name, out server))
                _servers.Add(evidence.Endpoint.Name, server = new Server());
            (last, server.Turn) = (server.Turn, turn.Task);
        }

        await last.ConfigureAwait(false);
        try
        {
            if (server.Running is { } before)
            {
                Kill(before);
                await before.WaitForExitAsync(cancellationToken).ConfigureAwait(false); // until then the old process uses its port
                before.Dispose();
                server.Running = null;
            }
            server.Running = Start(evidence);
        }
        finally
        {
            turn.SetResult();
        }
    }

    private Process Start(EjectionEvidence evidence)
    {
        var start = new ProcessStartInfo(_fileName, _arguments) { UseShellExecute = false, WorkingDirectory = WorkingDirectory ?? "" };
        start.Environment["HAKIT_POOL"] = evidence.Pool;
        start.Environment["HAKIT_ENDPOINT"] = evidence.Endpoint.Name;
        start.Environment["HAKIT_FAULT"] = evidence.Fault?.Kind.ToString() ?? "";
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException($"'{_fileName}' did not start.");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"'{_fileName}' could not be started.", exception);
        }
    }

    /// <summary>Holds the process of one endpoint. The lock guards <see cref="Turn"/>; the run that has the turn owns <see cref="Running"/>.</summary>
    private sealed class Server
    {
        public Task Turn { get; set; } = Task.CompletedTask;

        public Process? Running { get; set; }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or AggregateException or System.ComponentModel.Win32Exception)
        {
            // The process has already ended, or one of its child processes cannot be ended. The code that waits for the end of the process handles both cases.
        }
    }
}
