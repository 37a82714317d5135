using HaKit.Attempts;

namespace HaKit.Failover;

/// <summary>
/// Holds the source of a stream's items, and whether a read of the next item is in progress. A continuation has its own source, so that a read of the old
/// source that ends late cannot affect the new source.
/// </summary>
internal sealed class StreamSource<T>
{
    private const int Still = 0, Moving = 1, Moved = 2, Left = 3;

    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(1);

    private readonly AsyncSignal _signal;
    private readonly Action _ended;
    private int _phase;

    public StreamSource(IAsyncEnumerator<T> items, AsyncSignal signal)
    {
        Items = items;
        _signal = signal;
        _ended = OnMoveEnded;
    }

    public IAsyncEnumerator<T> Items { get; }

    public bool HasMoved => Volatile.Read(ref _phase) == Moved;

    public bool IsLeft => Volatile.Read(ref _phase) == Left;

    /// <summary>Starts to follow a read that is in progress. False if the source has been left in the meantime.</summary>
    public bool TryFollow(ValueTask<bool> move)
    {
        if (Interlocked.CompareExchange(ref _phase, Moving, Still) != Still)
            return false;
        move.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_ended);
        return true;
    }

    /// <summary>Takes the result of the followed read, which has ended. False if the source has been left in the meantime.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _phase, Still, Moved) == Moved;

    /// <summary>Leaves the source during a read; it is disposed when the read ends. False if the read has ended.</summary>
    public bool TryLeaveMoving() => Interlocked.CompareExchange(ref _phase, Left, Moving) == Moving;

    /// <summary>Leaves the source in any state: it is disposed now, or when its read ends. Later calls do nothing.</summary>
    public ValueTask LeaveAsync()
    {
        switch (Interlocked.Exchange(ref _phase, Left))
        {
            case Left:
                return default;
            case Moving:
                _signal.Set();
                return default;
            default:
                return Items.DisposeAsync();
        }
    }

    /// <summary>
    /// Leaves the source after a cut, and waits a short time until it is closed. If closing takes longer, the method no longer waits, because the cut must be
    /// reported to the caller.
    /// </summary>
    /// <param name="clock">The pool's clock.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="earlier">The earlier sources that must still be closed.</param>
    /// <returns>The exception from closing the source, and the closing that is still in progress.</returns>
    public async ValueTask<(Exception? Failure, ValueTask Leaving)> CloseAsync(PoolClock clock, TimeSpan now, ValueTask earlier)
    {
        try
        {
            var leaving = LeaveAsync().Preserve();
            if (!leaving.IsCompleted)
            {
                earlier = leaving;
                var until = now + LongestClose;
                leaving.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_signal.Setter);
                while (!leaving.IsCompleted && now < until)
                {
                    _signal.Arm(until, now);
                    await _signal.WaitAsync().ConfigureAwait(false);
                    now = clock.Now;
                }
                if (!leaving.IsCompleted)
                    return (null, earlier);
            }
            await leaving.ConfigureAwait(false);
            return (null, earlier);
        }
#pragma warning disable CA1031 // The exception is reported with the cut.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return (exception, earlier);
        }
    }

    /// <summary>Does the same as <see cref="LeaveAsync"/>, for callers that do not need the outcome of the disposal.</summary>
    public void LeaveSource()
    {
        if (Interlocked.Exchange(ref _phase, Left) is Still or Moved)
            Discards.DisposeResult(Items);
    }

    private void OnMoveEnded()
    {
        if (Interlocked.CompareExchange(ref _phase, Moved, Moving) == Moving)
            _signal.Set();
        else
            Discards.DisposeResult(Items); // no caller waits for the read any more; the source could not be disposed before, because a read was in progress
    }
}

/// <summary>Contains the code that is the same for sources of every type.</summary>
internal static class StreamSource
{
    /// <summary>
    /// Waits until the source of a cut stream is closed. The caller already gets the exception of the cut, which an exception from closing must not replace.
    /// </summary>
    public static async ValueTask CloseAfterCutAsync(ValueTask left, ValueTask leaving)
    {
        try
        {
            await left.ConfigureAwait(false);
            await leaving.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // An exception while a source is closed after a cut has no effect.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
