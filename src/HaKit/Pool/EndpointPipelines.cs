using System.Diagnostics.CodeAnalysis;
using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Pool;

/// <summary>Builds the pool's Polly pipelines: one around each call, and one for each endpoint around its attempts.</summary>
internal sealed class EndpointPipelines(string pool, TimeProvider time, IFaultClassifier classifier, EndpointPoolParts parts, PoolTelemetry telemetry)
{
    /// <summary>
    /// The user's strategies, then failover: what is inside runs once for each attempt. Null where the application added nothing to any pipeline: then there is
    /// nothing to walk through.
    /// </summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public ResiliencePipeline? ForCalls(FailoverEngine engine)
    {
        if (parts is { ConfigurePipeline: null, ConfigureEndpointPipeline: null, PollyTelemetry: null })
            return null;
        var builder = new ResiliencePipelineBuilder { Name = pool, TimeProvider = time };
        parts.ConfigurePipeline?.Invoke(builder);
        PollyListener.Listen(builder, telemetry, parts.PollyTelemetry, parts.ConfigurePipeline is not null);
        builder.AddStrategy(_ => new FailoverStrategy(engine), new EndpointFailoverOptions());
        return builder.Build();
    }

    /// <summary>The guard, which completes the attempt's lease, then the user's strategies.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The guard's options have no annotated members to validate.")]
    public ResiliencePipeline ForAttempts(PoolEndpoint endpoint)
    {
        var builder = new ResiliencePipelineBuilder { Name = pool, InstanceName = endpoint.Name, TimeProvider = time };
        builder.AddStrategy(_ => new EndpointGuardStrategy(classifier, time), new EndpointGuardOptions());
        parts.ConfigureEndpointPipeline?.Invoke(builder, endpoint);
        PollyListener.Listen(builder, telemetry, parts.PollyTelemetry, parts.ConfigureEndpointPipeline is not null);
        return builder.Build();
    }
}
