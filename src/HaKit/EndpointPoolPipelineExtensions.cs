using System.Diagnostics.CodeAnalysis;
using HaKit.Failover;
using Polly;

namespace HaKit;

/// <summary>Adds HaKit's strategies to your own Polly pipeline.</summary>
public static class EndpointPoolPipelineExtensions
{
    /// <summary>
    /// Adds the pool's failover to the pipeline. Strategies after it and the callback run once per attempt; <see cref="GetEndpointAttempt"/> gets their
    /// endpoint.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The pipeline.</param>
    /// <param name="pool">The pool to choose from.</param>
    /// <exception cref="ArgumentException">The results of the pipeline are HTTP responses, and this failover cannot see their failures. Use <see cref="EndpointPoolHttpExtensions.AddHaEndpointFailover(ResiliencePipelineBuilder{HttpResponseMessage}, EndpointPool)"/>.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public static TBuilder AddEndpointFailover<TBuilder>(this TBuilder builder, EndpointPool pool) where TBuilder : ResiliencePipelineBuilderBase
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(pool);
        if (builder is ResiliencePipelineBuilder<HttpResponseMessage>)
            throw new ArgumentException("This failover cannot judge an HttpResponseMessage: a 503 would count as served. Use AddHaEndpointFailover.", nameof(builder));
        return builder.AddStrategy(_ => new FailoverStrategy(pool.Engine), new EndpointFailoverOptions());
    }

    /// <summary>Gets the attempt that the current callback makes.</summary>
    /// <param name="context">The context that the callback received.</param>
    /// <exception cref="InvalidOperationException">The callback does not run inside a pool's failover.</exception>
    public static EndpointAttempt GetEndpointAttempt(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(EndpointGuardStrategy.LeaseKey, out var lease)
            ? new EndpointAttempt(lease)
            : throw new InvalidOperationException("This context does not belong to an attempt. Add the pool's failover to the pipeline with AddEndpointFailover, and call GetEndpointAttempt in the callback or in a strategy after the failover, with the context that they receive.");
    }

    /// <summary>Gets the context of the whole call. Each attempt has a context of its own, because each attempt has its own cancellation token.</summary>
    /// <param name="context">The context of an attempt, or of the call.</param>
    public static ResilienceContext GetCallContext(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.GetValue(EndpointGuardStrategy.CallContextKey, context);
    }

    /// <summary>Sets the profile of the request. Call it before your own pipeline executes the request.</summary>
    /// <param name="context">The context of the call.</param>
    /// <param name="profile">The profile.</param>
    public static void SetRequestProfile(this ResilienceContext context, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(context);
        RequestProfile.ThrowIfNull(profile);
        context.Properties.Set(FailoverStrategy.ProfileKey, profile);
    }
}
