using System.ClientModel;
using Anthropic;
using HaKit.AI;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using OpenAI;

namespace HaKit.Sample.Chat;

/// <summary>
/// The providers of a conversation: the real providers whose keys are configured. Without a key: local servers with the same dialects, which can be killed.
/// </summary>
internal sealed class Providers : IAsyncDisposable
{
    private readonly Dictionary<string, FakeAiServer> _servers = [];

    private Providers(EndpointPoolOptions options) => Options = options;

    public EndpointPoolOptions Options { get; }

    public bool AreReal => _servers.Count == 0;

    /// <summary>
    /// Creates the real providers whose keys are in the environment (<c>OPENAI_API_KEY</c>, <c>ANTHROPIC_API_KEY</c>). Null if there is no key.
    /// </summary>
    public static Providers? Real(Func<string, string?> environment)
    {
        var providers = new Providers(NewOptions());
        if (environment("OPENAI_API_KEY") is { Length: > 0 } openAI)
            providers.AddOpenAI("openai", null, openAI, environment("OPENAI_MODEL") ?? "gpt-4o-mini");
        if (environment("ANTHROPIC_API_KEY") is { Length: > 0 } anthropic)
            providers.AddAnthropic("anthropic", null, anthropic, environment("ANTHROPIC_MODEL") ?? "claude-sonnet-4-5");
        return providers.Options.Endpoints.Count > 0 ? providers : null;
    }

    /// <summary>Starts two local servers with OpenAI's dialect and one local server with Anthropic's dialect.</summary>
    public static async Task<Providers> LocalAsync(CancellationToken cancellationToken)
    {
        var providers = new Providers(NewOptions());
        foreach (var name in (string[])["gpt", "claude", "llama"])
            providers._servers[name] = await FakeAiServer.StartAsync(new FakeAiOptions { Name = name }, cancellationToken: cancellationToken);
        providers.AddOpenAI("gpt", providers["gpt"].OpenAIAddress, "none", "gpt-local");
        providers.AddAnthropic("claude", providers["claude"].Address, "none", "claude-local");
        providers.AddOpenAI("llama", providers["llama"].OpenAIAddress, "none", "llama-local");
        return providers;
    }

    public FakeAiServer this[string name] => _servers[name];

    public FakeAiServer? Find(string name) => _servers.GetValueOrDefault(name);

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
            await server.DisposeAsync();
    }

    private static EndpointPoolOptions NewOptions() => new() { Seed = 1, FirstContent = { Timeout = TimeSpan.FromSeconds(20) } };

    private void AddOpenAI(string name, Uri? address, string key, string model)
    {
        var options = new OpenAIClientOptions().UseHaEndpoint(name);
        if (address is not null)
            options.Endpoint = address;
        Options.AddEndpoint(name, new OpenAIClient(new ApiKeyCredential(key), options).GetChatClient(model).AsIChatClient(), e => Configure(e, "openai"));
    }

    private void AddAnthropic(string name, Uri? address, string key, string model)
    {
        var client = new AnthropicClient
        {
            ApiKey = key,
            BaseUrl = address?.ToString() ?? "https://api.anthropic.com",
            MaxRetries = 0,
            Timeout = TimeSpan.FromHours(1), // the default of ten minutes would end a long stream
            HttpClient = EndpointFaultHandler.CreateHttpClient(name),
        };
        Options.AddEndpoint(name, client.AsIChatClient(model, 1024), e => Configure(e, "anthropic"));
    }

    // The endpoints are used in the order in which they were added, so that a conversation does not change its provider without a reason.
    private void Configure(EndpointOptions endpoint, string provider)
    {
        endpoint.Provider = provider;
        endpoint.Tier = Options.Endpoints.Count - 1;
    }
}
