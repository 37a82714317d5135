namespace HaKit.AspNetCore;

/// <summary>
/// Sets what a service reports at its heartbeat address. Not thread-safe; read when the heartbeat is mapped. The functions run at each request, so they must be
/// thread-safe.
/// </summary>
public sealed class ServiceHeartbeatOptions
{
    /// <summary>Gets or sets how many requests the service can serve at the same time. Default null: not reported.</summary>
    public int? Capacity { get; set; }

    /// <summary>Gets or sets a function that returns the number of running requests. Default: the number that <c>CountAsHaLoad</c> counts.</summary>
    public Func<int>? Running { get; set; }

    /// <summary>Gets or sets a function that returns the number of requests in a queue. Default: 0.</summary>
    public Func<int>? Waiting { get; set; }

    /// <summary>
    /// Gets or sets a function that returns whether the service is draining. A draining service gets no new requests. Default: true while the application
    /// stops.
    /// </summary>
    public Func<bool>? IsDraining { get; set; }

    /// <summary>
    /// Gets or sets how long clients should send no calls to a draining service (<c>Retry-After</c>). The heartbeats of these clients continue, and each
    /// heartbeat begins a new period of this length. Default 15 s, which is longer than the usual time between two heartbeats; 1 s to a day.
    /// </summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(15);

    internal ServiceHeartbeatOptions Copy() => (ServiceHeartbeatOptions)MemberwiseClone();

    internal void Validate()
    {
        if (Capacity < 1)
            throw new InvalidOperationException($"MapHaHeartbeat: {nameof(Capacity)} is {Capacity}: at least 1 is needed. To report no capacity, leave it out.");
        if (SettingRange.Find(nameof(RetryAfter), RetryAfter, TimeSpan.FromSeconds(1), SettingRange.LongestOfTimer) is { } mistake)
            throw new InvalidOperationException($"MapHaHeartbeat: {mistake}");
    }
}
