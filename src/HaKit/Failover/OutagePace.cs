namespace HaKit.Failover;

/// <summary>
/// How an outage is asked whether it is over: one call at a time holds the right to ask, and its trials are 100 ms apart growing to 250 ms for the
/// first 10 s, then to 1 s. Lock-free; one per pool.
/// </summary>
internal sealed class OutagePace
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EarlyPart = TimeSpan.FromSeconds(10);

    // One trial in this time costs nothing of the budget: it stands in for a heartbeat that would really generate.
    private static readonly TimeSpan FreeEvery = TimeSpan.FromSeconds(10);
    private const long NoOutage = -1;

    // A trial that is silent for this long does not keep others from asking elsewhere.
    private static readonly TimeSpan Lapse = TimeSpan.FromSeconds(2);
    private const long NoTrial = -1;

    private long _since = NoOutage;
    private long _next;
    private long _lastFree = long.MinValue / 2;
    private long _trialSince = NoTrial;
    private int _claimed;
    private int _turn;

    /// <summary>When the next trial may begin; in the past if it may begin at once.</summary>
    public TimeSpan NextTrialAt => new(Volatile.Read(ref _next));

    /// <summary>Takes the one right to ask. It ends with <see cref="Asked"/> or <see cref="Resign"/>, or lapses when its trial stays silent.</summary>
    public bool TryClaim(TimeSpan now)
    {
        if (Interlocked.CompareExchange(ref _claimed, 1, 0) == 0)
            return true;
        var since = Volatile.Read(ref _trialSince);
        return since != NoTrial && now.Ticks - since > Lapse.Ticks && Interlocked.CompareExchange(ref _trialSince, NoTrial, since) == since;
    }

    public void Resign() => Volatile.Write(ref _claimed, 0);

    /// <summary>May this trial be made without paying for it?</summary>
    public bool TryFree(TimeSpan now)
    {
        var last = Volatile.Read(ref _lastFree);
        return now.Ticks - last >= FreeEvery.Ticks && Interlocked.CompareExchange(ref _lastFree, now.Ticks, last) == last;
    }

    /// <summary>A trial has begun.</summary>
    public void Began(TimeSpan now)
    {
        Interlocked.CompareExchange(ref _since, now.Ticks, NoOutage);
        Volatile.Write(ref _trialSince, now.Ticks);
    }

    /// <summary>The trial has ended; the right to ask is free again.</summary>
    public void Asked(TimeSpan now)
    {
        Volatile.Write(ref _trialSince, NoTrial);
        var since = Volatile.Read(ref _since);
        if (since != NoOutage)
            Volatile.Write(ref _next, (now + PauseAfter(now - new TimeSpan(since))).Ticks);
        Resign();
    }

    /// <summary>Something was served: the outage, if there was one, is over.</summary>
    public void Served()
    {
        if (Volatile.Read(ref _since) == NoOutage)
            return;
        Volatile.Write(ref _since, NoOutage);
        Volatile.Write(ref _next, 0);
    }

    /// <summary>Which of the candidates is asked next: each in turn.</summary>
    public int NextTurn(int candidates) => (int)((uint)Interlocked.Increment(ref _turn) % (uint)candidates);

    public static TimeSpan PauseAfter(TimeSpan age)
    {
        if (age <= EarlyPart)
            return First + (Early - First) * Math.Max(0, age / EarlyPart);
        return Early + (Late - Early) * Math.Min(1, (age - EarlyPart) / EarlyPart);
    }
}
