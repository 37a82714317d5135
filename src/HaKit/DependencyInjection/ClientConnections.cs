using System.Net;
using HaKit.Connections;
using HaKit.Http;
using HaKit.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HaKit.DependencyInjection;

/// <summary>
/// Sends probes through the same handlers and connections as the attempts of the pool's HTTP client. Therefore service discovery, a proxy and a client
/// certificate work for probes too. Thread-safe.
/// </summary>
/// <remarks>
/// If the client has a mistake in its configuration, each of its calls throws the mistake. A probe that throws would eject the endpoints, which are not at
/// fault. So the mistake is logged once, and probes use connections of their own.
/// </remarks>
internal sealed partial class ClientConnections(IServiceProvider provider, string client, TimeSpan connectTimeout) : HttpMessageHandler
{
    /// <summary>Marks a request as a probe, for the handlers inside.</summary>
    public static readonly HttpRequestOptionsKey<bool> ProbeKey = new("HaKit.Probe");

    private HttpMessageInvoker? _own;
    private int _isMistakeLogged;

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
    /// Checks whether calls to the address do not connect to its host and port, because they go through service discovery, a proxy, or the application's own
    /// connect callback.
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

    // Looked up each time, because the factory renews its handlers every two minutes and keeps only the latest ones. Null if the client cannot be used.
    private EndpointPoolHandler? FindPoolHandler()
    {
        try
        {
            HttpMessageHandler? handler = provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(client);
            while (handler is DelegatingHandler { InnerHandler: var inner } and not EndpointPoolHandler)
                handler = inner;
            var pool = handler as EndpointPoolHandler;
            pool?.SwitchRedirectsOff();
            return pool;
        }
        catch (Exception exception) when (exception is not ObjectDisposedException) // the container is disposed when the application ends
        {
            var why = exception is InvalidOperationException ? exception.Message : exception.GetType().Name; // other messages come from the application, and may contain a key
            if (Interlocked.Exchange(ref _isMistakeLogged, 1) == 0)
                LogMistake(SafeLogger.Create(provider.GetService<ILoggerFactory>(), "HaKit.Http"), client, why);
            return null;
        }
    }

    [LoggerMessage(27, LogLevel.Warning, "Heartbeats cannot use the handlers of HTTP client {Client}, so they use connections of their own. Calls of the client fail until its configuration is corrected: {Why}")]
    private static partial void LogMistake(ILogger logger, string client, string why);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _own?.Dispose();
        base.Dispose(disposing);
    }
}
