using Polly;

namespace HaKit.Tool.Rehearsals;

/// <summary>A resilience strategy inside each endpoint's pipeline that records every attempt in the ledger.</summary>
internal sealed class AttemptRecorder(Ledger ledger, string endpoint) : ResilienceStrategy
{
    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        var attempt = ledger.BeginAttempt(endpoint);
        var outcome = await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        if (outcome.Result is HttpResponseMessage response)
            ledger.EndAttempt(attempt, AttemptOutcome.Answered, (int)response.StatusCode);
        else
            ledger.EndAttempt(attempt, IsRefusal(outcome.Exception) ? AttemptOutcome.Refused : AttemptOutcome.Broken, status: 0);
        return outcome;
    }

    private static bool IsRefusal(Exception? exception) => exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError };
}

internal sealed class AttemptRecorderOptions : ResilienceStrategyOptions
{
    public AttemptRecorderOptions() => Name = "AttemptRecorder";
}
