using HaKit.Attempts;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Pool;

/// <summary>Finds the credential of an endpoint for each attempt and each probe. Thread-safe if the application's source is thread-safe.</summary>
internal sealed class EndpointCredentials(Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? source)
{
    /// <summary>The code of the fault when the application's source of credentials fails.</summary>
    public const string SourceFailed = "credential_source_failed";

    /// <summary>Gets whether the application has a source of credentials.</summary>
    public bool HasSource => source is not null;

    /// <summary>Gets the endpoint's current credential: from the application's source, otherwise from the endpoint's options. Null: none.</summary>
    public ValueTask<string?> GetAsync(PoolEndpoint endpoint, CancellationToken cancellationToken) =>
        source is null ? new(endpoint.Credential) : AskAsync(source, endpoint, cancellationToken);

    /// <summary>Gets the endpoint's current credential for an attempt. If the application's source fails, the attempt gets a fault that says so.</summary>
    /// <param name="lease">The attempt.</param>
    /// <param name="guard">Classifies the source's exception.</param>
    /// <param name="cancellationToken">The attempt's token.</param>
    public ValueTask<string?> GetAsync(Lease lease, EndpointGuard guard, CancellationToken cancellationToken) =>
        source is null ? new(lease.Endpoint.Credential) : AskAsync(source, lease, guard, cancellationToken);

    private static async ValueTask<string?> AskAsync(
        Func<PoolEndpoint, CancellationToken, ValueTask<string?>> source, Lease lease, EndpointGuard guard, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(source, lease.Endpoint, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not EndpointFaultException && !cancellationToken.IsCancellationRequested)
        {
            lease.Declared = FaultOfSource(guard.FindFault(lease, exception).Kind);
            throw;
        }
    }

    // The exception is not about the request: nothing was sent, and another endpoint may have another credential. Without this fault, a missing key file would end
    // the call like a mistake in the request, and a timeout of the key vault would end a call that must not be repeated. A failure of the source's connection keeps
    // its kind, because a call waits for its end as for an unreachable endpoint.
    private static Fault FaultOfSource(FaultKind found)
    {
        var fault = new Fault(found) { Applied = FaultApplied.NotSent, Code = SourceFailed };
        return fault.IsConnectClass || fault.IsSilence() || found == FaultKind.ConnectionReset ? fault : new(FaultKind.Unknown) { Applied = FaultApplied.NotSent, Code = SourceFailed };
    }

    private static async ValueTask<string?> AskAsync(
        Func<PoolEndpoint, CancellationToken, ValueTask<string?>> source, PoolEndpoint endpoint, CancellationToken cancellationToken)
    {
        var secret = await source(endpoint, cancellationToken).ConfigureAwait(false);
        // Without this check, an empty header would be sent instead of the key, and the provider's refusal would not show the reason.
        if (secret is not null && string.IsNullOrWhiteSpace(secret))
            throw new InvalidOperationException($"The source of the credential of endpoint '{endpoint.Name}' (UseCredential) returned an empty text. Return the key, or null if the endpoint's own options have it.");
        return secret ?? endpoint.Credential;
    }
}
