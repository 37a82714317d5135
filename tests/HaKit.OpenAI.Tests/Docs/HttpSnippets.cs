using System.ClientModel;
using Anthropic;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;

namespace HaKit.Tests.Docs;

/// <summary>The code that docs/http.md shows.</summary>
internal static class HttpSnippets
{
    public static void Container(IServiceCollection services, IConfiguration configuration)
    {
        #region container
        services.AddHaEndpointPool("models", configuration.GetSection("Models"));
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        #endregion
    }

    public static HttpClient Alone(EndpointPool pool)
    {
        #region alone
        var client = pool.CreateHttpClient();
        #endregion
        return client;
    }

    public static OpenAIClient OpenAI(EndpointPool pool)
    {
        #region OpenAI
        var options = new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool);
        var client = new OpenAIClient(new ApiKeyCredential("each endpoint has its own"), options);
        #endregion
        return client;
    }

    public static AnthropicClient Anthropic(EndpointPool pool)
    {
        #region Anthropic
        var client = new AnthropicClient
        {
            ApiKey = "each endpoint has its own",
            BaseUrl = pool.Origin.ToString(),
            HttpClient = pool.CreateHttpClient(),
            MaxRetries = 0,                       // its two retries would multiply the pool's
            Timeout = TimeSpan.FromHours(1),      // its ten minutes would end a long stream
        };
        #endregion
        return client;
    }

    public static void Credentials(IServiceCollection services, IConfiguration configuration)
    {
        #region credentials
        services.AddHaEndpointPool("models", configuration.GetSection("Models"))
            .UseCredentialFromConfiguration("openai", "Secrets:OpenAI")
            .UseCredential("azure", async (provider, token) =>
                "Bearer " + await provider.GetRequiredService<TokenSource>().GetAsync(token));
        #endregion
    }

    public static void Pipeline(IServiceCollection services)
    {
        #region pipeline
        services.AddHttpClient("llm").AddResilienceHandler("x", (builder, context) =>
            builder.AddHaEndpointFailover(context.ServiceProvider, "models"));
        #endregion
    }

    public static void CarryOver(IServiceCollection services, IConfiguration configuration)
    {
        #region carry over
        services.AddHaEndpointPool("models", configuration.GetSection("Models"))
            .UseStandardResilienceOptions("llm-standard");
        #endregion
    }

    public static async Task<string> TellAsync(HttpClient client, HttpContent content)
    {
        #region detail
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = content };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { AffinityKey = "conversation 7" });
        using var response = await client.SendAsync(request);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
        Console.WriteLine($"{detail!.Endpoint} answered after {detail.Attempts.Count} attempts.");
        #endregion
        return detail.Endpoint;
    }

    /// <summary>Represents any token source of an application.</summary>
    internal sealed class TokenSource
    {
        public ValueTask<string> GetAsync(CancellationToken cancellationToken) => new("entra");
    }
}
