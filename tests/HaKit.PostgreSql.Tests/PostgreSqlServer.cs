using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace HaKit.PostgreSql.Tests;

/// <summary>
/// Runs a PostgreSQL server on a loopback port, with its data in a folder that is deleted afterwards. PostgreSQL refuses to run as root, so the server then
/// runs as the user postgres. Without PostgreSQL the tests are skipped.
/// </summary>
public sealed class PostgreSqlServer : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "hakit-postgresql-" + Guid.NewGuid().ToString("n"));
    private static readonly bool IsRoot = Environment.UserName == "root";
    private Process? _server;
    private string? _missing;
    private int _databases;

    public int Port { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (Binaries() is not { } binaries)
        {
            _missing = "PostgreSQL is not installed (apt-get install postgresql).";
            return;
        }
        Directory.CreateDirectory(_folder);
        if (IsRoot)
            await RunAsync("chown", "postgres", _folder);
        await RunAsync([.. As(), Path.Combine(binaries, "initdb"), "-D", _folder + "/data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"]);
        Port = FreePort.Take();
        await StartAsync(binaries);
    }

    /// <summary>Kills the server and all its processes with −9, as a crash of its machine does.</summary>
    public async Task KillAsync()
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        await SignalAsync("KILL");
        await _server!.WaitForExitAsync();
    }

    /// <summary>Stops the processes of the server, or lets them continue (signals STOP and CONT).</summary>
    public async Task SignalAsync(string signal)
    {
        var id = File.ReadLines(_folder + "/data/postmaster.pid").First();
        var children = File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var process in (string[])[id, .. children])
        {
            using (var kill = Process.Start("kill", ["-" + signal, process]))
                await kill.WaitForExitAsync();
        }
    }

    /// <summary>Starts the server again after it was killed.</summary>
    public Task RestartAsync() => StartAsync(Binaries()!);

    private async Task StartAsync(string binaries)
    {
        string[] server =
        [
            .. As(), Path.Combine(binaries, "postgres"), "-D", _folder + "/data", "-p", Port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
        ];
        _server = Process.Start(new ProcessStartInfo(server[0], server[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (!_server.HasExited && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(100);
            }
        }
    }

    /// <summary>Creates a database. Skips the test if there is no server.</summary>
    public async Task<NpgsqlDataSource> NewDatabaseAsync(Action<NpgsqlConnectionStringBuilder>? configure = null)
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await using (var admin = NpgsqlDataSource.Create(ConnectionString("postgres")))
        await using (var command = admin.CreateCommand($"create database {name}"))
            await command.ExecuteNonQueryAsync();
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString(name));
        configure?.Invoke(builder);
        return NpgsqlDataSource.Create(builder.ConnectionString);
    }

    public string ConnectionString(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Timeout=30;Command Timeout=60;Maximum Pool Size=20");

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is { HasExited: false })
        {
            // An immediate shutdown, by the process that its own file names.
            var id = File.ReadLines(_folder + "/data/postmaster.pid").First();
            await RunAsync("kill", "-QUIT", id);
            await _server.WaitForExitAsync();
        }
        _server?.Dispose();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private static string? Binaries() =>
        Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(static d => d + "/bin").Where(static d => File.Exists(d + "/postgres")).Order().LastOrDefault() : null;

    private static string[] As() => IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

    private static async Task RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, "{0} said: {1}{2}", command[0], await output, error);
    }
}

[CollectionDefinition(nameof(PostgreSqlServer))]
public sealed class OneServer : ICollectionFixture<PostgreSqlServer>;
