using System.Diagnostics;
using HaKit.Attempts;
using Polly;

namespace HaKit.Failover;

/// <summary>How the attempts of a call are made, and what each came to.</summary>
/// <typeparam name="TResult">What a call returns.</typeparam>
/// <typeparam name="TRaw">What an attempt's task returns.</typeparam>
internal interface IAttemptRunner<TResult, TRaw>
{
    /// <summary>Begins an attempt. Does not throw.</summary>
    ValueTask<TRaw> Begin(Lease lease);

    /// <summary>Takes the result of an attempt that has ended, and sees to it that its lease is completed. Does not throw.</summary>
    Outcome<TResult> Harvest(ValueTask<TRaw> task, Lease lease, TimeSpan now);

    /// <summary>Takes the result of an attempt that its call has left; its lease was completed then.</summary>
    Outcome<TResult> TakeResult(ValueTask<TRaw> task);
}

/// <summary>Runs the callback itself: for pools to which the application added no strategies of its own. Without a pipeline there is no context either.</summary>
internal readonly struct DirectRunner<TResult, TState>(
    EndpointGuard guard, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, TState state) : IAttemptRunner<TResult, TResult>
{
    public ValueTask<TResult> Begin(Lease lease) => lease.CallSpan is { IsAllDataRequested: true } span ? BeginTraced(span, lease) : Invoke(lease);

    public Outcome<TResult> Harvest(ValueTask<TResult> task, Lease lease, TimeSpan now)
    {
        var outcome = TakeResult(task);
        guard.CompleteLease(lease, outcome.Exception, now);
        return outcome;
    }

    public Outcome<TResult> TakeResult(ValueTask<TResult> task)
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

/// <summary>Runs what is inside the failover strategy in the endpoint's pipeline, each attempt in a context of its own that carries the attempt's token.</summary>
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

    // The guard in the pipeline has completed the lease.
    public Outcome<TResult> Harvest(ValueTask<Outcome<TResult>> task, Lease lease, TimeSpan now) => TakeResult(task);

    public Outcome<TResult> TakeResult(ValueTask<Outcome<TResult>> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // A pipeline that throws instead of returning an outcome failed like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }
}

/// <summary>The span of an attempt: what the callback starts is a part of it; the code that started the attempt is not.</summary>
internal static class AttemptSpans
{
    public static void Begin(Activity call, Lease lease) => lease.Span = lease.State.Telemetry?.Begin(call, lease.Number);

    /// <summary>Makes current again what was current outside, also when the attempt has ended already: then nothing is current.</summary>
    public static void StepOut(Lease lease, Activity? outside)
    {
        if (lease.Span is not null)
            Activity.Current = outside;
    }
}
