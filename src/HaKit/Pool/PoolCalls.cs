using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Telemetry;
using Polly;

namespace HaKit.Pool;

/// <summary>
/// Runs calls through the pool's pipeline: begins the call in the engine, runs it, and ends it with its outcome. A plain call that succeeds synchronously
/// allocates nothing. Thread-safe.
/// </summary>
internal sealed class PoolCalls(FailoverEngine engine, ResiliencePipeline pipeline, PoolObjective objective, IPoolRecorder? recorder)
{
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        RequestProfile profile, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken)
    {
        var (context, call) = Begin(profile, isStream: false, cancellationToken);
        ValueTask<Outcome<TResult>> task;
        try
        {
            task = pipeline.ExecuteOutcomeAsync(static (context, s) => InvokeAsync(context, s.state, s.callback), context, (state, callback));
        }
        catch (Exception thrown)
        {
            End(context, call, thrown); // a strategy or selector of the user's threw
            throw;
        }
        if (!task.IsCompletedSuccessfully)
        {
            if (call.Span is { } span)
                Spans.StepOut(span);
            return AwaitAsync(task, context, call);
        }
        var outcome = task.Result;
        End(context, call, outcome.Exception);
        return outcome.Exception is { } exception ? ValueTask.FromException<TResult>(exception) : new(outcome.Result!);
    }

    public async ValueTask<Served<TResult>> ExecuteWithDetailAsync<TState, TResult>(
        RequestProfile profile, bool isStream, TState state, Func<EndpointAttempt, TState, CancellationToken, ValueTask<TResult>> callback, CancellationToken cancellationToken)
    {
        var (context, call) = Begin(profile, isStream, cancellationToken);
        Outcome<TResult> outcome;
        try
        {
            outcome = await pipeline.ExecuteOutcomeAsync(static (context, s) => InvokeAsync(context, s.state, s.callback), context, (state, callback)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(context, call, exception);
            throw;
        }
        var detail = outcome.Exception is null ? call.Detail(engine.Clock.Now) : null;
        End(context, call, outcome.Exception);
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

    private (ResilienceContext Context, FailoverCall Call) Begin(RequestProfile profile, bool isStream, CancellationToken cancellationToken)
    {
        var call = engine.Begin(profile, isStream, cancellationToken);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(FailoverCall.Key, call);
        return (context, call);
    }

    private void End(ResilienceContext context, FailoverCall call, Exception? failure)
    {
        var (outcome, error) = engine.Judge(call, failure);
        if (outcome is CallOutcome.Served or CallOutcome.Failed)
            objective.RecordCall(call.IsServed ? call.ServedAt : engine.Clock.Now, outcome == CallOutcome.Served);
        recorder?.RecordCall(call, outcome, error, call.IsServed ? call.ServedAt : engine.Clock.Now);
        ResilienceContextPool.Shared.Return(context);
        engine.End(call, outcome, error);
    }

    private async ValueTask<TResult> AwaitAsync<TResult>(ValueTask<Outcome<TResult>> task, ResilienceContext context, FailoverCall call)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await task.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(context, call, exception);
            throw;
        }
        End(context, call, outcome.Exception);
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
