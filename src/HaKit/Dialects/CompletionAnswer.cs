using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Reads the answer to a <see cref="CompletionRequest"/> in any dialect, because a gateway may answer in another dialect. Pure.</summary>
internal static class CompletionAnswer
{
    /// <summary>
    /// Checks whether a refusal mentions the member for the token limit (<c>max_tokens</c> or <c>max_completion_tokens</c>). The server may then accept the
    /// other name of this member (<see cref="CompletionRequest.OtherLimit"/>).
    /// </summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body.</param>
    public static bool WantsOtherLimit(int status, ReadOnlySpan<byte> body) =>
        status is 400 or 422 && !ReachedTokenLimit(status, body) && (body.IndexOf("max_completion_tokens"u8) >= 0 || body.IndexOf("max_tokens"u8) >= 0);

    /// <summary>
    /// Checks whether the model spent all tokens before its first word. Some servers then answer 400, which still proves that the model generates.
    /// </summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="body">The body.</param>
    public static bool ReachedTokenLimit(int status, ReadOnlySpan<byte> body) => status == 400 && body.IndexOf("model output limit was reached"u8) >= 0;

    /// <summary>Checks whether the answer proves generation: it has content, or ended at the token limit, or reports usage.</summary>
    /// <param name="body">The body of a success.</param>
    public static bool IsAnswer(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
                return false;
            return HasUsage(root) || HasContent(root);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool HasUsage(JsonElement root)
    {
        foreach (var names in DialectTable.Usages)
        {
            if (names.Container.Length > 0 ? Has(root, names.Container, JsonValueKind.Object) : Has(root, names.Output, JsonValueKind.Number))
                return true;
        }
        return false;
    }

    private static bool HasContent(JsonElement root) =>
        Items(root, "choices").Any(static c => IsCut(c, "finish_reason", "length") || c.TryGetProperty("message", out var message) && HasText(message, "content"))
        || Items(root, "candidates").Any(static c => IsCut(c, "finishReason", "MAX_TOKENS") || c.TryGetProperty("content", out _))
        || Items(root, "content").Any(static c => HasText(c, "text"))
        || IsCut(root, "stop_reason", "max_tokens")
        || root.TryGetProperty("message", out var own) && HasText(own, "content");

    private static bool Has(JsonElement parent, string name, JsonValueKind kind) => parent.TryGetProperty(name, out var value) && value.ValueKind == kind;

    private static bool HasText(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && Has(parent, name, JsonValueKind.String) && parent.GetProperty(name).GetString() != "";

    private static bool IsCut(JsonElement parent, string name, string reason) =>
        Has(parent, name, JsonValueKind.String) && parent.GetProperty(name).ValueEquals(reason);

    private static IEnumerable<JsonElement> Items(JsonElement root, string name) =>
        Has(root, name, JsonValueKind.Array) ? root.GetProperty(name).EnumerateArray().Where(static e => e.ValueKind == JsonValueKind.Object) : [];
}
