using System.Collections.Immutable;

namespace HaKit.Testing;

/// <summary>A request that a fake received. Immutable; it can be used after the request has ended.</summary>
public sealed class FakeRequest
{
    private static readonly ImmutableDictionary<string, string> NoHeaders =
        ImmutableDictionary.Create<string, string>(StringComparer.OrdinalIgnoreCase);

    internal FakeRequest(FakeOperation operation) => Operation = operation;

    /// <summary>Gets the operation of the request.</summary>
    public FakeOperation Operation { get; }

    /// <summary>Gets the HTTP method, in capitals; empty for a callback.</summary>
    public string Method { get; internal init; } = "";

    /// <summary>Gets the path as sent, without the query; empty for a callback.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>Gets the query as sent, with its question mark; empty when there is none.</summary>
    public string Query { get; internal init; } = "";

    /// <summary>Gets the headers of the request and of its content. The case of names does not matter. Several values of a header are joined by ", ".</summary>
    public IReadOnlyDictionary<string, string> Headers { get; internal init; } = NoHeaders;

    /// <summary>Gets the whole body.</summary>
    public ReadOnlyMemory<byte> Body { get; internal init; }

    /// <summary>Gets the requested model or deployment; empty when the request names none.</summary>
    public string Model { get; internal set; } = "";

    /// <summary>
    /// Gets the text from which the answer is created: the text of the last message (with a mark for each image, see
    /// <see cref="FakeAnswers.ImageMark"/>), the embedded inputs joined by line feeds, or the image's prompt.
    /// </summary>
    public string Prompt { get; internal set; } = "";

    /// <summary>
    /// Gets the beginning of the answer, if the last message is an assistant message: the text of this message. <see cref="Prompt"/> is then the message before it.
    /// Null if the last message is from another role.
    /// </summary>
    public string? Beginning { get; internal set; }

    /// <summary>Gets the number of tokens of all messages, as <see cref="FakeAnswers.CountTokens"/> counts them.</summary>
    public int PromptTokens { get; internal set; }

    /// <summary>Gets the requested length of the answer in tokens (<c>max_completion_tokens</c>, <c>max_tokens</c>); null lets the fake choose.</summary>
    public int? MaxTokens { get; internal set; }

    /// <summary>Gets whether the request asks for a stream.</summary>
    public bool Stream { get; internal set; }

    /// <summary>Gets the key of the request (<c>Authorization: Bearer</c>, <c>api-key</c>, <c>x-api-key</c>, <c>x-goog-api-key</c>); null when there is none.</summary>
    public string? ApiKey
    {
        get
        {
            if (Headers.TryGetValue("x-api-key", out var key) || Headers.TryGetValue("api-key", out key) || Headers.TryGetValue("x-goog-api-key", out key))
                return key;
            return Headers.TryGetValue("Authorization", out var value) && value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value[7..] : null;
        }
    }

    /// <summary>Gets whether the request asks only for the endpoint's state (health, metrics, models), not for work.</summary>
    public bool IsProbe => Operation is FakeOperation.Health or FakeOperation.Metrics or FakeOperation.Models;

    /// <summary>Gets whether answers and errors use Anthropic's dialect. All other requests use OpenAI's.</summary>
    public bool IsAnthropic => Operation is FakeOperation.Messages || Headers.ContainsKey("anthropic-version");

    /// <summary>Gets why the request cannot be answered; null when it can.</summary>
    internal string? Problem { get; set; }

    /// <summary>Gets the id of the response that the request continues. Null: the request continues none.</summary>
    internal string? PreviousResponse { get; set; }

    internal bool IncludeUsage { get; set; }

    internal FakeToolCall? ToolCall { get; set; }

    internal IReadOnlyList<string> Inputs { get; set; } = [];

    internal int? Dimensions { get; set; }

    internal bool Base64 { get; set; }

    internal FakeFile? File { get; set; }
}

/// <summary>A tool call that a model makes.</summary>
internal sealed record FakeToolCall(string Name, string Arguments);

/// <summary>An uploaded file.</summary>
internal sealed record FakeFile(string Name, string Purpose, ReadOnlyMemory<byte> Content);
