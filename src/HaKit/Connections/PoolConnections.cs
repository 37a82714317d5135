using System.Net;

namespace HaKit.Connections;

/// <summary>Connections that suit long calls to few hosts.</summary>
internal static class PoolConnections
{
    public static SocketsHttpHandler NewHandler(TimeSpan connectTimeout)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }; // a changed DNS record is seen within this time
        Suit(handler, connectTimeout);
        return handler;
    }

    /// <summary>
    /// Keeps the connections inside from following redirects: the runtime would take api-key, x-api-key and cookies along to another server. The pool follows
    /// those within a server itself.
    /// </summary>
    /// <exception cref="InvalidOperationException">They follow redirects, and were used before, so that this cannot be changed any more.</exception>
    public static void SwitchRedirectsOff(HttpMessageHandler? handler, string pool)
    {
        while (handler is DelegatingHandler { InnerHandler: { } inner })
            handler = inner;
        try
        {
            if (handler is SocketsHttpHandler { AllowAutoRedirect: true } sockets)
                sockets.AllowAutoRedirect = false;
            else if (handler is HttpClientHandler { AllowAutoRedirect: true } simple)
                simple.AllowAutoRedirect = false;
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"Pool '{pool}': the handler inside follows redirects, so that credentials could reach another server, and it was used before, so that this cannot be changed. Set its AllowAutoRedirect to false.", exception);
        }
    }

    /// <summary>As for calls, without a span for each request: probes would make a trace each, thousands a day.</summary>
    public static SocketsHttpHandler NewProbeHandler(TimeSpan connectTimeout)
    {
        var handler = NewHandler(connectTimeout);
        handler.ActivityHeadersPropagator = null;
        return handler;
    }

    /// <summary>Configures a handler that other code created. Settings that differ from the runtime's default are kept.</summary>
    public static void Suit(HttpMessageHandler handler, TimeSpan connectTimeout)
    {
        if (handler is HttpClientHandler simple)
        {
            simple.AllowAutoRedirect = false;
            if (simple.AutomaticDecompression == DecompressionMethods.None)
                simple.AutomaticDecompression = DecompressionMethods.All;
        }
        if (handler is not SocketsHttpHandler sockets)
            return;
        sockets.AllowAutoRedirect = false; // the runtime strips Authorization on the way to another origin, but not api-key or x-api-key
        sockets.UseCookies = false;
        if (sockets.AutomaticDecompression == DecompressionMethods.None)
            sockets.AutomaticDecompression = DecompressionMethods.All; // only an answer that can be read is known to be whole
        sockets.ResponseDrainTimeout = TimeSpan.Zero; // a stream that is left must stop at the endpoint, not be read to its end
        sockets.EnableMultipleHttp2Connections = true;
        if (sockets.ConnectTimeout == Timeout.InfiniteTimeSpan)
            sockets.ConnectTimeout = connectTimeout;
        if (sockets.KeepAlivePingDelay == Timeout.InfiniteTimeSpan)
        {
            sockets.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            sockets.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        }
    }
}
