using System.Collections.Immutable;

namespace HaKit.Testing;

/// <summary>A request as a fake received and understood it. Immutable; valid after the request has ended.</summary>
public sealed class FakeRequest
{
    private static readonly ImmutableDictionary<string, string> NoHeaders =
        ImmutableDictionary.Create<string, string>(StringComparer.OrdinalIgnoreCase);

    internal FakeRequest(FakeOperation operation) => Operation = operation;

    /// <summary>What it asks.</summary>
    public FakeOperation Operation { get; }

    /// <summary>The HTTP method, in capitals; empty for a callback.</summary>
    public string Method { get; internal init; } = "";

    /// <summary>The path, without the query, as sent; empty for a callback.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>The query with its question mark, as sent, or empty.</summary>
    public string Query { get; internal init; } = "";

    /// <summary>The request's headers, content headers among them, by name in any case; several values are joined by ", ".</summary>
    public IReadOnlyDictionary<string, string> Headers { get; internal init; } = NoHeaders;

    /// <summary>The whole body.</summary>
    public ReadOnlyMemory<byte> Body { get; internal init; }

    /// <summary>The model or deployment asked for, or empty.</summary>
    public string Model { get; internal set; } = "";

    /// <summary>
    /// The text that the answer derives from: that of the last message (with a mark for each image, see
    /// <see cref="FakeAnswers.ImageMark"/>), of the embedded inputs joined by line feeds, or of the image's prompt.
    /// </summary>
    public string Prompt { get; internal set; } = "";

    /// <summary>The beginning of the answer, where the messages end with an assistant's; null where they do not. <see cref="Prompt"/> is the message before it.</summary>
    public string? Beginning { get; internal set; }

    /// <summary>Tokens of all messages, as <see cref="FakeAnswers.CountTokens"/> counts.</summary>
    public int PromptTokens { get; internal set; }

    /// <summary>How long an answer is asked for, in tokens (<c>max_completion_tokens</c>, <c>max_tokens</c>); null for the fake's choice.</summary>
    public int? MaxTokens { get; internal set; }

    /// <summary>Whether the answer is to be streamed.</summary>
    public bool Stream { get; internal set; }

    /// <summary>The key it came with (<c>Authorization: Bearer</c>, <c>api-key</c>, <c>x-api-key</c>), or null.</summary>
    public string? ApiKey
    {
        get
        {
            if (Headers.TryGetValue("x-api-key", out var key) || Headers.TryGetValue("api-key", out key))
                return key;
            return Headers.TryGetValue("Authorization", out var value) && value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value[7..] : null;
        }
    }

    /// <summary>Whether it asks only how the endpoint is (health, metrics, models), not for work.</summary>
    public bool IsProbe => Operation is FakeOperation.Health or FakeOperation.Metrics or FakeOperation.Models;

    /// <summary>Whether its answers and errors are in Anthropic's dialect; OpenAI's otherwise.</summary>
    public bool IsAnthropic => Operation is FakeOperation.Messages || Headers.ContainsKey("anthropic-version");

    /// <summary>What is wrong with it; null when it can be answered.</summary>
    internal string? Problem { get; set; }

    internal bool IncludeUsage { get; set; }

    internal FakeToolCall? ToolCall { get; set; }

    internal IReadOnlyList<string> Inputs { get; set; } = [];

    internal int? Dimensions { get; set; }

    internal bool Base64 { get; set; }

    internal FakeFile? File { get; set; }
}

/// <summary>The call that a model makes of a tool.</summary>
internal sealed record FakeToolCall(string Name, string Arguments);

/// <summary>An uploaded file.</summary>
internal sealed record FakeFile(string Name, string Purpose, ReadOnlyMemory<byte> Content);
