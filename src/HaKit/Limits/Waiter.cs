namespace HaKit.Limits;

/// <summary>
/// One call's place in a <see cref="WaitQueue"/>. It keeps the place while it waits, tries and waits again, until it leaves.
/// One wait at a time.
/// </summary>
internal sealed class Waiter(WaitQueue queue, int priority)
{
    // All but the constants are guarded by the queue's lock.
    internal Waiter? Previous;
    internal Waiter? Next;
    private Wait? _wait;
    private bool _released;

    public int Priority => priority;

    internal bool IsInside { get; private set; } = true;

    /// <summary>
    /// Waits until released, until <paramref name="dueIn"/> has passed (null: not by time), or until cancelled; says which, and never throws.
    /// The continuation runs on the thread that ended the wait.
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
    /// Gives up the place, as soon as it has what it waited for or gave up; later calls do nothing. A release that was kept for it goes to the next. So does one it was woken by
    /// but did not use, when <paramref name="passOn"/> says so.
    /// </summary>
    public void LeaveQueue(bool passOn = false) => queue.Remove(this, passOn);

    /// <summary>A wait to arm, or null when a release was kept.</summary>
    internal Wait? BeginWait()
    {
        if (_released)
        {
            _released = false;
            return null;
        }
        return _wait = new Wait();
    }

    /// <summary>Takes a release, if it has none: to be woken with soon when it waits, else kept.</summary>
    internal bool TryKeepRelease(Queue<Waiter> chosen)
    {
        if (_released)
            return false;
        _released = true;
        if (_wait is not null)
            chosen.Enqueue(this);
        return true;
    }

    /// <summary>The wait that its release ends now; null when there is none, and the release stays with it.</summary>
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
