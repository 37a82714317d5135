namespace HaKit.Failover.Waiting;

/// <summary>
/// Lists the calls that have no endpoint now: the calls in the queue, and the call that makes the trial of an outage. The list is used only for the status,
/// which shows how long the calls have waited and when the first of them ends. Thread-safe; only calls that wait take its lock.
/// </summary>
internal sealed class WaitingCalls
{
    private readonly Lock _lock = new();
    private readonly HashSet<FailoverCall> _calls = [];

    /// <summary>Records that the call begins to wait, or continues to wait after a trial.</summary>
    /// <param name="call">The call.</param>
    /// <param name="until">The time at which the call fails if no endpoint has served it. <see cref="TimeSpan.MaxValue"/>: never.</param>
    public void Add(FailoverCall call, TimeSpan until)
    {
        lock (_lock)
        {
            call.GivesUpAt = until;
            call.IsWaiting = true;
            _calls.Add(call);
        }
    }

    /// <summary>Records that the call has an endpoint or has ended. Calls that did not wait take no lock.</summary>
    public void Remove(FailoverCall call)
    {
        if (!call.IsWaiting)
            return;
        lock (_lock)
        {
            call.IsWaiting = false;
            _calls.Remove(call);
        }
    }

    /// <summary>Reads the number of waiting calls, when the oldest of them began, and when the first of them ends without an answer.</summary>
    public WaitingSummary Read()
    {
        lock (_lock)
        {
            var (oldest, first) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
            foreach (var call in _calls)
            {
                oldest = call.Started < oldest ? call.Started : oldest;
                first = call.GivesUpAt < first ? call.GivesUpAt : first;
            }

            return new(_calls.Count, _calls.Count == 0 ? null : oldest, first == TimeSpan.MaxValue ? null : first);
        }
    }
}

/// <summary>Describes the waiting calls. Times are on the pool's clock.</summary>
/// <param name="Count">The number of waiting calls.</param>
/// <param name="OldestBegan">The time at which the oldest waiting call began. Null if no call waits.</param>
/// <param name="FirstGivesUp">The earliest time at which a waiting call ends without an answer. Null if no waiting call has a limit.</param>
internal readonly record struct WaitingSummary(int Count, TimeSpan? OldestBegan, TimeSpan? FirstGivesUp);
