namespace HaKit;

/// <summary>Creates all timers of the library.</summary>
internal static class PoolTimers
{
    /// <summary>
    /// Creates a timer that is not started. The timer does not capture the execution context. The timer outlives the call that creates it, and must not keep
    /// the user, culture or activity of that call.
    /// </summary>
    /// <param name="time">The clock.</param>
    /// <param name="callback">Called with <paramref name="state"/> when the timer fires.</param>
    /// <param name="state">The state for the callback.</param>
    public static ITimer NewTimer(this TimeProvider time, TimerCallback callback, object? state)
    {
        if (ExecutionContext.IsFlowSuppressed())
            return time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using (ExecutionContext.SuppressFlow())
            return time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
