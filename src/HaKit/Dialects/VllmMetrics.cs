namespace HaKit.Dialects;

/// <summary>Where a vLLM server tells its load, in Prometheus text (<see href="https://docs.vllm.ai/en/latest/usage/metrics/"/>).</summary>
internal static class VllmMetrics
{
    public const string Path = "/metrics";

    /// <summary>How every name begins.</summary>
    public static ReadOnlySpan<byte> Prefix => "vllm:"u8;

    /// <summary>Requests that are worked on.</summary>
    public static ReadOnlySpan<byte> Running => "vllm:num_requests_running"u8;

    /// <summary>Requests that wait.</summary>
    public static ReadOnlySpan<byte> Waiting => "vllm:num_requests_waiting"u8;

    /// <summary>The share of the cache that is used, from 0 to 1.</summary>
    public static ReadOnlySpan<byte> CacheShare => "vllm:kv_cache_usage_perc"u8;

    /// <summary>As <see cref="CacheShare"/>, in older servers.</summary>
    public static ReadOnlySpan<byte> OlderCacheShare => "vllm:gpu_cache_usage_perc"u8;
}
