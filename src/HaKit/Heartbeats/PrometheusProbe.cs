using System.Text;
using HaKit.Attempts;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>
/// Reads one metric off a server's Prometheus page and compares it with a threshold: load, memory, error rate, whatever the server tells. At the threshold or above
/// it the beat is a miss, and <see cref="HeartbeatOptions"/> says after how many misses in a row the endpoint is ejected. Below it the share of the threshold that
/// is used counts as the endpoint's load, so that the choice prefers an endpoint with room. A page without the metric is a miss; a metric that is NaN says nothing.
/// Asked at every beat. Thread-safe.
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

    /// <summary>Reads the given metric.</summary>
    /// <param name="metric">Its name as the page has it.</param>
    /// <param name="threshold">What is too much, in the metric's own unit; above 0.</param>
    public PrometheusProbe(string metric, double threshold)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(metric);
        if (!(threshold > 0) || double.IsInfinity(threshold))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "A finite number above 0 is needed.");
        (_metric, _threshold) = (Encoding.UTF8.GetBytes(metric), threshold);
    }

    /// <summary>The page, relative to the endpoint's host. Default <c>/metrics</c>.</summary>
    public string Path { get; init; } = "/metrics";

    /// <summary>Only series that have all of these labels. Default none: every series of the metric.</summary>
    public IDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether several series add up. Default false: the highest decides.</summary>
    public bool Sum { get; init; }

    /// <summary>Sends the request instead of the pool's own connections; not disposed of. Default null.</summary>
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
            double.NaN => new ProbeResult(), // a share of nothing, such as the error rate of an idle server
            { } value when value >= _threshold => new ProbeResult(new Fault(FaultKind.ServerError)),
            { } value => new ProbeResult { Load = new ReportedLoad(0, 0, Math.Max(0, value / _threshold)) },
        };
    }

    /// <summary>The metric's value on a page; NaN when no series of it has a number; null when it is not there.</summary>
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
