using System.Text.Json;

namespace HaKit.Testing.Wire;

internal sealed class OpenAIDialect : Dialect
{
    public static readonly OpenAIDialect Instance = new();

    public override byte[] WriteWhole(ChatReply reply) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("id", Id(reply));
        json.WriteString("object", "chat.completion");
        json.WriteNumber("created", reply.Created);
        json.WriteString("model", reply.Request.Model);
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        WriteMessage(json, reply);
        json.WriteNull("logprobs");
        json.WriteString("finish_reason", Finish(reply));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WritePropertyName("usage");
        json.WriteRawValue(Usage(reply));
        json.WriteString("system_fingerprint", "fp_fake");
        json.WriteEndObject();
    });

    public override byte[] Opening(ChatReply reply) => ChatReply.Utf8(Chunk(reply, reply.ToolCall is { } call
        ? $$$"""{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_{{{reply.Number}}}","type":"function","function":{"name":{{{ChatReply.Quote(call.Name)}}},"arguments":""}}]}"""
        : """{"role":"assistant","content":"","refusal":null}"""));

    public override byte[] Closing(ChatReply reply)
    {
        var usage = reply.Request.IncludeUsage ? $$"""{{Head(reply)}}"choices":[],"usage":{{Usage(reply)}}}{{"\n\n"}}""" : "";
        return ChatReply.Utf8(Chunk(reply, "{}", Finish(reply)) + usage + "data: [DONE]\n\n");
    }

    public override byte[] ErrorEvent(string json) => ChatReply.Utf8($"data: {json}\n\n");

    public override byte[] Models(IReadOnlyList<string> models, DateTimeOffset created) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var model in models)
        {
            json.WriteStartObject();
            json.WriteString("id", model);
            json.WriteString("object", "model");
            json.WriteNumber("created", created.ToUnixTimeSeconds());
            json.WriteString("owned_by", "fake");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    protected override string PieceFrame(ChatReply reply) => Chunk(reply, reply.ToolCall is null
        ? $$"""{"content":"{{TextMark}}"}"""
        : $$$"""{"tool_calls":[{"index":0,"function":{"arguments":"{{{TextMark}}}"}}]}""");

    private static void WriteMessage(Utf8JsonWriter json, ChatReply reply)
    {
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        if (reply.ToolCall is { } call)
        {
            json.WriteNull("content");
            json.WritePropertyName("tool_calls");
            json.WriteRawValue($$$"""[{"id":"call_{{{reply.Number}}}","type":"function","function":{"name":{{{ChatReply.Quote(call.Name)}}},"arguments":{{{ChatReply.Quote(call.Arguments)}}}}}]""");
        }
        else
        {
            json.WriteString("content", reply.Text);
        }

        json.WriteNull("refusal");
        json.WriteEndObject();
    }

    private static string Chunk(ChatReply reply, string delta, string? finish = null) =>
        $$"""{{Head(reply)}}"choices":[{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{(finish is null ? "null" : ChatReply.Quote(finish))}}}]}{{"\n\n"}}""";

    private static string Head(ChatReply reply) =>
        $$"""data: {"id":"{{Id(reply)}}","object":"chat.completion.chunk","created":{{reply.Created}},"model":{{ChatReply.Quote(reply.Request.Model)}},"system_fingerprint":"fp_fake",""";

    private static string Id(ChatReply reply) => $"chatcmpl-{reply.Number}";

    private static string Finish(ChatReply reply) => reply.Finish ?? (reply.ToolCall is null ? "stop" : "tool_calls");

    private static string Usage(ChatReply reply) =>
        $$"""{"prompt_tokens":{{reply.Request.PromptTokens}},"completion_tokens":{{reply.Pieces.Count}},"total_tokens":{{reply.Request.PromptTokens + reply.Pieces.Count}}}""";
}
