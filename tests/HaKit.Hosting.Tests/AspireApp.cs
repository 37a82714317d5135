using HaKit.Selection;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.Hosting.Tests;

/// <summary>
/// Runs an application with the service defaults, and a pool over three servers on real sockets, whose names service discovery resolves. For each request to
/// <c>/ask</c> it makes a call with the pool's <see cref="HttpClient"/>. The test controls the pool's clock.
/// </summary>
internal sealed class AspireApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _user;

    private AspireApp(WebApplication app, FakeAiServer[] servers, LogRecorder logs, ManualTimeProvider time)
    {
        (_app, _user, Servers, Logs, Time) = (app, app.GetTestClient(), servers, logs, time);
        _user.Timeout = Timeout.InfiniteTimeSpan;
    }

    public FakeAiServer[] Servers { get; }

    public LogRecorder Logs { get; }

    public ManualTimeProvider Time { get; }

    public EndpointPool Pool => _app.Services.GetRequiredKeyedService<EndpointPool>("models");

    public IServiceProvider Services => _app.Services;

    /// <param name="defaults">Configures all clients. Null: the standard resilience handler.</param>
    /// <param name="client">Registers the pool's client. Null: the client with the pool and nothing else.</param>
    /// <param name="pool">Changes the pool.</param>
    /// <param name="settings">Further configuration.</param>
    public static async Task<AspireApp> StartAsync(
        Action<IHttpClientBuilder>? defaults = null, Action<IHttpClientBuilder>? client = null, Action<EndpointPoolOptions>? pool = null,
        KeyValuePair<string, string?>[]? settings = null)
    {
        var token = TestContext.Current.CancellationToken;
        var servers = new FakeAiServer[3];
        for (var i = 0; i < servers.Length; i++)
            servers[i] = await FakeAiServer.StartAsync(new() { Name = NameOf(i) }, cancellationToken: token);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        var (logs, time) = (new LogRecorder { MinimumLevel = LogLevel.Information }, new ManualTimeProvider());
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Configuration.AddInMemoryCollection(servers.Select((s, i) => KeyValuePair.Create($"services:{NameOf(i)}:http:0", (string?)s.Address.ToString())).Concat(settings ?? []));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddHaEndpointPool("models", options =>
        {
            options.Seed = 1;
            options.Heartbeat.Enabled = false;
            options.Http.AllowPlainHttp = true;
            options.Selection.Preset = SelectionPreset.RoundRobin;
            for (var i = 0; i < servers.Length; i++)
                options.Endpoints.Add(new EndpointOptions { Name = NameOf(i), Address = $"https+http://{NameOf(i)}/v1", Tier = Math.Min(i, 1) }); // the silent endpoint is preferred
            pool?.Invoke(options);
        });
        (client ?? (static c => c.AddHaEndpointPoolHandler("models")))(builder.Services.AddHttpClient("llm"));
        builder.AddServiceDefaults(defaults); // last, because the order of the defaults and the client must not matter
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGet("/ask", (RequestDelegate)AskPoolAsync);
        await app.StartAsync(token);
        return new(app, servers, logs, time);
    }

    /// <summary>
    /// Makes the given number of calls, one after another, and advances the pool's time while only the first, silent server has a request. Returns the number
    /// of answers.
    /// </summary>
    public async Task<int> AskAsync(int times)
    {
        var answered = 0;
        for (var i = 0; i < times; i++)
        {
            var asked = _user.GetAsync("/ask", TestContext.Current.CancellationToken);
            while (await Task.WhenAny(asked, Task.Delay(2, TestContext.Current.CancellationToken)) != asked)
            {
                if (!IsAnswerOnItsWay())
                    Time.Advance(TimeSpan.FromSeconds(1));
            }

            using var answer = await asked;
            answered += answer.IsSuccessStatusCode ? 1 : 0;
        }
        return answered;
    }

    // While a request is on its way to a server that answers, the clock must not advance. Otherwise the result would depend on the load of the machine.
    private bool IsAnswerOnItsWay()
    {
        var loads = Pool.Explain(RequestProfile.Default);
        return loads.Skip(1).Any(e => e.InFlight > 0);
    }

    public Task<string> HealthAsync() => _user.GetStringAsync("/health", TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _user.Dispose();
        await _app.DisposeAsync();
        foreach (var server in Servers)
            await server.DisposeAsync();
    }

    private static string NameOf(int server) => "models-" + (char)('a' + server);

    private static async Task AskPoolAsync(HttpContext context)
    {
        using var http = context.RequestServices.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
        using var content = new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", System.Text.Encoding.UTF8, "application/json");
        try
        {
            using var answer = await http.PostAsync("chat/completions", content, context.RequestAborted);
            context.Response.StatusCode = (int)answer.StatusCode;
        }
        catch (Exception exception) when (exception is not OperationCanceledException { CancellationToken.IsCancellationRequested: true } || !context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = 502;
            await context.Response.WriteAsync(exception.ToString());
        }
    }
}
