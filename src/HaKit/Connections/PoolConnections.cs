using System.Net;

namespace HaKit.Connections;

/// <summary>Creates connections that are suitable for long calls to few hosts.</summary>
internal static class PoolConnections
{
    private static readonly Lock s_redirects = new();

    public static SocketsHttpHandler NewHandler(TimeSpan connectTimeout)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }; // a changed DNS record is seen within this time
        Suit(handler, connectTimeout);
        return handler;
    }

    /// <summary>
    /// Prevents a handler from following redirects, because the runtime would send api-key, x-api-key and cookies to the other server. The pool itself follows
    /// redirects within a server.
    /// </summary>
    /// <exception cref="InvalidOperationException">The handler follows redirects and has already been used, so this setting cannot be changed.</exception>
    public static void SwitchRedirectsOff(HttpMessageHandler? handler, string pool)
    {
        while (handler is DelegatingHandler { InnerHandler: { } inner })
            handler = inner;
        try
        {
            // The first calls may come at the same time. Without the lock, the second call could find redirects on, and change them after the first call has
            // sent its request. The runtime forbids this change.
            lock (s_redirects)
            {
                if (handler is SocketsHttpHandler { AllowAutoRedirect: true } sockets)
                    sockets.AllowAutoRedirect = false;
                else if (handler is HttpClientHandler { AllowAutoRedirect: true } simple)
                    simple.AllowAutoRedirect = false;
            }
        }
        catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
        {
            throw new InvalidOperationException(
                $"Pool '{pool}': the handler inside follows redirects, so credentials could reach another server. The handler was used before, so the pool cannot change this setting. Set its AllowAutoRedirect to false.", exception);
        }
    }

    /// <summary>
    /// Creates a handler with the settings for calls, but without a span for each request. Probes would otherwise create thousands of traces a day.
    /// </summary>
    public static SocketsHttpHandler NewProbeHandler(TimeSpan connectTimeout)
    {
        var handler = NewHandler(connectTimeout);
        handler.ActivityHeadersPropagator = null;
        return handler;
    }

    /// <summary>
    /// Configures a handler that other code created for long calls. Settings that differ from the runtime's default are kept. The factory of HTTP clients
    /// may get the same handler each time. So the method may be called again with a handler that it has configured, even if the handler has been used since.
    /// </summary>
    /// <exception cref="InvalidOperationException">The handler needs other settings, but it was used before, so its settings cannot be changed.</exception>
    public static void Suit(HttpMessageHandler handler, TimeSpan connectTimeout)
    {
        try
        {
            Change(handler, connectTimeout);
        }
        catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
        {
            throw new InvalidOperationException(
                "The primary handler of a pool's HTTP client was used before, so the pool cannot set redirects, cookies, decompression and time limits. Return a new handler from ConfigurePrimaryHttpMessageHandler.", exception);
        }
    }

    // The runtime refuses each change of a used handler, even if the value stays the same. So only the settings that differ are written.
    private static void Change(HttpMessageHandler handler, TimeSpan connectTimeout)
    {
        if (handler is HttpClientHandler simple)
        {
            if (simple.AllowAutoRedirect)
                simple.AllowAutoRedirect = false;
            if (simple.AutomaticDecompression == DecompressionMethods.None)
                simple.AutomaticDecompression = DecompressionMethods.All;
        }
        if (handler is not SocketsHttpHandler sockets)
            return;
        if (sockets.AllowAutoRedirect)
            sockets.AllowAutoRedirect = false; // on a redirect to another origin the runtime removes Authorization, but not api-key or x-api-key
        if (sockets.UseCookies)
            sockets.UseCookies = false;
        if (sockets.AutomaticDecompression == DecompressionMethods.None)
            sockets.AutomaticDecompression = DecompressionMethods.All; // the pool must read an answer to determine whether it is complete
        if (sockets.ResponseDrainTimeout != TimeSpan.Zero)
            sockets.ResponseDrainTimeout = TimeSpan.Zero; // a cancelled stream must stop at the endpoint and not be read to its end
        if (!sockets.EnableMultipleHttp2Connections)
            sockets.EnableMultipleHttp2Connections = true;
        if (sockets.ConnectTimeout == Timeout.InfiniteTimeSpan && connectTimeout != Timeout.InfiniteTimeSpan)
            sockets.ConnectTimeout = connectTimeout;
        if (sockets.KeepAlivePingDelay == Timeout.InfiniteTimeSpan)
        {
            sockets.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            sockets.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
        }
    }
}
