using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// Tests whether an endpoint works. The heartbeats of several endpoints may share an instance and call it at the same time. The heartbeats of one endpoint may
/// also call it again while an earlier probe hangs, but only a few times. The properties are read at each heartbeat; if one throws, its default applies.
/// </summary>
public interface IProbe
{
    /// <summary>
    /// Gets the level that the probe tests: a success clears only faults of this level or below. Default <see cref="ProbeLevel.Reachable"/>.
    /// </summary>
    ProbeLevel Level => ProbeLevel.Reachable;

    /// <summary>Gets how often the probe should run. Default <see cref="ProbePace.WhenQuiet"/>.</summary>
    ProbePace Pace => ProbePace.WhenQuiet;

    /// <summary>
    /// Gets the longest wait for the answer, if the pool's heartbeat timeout does not suit the probe; at most a day. If the value is null (the default) or not
    /// more than 0, the pool's timeout applies.
    /// </summary>
    TimeSpan? Timeout => null;

    /// <summary>Gets the fault of a probe that gets no answer in time. Default <see cref="FaultKind.AttemptTimeout"/>.</summary>
    FaultKind Silence => FaultKind.AttemptTimeout;

    /// <summary>Makes one probe. It may throw: an exception is a missed heartbeat.</summary>
    /// <param name="context">The endpoint to probe, the sender and the clock.</param>
    /// <param name="cancellationToken">Cancelled when the time for the answer is over.</param>
    ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken);
}

/// <summary>The recommended frequency of a probe.</summary>
public enum ProbePace
{
    /// <summary>At every heartbeat, unless the endpoint has answered a call since the last heartbeat.</summary>
    WhenQuiet,

    /// <summary>At every heartbeat, even if the endpoint has answered calls, because the probe also reads the endpoint's load.</summary>
    Always,

    /// <summary>
    /// Rarely, because the probe costs money. It runs at every heartbeat while the endpoint is ejected, otherwise only after <see
    /// cref="HeartbeatOptions.SparingInterval"/> without any answer.
    /// </summary>
    Sparingly,
}

/// <summary>Holds the result of a probe.</summary>
/// <param name="Fault">
/// The fault; null for success. A fault of the request (such as 400) counts as a fault of the endpoint, because a probe always sends the same request.
/// </param>
public readonly record struct ProbeResult(Fault? Fault = null)
{
    /// <summary>Gets the load that the endpoint reported. Selection prefers endpoints with less load. Null if the endpoint reported none.</summary>
    public ReportedLoad? Load { get; init; }
}

/// <summary>Provides the endpoint, the sender and the clock to a probe. Immutable; safe to share between threads.</summary>
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

    /// <summary>Gets a function that checks whether calls to an address do not connect to its host and port, for example because of a proxy.</summary>
    internal Func<Uri, bool>? ReachesOtherwise { get; init; }

    /// <summary>Adds the endpoint's headers and its current credential to the request, as for calls.</summary>
    /// <param name="request">A request to this endpoint only.</param>
    /// <param name="cancellationToken">Cancels the request for the credential.</param>
    public async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await AddCredentialAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does the same as <see cref="AuthorizeAsync"/>, and returns the credential. Null: only the endpoint's headers or address may have one.</summary>
    internal async ValueTask<string?> AddCredentialAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var secret = Credential is null ? Endpoint.Credential : await Credential(Endpoint, cancellationToken).ConfigureAwait(false);
        foreach (var (name, value) in Endpoint.Headers)
        {
            if (secret is null || !CredentialHeader.IsCredential(name))
                request.Headers.TryAddWithoutValidation(name, value);
        }

        if (secret is null)
            return null;
        var (header, credential) = CredentialHeader.HeaderFor(Endpoint, secret);
        request.Headers.TryAddWithoutValidation(header, credential);
        return secret;
    }
}
