namespace HaKit.Failover;

/// <summary>
/// How fast an outage may be asked whether it is over: one trial at a time, 100 ms apart growing to 250 ms for the first 10 s, then to 1 s.
/// Lock-free; one per pool.
/// </summary>
internal sealed class OutagePace
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EarlyPart = TimeSpan.FromSeconds(10);
    private const long NoOutage = -1;

    private long _since = NoOutage;
    private long _next;
    private int _asking;
    private int _turn;

    /// <summary>When the next trial may begin; now if it may begin at once.</summary>
    public TimeSpan NextTrialAt => new(Volatile.Read(ref _next));

    /// <summary>Takes the one turn to ask. Whoever gets it must call <see cref="Asked"/> when the trial has ended.</summary>
    public bool TryTake(TimeSpan now)
    {
        if (now.Ticks < Volatile.Read(ref _next) || Interlocked.CompareExchange(ref _asking, 1, 0) != 0)
            return false;
        Interlocked.CompareExchange(ref _since, now.Ticks, NoOutage);
        return true;
    }

    public void Asked(TimeSpan now)
    {
        var age = now - new TimeSpan(Math.Max(0, Volatile.Read(ref _since)));
        Volatile.Write(ref _next, (now + PauseAfter(age)).Ticks);
        Volatile.Write(ref _asking, 0);
    }

    /// <summary>Something served: the outage, if there was one, is over.</summary>
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
        var early = Math.Min(1, age / EarlyPart);
        var pause = First + (Early - First) * early;
        return age <= EarlyPart ? pause : Early + (Late - Early) * Math.Min(1, (age - EarlyPart) / EarlyPart);
    }
}
