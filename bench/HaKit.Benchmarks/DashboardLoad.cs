using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.Benchmarks;

/// <summary>
/// Measures the processor time that one open dashboard of a hundred endpoints costs the application: <c>dotnet run -c Release --project bench/HaKit.Benchmarks
/// -- dashboard-load [seconds=20]</c>. The viewer is curl, in a separate process.
/// </summary>
internal static class DashboardLoad
{
    public static async Task<int> RunAsync(string[] args)
    {
        var given = args.Select(a => a.Split('=', 2)).ToDictionary(p => p[0], p => p[^1]);
        var length = TimeSpan.FromSeconds(double.Parse(given.GetValueOrDefault("seconds", "20"), CultureInfo.InvariantCulture));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddHaEndpointPool("chat", static o =>
        {
            o.Heartbeat.Enabled = false;
            for (var i = 0; i < 100; i++)
                o.Endpoints.Add(new EndpointOptions { Name = $"gpu-{i:00}", Address = $"https://gpu-{i:00}.example.test/v1", Limits = new() { MaxConcurrency = 64 } });
        });
        await using var app = builder.Build();
        app.MapHaEndpointPools("/ha");
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var pool = app.Services.GetRequiredService<EndpointPool>();
        for (var i = 0; i < 10_000; i++)
            await pool.ExecuteAsync(i, static (_, state, _) => new ValueTask<int>(state));
        // The warm-up lets the runtime compile the used code in its final form. Until then the code costs about five times as much.
        using var http = new HttpClient();
        for (var i = 0; i < 200; i++)
            await http.GetByteArrayAsync(new Uri(address + "/ha/status"));
        using (Watch(address))
            await ShareAsync(TimeSpan.FromSeconds(10));
        var without = await ShareAsync(length);
        double with;
        using (Watch(address))
            with = await ShareAsync(length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"100 endpoints, {length.TotalSeconds:0} s each: {100 * without:0.000} % of a core with no dashboard open, {100 * with:0.000} % with one: {100 * (with - without):0.000} % more"));
        return 0;
    }

    private static async Task<double> ShareAsync(TimeSpan length)
    {
        using var process = Process.GetCurrentProcess();
        var (before, began) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(length);
        process.Refresh();
        return (process.TotalProcessorTime - before) / Stopwatch.GetElapsedTime(began);
    }

    private static Viewer Watch(string address) => new(Process.Start("curl", ["-sN", "-o", "/dev/null", address + "/ha/events"]));

    private sealed class Viewer(Process curl) : IDisposable
    {
        public void Dispose()
        {
            curl.Kill();
            curl.Dispose();
        }
    }
}
