namespace HaKit.Testing.Wire;

/// <summary>
/// OpenAI's Responses API. A <c>previous_response_id</c> must be the id of a response of this fake. The fake uses only the last message for its answer.
/// </summary>
internal sealed class ResponsesDialect : Dialect
{
    public static readonly ResponsesDialect Instance = new();

    public override byte[] WriteWhole(ChatReply reply) => ChatReply.Utf8(Response(reply, Status(reply), Item(reply, "completed")));

    public override byte[] Opening(ChatReply reply)
    {
        var begun = Response(reply, "in_progress", null);
        return ChatReply.Utf8(
            Event("response.created", 0, $"\"response\":{begun}") + Event("response.in_progress", 1, $"\"response\":{begun}")
            + Event("response.output_item.added", 2, $"\"output_index\":0,\"item\":{Item(reply, "in_progress", isBegun: true)}"));
    }

    public override byte[] Closing(ChatReply reply)
    {
        var done = reply.ToolCall is { } call
            ? Event("response.function_call_arguments.done", 4, $"\"item_id\":\"{ItemId(reply)}\",\"output_index\":0,\"arguments\":{ChatReply.Quote(call.Arguments)}")
            : Event("response.output_text.done", 4, $"\"item_id\":\"{ItemId(reply)}\",\"output_index\":0,\"content_index\":0,\"text\":{ChatReply.Quote(reply.Text)}");
        var status = Status(reply);
        return ChatReply.Utf8(
            done + Event("response.output_item.done", 5, $"\"output_index\":0,\"item\":{Item(reply, "completed")}")
            + Event($"response.{status}", 6, $"\"response\":{Response(reply, status, Item(reply, "completed"))}"));
    }

    public override byte[] ErrorEvent(string json) => ChatReply.Utf8($"event: error\ndata: {json}\n\n");

    public override byte[] Models(IReadOnlyList<string> models, DateTimeOffset created) => OpenAIDialect.Instance.Models(models, created);

    protected override string PieceFrame(ChatReply reply) => reply.ToolCall is null
        ? Event("response.output_text.delta", 3, $"\"item_id\":\"{ItemId(reply)}\",\"output_index\":0,\"content_index\":0,\"delta\":\"{TextMark}\"")
        : Event("response.function_call_arguments.delta", 3, $"\"item_id\":\"{ItemId(reply)}\",\"output_index\":0,\"delta\":\"{TextMark}\"");

    private static string Event(string type, int number, string members) => $$"""
        event: {{type}}
        data: {"type":"{{type}}","sequence_number":{{number}},{{members}}}
        """.ReplaceLineEndings("\n") + "\n\n";

    private static string Status(ChatReply reply) => reply.Finish switch
    {
        null or "stop" or "tool_calls" => "completed",
        "length" or "content_filter" => "incomplete",
        _ => "failed",
    };

    private static string Response(ChatReply reply, string status, string? item)
    {
        var reason = reply.Finish == "length" ? "max_output_tokens" : "content_filter";
        var details = status == "incomplete" ? $$"""{"reason":"{{reason}}"}""" : "null";
        var error = status == "failed" ? $$"""{"code":"server_error","message":{{ChatReply.Quote(reply.Finish!)}}}""" : "null";
        var usage = item is null ? "null"
            : $$$"""{"input_tokens":{{{reply.Request.PromptTokens}}},"input_tokens_details":{"cached_tokens":0},"output_tokens":{{{reply.Pieces.Count}}},"output_tokens_details":{"reasoning_tokens":0},"total_tokens":{{{reply.Request.PromptTokens + reply.Pieces.Count}}}}""";
        return $$"""{"id":"{{reply.Id}}","object":"response","created_at":{{reply.Created}},"status":"{{status}}","error":{{error}},"incomplete_details":{{details}},"model":{{ChatReply.Quote(reply.Request.Model)}},"output":[{{item}}],"parallel_tool_calls":true,"tools":[],"usage":{{usage}}}""";
    }

    private static string Item(ChatReply reply, string status, bool isBegun = false)
    {
        if (reply.ToolCall is { } call)
        {
            return $$"""{"type":"function_call","id":"{{ItemId(reply)}}","call_id":"call_{{reply.Number}}","name":{{ChatReply.Quote(call.Name)}},"arguments":{{(isBegun ? "\"\"" : ChatReply.Quote(call.Arguments))}},"status":"{{status}}"}""";
        }
        var content = isBegun ? "" : $$"""{"type":"output_text","text":{{ChatReply.Quote(reply.Text)}},"annotations":[]}""";
        return $$"""{"type":"message","id":"{{ItemId(reply)}}","status":"{{status}}","role":"assistant","content":[{{content}}]}""";
    }

    private static string ItemId(ChatReply reply) => $"{(reply.ToolCall is null ? "msg" : "fc")}_{reply.Number}";
}
