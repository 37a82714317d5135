using System.Net;
using HaKit.Connections;
using HaKit.Http;
using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.DependencyInjection;

/// <summary>
/// Sends probes through the same handlers and connections as the attempts of the pool's HTTP client. Therefore service discovery, a proxy and a client
/// certificate work for probes too. Thread-safe.
/// </summary>
internal sealed class ClientConnections(IServiceProvider provider, string client, TimeSpan connectTimeout) : HttpMessageHandler
{
    /// <summary>Marks a request as a probe, for the handlers inside.</summary>
    public static readonly HttpRequestOptionsKey<bool> ProbeKey = new("HaKit.Probe");

    private HttpMessageInvoker? _own;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (FindPoolHandler() is { } pool)
        {
            request.Options.Set(ProbeKey, true);
            using (Spans.Unrecorded())
                return await pool.SendInsideAsync(request, cancellationToken).ConfigureAwait(false);
        }

        _own ??= new HttpMessageInvoker(PoolConnections.NewProbeHandler(connectTimeout));
        return await _own.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Checks whether calls reach the address in another way than by a connection to its host and port: through service discovery, a proxy, or the
    /// application's own connect callback.
    /// </summary>
    public bool ReachesOtherwise(Uri address)
    {
        var handler = FindPoolHandler()?.InnerHandler;
        while (handler is DelegatingHandler { InnerHandler: var inner })
        {
            // A name with dots belongs to DNS. A name without dots may belong to DNS and to service discovery; service discovery then takes precedence.
            if (HandlerArrangement.IsResolver(handler) && address is { HostNameType: UriHostNameType.Dns, IsLoopback: false } && !address.Host.Contains('.', StringComparison.Ordinal))
                return true;
            handler = inner;
        }
        return handler switch
        {
            SocketsHttpHandler sockets => sockets.ConnectCallback is not null || sockets.UseProxy && IsBehind(sockets.Proxy, address),
            HttpClientHandler simple => simple.UseProxy && IsBehind(simple.Proxy, address),
            _ => false,
        };
    }

    private static bool IsBehind(IWebProxy? proxy, Uri address) => proxy is not null && !proxy.IsBypassed(address);

    // Looked up each time, because the factory renews its handlers every two minutes and keeps only the latest ones.
    private EndpointPoolHandler? FindPoolHandler()
    {
        HttpMessageHandler? handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(client);
        while (handler is DelegatingHandler { InnerHandler: var inner } and not EndpointPoolHandler)
            handler = inner;
        return handler as EndpointPoolHandler;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _own?.Dispose();
        base.Dispose(disposing);
    }
}
