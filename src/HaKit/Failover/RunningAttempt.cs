using HaKit.Attempts;
using Polly;

namespace HaKit.Failover;

/// <summary>Holds one attempt of a race, from its start until its outcome is taken.</summary>
/// <typeparam name="TRaw">The type of the result of the attempt's task.</typeparam>
internal struct RunningAttempt<TRaw>
{
    public Lease? Lease;
    public ValueTask<TRaw> Task;

    /// <summary>
    /// True if the attempt's task was still running when the attempt was added to the race. Such an attempt ends only when the completion callback of its lease
    /// has run, which is after its task has completed. If it ended with its task, the lease could be reused before the callback runs.
    /// </summary>
    public bool IsUnderWay;

    public readonly bool HasEnded => !IsUnderWay || Lease!.IsAttemptDone;
}

/// <summary>Represents an attempt that its call has abandoned while it was running. Its result is disposed when it ends.</summary>
/// <param name="runner">Takes the result.</param>
/// <param name="task">The task of the attempt.</param>
/// <param name="lease">The lease.</param>
/// <param name="won">The result that the caller has got. Null: none, or not yet.</param>
internal sealed class AbandonedAttempt<TResult, TRaw, TRunner>(TRunner runner, ValueTask<TRaw> task, Lease lease, object? won) : IAbandonedAttempt
    where TRunner : struct, IAttemptRunner<TResult, TRaw>
{
    private readonly object? _client = lease.State.Endpoint.Client; // the lease may be reused when the attempt ends

    public void DisposeResult()
    {
        Discards.DisposeLost(runner.GetResult(task), won, _client);
        lease.GiveBackContext();
    }
}
