using System.Globalization;
using HaKit.Health;
using HaKit.Selection;

namespace HaKit;

/// <summary>Explains why an endpoint would or would not be chosen for a request, at one moment. Immutable.</summary>
public sealed record EndpointExplanation
{
    /// <summary>Gets the endpoint's name.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gets the endpoint's tier.</summary>
    public required int Tier { get; init; }

    /// <summary>Gets the endpoint's health.</summary>
    public required HealthState Health { get; init; }

    /// <summary>
    /// Gets the filter that excludes the endpoint: <c>capability</c>, <c>health</c>, <c>cooldown</c>, <c>limit</c>, or <c>tried</c> (this call has tried it).
    /// Null when the endpoint is admitted.
    /// </summary>
    public string? NotAdmittedBy { get; init; }

    /// <summary>Gets the number of attempts in flight on the endpoint.</summary>
    public required int InFlight { get; init; }

    /// <summary>
    /// Gets the expected cost of choosing the endpoint, term by term. The pool compares some endpoints, and chooses the endpoint with the lowest total.
    /// </summary>
    public required EndpointScore Score { get; init; }

    /// <summary>Gets the factor on the endpoint's weight: below 1 in the slow start after an ejection or a cooldown.</summary>
    public required double SlowStartShare { get; init; }

    /// <summary>Gets the estimated probability that the next attempt fails, from recent attempts; 0 to 1.</summary>
    public required double FailureEstimate { get; init; }

    /// <summary>
    /// Gets the usual time to the first content of a short prompt, in seconds. For answers that are not streams it is the time to the whole answer. Null until
    /// it is known.
    /// </summary>
    public double? FirstContentSeconds { get; init; }

    /// <summary>Gets the usual time for each output token of a stream, in seconds. Null until it is known.</summary>
    public double? OutputTokenSeconds { get; init; }

    /// <summary>
    /// Gets the time from now until the endpoint may be chosen again. Null if this depends on an operator, or on the end of an attempt in flight.
    /// </summary>
    public TimeSpan? AvailableIn { get; init; }

    /// <summary>Gets the result of the latest heartbeat and the timeout of the next heartbeat. Null before the first heartbeat.</summary>
    public HeartbeatReading? Heartbeat { get; init; }

    /// <summary>Gets the load that the endpoint reported. Null when it reports none.</summary>
    public ReportedLoad? ReportedLoad { get; init; }

    /// <summary>
    /// Gets whether the endpoint has answered that it does not have the requested model, and has served no call since then. Do not count such an endpoint as
    /// capacity, even if it is healthy.
    /// </summary>
    public bool LacksModel { get; init; }

    /// <summary>Returns the explanation as a sentence, as in <c>Endpoint 'main' gets no calls: Ejected because of ConnectFailed; it is asked again in 4.2 s.</c></summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Endpoint '{Endpoint}' {Verdict()}{(LacksModel ? "; it does not have the requested model" : "")}.");

    /// <summary>Gets or sets the time of the explanation, on the pool's clock.</summary>
    internal TimeSpan Now { get; init; }

    /// <summary>Gets or sets the requirement of the request that the endpoint does not meet, as a clause. Null: it meets all requirements of the request's profile.</summary>
    internal string? Missing { get; init; }

    private string State => HealthWords.Describe(Health, Now);

    private string Verdict() => NotAdmittedBy switch
    {
        null => string.Create(CultureInfo.InvariantCulture, $"can be chosen: {State}, tier {Tier}, {InFlight} {(InFlight == 1 ? "attempt" : "attempts")} in flight"),
        "capability" => $"cannot serve this request: {Missing ?? "it has refused the request, or the request is too long for it"}",
        "limit" => $"gets no calls: its limit is reached{NextCall()}",
        "tried" => $"gets no more attempts of this call: {State}",
        _ => $"gets no calls: {State}{NextCall()}",
    };

    private string NextCall()
    {
        if (AvailableIn is { } left)
            return left > TimeSpan.Zero ? $"; it is asked again in {DurationText.Write(left)}" : "; its next call is a trial";
        if (Health.Status is EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown)
            return "; BringUpAsync, or an operator, brings it back";
        return Health.CooldownUntil == TimeSpan.MaxValue ? "; a person must repair the key, the quota or the account" : "";
    }
}
