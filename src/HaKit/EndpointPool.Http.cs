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

    internal HttpSide Http { get; }

    internal Func<Endpoint, CancellationToken, ValueTask<string?>>? Credential => _parts.Credential;

    /// <summary>Does any member need its own model's name in requests?</summary>
    internal bool RewritesModels => Array.Exists(_engine.Snapshot.Members, static m => m.Endpoint.Domains.Model is not null);
}
