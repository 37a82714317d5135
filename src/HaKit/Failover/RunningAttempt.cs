using HaKit.Attempts;
using Polly;

namespace HaKit.Failover;

/// <summary>One attempt of a race, from its start until its outcome is taken.</summary>
/// <typeparam name="TRaw">What the attempt's task returns.</typeparam>
internal struct RunningAttempt<TRaw>
{
    public Lease? Lease;
    public ValueTask<TRaw> Task;

    /// <summary>It was under way when it was entered: it has ended when its lease was told so, not when the task looks completed,
    /// because the lease must not be put away while that news is still coming.</summary>
    public bool IsUnderWay;

    public readonly bool HasEnded => !IsUnderWay || Lease!.IsAttemptDone;
}

/// <summary>An attempt that its call has abandoned while it was running. Its result is disposed when it ends.</summary>
internal sealed class AbandonedAttempt<TResult, TRaw, TRunner>(TRunner runner, ValueTask<TRaw> task, Lease lease) : IAbandonedAttempt
    where TRunner : struct, IAttemptRunner<TResult, TRaw>
{
    public void DisposeResult()
    {
        Discards.DisposeResult(runner.GetResult(task));
        lease.GiveBackContext();
    }
}
