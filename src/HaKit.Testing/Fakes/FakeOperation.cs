namespace HaKit.Testing;

/// <summary>
/// The operation of a request to a fake. The end of the path selects the operation, after any base path (<c>/v1</c>, <c>/openai/deployments/x</c>).
/// </summary>
public enum FakeOperation
{
    /// <summary>An operation that the fake does not support. It is answered with 404.</summary>
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

    /// <summary><c>GET …/models</c> (OpenAI, or Anthropic when the request has the header <c>anthropic-version</c>): a probe.</summary>
    Models,

    /// <summary><c>GET …/health</c>: a probe.</summary>
    Health,

    /// <summary><c>GET …/metrics</c> in vLLM's format: a probe.</summary>
    Metrics,

    /// <summary><c>POST …/responses</c> (OpenAI).</summary>
    Responses,

    /// <summary><c>POST …/api/chat</c> (Ollama).</summary>
    OllamaChat,

    /// <summary>A call of a <see cref="FakeEndpoint{T}"/>.</summary>
    Callback,
}
