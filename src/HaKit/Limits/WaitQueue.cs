using System.Diagnostics.CodeAnalysis;

namespace HaKit.Limits;

/// <summary>Holds the waiting calls of a pool, up to a capacity. They are served by priority (higher first), then by arrival. Thread-safe.</summary>
/// <remarks>
/// The lock covers only a few pointers and never a continuation. A continuation runs afterwards, on the thread that ended the wait: by a release, by the
/// timer, or by a cancellation. A wait takes at least milliseconds. The list is ordered by priority, and any waiter may leave it from the middle. Such a list
/// has no simple lock-free form.
/// </remarks>
internal sealed class WaitQueue(int capacity, TimeProvider time)
{
    [ThreadStatic]
    private static Queue<Waiter>? t_released;

    private readonly Lock _lock = new();
    private Waiter? _first;
    private Waiter? _last;
    private int _count;

    /// <summary>Gets the number of calls in the queue. They wait, or have just been released and try to start an attempt.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Gets the largest number of calls in the queue.</summary>
    public int Capacity => capacity;

    internal TimeProvider Time => time;

    /// <summary>
    /// Enters the queue. If the queue is full, the last call in it leaves the queue if its priority is lower. Without this rule, calls of low priority could fill
    /// the queue and lock out calls of high priority. A call in the queue must call <see cref="Waiter.LeaveQueue"/> when it no longer waits.
    /// </summary>
    /// <param name="priority">The priority of the call.</param>
    /// <param name="waiter">The call's position in the queue.</param>
    /// <returns>False if the queue is full and contains no call with a lower priority.</returns>
    public bool TryEnter(int priority, [NotNullWhen(true)] out Waiter? waiter)
    {
        waiter = null;
        if (Count >= capacity && !(Volatile.Read(ref _last)?.Priority < priority))
            return false;
        Wait? displaced = null;
        var passOn = false;
        lock (_lock)
        {
            if (_count >= capacity)
            {
                if (!(_last?.Priority < priority))
                    return false;
                displaced = RemoveWhileLocked(_last!, out passOn);
            }
            waiter = new Waiter(this, priority);
            Insert(waiter);
            _count++;
        }
        displaced?.Finish(WaitResult.Cancelled);
        if (passOn)
            Release(1);
        return true;
    }

    /// <summary>
    /// Releases up to <paramref name="count"/> waiters, in order, and returns their number. Waiters that still use an earlier release are left out. If a waiter
    /// is not waiting at this moment, the release is kept for its next wait, so that no release is lost.
    /// </summary>
    public int Release(int count)
    {
        if (Count == 0)
            return 0;
        var outermost = t_released is null;
        var released = t_released ??= new Queue<Waiter>();
        try
        {
            var chosen = 0;
            lock (_lock)
            {
                for (var waiter = _first; waiter is not null && chosen < count; waiter = waiter.Next)
                {
                    if (waiter.TryKeepRelease(released))
                        chosen++;
                }
            }
            // A continuation may release other waiters. The outermost release runs all of them, so that the stack stays flat and the order is kept. A
            // continuation may also take long, and the next released waiter then has to wait for it. In this time the timer or the caller can still end the wait of
            // that waiter. The release is then kept for the next wait of the same waiter.
            while (outermost && released.TryDequeue(out var waiter))
                Wake(waiter)?.Finish(WaitResult.Released);
            return chosen;
        }
        finally
        {
            if (outermost)
                t_released = null;
        }
    }

    private Wait? Wake(Waiter waiter)
    {
        lock (_lock)
            return waiter.ClaimReleasedWait();
    }

    internal Wait? BeginWait(Waiter waiter)
    {
        lock (_lock)
            return waiter.BeginWait();
    }

    internal void Remove(Waiter waiter, bool passOn)
    {
        Wait? unfinished = null;
        lock (_lock)
        {
            if (waiter.IsInside)
            {
                unfinished = RemoveWhileLocked(waiter, out var unused);
                passOn |= unused;
            }
        }
        unfinished?.Finish(WaitResult.Cancelled);
        if (passOn)
            Release(1);
    }

    private Wait? RemoveWhileLocked(Waiter waiter, out bool hasUnusedRelease)
    {
        (waiter.Previous is null ? ref _first : ref waiter.Previous.Next) = waiter.Next;
        (waiter.Next is null ? ref _last : ref waiter.Next.Previous) = waiter.Previous;
        _count--;
        return waiter.EndWait(out hasUnusedRelease);
    }

    private void Insert(Waiter waiter)
    {
        var before = _last;
        while (before is not null && before.Priority < waiter.Priority)
            before = before.Previous;
        waiter.Previous = before;
        waiter.Next = before is null ? _first : before.Next;
        (before is null ? ref _first : ref before.Next) = waiter;
        (waiter.Next is null ? ref _last : ref waiter.Next.Previous) = waiter;
    }
}
