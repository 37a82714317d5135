using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>
/// Reads vLLM's <c>/metrics</c> (Prometheus text, <see href="https://docs.vllm.ai/en/latest/usage/metrics/"/>): the number of running requests, the number of
/// waiting requests, and the used share of the cache. The probe runs at every heartbeat, because selection prefers the endpoint with less load. Thread-safe.
/// </summary>
public sealed class VllmMetricsProbe : IProbe
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Gets the path, relative to the endpoint's host. Default <c>/metrics</c>.</summary>
    public string Path { get; init; } = VllmMetrics.Path;

    /// <inheritdoc/>
    public ProbePace Pace => ProbePace.Always;

    /// <summary>Gets the sender of the request. The probe does not dispose it. Default null: the pool's own connections.</summary>
    public HttpMessageInvoker? Http { get; init; }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var request = new HttpRequestMessage(HttpMethod.Get, ProbeHttp.OnHost(context.Endpoint, Path));
        var answer = await ProbeHttp.SendAsync(context, Http, request, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (answer.Fault is { } fault)
            return new ProbeResult(fault);
        return Read(answer.Body.Span) is { } load
            ? new ProbeResult { Load = load }
            : new ProbeResult(new Fault(FaultKind.BrokenBody) { StatusCode = answer.Status });
    }

    /// <summary>
    /// Gets the load from a page of metrics. Null if the page has no metrics of vLLM. If one server has several engines, their requests are added and the
    /// fullest cache counts.
    /// </summary>
    internal static ReportedLoad? Read(ReadOnlySpan<byte> page)
    {
        double running = 0, waiting = 0, cache = 0;
        var found = false;
        foreach (var range in page.Split((byte)'\n'))
        {
            var line = page[range];
            if (!line.StartsWith(VllmMetrics.Prefix) || PrometheusText.ValueOf(line) is not { } value)
                continue;
            if (PrometheusText.IsOf(line, VllmMetrics.Running, []))
                running += value;
            else if (PrometheusText.IsOf(line, VllmMetrics.Waiting, []))
                waiting += value;
            else if (PrometheusText.IsOf(line, VllmMetrics.CacheShare, []) || PrometheusText.IsOf(line, VllmMetrics.OlderCacheShare, []))
                cache = Math.Max(cache, value);
            else
                continue;
            found = true;
        }
        return found ? new ReportedLoad(ToCount(running), ToCount(waiting), Math.Clamp(cache, 0, 1)) : null;
    }

    private static int ToCount(double value) => (int)Math.Clamp(value, 0, ReportedLoad.MaxCount);
}
