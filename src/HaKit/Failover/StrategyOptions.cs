using Polly;

namespace HaKit.Failover;

internal sealed class EndpointFailoverOptions : ResilienceStrategyOptions
{
    public EndpointFailoverOptions() => Name = "EndpointFailover";
}

internal sealed class EndpointGuardOptions : ResilienceStrategyOptions
{
    public EndpointGuardOptions() => Name = "EndpointGuard";
}
