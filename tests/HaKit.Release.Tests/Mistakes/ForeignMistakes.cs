using static HaKit.Release.Tests.Mistakes.NewcomerApplication;

namespace HaKit.Release.Tests.Mistakes;

/// <summary>Names of settings in other libraries and gateways: LiteLLM, YARP, Polly, the SDKs. The message names HaKit's setting for the same purpose.</summary>
internal static class ForeignMistakes
{
    public static IEnumerable<Mistake> All { get; } =
    [
        new("the key in snake case", () => WithEndpointAsync("\"api_key\": \"planted\""), "api_key", "chat:Endpoints:0", "Did you mean 'Credential'?"),
        new("the base in snake case", () => WithEndpointAsync("\"api_base\": \"http://127.0.0.1:9/v1\""), "api_base", "chat:Endpoints:0", "Did you mean 'Address'?"),
        new("a setting of HaKit in snake case", () => WithSettingAsync("\"circuit_breaker\": { \"FailuresToEject\": 3 }"), "circuit_breaker", "chat:circuit_breaker", "Did you mean 'CircuitBreaker'?"),
        new("a setting of HaKit in kebab case", () => WithEndpointAsync("\"health-path\": \"/health\""), "health-path", "chat:Endpoints:0", "Did you mean 'HealthPath'?"),
        new("a list of models", () => WithPoolAsync($$"""{ "model_list": [ {{Good}} ] }"""), "model_list", "chat:model_list", "Did you mean 'Endpoints'?"),
        new("the destinations of a proxy", () => WithPoolAsync("""{ "Destinations": { "first": { "Address": "http://127.0.0.1:9/v1" } } }"""), "Destinations", "chat:Destinations", "Did you mean 'Endpoints'?"),
        new("the strategy of a gateway's router", () => WithSettingAsync("\"routing_strategy\": \"least-busy\""), "routing_strategy", "chat:routing_strategy", "'Selection:Preset'"),
        new("the policy of a proxy's balancer", () => WithSettingAsync("\"LoadBalancingPolicy\": \"RoundRobin\""), "LoadBalancingPolicy", "chat:LoadBalancingPolicy", "'Selection:Preset'"),
        new("the number of retries of a gateway", () => WithSettingAsync("\"num_retries\": 2"), "num_retries", "chat:num_retries", "'Retry:MaxRetryAttempts'"),
        new("the allowed fails of a gateway", () => WithSettingAsync("\"allowed_fails\": 3"), "allowed_fails", "chat:allowed_fails", "'CircuitBreaker:FailuresToEject'"),
        new("the cooldown of a gateway", () => WithSettingAsync("\"cooldown_time\": 30"), "cooldown_time", "chat:cooldown_time", "'CircuitBreaker:BreakDuration'"),
        new("the threshold of an older circuit breaker", () => WithSettingAsync("\"CircuitBreaker\": { \"ExceptionsAllowedBeforeBreaking\": 5 }"), "ExceptionsAllowedBeforeBreaking", "chat:CircuitBreaker", "Did you mean 'FailuresToEject'?"),
        new("the delay of another library's backoff", () => WithSettingAsync("\"Retry\": { \"InitialDelay\": \"00:00:01\" }"), "InitialDelay", "chat:Retry", "Did you mean 'Delay'?"),
        new("a time in seconds by its name", () => WithSettingAsync("\"TotalRequestTimeout\": { \"TimeoutSeconds\": 30 }"), "TimeoutSeconds", "chat:TotalRequestTimeout", "Did you mean 'Timeout'?"),
        new("the timeout of a request", () => WithSettingAsync("\"request_timeout\": 30"), "request_timeout", "chat:request_timeout", "Did you mean 'TotalRequestTimeout'?"),
        new("the path of a health check", () => WithEndpointAsync("\"HealthCheckPath\": \"/health\""), "HealthCheckPath", "chat:Endpoints:0", "Did you mean 'HealthPath'?"),
        new("the parallel requests of a gateway", () => WithEndpointAsync("\"Limits\": { \"max_parallel_requests\": 5 }"), "max_parallel_requests", "chat:Endpoints:0:Limits", "Did you mean 'MaxConcurrency'?"),
        new("the cost of a token", () => WithEndpointAsync("\"input_cost_per_token\": 0.000001"), "input_cost_per_token", "chat:Endpoints:0", "Did you mean 'InputTokenPrice'?"),
        new("the type of an API", () => WithEndpointAsync("\"ApiType\": \"azure\""), "ApiType", "chat:Endpoints:0", "Did you mean 'Dialect'?"),
        new("the version of an API", () => WithEndpointAsync("\"ApiVersion\": \"2024-10-21\""), "ApiVersion", "chat:Endpoints:0", "?api-version="),
        new("the organization of an account", () => WithEndpointAsync("\"Organization\": \"org-1\""), "Organization", "chat:Endpoints:0", "\"OpenAI-Organization\""),
        new("a connection string by its name", () => WithEndpointAsync("\"ConnectionString\": \"Endpoint=https://a.example;Key=planted\""), "ConnectionString", "chat:Endpoints:0", "its key as Credential"),
        new("fallbacks of an endpoint", () => WithEndpointAsync("\"fallbacks\": [ \"b\" ]"), "fallbacks", "chat:Endpoints:0", "higher Tier"),
        new("the affinity of a proxy", () => WithSettingAsync("\"SessionAffinity\": { \"Enabled\": true }"), "SessionAffinity", "chat:SessionAffinity", "AffinityKey"),
    ];
}
