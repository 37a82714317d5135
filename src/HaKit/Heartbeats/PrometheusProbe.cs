using System.Globalization;
using System.Text;
using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>
/// Reads one metric from a server's Prometheus page and compares its value with a threshold, for example load, memory or error rate. At the threshold or above,
/// the heartbeat is a miss; <see cref="Health.HealthOptions.MissesToEject"/> misses in a row eject the endpoint. Below the threshold, the heartbeat succeeds,
/// and <see cref="ReportedLoad.CacheUsage"/> in the endpoint's status is the value divided by the threshold. This number does not change which endpoint a call
/// uses. A page without the metric is a miss. With a value of NaN the heartbeat succeeds and reports no load. The probe runs at every heartbeat. Thread-safe.
/// </summary>
/// <example><code>
/// services.AddHaEndpointPool("models", section)
///     .AddProbe("gpu1", new PrometheusProbe("DCGM_FI_DEV_FB_USED_RATIO", threshold: 0.97) { Labels = { ["gpu"] = "0" } });
/// </code></example>
public sealed class PrometheusProbe : IProbe
{
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly byte[] _metric;
    private readonly double _threshold;
    private byte[][]? _labels;

    /// <summary>Creates a probe that reads the given metric.</summary>
    /// <param name="metric">The metric's name as it is on the page.</param>
    /// <param name="threshold">The value from which the heartbeat counts as missed, in the metric's own unit; above 0.</param>
    public PrometheusProbe(string metric, double threshold)
    {
        GivenName.ThrowIfBlank(metric, nameof(metric), nameof(PrometheusProbe), "a metric", "vllm:num_requests_waiting");
        if (!(threshold > 0) || double.IsInfinity(threshold))
            throw new ArgumentOutOfRangeException(nameof(threshold), string.Create(CultureInfo.InvariantCulture, $"PrometheusProbe of the metric '{metric}': the threshold is {threshold}, and a finite number above 0 is needed."));
        (_metric, _threshold) = (Encoding.UTF8.GetBytes(metric), threshold);
    }

    /// <summary>Gets the path of the page, relative to the endpoint's host. Default <c>/metrics</c>.</summary>
    public string Path { get; init; } = "/metrics";

    /// <summary>Gets the labels that a series must have. A series counts only if it has all of them. Default none: every series of the metric counts.</summary>
    public IDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets whether the values of several series are added. Default false: the highest value decides.</summary>
    public bool Sum { get; init; }

    /// <summary>Gets the sender of the request. The probe does not dispose it. Default null: the pool's own connections.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <inheritdoc/>
    public ProbePace Pace => ProbePace.Always;

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var request = new HttpRequestMessage(HttpMethod.Get, ProbeHttp.OnHost(context.Endpoint, Path));
        var answer = await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (answer.Fault is { } fault)
            return new ProbeResult(fault);
        return Read(answer.Body.Span) switch
        {
            null => new ProbeResult(new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status }),
            double.NaN => new ProbeResult(), // a ratio without a base, such as the error rate of an idle server
            { } value when value >= _threshold => new ProbeResult(new Fault(FaultKind.ServerError)),
            { } value => new ProbeResult { Load = new ReportedLoad(0, 0, Math.Max(0, value / _threshold)) },
        };
    }

    /// <summary>Gets the metric's value on a page. NaN if no series of it has a number; null if the metric is missing.</summary>
    internal double? Read(ReadOnlySpan<byte> page)
    {
        var labels = _labels ??= [.. Labels.Select(l => Encoding.UTF8.GetBytes($"{l.Key}=\"{Escape(l.Value)}\""))];
        double? found = null;
        foreach (var range in page.Split((byte)'\n'))
        {
            var line = page[range];
            if (PrometheusText.IsOf(line, _metric, labels) && PrometheusText.NumberOf(line) is { } value)
                found = found is null or double.NaN ? value : WithNext(found.Value, value);
        }
        return found;
    }

    private double WithNext(double found, double next)
    {
        if (double.IsNaN(next))
            return found;
        return Sum ? found + next : Math.Max(found, next);
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
