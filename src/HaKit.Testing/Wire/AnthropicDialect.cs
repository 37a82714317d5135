namespace HaKit.Testing.Wire;

internal sealed class AnthropicDialect : Dialect
{
    public static readonly AnthropicDialect Instance = new();

    public override byte[] WriteWhole(ChatReply reply)
    {
        var content = reply.ToolCall is { } call
            ? $$"""{"type":"tool_use","id":"toolu_{{reply.Number}}","name":{{ChatReply.Quote(call.Name)}},"input":{{call.Arguments}}}"""
            : $$"""{"type":"text","text":{{ChatReply.Quote(reply.Text)}}}""";
        return ChatReply.Utf8(Message(reply, content, ChatReply.Quote(Stop(reply)), reply.Pieces.Count));
    }

    public override byte[] Opening(ChatReply reply)
    {
        var block = reply.ToolCall is { } call
            ? $$$"""{"type":"tool_use","id":"toolu_{{{reply.Number}}}","name":{{{ChatReply.Quote(call.Name)}}},"input":{}}"""
            : """{"type":"text","text":""}""";
        return ChatReply.Utf8(
            Event("message_start", $$$"""{"type":"message_start","message":{{{Message(reply, "", "null", 1)}}}}""")
            + Event("content_block_start", $$$"""{"type":"content_block_start","index":0,"content_block":{{{block}}}}""")
            + Event("ping", """{"type":"ping"}"""));
    }

    public override byte[] Closing(ChatReply reply) => ChatReply.Utf8(
        Event("content_block_stop", """{"type":"content_block_stop","index":0}""")
        + Event("message_delta", $$$"""{"type":"message_delta","delta":{"stop_reason":{{{ChatReply.Quote(Stop(reply))}}},"stop_sequence":null},"usage":{"output_tokens":{{{reply.Pieces.Count}}}}}""")
        + Event("message_stop", """{"type":"message_stop"}"""));

    public override byte[] ErrorEvent(string json) => ChatReply.Utf8(Event("error", json));

    public override byte[] Models(IReadOnlyList<string> models, DateTimeOffset created) => ChatReply.Json(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("data");
        foreach (var model in models)
        {
            json.WriteStartObject();
            json.WriteString("type", "model");
            json.WriteString("id", model);
            json.WriteString("display_name", model);
            json.WriteString("created_at", created.UtcDateTime);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("has_more", false);
        json.WriteString("first_id", models.Count > 0 ? models[0] : null);
        json.WriteString("last_id", models.Count > 0 ? models[^1] : null);
        json.WriteEndObject();
    });

    protected override string PieceFrame(ChatReply reply)
    {
        var delta = reply.ToolCall is null
            ? $$"""{"type":"text_delta","text":"{{TextMark}}"}"""
            : $$"""{"type":"input_json_delta","partial_json":"{{TextMark}}"}""";
        return Event("content_block_delta", $$"""{"type":"content_block_delta","index":0,"delta":{{delta}}}""");
    }

    private static string Message(ChatReply reply, string content, string stop, int outputTokens) =>
        $$$"""{"id":"msg_{{{reply.Number}}}","type":"message","role":"assistant","model":{{{ChatReply.Quote(reply.Request.Model)}}},"content":[{{{content}}}],"stop_reason":{{{stop}}},"stop_sequence":null,"usage":{"input_tokens":{{{reply.Request.PromptTokens}}},"output_tokens":{{{outputTokens}}}}}""";

    private static string Event(string name, string json) => $"event: {name}\ndata: {json}\n\n";

    private static string Stop(ChatReply reply) => reply.Finish ?? (reply.ToolCall is null ? "end_turn" : "tool_use");
}
