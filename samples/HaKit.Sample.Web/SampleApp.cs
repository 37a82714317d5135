using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace HaKit.Sample.Web;

/// <summary>The whole sample: fake servers, a pool over them, a chat that calls the pool, visitors that chat too, and the dashboard.</summary>
public sealed class SampleApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Fleet _fleet;

    private SampleApp(WebApplication app, Fleet fleet) => (_app, _fleet) = (app, fleet);

    /// <summary>Gets the address of the application.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>
    /// Starts the application. <c>--urls</c> sets its address (default: a free port of this machine). With <c>--visitors 0</c> there are no simulated visitors.
    /// </summary>
    public static async Task<SampleApp> StartAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var fleet = await Fleet.StartAsync();
        var builder = WebApplication.CreateBuilder(args);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning);
        if (builder.Configuration["urls"] is null)
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        AddPool(builder, fleet);
        builder.Services.AddHealthChecks().AddHaEndpointPoolCheck("chat");
        // Only the person that started the sample uses it, so every user is an operator. In your application, require a role here.
        builder.Services.AddAuthorization(o => o.AddPolicy("operators", policy => policy.RequireAssertion(static _ => true)));
        builder.Services.AddAntiforgery();
        configure?.Invoke(builder);
        var app = builder.Build();
        app.UseAuthorization();
        app.MapHaEndpointPools("/ha", o => (o.OperatorPolicy, o.Step) = ("operators", TimeSpan.FromSeconds(2)));
        app.MapHealthChecks("/health");
        Pages.Map(app);
        Chat.Map(app);
        FaultPanel.Map(app, fleet);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new SampleApp(app, fleet) { Address = new Uri(address.TrimEnd('/') + "/") };
    }

    /// <summary>Completes when the application is stopped.</summary>
    public Task WaitAsync() => _app.WaitForShutdownAsync();

    /// <summary>Gets a service of the application.</summary>
    public T Get<T>(object? key = null) where T : notnull => key is null ? _app.Services.GetRequiredService<T>() : _app.Services.GetRequiredKeyedService<T>(key);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _fleet.DisposeAsync();
    }

    private static void AddPool(WebApplicationBuilder builder, Fleet fleet)
    {
        builder.Services.AddHaEndpointPool("chat", o =>
        {
            foreach (var provider in Providers.Configured(builder.Configuration))
                o.Endpoints.Add(provider);
            // If there are real providers, the fake servers are their standbys.
            var tier = o.Endpoints.Count > 0 ? 1 : 0;
            foreach (var server in fleet.Servers)
                o.Endpoints.Add(server.Endpoint(tier));
            o.Origin = fleet.Servers[0].Address;
            // Short times, because a person watches: faults are detected fast, and endpoints come back fast.
            o.Heartbeat.Interval = TimeSpan.FromSeconds(0.5);
            o.Heartbeat.Timeout = TimeSpan.FromSeconds(0.5);
            o.CircuitBreaker.SlowStartDuration = TimeSpan.FromSeconds(12);
            o.Objective = new ObjectiveOptions { TargetPercent = 99.9m };
        });
        builder.Services.AddHttpClient("chat").AddHaEndpointPoolHandler("chat");
        builder.Services.AddSingleton(new VisitorOptions(builder.Configuration.GetValue("visitors", 6.0)));
        builder.Services.AddHostedService<Visitors>();
    }
}
