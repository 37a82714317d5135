namespace HaKit.Limits;

/// <summary>
/// Represents one call in a <see cref="WaitQueue"/>. The call keeps its position while it waits, tries to start an attempt, and waits again, until it leaves
/// the queue. One wait at a time.
/// </summary>
internal sealed class Waiter(WaitQueue queue, int priority)
{
    // All fields except constants are guarded by the queue's lock.
    internal Waiter? Previous;
    internal Waiter? Next;
    private Wait? _wait;
    private bool _released;

    public int Priority => priority;

    /// <summary>Gets whether the call is in the queue. It leaves by <see cref="LeaveQueue"/>, or if a call with a higher priority needs its place.</summary>
    internal bool IsInside { get; private set; } = true;

    /// <summary>
    /// Waits until it is released, until <paramref name="dueIn"/> has passed (null: no time limit), or until it is cancelled. Returns the reason why the wait
    /// ended (<see cref="WaitResult.Cancelled"/> if the call has left the queue), and never throws. The continuation runs on the thread that ended the wait.
    /// </summary>
    public ValueTask<WaitResult> WaitAsync(TimeSpan? dueIn, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested || !IsInside)
            return new(WaitResult.Cancelled);
        if (dueIn <= TimeSpan.Zero)
            return new(WaitResult.Due);
        if (queue.BeginWait(this) is not { } wait)
            return new(WaitResult.Released);
        wait.Arm(queue.Time, dueIn, cancellationToken);
        return new(wait.Task);
    }

    /// <summary>
    /// Leaves the queue, because the call has an attempt or has ended. A release that was kept for this waiter goes to the next waiter. If <paramref
    /// name="passOn"/> is true, a release that woke this waiter but was not used also goes to the next waiter, even if this waiter has already left the queue.
    /// </summary>
    public void LeaveQueue(bool passOn = false) => queue.Remove(this, passOn);

    /// <summary>Starts a wait. Null if a release was kept, or if the call has just left the queue: it must then examine the pool once more.</summary>
    internal Wait? BeginWait()
    {
        if (_released || !IsInside)
        {
            _released = false;
            return null;
        }
        return _wait = new Wait();
    }

    /// <summary>Takes a release, if the waiter has none. If the call waits, it is woken soon; otherwise the release is kept for its next wait.</summary>
    internal bool TryKeepRelease(Queue<Waiter> chosen)
    {
        if (_released)
            return false;
        _released = true;
        if (_wait is not null)
            chosen.Enqueue(this);
        return true;
    }

    /// <summary>Gets the wait that the release ends now. Null if there is none; the release then stays with the waiter.</summary>
    internal Wait? ClaimReleasedWait()
    {
        if (!_released || _wait is not { } wait || !wait.TryClaim())
            return null;
        _released = false;
        _wait = null;
        return wait;
    }

    internal Wait? EndWait(out bool unused)
    {
        IsInside = false;
        unused = _released;
        return _wait is { } wait && wait.TryClaim() ? wait : null;
    }
}
