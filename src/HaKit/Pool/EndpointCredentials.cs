namespace HaKit.Pool;

/// <summary>Finds the credential of an endpoint for each attempt and each probe. Thread-safe if the application's source is thread-safe.</summary>
internal sealed class EndpointCredentials(Func<PoolEndpoint, CancellationToken, ValueTask<string?>>? source)
{
    /// <summary>Gets whether the application has a source of credentials.</summary>
    public bool HasSource => source is not null;

    /// <summary>Gets the endpoint's current credential: from the application's source, otherwise from the endpoint's options. Null: none.</summary>
    public ValueTask<string?> GetAsync(PoolEndpoint endpoint, CancellationToken cancellationToken) =>
        source is null ? new(endpoint.Credential) : AskAsync(source, endpoint, cancellationToken);

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
