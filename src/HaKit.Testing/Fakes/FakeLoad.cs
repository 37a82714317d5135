namespace HaKit.Testing;

/// <summary>
/// The load that a fake's <c>/metrics</c> reports, in addition to the number of requests in flight, which the fake counts itself. Thread-safe.
/// </summary>
public sealed class FakeLoad
{
    private int _waiting;
    private double _cacheUsage;

    /// <summary>Gets or sets the number of requests that wait in the model's queue (<c>vllm:num_requests_waiting</c>). Default 0.</summary>
    public int Waiting
    {
        get => Volatile.Read(ref _waiting);
        set => Volatile.Write(ref _waiting, value);
    }

    /// <summary>Gets or sets the share of the cache in use, 0 to 1 (<c>vllm:kv_cache_usage_perc</c>). Default 0.</summary>
    public double CacheUsage
    {
        get => Volatile.Read(ref _cacheUsage);
        set => Volatile.Write(ref _cacheUsage, value);
    }
}
