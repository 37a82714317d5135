namespace HaKit.Testing.Wire;

/// <summary>Waits on an injected clock. A wait resumes on the thread that fires the timer or cancels the wait.</summary>
internal static class Waits
{
    public static Task DelayAsync(TimeProvider time, TimeSpan span, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        return span <= TimeSpan.Zero ? Task.CompletedTask : Wait(time, span, cancellationToken);
    }

    /// <summary>Waits until cancelled.</summary>
    public static Task ForEver(CancellationToken cancellationToken) =>
        Wait(TimeProvider.System, Timeout.InfiniteTimeSpan, cancellationToken);

    private static async Task Wait(TimeProvider time, TimeSpan span, CancellationToken cancellationToken)
    {
        var over = new TaskCompletionSource();
        using var timer = span == Timeout.InfiniteTimeSpan ? null : CreateTimer(time, over, span);
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), over);
        await over.Task.ConfigureAwait(false);
    }

    // The continuation of the waiter has its own execution context, so the timer does not capture one.
    private static ITimer CreateTimer(TimeProvider time, TaskCompletionSource over, TimeSpan span)
    {
        var suppressed = ExecutionContext.IsFlowSuppressed();
        if (!suppressed)
            ExecutionContext.SuppressFlow();
        try
        {
            return time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), over, span, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            if (!suppressed)
                ExecutionContext.RestoreFlow();
        }
    }
}
