namespace HaKit.Testing;

/// <summary>The faults and the requirements of a drill in virtual time. Not thread-safe.</summary>
public sealed class HaDrillOptions
{
    /// <summary>
    /// Gets or sets the faults. Default: all of them (<see cref="DrillFaults.All"/>). <see cref="DrillFault.AtRate"/> creates faults for a share of the
    /// requests.
    /// </summary>
    public IReadOnlyList<DrillFault> Faults { get; set; } = DrillFaults.All;

    /// <summary>Gets or sets the duration of the usual fault, in virtual time. Default 5 s; more than 0, at most a day. The long outage lasts three times as long.</summary>
    public TimeSpan FaultDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the calls per second, evenly spaced. Default 10; 0.01 to 1,000. When the pool's limits are lower, calls wait even without a fault.</summary>
    public double CallsPerSecond { get; set; } = 10;

    /// <summary>
    /// Gets or sets the share of the calls that ask for a stream, 0 to 1. Default 0.5. Calls through <see cref="Call"/> never ask for a stream.
    /// </summary>
    public double StreamedShare { get; set; } = 0.5;

    /// <summary>Gets or sets the seed of all random numbers. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>
    /// Gets or sets the smallest accepted share of right answers under each fault, 0 to 1. Default 1, because a pool with another working endpoint should lose
    /// no call.
    /// </summary>
    public double MinimumSuccess { get; set; } = 1;

    /// <summary>
    /// Gets or sets whether a stream may be cut after its first content if the pool reports it with a <see cref="PartialResponseException"/>. Default true,
    /// because the pool does not repeat content that was already delivered. With false, the drill counts such a stream as lost.
    /// </summary>
    public bool AllowCuts { get; set; } = true;

    /// <summary>
    /// Gets or sets the longest accepted extra time of a call that met a fault, compared with a healthy call. Default null: only the pool's deadline limits
    /// it; 0 to 10 years.
    /// </summary>
    public TimeSpan? MaxAddedDelay { get; set; }

    /// <summary>
    /// Gets or sets the largest accepted number of requests at the endpoints per call, under any fault. Refused connections count too. Default 4 (0 to 1,000,000), which allows
    /// each of three endpoints to refuse a call once. Retries outside the pool multiply the pool's own retries and exceed this limit.
    /// </summary>
    public double MaxRequestsPerCall { get; set; } = 4;

    /// <summary>
    /// Gets or sets the expected order of the endpoints, grouped by tier: <c>[["openai", "azure"], ["standby"]]</c>. The drill checks that only the first
    /// tier serves without faults, and that each next tier serves alone when all earlier tiers refuse connections. Default null: not checked.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>>? Tiers { get; set; }

    /// <summary>
    /// Gets or sets the name of the <see cref="HttpClient"/>, or the key of the chat client, that makes the calls. Default null: all clients of the
    /// application that use the pool, in turn.
    /// If the application has none, the drill uses a client that the pool creates.
    /// </summary>
    public string? Client { get; set; }

    /// <summary>
    /// Gets or sets whether a resilience handler of <c>Microsoft.Extensions.Http.Resilience</c> may be outside the pool. Default false, because such a handler
    /// multiplies the pool's retries and times out the pool's waits.
    /// </summary>
    public bool AllowOuterResilience { get; set; }

    /// <summary>
    /// Gets or sets custom code that makes one call. It receives the container and a prompt, and returns the answer, which must equal <see
    /// cref="FakeAnswers.AnswerTo"/> of the prompt. Default null:
    /// a chat completion through <see cref="Client"/>.
    /// </summary>
    public Func<IServiceProvider, string, CancellationToken, Task<string>>? Call { get; set; }

    /// <exception cref="ArgumentException">Options are out of their ranges; the message names them.</exception>
    internal void Validate()
    {
        SettingRange.ThrowIfAny(
            "The options of the drill: ",
            SettingRange.FindAboveZero(nameof(FaultDuration), FaultDuration, SettingRange.LongestOfTimer),
            SettingRange.Find(nameof(CallsPerSecond), CallsPerSecond, 0.01, 1000),
            SettingRange.Find(nameof(StreamedShare), StreamedShare, 0, 1),
            SettingRange.Find(nameof(MinimumSuccess), MinimumSuccess, 0, 1),
            MaxAddedDelay is { } delay ? SettingRange.Find(nameof(MaxAddedDelay), delay) : null,
            SettingRange.Find(nameof(MaxRequestsPerCall), MaxRequestsPerCall, 0, 1_000_000),
            FindMistakeOfFaults(),
            FindMistakeOfTiers());
    }

    private string? FindMistakeOfFaults()
    {
        if (Faults is null)
            return $"{nameof(Faults)} is null: a list of faults is needed.";
        return Faults.Any(static f => f is null) ? $"{nameof(Faults)} has an entry that is null." : null;
    }

    private string? FindMistakeOfTiers()
    {
        if (Tiers is not { } tiers)
            return null;
        if (tiers.Count == 0)
            return $"{nameof(Tiers)} has no tier: at least one is needed, or null if the order is not checked.";
        if (tiers.Any(static t => t is not { Count: > 0 }))
            return $"{nameof(Tiers)} has a tier without endpoints.";
        return tiers.SelectMany(static t => t).Any(string.IsNullOrEmpty) ? $"{nameof(Tiers)} has an endpoint without a name." : null;
    }
}
