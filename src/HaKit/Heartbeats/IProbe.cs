using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>
/// One way to ask an endpoint how it is. May be shared by the heartbeats of several endpoints, and is then asked by all of them at once;
/// one endpoint asks it again while an earlier question hangs, but only a few times.
/// </summary>
public interface IProbe
{
    /// <summary>What it exercises: its success clears only faults of this level or below. Default: <see cref="ProbeLevel.Reachable"/>.</summary>
    ProbeLevel Level => ProbeLevel.Reachable;

    /// <summary>How often it is worth asking. Default: <see cref="ProbePace.WhenQuiet"/>.</summary>
    ProbePace Pace => ProbePace.WhenQuiet;

    /// <summary>The longest wait for its answer, where the pool's heartbeat timeout does not suit it. Default null: the pool's.</summary>
    TimeSpan? Timeout => null;

    /// <summary>What it means that no answer came in time. Default: <see cref="FaultKind.AttemptTimeout"/>.</summary>
    FaultKind Silence => FaultKind.AttemptTimeout;

    /// <summary>Asks once. May throw: an exception is a failed beat.</summary>
    /// <param name="context">The endpoint to probe, and the means to reach it.</param>
    /// <param name="cancellationToken">Cancelled when the time for the answer is over.</param>
    ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken);
}

/// <summary>How often a probe is worth asking.</summary>
public enum ProbePace
{
    /// <summary>At every beat, unless traffic has answered since the last one.</summary>
    WhenQuiet,

    /// <summary>At every beat, whatever traffic says: the answer holds more than a verdict.</summary>
    Always,

    /// <summary>It costs money: at every beat while the endpoint is ejected, otherwise only after <see cref="HeartbeatOptions.SparingInterval"/> without any answer.</summary>
    Sparingly,
}

/// <summary>What a probe found.</summary>
/// <param name="Fault">What is wrong; null when all is well. A fault of the request counts as one of the endpoint, because a probe's request is always the same.</param>
public readonly record struct ProbeResult(Fault? Fault = null)
{
    /// <summary>The load that the endpoint reported of itself, for the choice among endpoints; null when it reported none.</summary>
    public ReportedLoad? Load { get; init; }
}

/// <summary>What a probe asks with. Immutable; safe to share between threads.</summary>
public sealed class ProbeContext
{
    /// <summary>The endpoint to probe.</summary>
    public required PoolEndpoint Endpoint { get; init; }

    /// <summary>Sends requests over the pool's own connections; not to be disposed of.</summary>
    public required HttpMessageInvoker Http { get; init; }

    /// <summary>The pool's classifiers.</summary>
    public required IFaultClassifier Classifier { get; init; }

    /// <summary>The pool's clock.</summary>
    public required TimeProvider Time { get; init; }

    internal Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? Credential { get; init; }

    /// <summary>Do calls reach an address in another way than by a connection to its host and port?</summary>
    internal Func<Uri, bool>? ReachesOtherwise { get; init; }

    /// <summary>Adds the endpoint's headers and its credential as it is now, as calls carry them.</summary>
    /// <param name="request">A request to this endpoint and to no other.</param>
    /// <param name="cancellationToken">Cancels asking for the credential.</param>
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
