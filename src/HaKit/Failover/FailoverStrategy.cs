using System.Diagnostics;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// The failover of a pool as a Polly strategy: within the deadline, choose an endpoint, attempt, and choose again. What is inside it runs once per
/// attempt, in the chosen endpoint's pipeline. A first attempt that succeeds synchronously allocates nothing; everything else is a <see cref="AttemptRace{TResult,TState}"/>.
/// </summary>
internal sealed class FailoverStrategy(FailoverEngine engine) : ResilienceStrategy
{
    /// <summary>The profile of a call made through a pipeline that is not the pool's own.</summary>
    public static readonly ResiliencePropertyKey<RequestProfile> ProfileKey = new("HaKit.Profile");

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (!context.Properties.TryGetValue(FailoverCall.Key, out var call))
            return OwnCallAsync(callback, context, state);
        if (context.CancellationToken.IsCancellationRequested)
            return new(Outcome.FromException<TResult>(new OperationCanceledException(context.CancellationToken)));
        var step = engine.Next(call, engine.Clock.Now);
        if (step.Kind != StepKind.Start)
            return new AttemptRace<TResult, TState>(engine, call, callback, context, state).RunAsync(step);
        var lease = step.Lease!;
        var task = Attempt(lease, callback, context, state);
        if (!task.IsCompletedSuccessfully)
            return new AttemptRace<TResult, TState>(engine, call, callback, context, state).RunAsync(lease, task);
        var outcome = task.Result;
        if (lease.Fault is not null)
            return new AttemptRace<TResult, TState>(engine, call, callback, context, state).RunAsync(lease, new(outcome));
        engine.Served(call, lease);
        return new(outcome);
    }

    // In a user's own pipeline the call begins and ends here.
    private async ValueTask<Outcome<TResult>> OwnCallAsync<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (typeof(TResult) == typeof(HttpResponseMessage))
        {
            return Outcome.FromException<TResult>(new InvalidOperationException(
                "This failover cannot judge an HttpResponseMessage: a 503 would count as served. Use AddHaEndpointFailover, which classifies answers and sends each attempt to its endpoint."));
        }

        var profile = context.Properties.GetValue(ProfileKey, RequestProfile.Default);
        var call = engine.Begin(profile, isStream: false, context.CancellationToken);
        context.Properties.Set(FailoverCall.Key, call);
        var ended = false;
        try
        {
            var outcome = await ExecuteCore(callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
            var (end, error) = engine.Judge(call, outcome.Exception);
            ended = true;
            engine.End(call, end, error);
            return outcome;
        }
        finally
        {
            context.Properties.Set(FailoverCall.Key, null!);
            if (!ended)
                engine.End(call, CallOutcome.Failed, nameof(FaultKind.Unknown));
        }
    }

    /// <summary>Runs the callback once in the pipeline of the lease's endpoint, in a context of its own that carries the attempt's token.</summary>
    internal static ValueTask<Outcome<TResult>> Attempt<TResult, TState>(
        Lease lease, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var attempt = ResilienceContextPool.Shared.Get(context.OperationKey, context.ContinueOnCapturedContext, lease.Token);
        attempt.Properties.Set(EndpointGuardStrategy.LeaseKey, lease);
        attempt.Properties.Set(EndpointGuardStrategy.CallContextKey, context);
        lease.Context = attempt;
        return lease.CallSpan is { IsAllDataRequested: true } span
            ? Followed(span, lease, callback, attempt, state)
            : lease.State.Pipeline.ExecuteOutcomeAsync(callback, attempt, state);
    }

    // What the callback starts is a part of the attempt; whoever started the attempt is not.
    private static ValueTask<Outcome<TResult>> Followed<TResult, TState>(
        Activity call, Lease lease, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext attempt, TState state)
    {
        var outside = Activity.Current;
        var span = lease.State.Telemetry?.Begin(call, lease.Number);
        lease.Span = span;
        var task = lease.State.Pipeline.ExecuteOutcomeAsync(callback, attempt, state);
        // Also when it has ended already: then nothing is current.
        if (span is not null)
            Activity.Current = outside;
        return task;
    }
}
