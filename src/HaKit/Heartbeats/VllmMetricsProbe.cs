using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>
/// Reads vLLM's <c>/metrics</c> (Prometheus text, <see href="https://docs.vllm.ai/en/latest/usage/metrics/"/>): how many requests run and wait, and
/// how full the cache is. Asked at every beat, because selection prefers the endpoint with less load. Thread-safe.
/// </summary>
public sealed class VllmMetricsProbe : IProbe
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Relative to the endpoint's host. Default <c>/metrics</c>.</summary>
    public string Path { get; init; } = "/metrics";

    /// <inheritdoc/>
    public ProbePace Pace => ProbePace.Always;

    /// <summary>Sends the request instead of the pool's own connections; not disposed of. Default null.</summary>
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

    /// <summary>The load in a page of metrics; null when it has none of vLLM's. Several engines behind one server add up, the fullest cache counts.</summary>
    internal static ReportedLoad? Read(ReadOnlySpan<byte> page)
    {
        double running = 0, waiting = 0, cache = 0;
        var found = false;
        foreach (var range in page.Split((byte)'\n'))
        {
            var line = page[range];
            if (!line.StartsWith("vllm:"u8) || PrometheusText.ValueOf(line) is not { } value)
                continue;
            line = line[5..];
            if (IsNamed(line, "num_requests_running"u8))
                running += value;
            else if (IsNamed(line, "num_requests_waiting"u8))
                waiting += value;
            else if (IsNamed(line, "kv_cache_usage_perc"u8) || IsNamed(line, "gpu_cache_usage_perc"u8))
                cache = Math.Max(cache, value);
            else
                continue;
            found = true;
        }
        return found ? new ReportedLoad(Whole(running), Whole(waiting), Math.Clamp(cache, 0, 1)) : null;
    }

    private static bool IsNamed(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.StartsWith(name) && line.Length > name.Length && line[name.Length] is (byte)'{' or (byte)' ';

    private static int Whole(double value) => (int)Math.Min(value, int.MaxValue);
}
