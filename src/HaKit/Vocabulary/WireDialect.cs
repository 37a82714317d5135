namespace HaKit;

/// <summary>The wire format of a server.</summary>
public enum WireDialect
{
    /// <summary>Not declared; recognised from the answers.</summary>
    Unknown,

    /// <summary>OpenAI.</summary>
    OpenAI,

    /// <summary>Azure OpenAI.</summary>
    AzureOpenAI,

    /// <summary>Anthropic Messages.</summary>
    Anthropic,

    /// <summary>Google Gemini.</summary>
    Gemini,

    /// <summary>Mistral.</summary>
    Mistral,

    /// <summary>Amazon Bedrock.</summary>
    Bedrock,

    /// <summary>vLLM and other servers that are compatible with OpenAI.</summary>
    Vllm,

    /// <summary>Ollama.</summary>
    Ollama,
}
