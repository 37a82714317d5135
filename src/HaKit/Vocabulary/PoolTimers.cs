namespace HaKit;

/// <summary>The one place where timers are made.</summary>
internal static class PoolTimers
{
    /// <summary>
    /// Makes a timer that is not armed yet. It does not capture the execution context: a timer outlives the call that happens to make it, and must not carry
    /// that call's user, culture or activity.
    /// </summary>
    /// <param name="time">The clock.</param>
    /// <param name="callback">Called with <paramref name="state"/> when the timer fires.</param>
    /// <param name="state">Handed to the callback.</param>
    public static ITimer NewTimer(this TimeProvider time, TimerCallback callback, object? state)
    {
        if (ExecutionContext.IsFlowSuppressed())
            return time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using (ExecutionContext.SuppressFlow())
            return time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
