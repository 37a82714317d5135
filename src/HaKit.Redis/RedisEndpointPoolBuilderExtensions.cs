using HaKit;
using HaKit.Redis;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Shares facts (cooldowns, ejections, orders, usage) between the replicas of an application through Redis.</summary>
public static class RedisEndpointPoolBuilderExtensions
{
    /// <summary>
    /// Shares facts through the application's own connection to Redis, Valkey or Garnet: the <see cref="IConnectionMultiplexer"/> of the container. Calls never
    /// wait for the store; while the store is down, the pool works alone.
    /// </summary>
    /// <param name="builder">The pool.</param>
    public static IEndpointPoolBuilder ShareThroughRedis(this IEndpointPoolBuilder builder) =>
        builder.ShareThroughRedis(static provider => provider.GetService<IConnectionMultiplexer>() ?? throw new InvalidOperationException(
            "ShareThroughRedis needs an IConnectionMultiplexer, and the container has none. Register one with services.AddSingleton<IConnectionMultiplexer>(…), or give ShareThroughRedis a connection string."));

    /// <summary>Shares facts through a keyed connection of the container, such as one that Aspire's <c>AddKeyedRedisClient</c> registers.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="serviceKey">The key of the <see cref="IConnectionMultiplexer"/>.</param>
    public static IEndpointPoolBuilder ShareThroughKeyedRedis(this IEndpointPoolBuilder builder, object serviceKey)
    {
        ArgumentNullException.ThrowIfNull(serviceKey); // the container would give its connection without a key for null
        return builder.ShareThroughRedis(provider => provider.GetKeyedService<IConnectionMultiplexer>(serviceKey) ?? throw new InvalidOperationException(
            $"ShareThroughKeyedRedis needs an IConnectionMultiplexer with the key '{serviceKey}', and the container has none. Register one with services.AddKeyedSingleton<IConnectionMultiplexer>(…)."));
    }

    /// <summary>Shares facts through a connection that your code provides. The pool does not dispose the connection.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="connection">Returns the connection.</param>
    public static IEndpointPoolBuilder ShareThroughRedis(this IEndpointPoolBuilder builder, Func<IServiceProvider, IConnectionMultiplexer> connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return builder.WithHostName().ConfigureParts((provider, parts) => parts.PeerLink = RedisPeerLinks.Over(connection(provider)));
    }

    /// <summary>Shares facts through a connection that the pool opens itself.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configuration">The connection string, for example <c>redis:6379,user=app,password=…,ssl=true</c>.</param>
    public static IEndpointPoolBuilder ShareThroughRedis(this IEndpointPoolBuilder builder, string configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration))
            throw new ArgumentException("ShareThroughRedis was given no connection string: perhaps the configuration does not have it. A connection string such as 'redis:6379' is needed.", nameof(configuration));
        if (RedisConnectionString.FindMistake(configuration) is { } mistake)
            throw new ArgumentException($"ShareThroughRedis was given a connection string that {mistake} The connection string is not shown, because it may hold a password.", nameof(configuration));
        var link = RedisPeerLinks.Over(configuration);
        return builder.WithHostName().ConfigureParts((_, parts) => parts.PeerLink = link);
    }

    private static IEndpointPoolBuilder WithHostName(this IEndpointPoolBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptions<EndpointPoolOptions>(builder.Name).PostConfigure<IServiceProvider>(static (options, provider) =>
        {
            if (options.Sharing.Name is null && provider.GetService<IHostEnvironment>() is { } host)
                options.Sharing.Name = $"{host.ApplicationName}/{host.EnvironmentName}".Replace(' ', '-');
        });
        return builder;
    }
}
