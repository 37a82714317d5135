using HaKit.Alerts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HaKit.Release.Tests;

/// <summary>
/// The code on the pages about telemetry, alerts and the dashboard. The class runs alone: its exporter reads the gauges of all pools in the process on its own
/// thread, and the pool of a simulation must not be used on another thread.
/// </summary>
[CollectionDefinition(nameof(OperatingSnippets), DisableParallelization = true)]
[Collection(nameof(OperatingSnippets))]
public sealed class OperatingSnippets
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_dashboard_and_the_heartbeat_are_mapped_as_the_page_says()
    {
        var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Services.AddHaEndpointPool("models", o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9/v1" }));
        builder.Services.AddAuthentication();

        builder.Services.AddAuthorization(o => o.AddPolicy("operators", p => p.RequireRole("operators")));
        builder.Services.AddAntiforgery();
        var app = builder.Build();
        app.MapHaEndpointPools("/ha", o => o.OperatorPolicy = "operators").RequireAuthorization();

        app.MapPost("/v1/chat/completions", ServeAsync).CountAsHaLoad();
        app.MapHaHeartbeat("/heartbeat", o => o.Capacity = 64);

        await app.StartAsync(Ct);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        (await client.GetStringAsync("/heartbeat", Ct)).Should().Contain("\"capacity\":64");
        await app.DisposeAsync();

        static Task ServeAsync(HttpContext context) => context.Response.WriteAsync("served");
    }

    [Fact]
    public async Task Telemetry_and_alerts_are_added_as_the_page_says()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration["Alerts:Slack"] = "http://127.0.0.1:9/hook";
        var pager = new Pager();
        builder.Services.AddHaEndpointPool("models", o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:9/v1" }));

        using var metrics = Sdk.CreateMeterProviderBuilder().AddMeter("HaKit").AddOtlpExporter().Build();
        using var traces = Sdk.CreateTracerProviderBuilder().AddSource("HaKit").AddOtlpExporter().Build();

        builder.Services.AddHaAlerts(alerts => alerts
            .AddWebhook(new Uri(builder.Configuration["Alerts:Slack"]!), hook => hook.Template = """{"text":"{{text}}"}""")
            .Add((message, cancellationToken) => pager.RaiseAsync(message.Text, cancellationToken)));

        await using var app = builder.Build();
        app.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().Should().NotBeEmpty();
    }

    private sealed class Pager
    {
        public ValueTask RaiseAsync(string text, CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : text.Length > 0 ? default : throw new ArgumentException("Say something.", nameof(text));
    }
}
