using System.Diagnostics;
using HaKit.Attempts;
using Polly;

namespace HaKit.Failover;

/// <summary>Makes the attempts of a call and reads their results.</summary>
/// <typeparam name="TResult">The type of the call's result.</typeparam>
/// <typeparam name="TRaw">The type of the result of an attempt's task.</typeparam>
internal interface IAttemptRunner<TResult, TRaw>
{
    /// <summary>Begins an attempt. Does not throw.</summary>
    ValueTask<TRaw> Begin(Lease lease);

    /// <summary>Takes the result of an attempt that has ended, and makes sure that its lease is completed. Does not throw.</summary>
    Outcome<TResult> CompleteAttempt(ValueTask<TRaw> task, Lease lease, TimeSpan now);

    /// <summary>Takes the result of an attempt that its call has abandoned. The lease was completed at that time.</summary>
    Outcome<TResult> GetResult(ValueTask<TRaw> task);
}

/// <summary>Runs the callback directly, without a Polly pipeline and its context, for pools without strategies of the application.</summary>
internal readonly struct DirectRunner<TResult, TState>(
    EndpointGuard guard, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, TState state) : IAttemptRunner<TResult, TResult>
{
    public ValueTask<TResult> Begin(Lease lease) => lease.CallSpan is { IsAllDataRequested: true } span ? BeginTraced(span, lease) : Invoke(lease);

    public Outcome<TResult> CompleteAttempt(ValueTask<TResult> task, Lease lease, TimeSpan now)
    {
        var outcome = GetResult(task);
        guard.CompleteLease(lease, outcome.Exception, now);
        return outcome;
    }

    public Outcome<TResult> GetResult(ValueTask<TResult> task)
    {
        try
        {
            return Outcome.FromResult(task.GetAwaiter().GetResult());
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    private ValueTask<TResult> BeginTraced(Activity call, Lease lease)
    {
        var outside = Activity.Current;
        AttemptSpans.Begin(call, lease);
        var task = Invoke(lease);
        AttemptSpans.StepOut(lease, outside);
        return task;
    }

    private ValueTask<TResult> Invoke(Lease lease)
    {
        try
        {
            return callback(new EndpointAttempt(lease), state, lease.Token);
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return ValueTask.FromException<TResult>(exception);
        }
    }
}

/// <summary>
/// Runs an attempt through the endpoint's pipeline, and inside it through the strategies that follow failover. Each attempt has its own context with the
/// attempt's token.
/// </summary>
internal readonly struct PipelineRunner<TResult, TState>(
    Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) : IAttemptRunner<TResult, Outcome<TResult>>
{
    public ValueTask<Outcome<TResult>> Begin(Lease lease)
    {
        var attempt = ResilienceContextPool.Shared.Get(context.OperationKey, context.ContinueOnCapturedContext, lease.Token);
        attempt.Properties.Set(EndpointGuardStrategy.LeaseKey, lease);
        attempt.Properties.Set(EndpointGuardStrategy.CallContextKey, context);
        lease.Context = attempt;
        if (lease.CallSpan is not { IsAllDataRequested: true } span)
            return lease.State.Pipeline.ExecuteOutcomeAsync(callback, attempt, state);
        var outside = Activity.Current;
        AttemptSpans.Begin(span, lease);
        var task = lease.State.Pipeline.ExecuteOutcomeAsync(callback, attempt, state);
        AttemptSpans.StepOut(lease, outside);
        return task;
    }

    // EndpointGuardStrategy in the pipeline has already completed the lease.
    public Outcome<TResult> CompleteAttempt(ValueTask<Outcome<TResult>> task, Lease lease, TimeSpan now) => GetResult(task);

    public Outcome<TResult> GetResult(ValueTask<Outcome<TResult>> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // A pipeline may throw its exception instead of returning it as an outcome.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }
}

/// <summary>Handles the span of an attempt. Work that the callback starts belongs to this span. The code that started the attempt does not.</summary>
internal static class AttemptSpans
{
    public static void Begin(Activity call, Lease lease) => lease.Span = lease.State.Telemetry?.BeginSpan(call, lease.Number);

    /// <summary>Restores the span that was current before the attempt, also if the attempt has already ended and no span is current.</summary>
    public static void StepOut(Lease lease, Activity? outside)
    {
        if (lease.Span is not null)
            Activity.Current = outside;
    }
}
