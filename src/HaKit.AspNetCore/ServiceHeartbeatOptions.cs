namespace HaKit.AspNetCore;

/// <summary>
/// Sets what a service reports at its heartbeat address. Not thread-safe; read when it is mapped. Requests call the functions, several at once.
/// </summary>
public sealed class ServiceHeartbeatOptions
{
    /// <summary>Gets or sets how many requests the service can serve at once. Default null: not reported.</summary>
    public int? Capacity { get; set; }

    /// <summary>Gets or sets a function for the number of requests that are being served. Default: the number that <c>CountAsHaLoad</c> counts.</summary>
    public Func<int>? Running { get; set; }

    /// <summary>Gets or sets a function for the number of requests in a queue. Default: 0.</summary>
    public Func<int>? Waiting { get; set; }

    /// <summary>Gets or sets a function that says whether the service wants no new requests. Default: while the application stops.</summary>
    public Func<bool>? IsDraining { get; set; }

    /// <summary>
    /// Gets or sets how long others should send no calls while the service drains; they probe it earlier. Default 15 s, longer than the usual time between
    /// two heartbeats; at least 1 s.
    /// </summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(15);

    internal void Validate()
    {
        if (Capacity < 1)
            throw new InvalidOperationException($"{nameof(Capacity)} is {Capacity}: at least 1 is needed, or nothing.");
        if (RetryAfter < TimeSpan.FromSeconds(1))
            throw new InvalidOperationException($"{nameof(RetryAfter)} is {RetryAfter}: at least 1 s is needed.");
    }
}
