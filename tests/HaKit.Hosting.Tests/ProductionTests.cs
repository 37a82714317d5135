using System.Collections.Concurrent;
using System.Net;
using System.Text;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenAI;
using OpenAI.Chat;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HaKit.Hosting.Tests;

/// <summary>The production wiring of docs/in-your-application.md, compiled and run.</summary>
public sealed class ProductionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task The_wiring_of_the_page_serves_tells_and_alerts()
    {
        await using var main = await FakeAiServer.StartAsync(new() { ApiKey = "of the vault" }, cancellationToken: Token);
        await using var standby = await FakeAiServer.StartAsync(cancellationToken: Token);
        var alerts = new ConcurrentQueue<string>();
        await using var hook = await HookAsync(alerts);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Json())));
        builder.Configuration.AddInMemoryCollection(
        [
            new("Models:Endpoints:0:Address", main.OpenAIAddress.ToString()), new("Models:Endpoints:1:Address", standby.OpenAIAddress.ToString()),
            new("Secrets:Main", "of the vault"), new("Alerts:Webhook", hook.Urls.First()),
        ]);
        builder.Services.AddHaOpenAIClient("models", builder.Configuration.GetSection("Models"))
            .UseCredentialFromConfiguration("main", "Secrets:Main");
        builder.Services.AddHealthChecks().AddHaEndpointPoolCheck("models", minimum: 1, failureStatus: HealthStatus.Degraded, tags: ["ready"]);
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter("HaKit").AddPrometheusExporter())
            .WithTracing(tracing => tracing.AddSource("HaKit"));
        builder.Services.AddHaAlerts(alerts => alerts.AddWebhook(new Uri(builder.Configuration["Alerts:Webhook"]!)));
        await using var app = builder.Build();
        app.MapHealthChecks("/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/ready", new() { Predicate = check => check.Tags.Contains("ready") });
        app.MapPrometheusScrapingEndpoint();
        app.MapHaEndpointPools("/ha");
        await app.StartAsync(Token);
        using var user = app.GetTestClient();
        var chat = app.Services.GetRequiredService<OpenAIClient>().GetChatClient("m");

        await chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
        main.Counts.AnsweredWhole.Should().Be(1, "the key of the vault was sent to it");
        (await user.GetStringAsync("/ready", Token)).Should().Be("Healthy");

        await main.KillAsync();
        for (var i = 0; i < 4; i++)
            await chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Token);
        standby.Counts.AnsweredWhole.Should().Be(4);
        (await user.GetStringAsync("/metrics", Token)).Should().Contain("hakit_failovers_total").And.NotContain("of the vault");
        (await user.GetStringAsync("/ha/status", Token)).Should().Contain("main").And.NotContain("of the vault");
        (await user.GetAsync("/ready", Token)).StatusCode.Should().Be(HttpStatusCode.OK, "a degraded pool still serves");
        (await user.GetStringAsync("/live", Token)).Should().Be("Healthy");
        while (alerts.IsEmpty)
            await Task.Delay(20, Token);
        alerts.TryPeek(out var alert);
        alert.Should().Contain("main").And.NotContain("of the vault");
    }

    private static async Task<WebApplication> HookAsync(ConcurrentQueue<string> received)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.Enqueue(await reader.ReadToEndAsync());
        });
        await app.StartAsync(Token);
        return app;
    }

    private static string Json()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        var page = File.ReadAllText(Path.Combine(folder.FullName, "docs", "in-your-application.md"));
        var from = page.IndexOf("```json", StringComparison.Ordinal) + "```json".Length;
        return page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
    }
}
