using System.Globalization;
using System.Text.Json;

namespace HaKit.Testing.Wire;

/// <summary>Ollama's own API, <c>/api/chat</c>, with one JSON object per line. In this dialect the fake answers with text only: it never calls a tool.</summary>
internal sealed class OllamaDialect : Dialect
{
    public static readonly OllamaDialect Instance = new();

    public override string StreamType => "application/x-ndjson";

    public override byte[] WriteWhole(ChatReply reply) => ChatReply.Utf8(Last(reply, reply.Text));

    public override byte[] Opening(ChatReply reply) => [];

    public override byte[] Closing(ChatReply reply) => ChatReply.Utf8(Last(reply, "") + "\n");

    public override byte[] ErrorEvent(string json) => ChatReply.Utf8($$"""{"error":{{ChatReply.Quote(MessageOf(json))}}}""" + "\n");

    public override byte[] Models(IReadOnlyList<string> models, DateTimeOffset created) => OpenAIDialect.Instance.Models(models, created);

    protected override string PieceFrame(ChatReply reply) => Head(reply) + $$$""","message":{"role":"assistant","content":"{{{TextMark}}}"},"done":false}""" + "\n";

    private static string Last(ChatReply reply, string text) => Head(reply)
        + $$$""","message":{"role":"assistant","content":{{{ChatReply.Quote(text)}}}},"done":true,"done_reason":{{{ChatReply.Quote(reply.Finish ?? "stop")}}},"prompt_eval_count":{{{reply.Request.PromptTokens}}},"eval_count":{{{reply.Pieces.Count}}}}""";

    private static string Head(ChatReply reply) =>
        $$"""{"model":{{ChatReply.Quote(reply.Request.Model)}},"created_at":"{{DateTimeOffset.FromUnixTimeSeconds(reply.Created).ToString("o", CultureInfo.InvariantCulture)}}" """.TrimEnd();

    // The scripted errors are in OpenAI's format.
    private static string MessageOf(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String
                ? message.GetString()! : json;
        }
        catch (JsonException)
        {
            return json;
        }
    }
}
