namespace HaKit.AspNetCore;

/// <summary>What a service says of itself at its heartbeat address. Not thread-safe; read when it is mapped. The functions are called by requests, several at once.</summary>
public sealed class ServiceHeartbeatOptions
{
    /// <summary>How many requests it can serve at once. Default null: not told.</summary>
    public int? Capacity { get; set; }

    /// <summary>Requests being served. Default: those that <c>CountAsHaLoad</c> counts.</summary>
    public Func<int>? Running { get; set; }

    /// <summary>Requests waiting in a queue. Default: none.</summary>
    public Func<int>? Waiting { get; set; }

    /// <summary>Does it want nothing new? Default: while the application stops.</summary>
    public Func<bool>? IsDraining { get; set; }

    /// <summary>How long others are to stay away from it while it drains; they ask again before. Default 15 s, longer than the usual time between two heartbeats; at least 1 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(15);

    internal void Validate()
    {
        if (Capacity < 1)
            throw new InvalidOperationException($"{nameof(Capacity)} is {Capacity}: at least 1 is needed, or nothing.");
        if (RetryAfter < TimeSpan.FromSeconds(1))
            throw new InvalidOperationException($"{nameof(RetryAfter)} is {RetryAfter}: at least 1 s is needed.");
    }
}
