using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Pool;

/// <summary>
/// Runs calls: begins the call in the engine, runs it, and ends it with its outcome. If the application added custom strategies, the call runs through the
/// pool's pipeline. Otherwise the attempt race runs the callback itself, and a call without any failure allocates nothing. Thread-safe.
/// </summary>
/// <param name="engine">Decides what each call does next.</param>
/// <param name="pipeline">The pool's pipeline. Null if the application added no strategy to the pool or its endpoints.</param>
/// <param name="objective">Records how calls ended.</param>
/// <param name="recorder">Records the calls. Null: nothing is recorded.</param>
/// <param name="responses">Classifies HTTP responses that callbacks return.</param>
internal sealed class PoolCalls(FailoverEngine engine, ResiliencePipeline? pipeline, PoolObjective objective, IPoolRecorder? recorder, ResponseJudge responses)
{
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        RequestProfile profile, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken)
    {
        callback = responses.Around(callback);
        var now = engine.Clock.Now;
        var call = engine.BeginCall(profile, isStream: false, now, cancellationToken);
        ValueTask<Outcome<TResult>> task;
        try
        {
            task = RunAsync(call, state, callback, now);
        }
        catch (Exception thrown)
        {
            End(call, thrown); // a custom strategy or selector threw an exception
            throw;
        }
        if (!task.IsCompletedSuccessfully)
        {
            if (call.Span is { } span)
                Spans.StepOut(span);
            return AwaitAsync(task, call);
        }
        var outcome = task.Result;
        End(call, outcome.Exception);
        return outcome.Exception is { } exception ? ValueTask.FromException<TResult>(exception) : new(outcome.Result!);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Served<TResult>> ExecuteWithDetailAsync<TState, TResult>(
        RequestProfile profile, bool isStream, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken,
        EarlierTries? earlier = null)
    {
        var now = engine.Clock.Now;
        var call = engine.BeginCall(profile, isStream, now, cancellationToken, earlier);
        Outcome<TResult> outcome;
        try
        {
            outcome = await RunAsync(call, state, callback, now).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(call, exception);
            throw;
        }
        var detail = outcome.Exception is null ? call.Detail(call.IsServed ? call.ServedAt : engine.Clock.Now) : null;
        End(call, outcome.Exception);
        outcome.ThrowIfException();
        return new Served<TResult>(outcome.Result!, detail!);
    }

    public async ValueTask<StreamedAnswer<T>> StreamAsync<TState, T>(
        RequestProfile profile,
        TState state,
        Func<EndpointAttempt, TState, CancellationToken, ValueTask<IAsyncEnumerable<T>>> open,
        StreamItemReader<T> reader,
        Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>>? continueWith,
        CancellationToken cancellationToken)
    {
        var (stream, detail) = await ExecuteWithDetailAsync(
            profile,
            isStream: true,
            new StreamOpening<TState, T>(engine, state, open, reader, cancellationToken),
            static (attempt, opening, token) => opening.OpenAsync(attempt, token),
            cancellationToken).ConfigureAwait(false);
        stream.Detail = detail;
        stream.ContinueWith(continueWith);
        return stream;
    }

    private ValueTask<Outcome<TResult>> RunAsync<TState, TResult>(
        FailoverCall call, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, TimeSpan now)
    {
        if (pipeline is not null)
            return RunThroughPipelineAsync(pipeline, call, state, callback);
        var runner = new DirectRunner<TResult, TState>(engine.Guard, callback, state);
        return new AttemptRace<TResult, TResult, DirectRunner<TResult, TState>>(engine, call, runner, call.CallerToken).RunAsync(now);
    }

    private static async ValueTask<Outcome<TResult>> RunThroughPipelineAsync<TState, TResult>(
        ResiliencePipeline pipeline, FailoverCall call, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        var context = ResilienceContextPool.Shared.Get(call.CallerToken);
        context.Properties.Set(FailoverCall.Key, call);
        try
        {
            return await pipeline.ExecuteOutcomeAsync(static (context, s) => InvokeAsync(context, s.state, s.callback), context, (state, callback)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private void End(FailoverCall call, Exception? failure)
    {
        var (outcome, error) = engine.Outcomes.FindOutcome(call, failure);
        // The rest of a cut answer is not counted, because its call was already counted as served.
        if ((outcome is CallOutcome.Served or CallOutcome.Failed) && !call.Profile.IsContinuation)
            objective.RecordCall(call.IsServed ? call.ServedAt : engine.Clock.Now, outcome == CallOutcome.Served);
        recorder?.RecordCall(call, outcome, error, call.IsServed ? call.ServedAt : engine.Clock.Now);
        engine.EndCall(call, outcome, error);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TResult> AwaitAsync<TResult>(ValueTask<Outcome<TResult>> task, FailoverCall call)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await task.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(call, exception);
            throw;
        }
        End(call, outcome.Exception);
        outcome.ThrowIfException();
        return outcome.Result!;
    }

    private static ValueTask<Outcome<TResult>> InvokeAsync<TState, TResult>(
        ResilienceContext context, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback)
    {
        try
        {
            var lease = context.Properties.GetValue(EndpointGuardStrategy.LeaseKey, null!);
            lease.Declared = null;
            var task = callback(new EndpointAttempt(lease), state, context.CancellationToken);
            return task.IsCompletedSuccessfully ? Outcome.FromResultAsValueTask(task.Result) : AwaitCallbackAsync(task);
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
    }

    private static async ValueTask<Outcome<TResult>> AwaitCallbackAsync<TResult>(ValueTask<TResult> task)
    {
        try
        {
            return Outcome.FromResult(await task.ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Every exception is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<TResult>(exception);
        }
    }
}
