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
    /// True if the attempt's task was still running when the attempt was added to the race. Such an attempt has ended when the completion callback of its lease
    /// has run, and not as soon as its task is completed. Otherwise the lease could be reused while the callback is still to come.
    /// </summary>
    public bool IsUnderWay;

    public readonly bool HasEnded => !IsUnderWay || Lease!.IsAttemptDone;
}

/// <summary>Represents an attempt that its call has abandoned while it was running. Its result is disposed when it ends.</summary>
internal sealed class AbandonedAttempt<TResult, TRaw, TRunner>(TRunner runner, ValueTask<TRaw> task, Lease lease) : IAbandonedAttempt
    where TRunner : struct, IAttemptRunner<TResult, TRaw>
{
    public void DisposeResult()
    {
        Discards.DisposeResult(runner.GetResult(task));
        lease.GiveBackContext();
    }
}
