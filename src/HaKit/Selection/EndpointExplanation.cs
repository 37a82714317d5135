using System.Globalization;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit;

/// <summary>Why an endpoint would or would not be chosen for a request, at one moment. Immutable.</summary>
public sealed record EndpointExplanation
{
    /// <summary>The endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Its tier.</summary>
    public required int Tier { get; init; }

    /// <summary>Its health.</summary>
    public required HealthState Health { get; init; }

    /// <summary>The filter that holds it back: <c>capability</c>, <c>health</c>, <c>cooldown</c>, <c>limit</c>, <c>tried</c> (by the call that asks); null when it is admitted.</summary>
    public string? NotAdmittedBy { get; init; }

    /// <summary>Attempts in flight on it.</summary>
    public required int InFlight { get; init; }

    /// <summary>What choosing it is expected to cost, term by term; the least of those compared wins.</summary>
    public required EndpointScore Score { get; init; }

    /// <summary>The factor on its weight: below 1 while it returns from an ejection or a cooldown.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>How likely its next attempt fails, as recent ones tell; 0 to 1.</summary>
    public required double FailureEstimate { get; init; }

    /// <summary>Usual seconds to first content (to the whole answer where nothing comes earlier) of a short prompt; null until known.</summary>
    public double? FirstContentSeconds { get; init; }

    /// <summary>Usual seconds for each output token of a stream; null until known.</summary>
    public double? OutputTokenSeconds { get; init; }

    /// <summary>When it may be chosen again, counted from now; null when nothing but an operator or a released place can tell.</summary>
    public TimeSpan? AvailableIn { get; init; }

    /// <summary>What its latest heartbeat found, and how long the next one will wait; null before the first.</summary>
    public HeartbeatReading? Heartbeat { get; init; }

    /// <summary>The load that it reported of itself; null when it does not.</summary>
    public ReportedLoad? ReportedLoad { get; init; }

    /// <summary>Has it said that it does not have the model it is asked for, and answered nothing since? Then it is no capacity, however healthy.</summary>
    public bool LacksModel { get; init; }

    /// <summary>Returns the explanation as a sentence, as in <c>Endpoint 'main' gets no calls: Ejected because of ConnectFailed; it is asked again in 4.2 s.</c></summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Endpoint '{Endpoint}' {Verdict()}{(LacksModel ? "; it does not have the model that it is asked for" : "")}.");

    private string Verdict() => NotAdmittedBy switch
    {
        null => string.Create(CultureInfo.InvariantCulture, $"can be chosen: {Health}, tier {Tier}, {InFlight} {(InFlight == 1 ? "attempt" : "attempts")} in flight"),
        "capability" => "cannot serve this request: its model, capabilities, tags, residency or context window do not fit",
        "limit" => $"gets no calls: its limit is reached{NextCall()}",
        "tried" => $"gets no more attempts of this call: {Health}",
        _ => $"gets no calls: {Health}{NextCall()}",
    };

    private string NextCall()
    {
        if (AvailableIn is { } left)
            return $"; it is asked again in {DurationText.Write(left)}";
        return Health.CooldownUntil == TimeSpan.MaxValue ? "; a person must repair this" : "";
    }
}
