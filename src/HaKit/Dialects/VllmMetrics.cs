namespace HaKit.Dialects;

/// <summary>
/// Names the metrics in which a vLLM server reports its load, in Prometheus text (<see href="https://docs.vllm.ai/en/latest/usage/metrics/"/>).
/// </summary>
internal static class VllmMetrics
{
    public const string Path = "/metrics";

    /// <summary>Gets the prefix of every name.</summary>
    public static ReadOnlySpan<byte> Prefix => "vllm:"u8;

    /// <summary>Gets the metric for requests that are being served.</summary>
    public static ReadOnlySpan<byte> Running => "vllm:num_requests_running"u8;

    /// <summary>Gets the metric for requests that wait.</summary>
    public static ReadOnlySpan<byte> Waiting => "vllm:num_requests_waiting"u8;

    /// <summary>Gets the metric for the used share of the cache, from 0 to 1.</summary>
    public static ReadOnlySpan<byte> CacheShare => "vllm:kv_cache_usage_perc"u8;

    /// <summary>Gets the name of <see cref="CacheShare"/> in older servers.</summary>
    public static ReadOnlySpan<byte> OlderCacheShare => "vllm:gpu_cache_usage_perc"u8;
}
