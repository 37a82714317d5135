namespace HaKit.Http;

/// <summary>Connections that suit long calls to few hosts.</summary>
internal static class PoolConnections
{
    public static SocketsHttpHandler NewHandler(TimeSpan connectTimeout) => new()
    {
        ConnectTimeout = connectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // a changed DNS record is seen within this time
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false, // api-key headers would follow to another origin
        UseCookies = false,
    };
}
