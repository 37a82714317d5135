using HaKit.Attempts;
using HaKit.Failover;
using Polly;

namespace HaKit.Http;

/// <summary>
/// Runs a pool's failover in a pipeline of HTTP responses. It does the same as <see cref="EndpointPoolHandler"/>, but sends attempts to the rest of the
/// pipeline instead of the next handler.
/// </summary>
internal sealed class HttpFailoverStrategy(EndpointPool pool) : ResilienceStrategy<HttpResponseMessage>
{
    protected override async ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
    {
        if (context.GetRequestMessage() is not { } request)
            return Outcome.FromException<HttpResponseMessage>(new InvalidOperationException("The context has no request: AddHaEndpointFailover belongs into a pipeline of AddResilienceHandler."));
        if (context.Properties.TryGetValue(FailoverStrategy.ProfileKey, out var profile))
            request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
        try
        {
            // The strategy cannot detect directly whether the caller is synchronous.
            var call = context.ContinueOnCapturedContext ? SendAsync(request, context.CancellationToken) : SynchronousSend.BeginOutsideContext(SendAsync, request, context.CancellationToken);
            return Outcome.FromResult(await call.ConfigureAwait(context.ContinueOnCapturedContext));
        }
#pragma warning disable CA1031 // Polly wants every exception as an outcome.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<HttpResponseMessage>(exception);
        }

        Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken token) => HttpCall.RunAsync(pool, InsideAsync, message, token, mayContinue: false);

        // Attempts may run at the same time, each with its own token, so each gets its own context.
        async Task<HttpResponseMessage> InsideAsync(HttpRequestMessage message, EndpointAttempt attempt, CancellationToken token)
        {
            var inside = ResilienceContextPool.Shared.Get(context.OperationKey, context.ContinueOnCapturedContext, token);
            try
            {
                inside.Properties.Set(EndpointGuardStrategy.LeaseKey, attempt.Lease);
                inside.Properties.Set(EndpointGuardStrategy.CallContextKey, context);
                inside.SetRequestMessage(message);
                var outcome = await callback(inside, state).ConfigureAwait(context.ContinueOnCapturedContext);
                outcome.ThrowIfException();
                return outcome.Result!;
            }
            finally
            {
                message.SetResilienceContext(null); // the inner handler has set it
                ResilienceContextPool.Shared.Return(inside);
            }
        }
    }
}
