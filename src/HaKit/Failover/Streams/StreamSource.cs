namespace HaKit.Failover;

/// <summary>
/// Where the items of a stream come from, and whether a move of it is under way. Each source has one of its own, so that the late end of a move that
/// no caller waits for any more concerns that source and never the one that continues it.
/// </summary>
internal sealed class StreamSource<T>
{
    private const int Still = 0, Moving = 1, Moved = 2, Left = 3;

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

    /// <summary>Follows a move that is not over. False when the source has been left meanwhile.</summary>
    public bool TryFollow(ValueTask<bool> move)
    {
        if (Interlocked.CompareExchange(ref _phase, Moving, Still) != Still)
            return false;
        move.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_ended);
        return true;
    }

    /// <summary>The move that was followed is over, and what it came to may be taken. False when the source has been left meanwhile.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _phase, Still, Moved) == Moved;

    /// <summary>Leaves it to itself while it moves; it is disposed of when the move ends. False when it has moved after all.</summary>
    public bool TryLeaveMoving() => Interlocked.CompareExchange(ref _phase, Left, Moving) == Moving;

    /// <summary>Leaves it, whatever it does: disposes of it now, or when its move ends. Later calls do nothing.</summary>
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

    /// <summary>As <see cref="LeaveAsync"/>, for callers that do not need the outcome of disposing it.</summary>
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
            Discards.DisposeResult(Items); // no caller waits any more: it could not be disposed while it moved
    }
}
