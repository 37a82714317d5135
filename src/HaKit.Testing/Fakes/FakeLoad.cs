namespace HaKit.Testing;

/// <summary>The load that a fake's <c>/metrics</c> claims, beside what it counts itself. May be set at any time, on any thread.</summary>
public sealed class FakeLoad
{
    private int _waiting;
    private double _cacheUsage;

    /// <summary>Requests waiting in the model's queue (<c>vllm:num_requests_waiting</c>); default 0.</summary>
    public int Waiting
    {
        get => Volatile.Read(ref _waiting);
        set => Volatile.Write(ref _waiting, value);
    }

    /// <summary>Share of the cache in use, 0 to 1 (<c>vllm:kv_cache_usage_perc</c>); default 0.</summary>
    public double CacheUsage
    {
        get => Volatile.Read(ref _cacheUsage);
        set => Volatile.Write(ref _cacheUsage, value);
    }
}
