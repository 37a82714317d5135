using HaKit.Connections;
using HaKit.Http;
using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.DependencyInjection;

/// <summary>
/// Sends probes the way that attempts of the pool's HTTP client go: through the handlers inside the pool and the client's connections. So a name that service
/// discovery resolves, a proxy or a client certificate serves both. Thread-safe.
/// </summary>
internal sealed class ClientConnections(IServiceProvider provider, string client, TimeSpan connectTimeout) : HttpMessageHandler
{
    private HttpMessageInvoker? _own;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Asked for each time: the factory renews its handlers every two minutes, and keeps the one it gave last.
        HttpMessageHandler? handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(client);
        while (handler is DelegatingHandler { InnerHandler: var inner } and not EndpointPoolHandler)
            handler = inner;
        if (handler is EndpointPoolHandler pool)
        {
            using (Spans.Unrecorded())
                return await pool.SendInsideAsync(request, cancellationToken).ConfigureAwait(false);
        }

        _own ??= new HttpMessageInvoker(PoolConnections.NewProbeHandler(connectTimeout));
        return await _own.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _own?.Dispose();
        base.Dispose(disposing);
    }
}
