using HaKit;
using HaKit.AI;
using HaKit.AI.DependencyInjection;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers chat clients over pools, and adds endpoints with chat clients to pools.</summary>
public static class EndpointPoolChatServiceExtensions
{
    /// <summary>Registers a chat client over a pool: as <see cref="IChatClient"/> and as <see cref="EndpointPoolChatClient"/>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="pool">The name of the pool, as passed to <c>AddHaEndpointPool</c>.</param>
    /// <param name="configure">Sets how the client uses the pool. Null: the defaults.</param>
    /// <returns>The builder of the <see cref="IChatClient"/>, for clients around the pool: <c>UseFunctionInvocation</c>, <c>UseLogging</c> and others.</returns>
    public static ChatClientBuilder AddHaChatClient(this IServiceCollection services, string pool, Action<EndpointPoolChatClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.RequireHaEndpointPool(pool, nameof(AddHaChatClient));
        UnkeyedClient.Add(services, nameof(AddHaChatClient), pool);
        services.AddSingleton(provider => provider.GetRequiredKeyedService<EndpointPool>(pool).AsChatClient(configure));
        return services.AddChatClient(static provider => provider.GetRequiredService<EndpointPoolChatClient>());
    }

    /// <summary>Registers a keyed chat client over a pool; see <see cref="AddHaChatClient"/>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key of the chat client in the container.</param>
    /// <param name="pool">The name of the pool, as passed to <c>AddHaEndpointPool</c>.</param>
    /// <param name="configure">Sets how the client uses the pool. Null: the defaults.</param>
    /// <returns>The builder of the keyed <see cref="IChatClient"/>, for clients around the pool.</returns>
    public static ChatClientBuilder AddKeyedHaChatClient(
        this IServiceCollection services, object? serviceKey, string pool, Action<EndpointPoolChatClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.RequireHaEndpointPool(pool, nameof(AddKeyedHaChatClient));
        services.AddKeyedSingleton(serviceKey, (provider, _) => provider.GetRequiredKeyedService<EndpointPool>(pool).AsChatClient(configure));
        return services.AddKeyedChatClient(serviceKey, provider => provider.GetRequiredKeyedService<EndpointPoolChatClient>(serviceKey));
    }

    /// <summary>Adds an endpoint with a chat client. If the configuration already has an endpoint of this name, that endpoint gets the chat client.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="client">The endpoint's client. Switch off the client's own retries, because they would multiply the pool's retries.</param>
    /// <param name="configure">Changes the endpoint: model, tier, account, context window, prices. Runs again at each reload.</param>
    /// <param name="chat">Sets the endpoint's chat options. Null: the defaults.</param>
    public static IEndpointPoolBuilder AddEndpoint(
        this IEndpointPoolBuilder builder, string name, IChatClient client, Action<EndpointOptions>? configure = null, Action<ChatEndpointOptions>? chat = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        return builder.AddEndpoint(name, _ => client, configure, chat);
    }

    /// <summary>Adds an endpoint with a chat client from a function. The function runs once. The pool does not dispose the client.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="client">Returns the endpoint's client.</param>
    /// <param name="configure">Changes the endpoint.</param>
    /// <param name="chat">Sets the endpoint's chat options. Null: the defaults.</param>
    public static IEndpointPoolBuilder AddEndpoint(
        this IEndpointPoolBuilder builder, string name, Func<IServiceProvider, IChatClient> client, Action<EndpointOptions>? configure = null, Action<ChatEndpointOptions>? chat = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        return builder.Attach(name, provider =>
        {
            if (client(provider) is not { } made)
                return null!;
            ChatEndpointWarnings.WarnOfFunctions(made, builder.Name, name, provider.GetService<ILoggerFactory>());
            return EndpointPoolAIExtensions.Serving(made, chat);
        }, configure);
    }

    /// <summary>Adds an endpoint with a keyed chat client from the container.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="name">The endpoint's name.</param>
    /// <param name="serviceKey">The client's key. Default null: the endpoint's name.</param>
    /// <param name="configure">Changes the endpoint.</param>
    /// <param name="chat">Sets the endpoint's chat options. Null: the defaults.</param>
    public static IEndpointPoolBuilder AddKeyedChatEndpoint(
        this IEndpointPoolBuilder builder, string name, object? serviceKey = null, Action<EndpointOptions>? configure = null, Action<ChatEndpointOptions>? chat = null) =>
        builder.AddEndpoint(name, provider => provider.GetKeyedService<IChatClient>(serviceKey ?? name) ?? throw new InvalidOperationException(
            $"AddKeyedChatEndpoint needs a chat client with the key '{serviceKey ?? name}' for endpoint '{name}', and the container has none. AddKeyedChatClient registers it."), configure, chat);

    // The pool's options are created again at each reload, but the client is created only once.
    internal static IEndpointPoolBuilder Attach<TClient>(
        this IEndpointPoolBuilder builder, string name, Func<IServiceProvider, TClient> make, Action<EndpointOptions>? configure) where TClient : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentException($"AddEndpoint of pool '{builder.Name}' was given no name of an endpoint. Give it a name, such as \"openai\".", nameof(name));
        if (builder.Services.Any(s => s.IsKeyedService && Equals(s.ServiceKey, new EndpointKey(builder.Name, name)) && s.ServiceType == typeof(Attached<TClient>)))
            throw new ArgumentException($"AddEndpoint of pool '{builder.Name}': the endpoint '{name}' has a client already. Give each endpoint a name of its own.", nameof(name));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<TelemetryOptions>, ResilienceWatch>());
        var key = new EndpointKey(builder.Name, name);
        builder.Services.AddKeyedSingleton(key, (provider, _) => new Attached<TClient>(Make(provider, make, name)));
        builder.Services.AddOptions<EndpointPoolOptions>(builder.Name)
            .Configure<IServiceProvider>((options, provider) => options.Attach(name, provider.GetRequiredKeyedService<Attached<TClient>>(key).Client, configure));
        return builder;
    }

    private static TClient Make<TClient>(IServiceProvider provider, Func<IServiceProvider, TClient> make, string endpoint) where TClient : class
    {
        try
        {
            return make(provider) ?? throw new InvalidOperationException($"AddEndpoint: the function for the client of endpoint '{endpoint}' returned null. Return the client.");
        }
        catch (InvalidOperationException refused) when (ScopedService.IsRefusedIn(refused))
        {
            throw new InvalidOperationException($"AddEndpoint: the client of endpoint '{endpoint}' needs a scoped service, and the pool lives as long as the application. Register the service as a singleton. {refused.Message}", refused);
        }
    }

    private sealed record EndpointKey(string Pool, string Endpoint);

    // Without this wrapper, the container would dispose the client, although the container does not own it.
    private sealed record Attached<TClient>(TClient Client) where TClient : class;
}
