using HaKit.Faults;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// Runs the failover of a pool as a Polly strategy: within the deadline it chooses an endpoint, makes an attempt, and chooses again. The strategies and the
/// callback inside it run once per attempt, in the pipeline of the chosen endpoint.
/// </summary>
internal sealed class FailoverStrategy(FailoverEngine engine) : ResilienceStrategy
{
    /// <summary>The key for the profile of a call through a pipeline of the application, in the properties of the call's context.</summary>
    public static readonly ResiliencePropertyKey<RequestProfile> ProfileKey = new("HaKit.Profile");

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (!context.Properties.TryGetValue(FailoverCall.Key, out var call))
            return OwnCallAsync(callback, context, state);
        var runner = new PipelineRunner<TResult, TState>(callback, context, state);
        return new AttemptRace<TResult, Outcome<TResult>, PipelineRunner<TResult, TState>>(engine, call, runner, context.CancellationToken).RunAsync(engine.Clock.Now);
    }

    // If the strategy is in a pipeline of the application, the call begins and ends in this method.
    private async ValueTask<Outcome<TResult>> OwnCallAsync<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (typeof(TResult) == typeof(HttpResponseMessage))
        {
            return Outcome.FromException<TResult>(new InvalidOperationException(
                "This failover cannot judge an HttpResponseMessage: a 503 would count as served. Use AddHaEndpointFailover, which classifies answers and sends each attempt to its endpoint."));
        }

        var profile = context.Properties.GetValue(ProfileKey, RequestProfile.Default);
        var call = engine.BeginCall(profile, isStream: false, engine.Clock.Now, context.CancellationToken);
        context.Properties.Set(FailoverCall.Key, call);
        var ended = false;
        try
        {
            var outcome = await ExecuteCore(callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
            var (end, error) = engine.Outcomes.FindOutcome(call, outcome.Exception);
            ended = true;
            engine.EndCall(call, end, error);
            return outcome;
        }
        finally
        {
            context.Properties.Set(FailoverCall.Key, null!);
            if (!ended)
                engine.EndCall(call, CallOutcome.Failed, nameof(FaultKind.Unknown));
        }
    }
}
