using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HaKit.Redis.Tests;

/// <summary>Runs a real server on loopback with its own port. The server can be killed, frozen and started again.</summary>
public abstract class StoreServer : IDisposable
{
    private Process? _process;
    private int _port;

    /// <summary>Gets the path of the program. Null if it is not installed.</summary>
    protected abstract string? Program { get; }

    public string Missing => $"{GetType().Name}: the server is not installed here";

    public bool IsInstalled => Program is not null;

    public string Endpoint => $"127.0.0.1:{_port}";

    protected abstract IEnumerable<string> Arguments(int port);

    public async Task StartAsync()
    {
        if (_process is { HasExited: false })
            return;
        if (_port == 0)
            _port = FreePort.Take();
        var start = new ProcessStartInfo(Program!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in Arguments(_port))
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var i = 0; i < 600; i++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, _port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }
        throw new InvalidOperationException($"{Program} did not listen on port {_port}.");
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Freeze() => Signal("-STOP");

    public void Thaw() => Signal("-CONT");

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Thaw();
            Kill();
        }
        _process?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static string? Find(string name, params IEnumerable<string> places) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(places).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}

/// <summary>Debian's redis-server.</summary>
public sealed class RedisServer : StoreServer
{
    protected override string? Program { get; } = Find("redis-server", "/usr/bin");

    protected override IEnumerable<string> Arguments(int port) =>
        ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
}

/// <summary>Microsoft's Garnet, as a dotnet tool.</summary>
public sealed class GarnetServer : StoreServer
{
    protected override string? Program { get; } = Find("garnet-server", Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".dotnet", "tools"));

    protected override IEnumerable<string> Arguments(int port) => ["--port", $"{port}", "--bind", "127.0.0.1", "--memory", "64m", "--index", "16m"];
}
