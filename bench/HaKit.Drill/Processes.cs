using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using HaKit.Tool.Drills;

namespace HaKit.Drills;

/// <summary>
/// The contenders that run as a gateway between the load and the upstreams. The configuration of each is beside this file, for the ports 8080 and 9101 to 9103.
/// </summary>
internal static class Processes
{
    public static DrillContender Nginx { get; } = new("nginx", addresses => StartAsync(addresses, "nginx.conf", (file, folder) => ("nginx", ["-c", file, "-p", folder])), IsFresh: false);

    public static DrillContender HAProxy { get; } = new("HAProxy", addresses => StartAsync(addresses, "haproxy.cfg", (file, _) => ("haproxy", ["-f", file, "-db"])), IsFresh: false);

    public static DrillContender Yarp { get; } = new("YARP", StartYarpAsync, IsFresh: false);

    public static DrillContender Portkey { get; } = new("Portkey gateway", StartPortkeyAsync, IsFresh: false);

    private static async Task<IDrillTarget> StartAsync(IReadOnlyList<Uri> addresses, string template, Func<string, string, (string, string[])> command)
    {
        var (folder, port) = (Directory.CreateTempSubdirectory("hakit-drill-").FullName, FreePort());
        var file = Path.Combine(folder, template);
        await File.WriteAllTextAsync(file, Configured(template, addresses, port));
        var (program, arguments) = command(file, folder);
        return await Between.StartAsync(program, arguments, folder, port, []);
    }

    private static async Task<IDrillTarget> StartYarpAsync(IReadOnlyList<Uri> addresses)
    {
        var port = FreePort();
        using var configuration = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Configured("yarp.json", addresses, port)));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddJsonStream(configuration);
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
        var app = builder.Build();
        app.MapReverseProxy();
        await app.StartAsync();
        return new HttpDrillTarget(Between.NewClient(), Between.AddressOf(port), [], app);
    }

    // The gateway reads its configuration from a header of each request.
    private static async Task<IDrillTarget> StartPortkeyAsync(IReadOnlyList<Uri> addresses)
    {
        var (source, port) = (Path.Combine(Evidence.Repository, "bench", "HaKit.Drill", "portkey"), FreePort());
        if (!Directory.Exists(Path.Combine(source, "node_modules")))
            await Between.RunAsync("npm", ["install", "--no-audit", "--no-fund"], source);
        var configuration = Configured("portkey/config.json", addresses, port).ReplaceLineEndings(" ");
        return await Between.StartAsync(
            "node", ["node_modules/@portkey-ai/gateway/build/start-server.js", "--headless", string.Create(CultureInfo.InvariantCulture, $"--port={port}")], source, port,
            [new("x-portkey-config", configuration), new("Authorization", "Bearer none")]);
    }

    private static string Configured(string template, IReadOnlyList<Uri> addresses, int port)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, template)).Replace("127.0.0.1:8080", $"127.0.0.1:{port}", StringComparison.Ordinal);
        for (var i = 0; i < addresses.Count; i++)
            text = text.Replace($"127.0.0.1:{9101 + i}", $"127.0.0.1:{addresses[i].Port}", StringComparison.Ordinal);
        return text;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A process between the load and the upstreams. The process ends when the target is disposed.</summary>
internal sealed class Between(Process process) : IAsyncDisposable
{
    public static async Task<IDrillTarget> StartAsync(string program, IEnumerable<string> arguments, string folder, int port, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var tries = 0; tries < 100 && !process.HasExited && !await IsListeningAsync(port); tries++)
            await Task.Delay(100);
        return process.HasExited
            ? throw new InvalidOperationException($"{program} ended at once, with {process.ExitCode}.")
            : new HttpDrillTarget(NewClient(), AddressOf(port), headers, new Between(process));
    }

    public static async Task RunAsync(string program, IEnumerable<string> arguments, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    public static HttpClient NewClient() => new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = Timeout.InfiniteTimeSpan };

    public static Uri AddressOf(int port) => new($"http://127.0.0.1:{port}/v1");

    public async ValueTask DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<bool> IsListeningAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
