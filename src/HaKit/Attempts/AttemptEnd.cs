namespace HaKit.Attempts;

/// <summary>
/// The end of an attempt's task, which two threads race for: the one that completes the task, and the call that leaves it. Exactly one of them wins: the call
/// is woken, or the orphan cleans up. Used again by later attempts unless it was abandoned.
/// </summary>
internal sealed class AttemptEnd
{
    private const int Running = 0, Done = 1, Abandoned = 2;

    private readonly Action _onDone;
    private IOrphan? _orphan;
    private Action? _wake;
    private int _phase;

    public AttemptEnd() => _onDone = OnDone;

    public bool IsDone => Volatile.Read(ref _phase) == Done;

    public bool IsAbandoned => Volatile.Read(ref _phase) == Abandoned;

    /// <summary>The delegate to hang on the attempt's task; it wakes <paramref name="wake"/> unless the attempt was abandoned first.</summary>
    public Action WhenDone(Action wake)
    {
        _wake = wake;
        return _onDone;
    }

    /// <summary>Leaves a running attempt to itself; <paramref name="orphan"/> cleans up when it ends. False when it has ended already.</summary>
    public bool TryAbandon(IOrphan orphan)
    {
        _orphan = orphan;
        return Interlocked.CompareExchange(ref _phase, Abandoned, Running) == Running;
    }

    public void Reset()
    {
        _wake = null;
        _orphan = null;
        _phase = Running;
    }

    private void OnDone()
    {
        // Read before the phase changes: once it has, the lease may be put away and begun again by another call.
        var wake = _wake!;
        if (Interlocked.CompareExchange(ref _phase, Done, Running) == Running)
            wake();
        else
            _orphan!.Reap();
    }
}

/// <summary>Cleans up after an attempt that its call has left.</summary>
internal interface IOrphan
{
    void Reap();
}
