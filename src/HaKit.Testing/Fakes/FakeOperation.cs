namespace HaKit.Testing;

/// <summary>What a request asks of a fake, told by the end of its path: any base path (<c>/v1</c>, <c>/openai/deployments/x</c>) may precede it.</summary>
public enum FakeOperation
{
    /// <summary>None that is spoken: answered 404.</summary>
    Unknown,

    /// <summary><c>POST …/chat/completions</c> (OpenAI).</summary>
    Chat,

    /// <summary><c>POST …/messages</c> (Anthropic).</summary>
    Messages,

    /// <summary><c>POST …/embeddings</c> (OpenAI).</summary>
    Embeddings,

    /// <summary><c>POST …/files</c>, multipart (OpenAI).</summary>
    Files,

    /// <summary><c>POST …/images/generations</c> (OpenAI).</summary>
    Images,

    /// <summary><c>GET …/models</c> (OpenAI, or Anthropic when <c>anthropic-version</c> is sent): a probe.</summary>
    Models,

    /// <summary><c>GET …/health</c>: a probe.</summary>
    Health,

    /// <summary><c>GET …/metrics</c>, as vLLM writes them: a probe.</summary>
    Metrics,

    /// <summary><c>POST …/responses</c> (OpenAI).</summary>
    Responses,

    /// <summary><c>POST …/api/chat</c> (Ollama).</summary>
    OllamaChat,

    /// <summary>A call of a <see cref="FakeEndpoint{T}"/>.</summary>
    Callback,
}
