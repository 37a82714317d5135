using System.Text.RegularExpressions;
using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Peers;
using HaKit.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using Polly;
using Polly.Retry;

namespace HaKit.Hosting.Tests;

/// <summary>Holds one series of a scrape.</summary>
public sealed record Series(string Metric, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// Runs an application with OpenTelemetry's Prometheus exporter. Its pool has had everything that the dashboard shows: served calls, slow calls that are
/// hedged, an answer that is cut and continued, an ejection, retries, and an outage with calls that wait and calls that are lost. In virtual time.
/// </summary>
public sealed partial class DrilledApp : IAsyncLifetime
{
    public const string Pool = "drilled";

    private readonly ManualTimeProvider _time = new();
    private WebApplication _app = null!;
    private OtlpReceiver _collector = null!;
    private Func<EndpointAttempt, Exception?> _failure = static _ => null;
    private TimeSpan _slow = TimeSpan.Zero;

    /// <summary>Gets the page of the Prometheus exporter.</summary>
    public IReadOnlyList<Series> Scraped { get; private set; } = [];

    /// <summary>Gets the data that an OTLP collector has received, under the names that the collector's Prometheus exporter uses.</summary>
    public IReadOnlyList<Series> Collected { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        _collector = await OtlpReceiver.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("HaKit")
            .AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0)
            .AddOtlpExporter((exporter, reader) =>
            {
                (exporter.Protocol, exporter.Endpoint) = (OtlpExportProtocol.HttpProtobuf, _collector.Address);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 3_600_000; // only when flushed
            }));
        var pool = builder.Services.AddHaEndpointPool(Pool, options =>
        {
            options.Seed = 1;
            options.Hedging.Enabled = true;
            options.Hedging.MaxShare = 0.5;
            options.Objective = new ObjectiveOptions();
            options.Streaming.Continuation = StreamContinuation.On;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20);
            foreach (var name in (string[])["a", "b"])
                options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"https://{name}.test/v1", Provider = "openai", Model = "m", Limits = new() { MaxConcurrency = 4 }, Continuation = Continuation.AssistantPrefix });
        }).AddProbe(_ => new DelegateProbe((_, _) => new ValueTask<ProbeResult>(new ProbeResult(_failure(default) is null ? null : new Fault(FaultKind.ServerError)))))
          .ConfigureEndpointPipeline((pipeline, _) => pipeline.AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 1, Delay = TimeSpan.Zero, ShouldHandle = new PredicateBuilder().Handle<FormatException>() }));
        pool.ConfigureParts(static (_, parts) => parts.PeerLink = static _ => new Link());
        _app = builder.Build();
        _app.MapPrometheusScrapingEndpoint();
        await _app.StartAsync();
        Drill();
        _app.Services.GetRequiredService<MeterProvider>().ForceFlush(); // false, because the reader behind the scraping page cannot be flushed
        Collected = _collector.Series();
        using var http = _app.GetTestClient();
        var page = await http.GetStringAsync("/metrics");
        Scraped = [.. Line().Matches(page).Select(m => new Series(
            m.Groups[1].Value,
            Label().Matches(m.Groups[2].Value).ToDictionary(l => l.Groups[1].Value, l => l.Groups[2].Value, StringComparer.Ordinal),
            double.Parse(m.Groups[3].Value, System.Globalization.CultureInfo.InvariantCulture)))];
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _collector.DisposeAsync();
    }

    private void Drill()
    {
        Call(40);
        Stream();
        CutStream();
        _slow = TimeSpan.FromSeconds(10); // endpoint a, which is hedged
        Call(4);
        _slow = TimeSpan.Zero;
        _failure = static attempt => attempt.Number == 1 ? new FormatException("repeated by the application's own strategy") : null;
        Call(2);
        _failure = static _ => new HttpRequestException(HttpRequestError.ConnectionError, "refused");
        Call(3);
        _time.Advance(TimeSpan.FromSeconds(30));
        _failure = static _ => null;
        _time.Advance(TimeSpan.FromSeconds(30));
        Call(5);
    }

    private void Stream() => _time.Run(async () =>
    {
        var stream = await _app.Services.GetRequiredService<EndpointPool>().StreamAsync(0, static (_, _, _) => new ValueTask<IAsyncEnumerable<int>>(Items()), new Contents()).ConfigureAwait(false);
        await foreach (var _ in stream)
        {
        }
    });

    // Another endpoint sends the rest.
    private void CutStream() => _time.Run(async () =>
    {
        var pool = _app.Services.GetRequiredService<EndpointPool>();
        var stream = await pool.StreamAsync(RequestProfile.Default, 0, static (_, _, _) => new ValueTask<IAsyncEnumerable<int>>(CutItems()), new Contents(), async (cut, token) =>
            await pool.ContinueAsync(RequestProfile.Default, cut, new AnswerSoFar(1, null), 0, static (_, _, _) => new ValueTask<IAsyncEnumerable<int>>(Items()), new Contents(), token)).ConfigureAwait(false);
        await foreach (var _ in stream)
        {
        }
    });

    private static async IAsyncEnumerable<int> CutItems()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return 1;
        throw new HttpIOException(HttpRequestError.ResponseEnded);
    }

    private static async IAsyncEnumerable<int> Items()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return 1;
        yield return 2;
    }

    private void Call(int times)
    {
        var pool = _app.Services.GetRequiredService<EndpointPool>();
        for (var i = 0; i < times; i++)
        {
            _time.Run(async () =>
            {
                try
                {
                    await pool.ExecuteAsync(this, static async (attempt, self, token) =>
                    {
                        var takes = attempt.Endpoint.Name == "a" && self._slow > TimeSpan.Zero ? self._slow : TimeSpan.FromSeconds(0.2);
                        await Task.Delay(takes, self._time, token).ConfigureAwait(false);
                        attempt.ReportUsage(10, 20, 4);
                        return self._failure(attempt) is { } exception ? throw exception : 1;
                    }).ConfigureAwait(false);
                }
                catch (EndpointPoolException)
                {
                }
                return 0;
            }, TimeSpan.FromMinutes(5));
        }
    }

    /// <summary>A link to other replicas, of which there are none.</summary>
    private sealed class Link : IPeerLink
    {
        public PeerLinkStatus Status { get; } = new() { IsConnected = true, Age = TimeSpan.Zero, Lag = TimeSpan.FromMilliseconds(1) };

        public void Start(Action<PeerNews> listener) => listener(new PeerNews([], IsComplete: true));

        public void Publish(IReadOnlyList<PeerFact> facts)
        {
        }

        public ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken) => new(TimeSpan.FromSeconds(30));

        public void Dispose()
        {
        }
    }

    private sealed class Contents : StreamItemReader<int>
    {
        public override StreamSignal Read(int item) => item == 2 ? StreamSignal.End : StreamSignal.Content;
    }

    [GeneratedRegex(@"^(hakit[a-z0-9_]*)\{([^}]*)\} (\S+)", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("([a-z_]+)=\"([^\"]*)\"")]
    private static partial Regex Label();
}
