using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HaKit.Hosting.Tests;

/// <summary>The service defaults that an Aspire solution adds to every project that references them.</summary>
internal static class ServiceDefaults
{
    /// <param name="builder">The application.</param>
    /// <param name="resilience">Configures all clients. Null: the standard resilience handler, as in the template.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, Action<IHttpClientBuilder>? resilience = null)
    {
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddHttpClientInstrumentation().AddMeter("Polly", "HaKit"))
            .WithTracing(tracing => tracing.AddSource(builder.Environment.ApplicationName, "HaKit").AddHttpClientInstrumentation());
        builder.Services.AddHealthChecks().AddCheck("self", () => Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckResult.Healthy(), ["live"]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            if (resilience is null)
                http.AddStandardResilienceHandler();
            else
                resilience(http);
            http.AddServiceDiscovery();
        });
        return builder;
    }

    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive", new() { Predicate = check => check.Tags.Contains("live") });
        return app;
    }
}
