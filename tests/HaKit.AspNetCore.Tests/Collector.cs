using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace HaKit.AspNetCore.Tests;

/// <summary>
/// Runs an OTLP collector on loopback. The official OpenTelemetry packages send it the data of the meter and the activity source <c>HaKit</c>.
/// </summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    private Collector(WebApplication app, Uri address, ConcurrentQueue<(string Path, byte[] Body)> received)
    {
        (_app, Received) = (app, received);
        _metrics = Sdk.CreateMeterProviderBuilder().ConfigureResource(static r => r.AddService("test")).AddMeter("HaKit")
            .AddOtlpExporter((o, reader) =>
            {
                (o.Protocol, o.Endpoint) = (OtlpExportProtocol.HttpProtobuf, new Uri(address, "v1/metrics"));
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 3_600_000; // when flushed
            }).Build();
        _traces = Sdk.CreateTracerProviderBuilder().ConfigureResource(static r => r.AddService("test")).AddSource("HaKit")
            .AddOtlpExporter(o => (o.Protocol, o.Endpoint) = (OtlpExportProtocol.HttpProtobuf, new Uri(address, "v1/traces"))).Build();
    }

    /// <summary>Gets the received protocol buffers. Their strings are plain UTF-8.</summary>
    public ConcurrentQueue<(string Path, byte[] Body)> Received { get; }

    public static async Task<Collector> StartAsync()
    {
        var received = new ConcurrentQueue<(string, byte[])>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.Enqueue((context.Request.Path, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new Collector(app, new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), received);
    }

    public void Flush()
    {
        _metrics.ForceFlush().Should().BeTrue();
        _traces.ForceFlush().Should().BeTrue();
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        _traces.Dispose();
        await _app.DisposeAsync();
    }
}
