namespace HaKit.Testing;

/// <summary>The faults that a drill injects: with scripted servers (<c>hakit drill</c>) and in virtual time (<see cref="HaDrill"/>).</summary>
public static class DrillFaults
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>The upstream refuses connections.</summary>
    public static DrillFault Refused { get; } = CreateFault("refused", "refuses connections", FakeFault.Refused);

    /// <summary>The upstream accepts requests and never answers.</summary>
    public static DrillFault BlackHole { get; } = CreateFault("black-hole", "accepts requests and never answers", FakeFault.Hang);

    /// <summary>Each answer of the upstream takes 3 s longer.</summary>
    public static DrillFault Slow { get; } = CreateFault("slow", "takes 3 s longer", FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(3)));

    /// <summary>The upstream answers 500.</summary>
    public static DrillFault Error500 { get; } = CreateFault("error-500", "answers 500", FakeFaults.OpenAI.ServerError());

    /// <summary>All upstreams answer 503.</summary>
    public static DrillFault All503 { get; } = new("all-503", "all upstreams answer 503", static length => [new(FakeFaults.OpenAI.Overloaded(), TimeSpan.Zero, length, Upstream: null)]) { IsTotal = true };

    /// <summary>The upstream answers 429 with <c>Retry-After: 2</c>.</summary>
    public static DrillFault Throttled { get; } = new("throttled", "one upstream answers 429 with Retry-After: 2",
        static length => [new(FakeFaults.OpenAI.RateLimited(RetryAfter), TimeSpan.Zero, length) { RetryAfter = RetryAfter }]);

    /// <summary>The upstream answers 429 because its quota is used up.</summary>
    public static DrillFault Quota { get; } = CreateFault("quota", "answers 429 insufficient_quota", FakeFaults.OpenAI.QuotaExhausted());

    /// <summary>The upstream answers 401.</summary>
    public static DrillFault Unauthorized { get; } = CreateFault("unauthorized", "answers 401", FakeFaults.OpenAI.BadKey());

    /// <summary>The upstream answers 404: it does not have the model.</summary>
    public static DrillFault NotFound { get; } = CreateFault("not-found", "answers 404 model_not_found", FakeFaults.OpenAI.ModelNotFound());

    /// <summary>The upstream answers 503 for half a second, then works for half a second, and repeats this.</summary>
    public static DrillFault Flapping { get; } = new("flapping", "one upstream answers 503 every other half second", static length =>
        Enumerable.Range(0, Math.Max(1, (int)length.TotalSeconds)).Select(second =>
            new DrillStep(FakeFaults.OpenAI.Overloaded(), TimeSpan.FromSeconds(second), TimeSpan.FromSeconds(second + 0.5))));

    /// <summary>The upstream resets the connection in the middle of each answer.</summary>
    public static DrillFault Cut { get; } = CreateFault("cut", "resets the connection after 3 pieces of content", FakeFault.CutAfter(3));

    /// <summary>The upstream sends an error instead of the first content of a stream.</summary>
    public static DrillFault ErrorEvent { get; } = CreateFault("error-event", "sends an error inside a 200", FakeFault.ErrorEventAfter(0));

    /// <summary>The upstream is silent before its first content.</summary>
    public static DrillFault Stall { get; } = CreateFault("stall", "sends headers but no first token", FakeFault.SilentAfter(0));

    /// <summary>The upstream answers 200 with a body that is not an answer.</summary>
    public static DrillFault Garbled { get; } = CreateFault("garbled", "answers 200 with an HTML page instead of an answer", FakeFault.Status(200, "<html><body>It works!</body></html>", "text/html").Named("garbled 200"));

    /// <summary>All upstreams refuse connections, for three times as long as the other faults last.</summary>
    public static DrillFault LongOutage { get; } = new("long-outage", "all upstreams refuse connections, three times as long as in the other faults",
        static length => [new(FakeFault.Refused, TimeSpan.Zero, length, Upstream: null)])
    { LengthFactor = 3, IsTotal = true };

    /// <summary>
    /// The first upstream refuses connections, the second upstream takes 3 s longer, and the third upstream answers one request in five with 429.
    /// </summary>
    public static DrillFault Compound { get; } = new("compound", "one upstream refuses connections, one takes 3 s longer, one answers a fifth of its requests with 429", static length =>
    [
        new(FakeFault.Refused, TimeSpan.Zero, length),
        new(FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(3)), TimeSpan.Zero, length, Upstream: 1),
        new(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(1)), TimeSpan.Zero, length, Upstream: 2, Probability: 0.2) { RetryAfter = TimeSpan.FromSeconds(1) },
    ]);

    /// <summary>Gets all faults that affect every request.</summary>
    public static IReadOnlyList<DrillFault> Full { get; } =
    [
        Refused, BlackHole, Slow, Error500, All503, Throttled, Quota, Unauthorized, NotFound, Flapping, Cut, ErrorEvent, Stall, Garbled, LongOutage, Compound,
    ];

    /// <summary>Gets the faults of one upstream that affect a tenth of its requests.</summary>
    public static IReadOnlyList<DrillFault> LowRate { get; } =
        [.. Full.Where(static f => !f.IsTotal && f != Flapping && f != Compound).Select(static f => f.AtRate(0.1))];

    /// <summary>Gets all faults: <see cref="Full"/>, then <see cref="LowRate"/>.</summary>
    public static IReadOnlyList<DrillFault> All { get; } = [.. Full, .. LowRate];

    private static DrillFault CreateFault(string name, string does, FakeFault fault) =>
        new(name, $"one upstream {does}", length => [new(fault, TimeSpan.Zero, length)]);
}
