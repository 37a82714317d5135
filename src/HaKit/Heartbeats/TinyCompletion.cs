using System.Buffers;
using System.Text.Json;
using HaKit.Faults;

namespace HaKit.Heartbeats;

/// <summary>The request for a tiny completion in an endpoint's dialect, and the reading of what comes back.</summary>
internal sealed record TinyCompletion(Uri Address, byte[] Body)
{
    private const string Prompt = "Reply with OK.";

    /// <summary>The same with the other name for the bound on the answer; null where the dialect knows only one.</summary>
    public TinyCompletion? OtherLimit { get; private init; }

    public static TinyCompletion For(PoolEndpoint endpoint, string? model, int maxTokens, bool otherLimit)
    {
        model ??= endpoint.Domains.Model;
        if (endpoint.Dialect == WireDialect.Gemini)
            return new(ProbeHttp.BelowAddress(endpoint, $"/models/{Uri.EscapeDataString(model ?? "")}:generateContent"), Write(maxTokens, WriteGemini));
        if (endpoint.Dialect == WireDialect.Anthropic)
            return new(ProbeHttp.BelowAddress(endpoint, ProbeHttp.VersionPrefix(endpoint) + "/messages"), Chat("max_tokens"));
        var (first, second) = (endpoint.Dialect is WireDialect.OpenAI or WireDialect.AzureOpenAI) != otherLimit
            ? ("max_completion_tokens", "max_tokens")
            : ("max_tokens", "max_completion_tokens");
        var address = ProbeHttp.BelowAddress(endpoint, "/chat/completions");
        return new(address, Chat(first)) { OtherLimit = new(address, Chat(second)) };

        byte[] Chat(string limit) => Write(maxTokens, (json, tokens) =>
        {
            if (model is not null)
                json.WriteString("model", model);
            json.WriteStartArray("messages");
            json.WriteStartObject();
            json.WriteString("role", "user");
            json.WriteString("content", Prompt);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteNumber(limit, tokens);
        });
    }

    /// <summary>Did the server refuse the name that we gave the bound?</summary>
    public static bool IsOtherLimitWanted(in ProbeAnswer answer) =>
        answer.Status is 400 or 422 && !SpentItsBound(answer)
        && (answer.Body.Span.IndexOf("max_completion_tokens"u8) >= 0 || answer.Body.Span.IndexOf("max_tokens"u8) >= 0);

    /// <summary>Some reasoning models answer 400 when they have spent the bound before the first word; that took generating.</summary>
    public static bool SpentItsBound(in ProbeAnswer answer) =>
        answer.Status == 400 && answer.Body.Span.IndexOf("model output limit was reached"u8) >= 0;

    /// <summary>Is it an answer that took generating: content, or none because of its length, or usage?</summary>
    public static bool IsAnswer(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
                return false;
            return Has(root, "usage", JsonValueKind.Object) || Has(root, "usageMetadata", JsonValueKind.Object)
                || Items(root, "choices").Any(c => IsCut(c, "finish_reason", "length") || c.TryGetProperty("message", out var m) && HasText(m, "content"))
                || Items(root, "candidates").Any(c => IsCut(c, "finishReason", "MAX_TOKENS") || c.TryGetProperty("content", out _))
                || Items(root, "content").Any(c => HasText(c, "text")) || IsCut(root, "stop_reason", "max_tokens");
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Has(JsonElement parent, string name, JsonValueKind kind) => parent.TryGetProperty(name, out var value) && value.ValueKind == kind;

    private static bool HasText(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && Has(parent, name, JsonValueKind.String) && parent.GetProperty(name).GetString() != "";

    private static bool IsCut(JsonElement parent, string name, string reason) =>
        Has(parent, name, JsonValueKind.String) && parent.GetProperty(name).ValueEquals(reason);

    private static IEnumerable<JsonElement> Items(JsonElement root, string name) =>
        Has(root, name, JsonValueKind.Array) ? root.GetProperty(name).EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Object) : [];

    private static byte[] Write(int maxTokens, Action<Utf8JsonWriter, int> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json, maxTokens);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteGemini(Utf8JsonWriter json, int maxTokens)
    {
        json.WriteStartArray("contents");
        json.WriteStartObject();
        json.WriteStartArray("parts");
        json.WriteStartObject();
        json.WriteString("text", Prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("generationConfig");
        json.WriteNumber("maxOutputTokens", maxTokens);
        json.WriteEndObject();
    }
}
