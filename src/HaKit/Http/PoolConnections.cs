using System.Net;

namespace HaKit.Http;

/// <summary>Connections that suit long calls to few hosts.</summary>
internal static class PoolConnections
{
    public static SocketsHttpHandler NewHandler(TimeSpan connectTimeout)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }; // a changed DNS record is seen within this time
        Suit(handler, connectTimeout);
        return handler;
    }

    /// <summary>Fits a handler that somebody else made. What was set to anything but the runtime's default is left.</summary>
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
