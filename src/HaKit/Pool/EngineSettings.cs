using HaKit.Failover;

namespace HaKit.Pool;

/// <summary>Selects from the options the settings that the failover engine reads.</summary>
internal static class EngineSettings
{
    public static FailoverSettings From(string pool, EndpointPoolOptions options) => new()
    {
        Pool = pool,
        Deadline = options.TotalRequestTimeout.Timeout,
        AttemptTimeout = options.AttemptTimeout?.Timeout,
        Retry = options.Retry,
        MaxWait = options.MaxWait,
        FirstContent = options.FirstContent,
        Streaming = options.Streaming,
        Hedging = options.Hedging,
        OnFault = options.OnFault,
    };
}
