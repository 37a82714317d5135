using System.ClientModel;
using HaKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenAI;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the official OpenAI client over a pool.</summary>
public static class EndpointPoolOpenAIServiceExtensions
{
    /// <summary>
    /// Adds a pool that is described in configuration, an HTTP client of the same name over it, and an <see cref="OpenAIClient"/> over that client. The OpenAI
    /// client is a singleton whose key is the name; the first such client is also available without a key. Get clients for a model from it, for example with
    /// <c>GetChatClient("gpt-4.1")</c>.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The name of the pool, of the HTTP client and of the OpenAI client.</param>
    /// <param name="section">The section with the pool's <see cref="EndpointPoolOptions"/>.</param>
    /// <param name="configure">Changes the OpenAI client's options, for example its organisation. Default: no change.</param>
    /// <returns>The pool's builder.</returns>
    /// <example><code>
    /// builder.Services.AddHaOpenAIClient("openai", builder.Configuration.GetSection("OpenAI"));
    /// builder.Services.AddSingleton(provider => provider.GetRequiredService&lt;OpenAIClient&gt;().GetChatClient("gpt-4.1"));
    /// </code></example>
    public static IEndpointPoolBuilder AddHaOpenAIClient(this IServiceCollection services, string name, IConfiguration section, Action<OpenAIClientOptions>? configure = null) =>
        Add(services.AddHaEndpointPool(name, section), configure);

    /// <summary>
    /// Adds a pool that is described in code, an HTTP client of the same name over the pool, and an <see cref="OpenAIClient"/> over the HTTP client.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="name">The name of the pool, of the HTTP client and of the OpenAI client.</param>
    /// <param name="pool">Sets the pool's options.</param>
    /// <param name="configure">Changes the OpenAI client's options. Default: no change.</param>
    /// <returns>The pool's builder.</returns>
    public static IEndpointPoolBuilder AddHaOpenAIClient(this IServiceCollection services, string name, Action<EndpointPoolOptions> pool, Action<OpenAIClientOptions>? configure = null) =>
        Add(services.AddHaEndpointPool(name, pool), configure);

    private static IEndpointPoolBuilder Add(IEndpointPoolBuilder builder, Action<OpenAIClientOptions>? configure)
    {
        var (services, name) = (builder.Services, builder.Name);
        services.AddHttpClient(name).AddHaEndpointPoolHandler(name);
        services.AddKeyedSingleton(name, (provider, _) =>
        {
            var options = new OpenAIClientOptions { Endpoint = provider.GetRequiredKeyedService<EndpointPool>(name).Origin };
            configure?.Invoke(options);
            options.UseHaEndpointPool(provider.GetRequiredService<IHttpClientFactory>().CreateClient(name));
            return new OpenAIClient(new ApiKeyCredential("each endpoint has its own"), options);
        });
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<OpenAIClient>(name));
        return builder;
    }
}
