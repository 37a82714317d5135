namespace HaKit.Limits;

/// <summary>
/// Holds the remaining amount of one of the server's quotas, minus the amounts that were accepted since the reading. Valid until its reset. Lock-free.
/// </summary>
/// <remarks>
/// The newest reading replaces all earlier readings. Answers can overtake each other, so until the next reading the value may be wrong by the amount in flight.
/// </remarks>
internal sealed class ServerQuota
{
    // A 429 has its own Retry-After; a reading without a reset is valid for a short time only.
    private static readonly TimeSpan UnknownReset = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestReset = TimeSpan.FromHours(1);

    private long _remaining;
    private long _limit;
    private long _resetAt = long.MinValue;

    public void Observe(long remaining, long? limit, TimeSpan? reset, TimeSpan now)
    {
        var until = reset is { } known && known > TimeSpan.Zero ? known : UnknownReset;
        // The amount is written first, because it is the newer value even together with the old reset.
        Volatile.Write(ref _remaining, remaining);
        Volatile.Write(ref _limit, limit ?? 0);
        Volatile.Write(ref _resetAt, (now + (until < LongestReset ? until : LongestReset)).Ticks);
    }

    /// <summary>Takes the amount or nothing; <paramref name="taken"/> is false if no reading is valid.</summary>
    public bool TryTake(long amount, TimeSpan now, out bool taken)
    {
        taken = false;
        while (IsInForce(now))
        {
            var remaining = Volatile.Read(ref _remaining);
            if (remaining < amount)
                return false;
            if (Interlocked.CompareExchange(ref _remaining, remaining - amount, remaining) == remaining)
                return taken = true;
        }
        return true;
    }

    public void GiveBack(long amount) => Interlocked.Add(ref _remaining, amount);

    public bool HasRoom(long amount, TimeSpan now) => !IsInForce(now) || Volatile.Read(ref _remaining) >= amount;

    public TimeSpan AvailableAt(long amount, TimeSpan now) => HasRoom(amount, now) ? now : TimeSpan.FromTicks(Volatile.Read(ref _resetAt));

    /// <summary>Gets the remaining amount. Null if no reading is valid.</summary>
    public long? Remaining(TimeSpan now) => IsInForce(now) ? Volatile.Read(ref _remaining) : null;

    /// <summary>Gets the used share; 0 if unknown.</summary>
    public double Utilization(TimeSpan now)
    {
        if (!IsInForce(now))
            return 0;
        var remaining = Volatile.Read(ref _remaining);
        var limit = Volatile.Read(ref _limit);
        if (remaining <= 0)
            return 1;
        return limit > 0 ? Math.Clamp(1 - (double)remaining / limit, 0, 1) : 0;
    }

    private bool IsInForce(TimeSpan now) => now.Ticks < Volatile.Read(ref _resetAt);
}
