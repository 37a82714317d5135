using HaKit.Attempts;
using HaKit.Faults;
using Polly;

namespace HaKit.Failover;

/// <summary>
/// Runs <see cref="EndpointGuard"/> as the outermost strategy of an endpoint's pipeline, for attempts that run through Polly. Has no state; the lease is in the
/// attempt's context.
/// </summary>
internal sealed class EndpointGuardStrategy(IFaultClassifier classifier, TimeProvider time) : ResilienceStrategy
{
    public static readonly ResiliencePropertyKey<Lease> LeaseKey = new("HaKit.Lease");
    public static readonly ResiliencePropertyKey<ResilienceContext> CallContextKey = new("HaKit.CallContext");

    private readonly EndpointGuard _guard = new(classifier, time);

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (!context.Properties.TryGetValue(LeaseKey, out var lease))
            throw new InvalidOperationException("The endpoint guard belongs inside the failover strategy, which gives it a lease.");
        ValueTask<Outcome<TResult>> task;
        try
        {
            task = callback(context, state);
        }
#pragma warning disable CA1031 // A callback that throws before it has returned a task has failed like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _guard.CompleteLease(lease, exception, lease.Clock.Now);
            return new(Outcome.FromException<TResult>(exception));
        }
        if (!task.IsCompletedSuccessfully)
            return AwaitAsync(task, lease);
        var outcome = task.Result;
        _guard.CompleteLease(lease, outcome.Exception, lease.Clock.Now);
        return new(outcome);
    }

    private async ValueTask<Outcome<TResult>> AwaitAsync<TResult>(ValueTask<Outcome<TResult>> task, Lease lease)
    {
        Outcome<TResult> outcome;
        try
        {
            outcome = await task.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A strategy of the user's that throws is evidence like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            outcome = Outcome.FromException<TResult>(exception);
        }
        _guard.CompleteLease(lease, outcome.Exception, lease.Clock.Now);
        return outcome;
    }
}
