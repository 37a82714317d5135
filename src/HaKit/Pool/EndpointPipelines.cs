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
    /// Builds the pipeline around a call: the application's strategies, then failover. The strategies inside failover run once for each attempt. Null if the
    /// application added no strategy to any pipeline; calls then run without a pipeline.
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

    /// <summary>
    /// Builds the pipeline of an endpoint: <see cref="EndpointGuardStrategy"/>, which completes the attempt's lease, then the application's strategies.
    /// </summary>
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
