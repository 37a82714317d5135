using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>
/// Creates links between the replicas of a pool through Redis, Valkey or Garnet, for pools that are created without a container: <c>new EndpointPoolParts {
/// PeerLink = RedisPeerLinks.Over(connection) }</c>. Thread-safe.
/// </summary>
public static class RedisPeerLinks
{
    /// <summary>Creates links over a connection of the application. The links do not dispose the connection.</summary>
    /// <param name="connection">The connection.</param>
    public static Func<PeerScope, IPeerLink?> Over(IConnectionMultiplexer connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return scope => new RedisPeerLink(scope, new RedisStore(RedisKeys.FromScope(scope), connection));
    }

    /// <summary>
    /// Creates links over connections of their own, one for each pool. Commands fail at once while the store is down, and time out after a second, so that they
    /// do not fill the memory.
    /// </summary>
    /// <param name="configuration">The connection string, for example <c>redis:6379,user=app,password=…,ssl=true</c>.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read. The message does not show it.</exception>
    public static Func<PeerScope, IPeerLink?> Over(string configuration)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(configuration);
        if (RedisConnectionString.FindMistake(configuration) is { } mistake)
            throw new ArgumentException($"RedisPeerLinks.Over was given a connection string that {mistake} The connection string is not shown, because it may hold a password.", nameof(configuration));
        var options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.ConnectTimeout = 2000;
        options.AsyncTimeout = 1000;
        // The client's own policy waits for up to ten seconds between two attempts, but the return of a store should be detected within one second.
        options.ReconnectRetryPolicy = new LinearRetry(500);
        options.ClientName ??= "HaKit";
        return scope => new RedisPeerLink(scope, new RedisStore(RedisKeys.FromScope(scope), options));
    }
}
