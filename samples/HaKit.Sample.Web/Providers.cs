namespace HaKit.Sample.Web;

/// <summary>Real providers with OpenAI's dialect. A provider is used if its key is in the environment or the configuration.</summary>
internal static class Providers
{
    private static readonly (string Name, string Key, string Address, string Model)[] Known =
    [
        ("openai", "OPENAI_API_KEY", "https://api.openai.com/v1", "gpt-4o-mini"),
        ("gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.0-flash"),
        ("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", "mistral-small-latest"),
        ("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", "llama-3.1-8b-instant"),
    ];

    public static IEnumerable<EndpointOptions> Configured(IConfiguration configuration)
    {
        foreach (var (name, key, address, model) in Known)
        {
            if (configuration[key] is { Length: > 0 } secret)
            {
                yield return new EndpointOptions
                {
                    Name = name,
                    Provider = name,
                    Account = name,
                    Address = address,
                    Model = configuration[$"{name}:model"] ?? model,
                    Headers = { ["Authorization"] = $"Bearer {secret}" },
                };
            }
        }
    }
}
