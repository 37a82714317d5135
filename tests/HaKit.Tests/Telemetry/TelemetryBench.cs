using System.Diagnostics;
using System.Diagnostics.Metrics;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Telemetry;

/// <summary>Creates a pool in virtual time and collects its metrics, spans and log lines, but not the telemetry of other pools.</summary>
internal sealed class TelemetryBench : IAsyncDisposable
{
    private static int s_made;

    public TelemetryBench(int endpoints = 2, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolParts>? parts = null)
    {
        Name = $"pool{Interlocked.Increment(ref s_made)}";
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < endpoints; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"{(char)('a' + i)}", Address = $"https://{(char)('a' + i)}.test:8443/v1", Tier = i, Provider = "acme", Model = "m1" });
        configure?.Invoke(options);
        var meters = new Meters();
        Metrics = new MetricRecorder(i => ReferenceEquals(i.Meter, meters.Made));
        Spans = new SpanRecorder(Name);
        var all = new EndpointPoolParts { TimeProvider = Time, MeterFactory = meters, LoggerFactory = Logs.CreateFactory() };
        parts?.Invoke(all);
        Pool = new EndpointPool(Name, options, all);
    }

    public string Name { get; }

    public ManualTimeProvider Time { get; } = new();

    public EndpointPool Pool { get; }

    public MetricRecorder Metrics { get; }

    public SpanRecorder Spans { get; }

    public LogRecorder Logs { get; } = new();

    /// <summary>Gets or sets the behaviour of the endpoints. Null: they answer at once.</summary>
    public Dictionary<string, FaultKind> Down { get; } = [];

    /// <summary>Gets or sets the duration of each attempt.</summary>
    public TimeSpan Takes { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Makes one call, in virtual time.</summary>
    public Exception? Call(RequestProfile? profile = null) => Time.Run(async () =>
    {
        try
        {
            await Pool.ExecuteAsync(profile ?? RequestProfile.Default, this, static async (attempt, bench, token) =>
            {
                await Task.Delay(bench.Takes, bench.Time, token).ConfigureAwait(false);
                if (bench.Down.TryGetValue(attempt.Endpoint.Name, out var kind))
                    attempt.ReportFault(new Fault(kind) { StatusCode = kind == FaultKind.ServerError ? 500 : 0 });
                else
                    attempt.ReportUsage(12, 34);
                return 1;
            }).ConfigureAwait(false);
            return null;
        }
        catch (EndpointPoolException failure)
        {
            return (Exception)failure;
        }
    });

    public async ValueTask DisposeAsync()
    {
        Spans.Dispose();
        Metrics.Dispose();
        await Pool.DisposeAsync();
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter? Made { get; private set; }

        public Meter Create(MeterOptions options) => Made ??= new Meter(options);

        public void Dispose() => Made?.Dispose();
    }
}
