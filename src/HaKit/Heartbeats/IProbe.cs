using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Represents one way to ask an endpoint how it is. The heartbeats of several endpoints may share an instance and call it at the same time. One endpoint may
/// call it again while an earlier probe hangs, but only a few times.
/// </summary>
public interface IProbe
{
    /// <summary>
    /// Gets the level that the probe tests: a success clears only faults of this level or below. Default <see cref="ProbeLevel.Reachable"/>.
    /// </summary>
    ProbeLevel Level => ProbeLevel.Reachable;

    /// <summary>Gets how often the probe is worth running. Default <see cref="ProbePace.WhenQuiet"/>.</summary>
    ProbePace Pace => ProbePace.WhenQuiet;

    /// <summary>Gets the longest wait for the answer, if the pool's heartbeat timeout does not suit the probe. Default null: the pool's timeout.</summary>
    TimeSpan? Timeout => null;

    /// <summary>Gets the fault that a missing answer means. Default <see cref="FaultKind.AttemptTimeout"/>.</summary>
    FaultKind Silence => FaultKind.AttemptTimeout;

    /// <summary>Makes one probe. It may throw: an exception is a missed heartbeat.</summary>
    /// <param name="context">The endpoint to probe, and the means to reach it.</param>
    /// <param name="cancellationToken">Cancelled when the time for the answer is over.</param>
    ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken);
}

/// <summary>The recommended frequency of a probe.</summary>
public enum ProbePace
{
    /// <summary>At every heartbeat, unless a call was answered since the last one.</summary>
    WhenQuiet,

    /// <summary>At every heartbeat, even if calls were answered, because the answer contains more than a verdict.</summary>
    Always,

    /// <summary>
    /// Rarely, because it costs money: at every heartbeat while the endpoint is ejected, otherwise only after <see cref="HeartbeatOptions.SparingInterval"/>
    /// without any answer.
    /// </summary>
    Sparingly,
}

/// <summary>Holds the result of a probe.</summary>
/// <param name="Fault">The fault; null for success. A fault of the request counts as a fault of the endpoint, because a probe's request is always the same.</param>
public readonly record struct ProbeResult(Fault? Fault = null)
{
    /// <summary>Gets the load that the endpoint reported, for the choice among endpoints. Null if it reported none.</summary>
    public ReportedLoad? Load { get; init; }
}

/// <summary>Provides what a probe needs to ask an endpoint. Immutable; safe to share between threads.</summary>
public sealed class ProbeContext
{
    /// <summary>Gets the endpoint to probe.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    /// <summary>Gets the sender that uses the pool's own connections. Do not dispose it.</summary>
    public required HttpMessageInvoker Http { get; init; }

    /// <summary>Gets the pool's classifiers.</summary>
    public required IFaultClassifier Classifier { get; init; }

    /// <summary>Gets the pool's clock.</summary>
    public required TimeProvider Time { get; init; }

    internal Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? Credential { get; init; }

    /// <summary>Gets a function that says whether calls reach an address by something other than a connection to its host and port.</summary>
    internal Func<Uri, bool>? ReachesOtherwise { get; init; }

    /// <summary>Adds the endpoint's headers and its current credential to the request, as calls do.</summary>
    /// <param name="request">A request to this endpoint only.</param>
    /// <param name="cancellationToken">Cancels the request for the credential.</param>
    public async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var secret = Credential is null ? Endpoint.Credential : await Credential(Endpoint, cancellationToken).ConfigureAwait(false);
        foreach (var (name, value) in Endpoint.Headers)
        {
            if (secret is null || !CredentialHeader.IsCredential(name))
                request.Headers.TryAddWithoutValidation(name, value);
        }

        if (secret is null)
            return;
        var (header, credential) = CredentialHeader.HeaderFor(Endpoint, secret);
        request.Headers.TryAddWithoutValidation(header, credential);
    }
}
