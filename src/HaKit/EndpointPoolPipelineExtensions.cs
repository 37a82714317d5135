using System.Diagnostics.CodeAnalysis;
using HaKit.Failover;
using HaKit.Http;
using Microsoft.Extensions.DependencyInjection;
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
    /// <exception cref="ArgumentException">The pipeline's results are HTTP answers, whose failures this failover could not see: use <see cref="AddHaEndpointFailover(ResiliencePipelineBuilder{HttpResponseMessage}, EndpointPool)"/>.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public static TBuilder AddEndpointFailover<TBuilder>(this TBuilder builder, EndpointPool pool) where TBuilder : ResiliencePipelineBuilderBase
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(pool);
        if (builder is ResiliencePipelineBuilder<HttpResponseMessage>)
            throw new ArgumentException("This failover cannot judge an HttpResponseMessage: a 503 would count as served. Use AddHaEndpointFailover.", nameof(builder));
        return builder.AddStrategy(_ => new FailoverStrategy(pool.Engine), new EndpointFailoverOptions());
    }

    /// <summary>
    /// Adds the pool's failover to a pipeline of <c>AddResilienceHandler</c>: each attempt goes to the address, with the headers, the credential and the model of its
    /// endpoint, and answers are judged as <see cref="EndpointPoolHandler"/> judges them. Strategies before it see one call, strategies after it each attempt.
    /// </summary>
    /// <param name="builder">The pipeline. Its context carries the request, as that of a <c>ResilienceHandler</c> does.</param>
    /// <param name="pool">The pool to choose from.</param>
    /// <returns>The same builder.</returns>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The strategy's options have no annotated members to validate.")]
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddHaEndpointFailover(this ResiliencePipelineBuilder<HttpResponseMessage> builder, EndpointPool pool)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(pool);
        return builder.AddStrategy(_ => new HttpFailoverStrategy(pool), new EndpointFailoverOptions());
    }

    /// <summary>Adds the failover of a pool of the container, as in <c>AddResilienceHandler("x", (builder, context) => builder.AddHaEndpointFailover(context.ServiceProvider, "models"))</c>.</summary>
    /// <param name="builder">The pipeline.</param>
    /// <param name="services">The container that the pool was added to.</param>
    /// <param name="pool">The pool's name.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="InvalidOperationException">No pool of this name was added.</exception>
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddHaEndpointFailover(
        this ResiliencePipelineBuilder<HttpResponseMessage> builder, IServiceProvider services, string pool) =>
        builder.AddHaEndpointFailover(services.GetRequiredKeyedService<EndpointPool>(pool));

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
