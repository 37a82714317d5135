using HaKit.Http;

namespace HaKit;

/// <content>The pool under HTTP clients.</content>
public sealed partial class EndpointPool
{
    /// <summary>
    /// An <see cref="HttpClient"/> over this pool, with connections of its own, for use without a container. Keep it for the life of the application.
    /// It has no timeout, because the pool has the deadline.
    /// </summary>
    public HttpClient CreateHttpClient() =>
        new(new EndpointPoolHandler(this) { InnerHandler = PoolConnections.NewHandler(Options.ConnectTimeout) })
        {
            BaseAddress = BaseAddress,
            Timeout = Timeout.InfiniteTimeSpan,
        };

    // Relative addresses are resolved against the folder, so a base without a slash would lose its last part.
    internal Uri BaseAddress => Origin.AbsoluteUri.EndsWith('/') ? Origin : new Uri(Origin.AbsoluteUri + "/");

    private static Uri OriginOf(string? address) =>
        address is null ? new Uri("http://ha-pool/") : new Uri(new Uri(address, UriKind.Absolute).GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));

    internal HttpSide Http { get; }

    internal bool HasCredentialSource => _parts.Credential is not null;

    /// <summary>What the endpoint is to be asked with at this moment: from the source, or else from its options; null for none.</summary>
    internal async ValueTask<string?> CredentialOf(PoolEndpoint endpoint, CancellationToken cancellationToken) =>
        (_parts.Credential is { } source ? await source(endpoint, cancellationToken).ConfigureAwait(false) : null) ?? endpoint.Credential;
}
