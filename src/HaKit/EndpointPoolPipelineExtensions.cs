using System.Diagnostics.CodeAnalysis;
using HaKit.Failover;
using Polly;

namespace HaKit;

/// <summary>HaKit's strategies in a Polly pipeline of your own.</summary>
public static class EndpointPoolPipelineExtensions
{
    /// <summary>
    /// Adds the pool's failover: what is inside it runs once per attempt, and learns its endpoint from <see cref="GetEndpointAttempt"/>.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of builder.</typeparam>
    /// <param name="builder">The pipeline.</param>
    /// <param name="pool">The pool to choose from.</param>
    /// <exception cref="ArgumentException">The pipeline's results are HTTP answers, whose failures this failover could not see: use <see cref="EndpointPoolHttpExtensions.AddHaEndpointFailover(ResiliencePipelineBuilder{HttpResponseMessage}, EndpointPool)"/>.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public static TBuilder AddEndpointFailover<TBuilder>(this TBuilder builder, EndpointPool pool) where TBuilder : ResiliencePipelineBuilderBase
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(pool);
        if (builder is ResiliencePipelineBuilder<HttpResponseMessage>)
            throw new ArgumentException("This failover cannot judge an HttpResponseMessage: a 503 would count as served. Use AddHaEndpointFailover.", nameof(builder));
        return builder.AddStrategy(_ => new FailoverStrategy(pool.Engine), new EndpointFailoverOptions());
    }

    /// <summary>The attempt that the current callback makes.</summary>
    /// <param name="context">The context that the callback was given.</param>
    /// <exception cref="InvalidOperationException">The callback does not run inside a pool's failover.</exception>
    public static EndpointAttempt GetEndpointAttempt(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(EndpointGuardStrategy.LeaseKey, out var lease)
            ? new EndpointAttempt(lease)
            : throw new InvalidOperationException("There is no attempt here: add the pool's failover to the pipeline with AddEndpointFailover.");
    }

    /// <summary>The context of the whole call, which attempts do not share because each has a token of its own.</summary>
    /// <param name="context">The context of an attempt, or of the call.</param>
    public static ResilienceContext GetCallContext(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.GetValue(EndpointGuardStrategy.CallContextKey, context);
    }

    /// <summary>Says what is known of the request, before a pipeline of your own runs it.</summary>
    /// <param name="context">The context of the call.</param>
    /// <param name="profile">What is known.</param>
    public static void SetRequestProfile(this ResilienceContext context, RequestProfile profile)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(profile);
        context.Properties.Set(FailoverStrategy.ProfileKey, profile);
    }
}
