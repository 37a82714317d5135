using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HaKit.Batch;
using HaKit.Continuity;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Playwright;

namespace HaKit.Sample.Web.Tests;

/// <summary>
/// A real application as an operator meets it at night: the sample's pool over fake servers with users that chat, a hundred endpoints with long names, a second replica
/// over Redis where there is a redis-server, a batch that runs, and a vault of which a destination is out.
/// </summary>
internal sealed class Night : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("night-").FullName;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _work = [];
    private Process? _redis;
    private ServiceProvider? _replica;
    private Batch<string>? _batch;

    public SampleApp App { get; private set; } = null!;

    public Uri Dashboard => new(App.Address, "ha");

    public bool HasFleet => _redis is not null;

    /// <param name="beside">True: with the parts besides the pool of the chat: the hundred endpoints, the fleet, the batch and the vault.</param>
    /// <param name="visitors">The number of calls per second.</param>
    /// <param name="configure">Adds more configuration.</param>
    public static async Task<Night> StartAsync(bool beside, int visitors = 6, Action<WebApplicationBuilder>? configure = null)
    {
        var night = new Night();
        if (beside)
        {
            night.StartRedis();
            night._batch = await BatchJournal.OpenAsync<string>(Path.Combine(night._folder, "reviews.journal"));
        }
        night.App = await SampleApp.StartAsync(["--visitors", $"{visitors}"], builder =>
        {
            if (beside)
                night.AddBeside(builder);
            configure?.Invoke(builder);
        });
        if (beside)
            await night.BeginBesideAsync();
        return night;
    }

    public Task BreakAsync(string server, string fault = "killed") => PostAsync($"faults/{server}/{fault}");

    public async Task BreakAllAsync(string fault = "killed")
    {
        foreach (var server in (string[])["fra-1", "fra-2", "ams-1", "standby"])
            await BreakAsync(server, fault);
    }

    private async Task PostAsync(string path)
    {
        using var http = new HttpClient { BaseAddress = App.Address };
        (await http.PostAsync(new Uri(path, UriKind.Relative), null)).EnsureSuccessStatusCode();
    }

    private void AddBeside(WebApplicationBuilder builder)
    {
        var crowd = builder.Services.AddHaEndpointPool("embeddings", Crowd);
        if (_redis is not null)
            crowd.ShareThroughRedis($"127.0.0.1:{Port}");
        builder.Services.AddSingleton(_batch!.Panel);
        File.WriteAllText(Path.Combine(_folder, "state"), "kept");
        builder.Services.AddHaVault("conversations", o =>
        {
            o.Destinations.Add(new() { Name = "disk", Folder = Path.Combine(_folder, "disk") });
            o.Destinations.Add(new() { Name = "share", Folder = "/proc/no-such-share" });
            o.Keys["1"] = Convert.ToBase64String(new byte[32]);
            (o.Source, o.Every, o.Copies) = (Path.Combine(_folder, "state"), TimeSpan.FromSeconds(2), 1);
            o.OperationTimeout = TimeSpan.FromSeconds(3); // the first save waits this long for the destination that is out
        });
    }

    /// <summary>A hundred endpoints whose names differ only at their ends.</summary>
    public static void Crowd(EndpointPoolOptions options)
    {
        options.Heartbeat.Enabled = false;
        options.Sharing.Name = "night/test";
        for (var i = 0; i < 100; i++)
        {
            options.Endpoints.Add(new EndpointOptions
            {
                Name = $"text-embedding-3-large-production-westeurope-deployment-{i:000}",
                Address = $"https://contoso-embeddings-production-westeurope-{i:000}.openai.azure.com/openai/v1",
                Zone = $"westeurope-{1 + i % 3}",
                Provider = "azure",
                Model = "text-embedding-3-large",
            });
        }
    }

    private int Port { get; set; }

    private void StartRedis()
    {
        if (!File.Exists("/usr/bin/redis-server"))
            return;
        Port = FreePort.Take();
        _redis = Process.Start(new ProcessStartInfo("/usr/bin/redis-server", ["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder]) { RedirectStandardOutput = true });
    }

    private async Task BeginBesideAsync()
    {
        if (_redis is not null)
        {
            var services = new ServiceCollection();
            services.AddHaEndpointPool("embeddings", o => { Crowd(o); o.Sharing.Replica = "web-2"; }).ShareThroughRedis($"127.0.0.1:{Port}");
            _replica = services.BuildServiceProvider();
            var other = _replica.GetRequiredKeyedService<EndpointPool>("embeddings");
            foreach (var hosted in _replica.GetServices<IHostedService>())
                await hosted.StartAsync(_end.Token);
            _work.Add(CallAsync(other, static i => i % 4 == 2 ? "text-embedding-3-large-production-westeurope-deployment-002" : null));
        }
        _work.Add(CallAsync(App.Get<EndpointPool>("embeddings"), static i => i % 20 == 19 ? "text-embedding-3-large-production-westeurope-deployment-077" : null));
        await _batch!.AddAsync(Enumerable.Range(0, 20_000).Select(i => $"review {i}"), static r => r);
        _work.Add(RunBatchAsync());
    }

    // Answers in 80 ms; the endpoints that are named fail.
    private async Task CallAsync(EndpointPool pool, Func<int, string?> broken)
    {
        for (var i = 0; !_end.IsCancellationRequested; i++)
        {
            var name = broken(i);
            var profile = name is null ? RequestProfile.Default : new RequestProfile { Endpoints = [name], MaxWait = TimeSpan.Zero, MayRepeat = false };
            _ = Swallow(pool.ExecuteAsync(profile, name, static async (attempt, name, token) =>
            {
                await Task.Delay(80, token);
                if (attempt.Endpoint.Name.EndsWith("-077", StringComparison.Ordinal) || name is not null)
                    attempt.ReportFault(new Faults.Fault(FaultKind.ServerError) { StatusCode = 500 });
                return 0;
            }, _end.Token).AsTask());
            await Swallow(Task.Delay(30, _end.Token));
        }
    }

    private async Task RunBatchAsync()
    {
        await foreach (var done in App.Get<EndpointPool>("chat").RunBatchAsync(_batch!, static async (attempt, item, token) =>
        {
            await Task.Delay(300, token);
            return item.Length;
        }, new BatchRunOptions { MaxConcurrency = 4 }, _end.Token))
        {
            GC.KeepAlive(done);
        }
    }

    private static async Task Swallow(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (e is OperationCanceledException or EndpointPoolException)
        {
            // The call had to fail, or the test is over.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var work in _work)
            await Swallow(work);
        await App.DisposeAsync();
        if (_replica is not null)
            await _replica.DisposeAsync();
        if (_batch is not null)
            await _batch.DisposeAsync();
        if (_redis is not null)
        {
            _redis.Kill();
            await _redis.WaitForExitAsync();
            _redis.Dispose();
        }
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
