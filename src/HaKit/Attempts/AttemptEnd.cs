namespace HaKit.Attempts;

/// <summary>
/// Decides a race between two threads at the end of an attempt's task: the thread that completes the task, and the thread of the call that abandons it. Exactly
/// one of them wins: either the call is woken, or the attempt cleans up. Later attempts reuse this object, unless its attempt was abandoned.
/// </summary>
internal sealed class AttemptEnd
{
    private const int Running = 0, Done = 1, Abandoned = 2;

    private readonly Action _onDone;
    private IAbandonedAttempt? _attempt;
    private Action? _wake;
    private int _phase;

    public AttemptEnd() => _onDone = OnDone;

    public bool IsDone => Volatile.Read(ref _phase) == Done;

    public bool IsAbandoned => Volatile.Read(ref _phase) == Abandoned;

    /// <summary>Gets the delegate to attach to the attempt's task. It calls <paramref name="wake"/> unless the attempt was abandoned first.</summary>
    public Action WhenDone(Action wake)
    {
        _wake = wake;
        return _onDone;
    }

    /// <summary>Abandons a running attempt; <paramref name="attempt"/> cleans up when it ends. False if the attempt has already ended.</summary>
    public bool TryAbandon(IAbandonedAttempt attempt)
    {
        _attempt = attempt;
        return Interlocked.CompareExchange(ref _phase, Abandoned, Running) == Running;
    }

    public void Reset()
    {
        _wake = null;
        _attempt = null;
        _phase = Running;
    }

    private void OnDone()
    {
        // This must be read before the phase changes: after the change, the lease may be put away and used by another call.
        var wake = _wake!;
        if (Interlocked.CompareExchange(ref _phase, Done, Running) == Running)
            wake();
        else
            _attempt!.DisposeResult();
    }
}

/// <summary>Cleans up after an attempt that its call has abandoned.</summary>
internal interface IAbandonedAttempt
{
    void DisposeResult();
}
