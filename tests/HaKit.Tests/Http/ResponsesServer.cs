using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;

namespace HaKit.Tests.Http;

/// <summary>
/// Runs a server of the Responses API with its own store, or with a shared store. It refuses an id that it did not create with
/// <c>previous_response_not_found</c>. If the request offers tools, it calls the first tool for the given number of rounds, and then answers with the number of
/// tool results that it saw.
/// </summary>
internal sealed class ResponsesServer : IDisposable
{
    private readonly RawServer _server;
    private readonly ConcurrentDictionary<string, int> _rounds;
    private readonly int _toolRounds;
    private readonly string _name;
    private int _number;

    public ResponsesServer(string name, int toolRounds, ConcurrentDictionary<string, int>? store = null)
    {
        (_name, _toolRounds, _rounds) = (name, toolRounds, store ?? new());
        _server = new RawServer(Answer);
    }

    public Uri Address => _server.Address;

    public int Asked => _server.Seen.Count;

    public int Refused { get; private set; }

    public void Dispose() => _server.Dispose();

    private RawAnswer Answer(RawRequest request)
    {
        if (request.Method != "POST" || request.Target.EndsWith("/cancel", StringComparison.Ordinal))
            return _rounds.ContainsKey(request.Target.Split('/', '?')[3]) ? new RawAnswer(200, "application/json", """{"object":"response","status":"completed","output":[]}""") : NotFound(404);
        var body = JsonNode.Parse(request.Body)!;
        var previous = (string?)body["previous_response_id"];
        var round = 0;
        if (previous is not null && !_rounds.TryGetValue(previous, out round))
            return NotFound(400);
        var id = $"resp_{_name}_{Interlocked.Increment(ref _number)}";
        _rounds[id] = round + 1;
        var callsTool = round < _toolRounds && body["tools"] is JsonArray { Count: > 0 };
        var item = callsTool
            ? $$"""{"type":"function_call","id":"fc_{{id}}","call_id":"call_{{id}}","name":"{{(string)body["tools"]![0]!["name"]!}}","arguments":"{}","status":"completed"}"""
            : $$"""{"type":"message","id":"msg_{{id}}","status":"completed","role":"assistant","content":[{"type":"output_text","text":"rounds: {{round}}","annotations":[]}]}""";
        var response = $$"""{"id":"{{id}}","object":"response","created_at":1,"status":"completed","error":null,"incomplete_details":null,"model":"m","output":[{{item}}],"parallel_tool_calls":true,"tools":[],"usage":{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2} }""";
        return (bool?)body["stream"] == true ? Streamed(response, item) : new RawAnswer(200, "application/json", response);
    }

    private static RawAnswer Streamed(string response, string item)
    {
        var begun = response.Replace("\"status\":\"completed\",\"error\"", "\"status\":\"in_progress\",\"error\"", StringComparison.Ordinal);
        var events = new StringBuilder();
        Add("response.created", $$"""{"type":"response.created","sequence_number":0,"response":{{begun}}}""");
        Add("response.output_item.added", $$"""{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{{item}}}""");
        if (JsonNode.Parse(item)!["content"] is JsonArray content)
            Add("response.output_text.delta", $$"""{"type":"response.output_text.delta","sequence_number":2,"item_id":"x","output_index":0,"content_index":0,"delta":{{content[0]!["text"]!.ToJsonString()}}}""");
        Add("response.output_item.done", $$"""{"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{{item}}}""");
        Add("response.completed", $$"""{"type":"response.completed","sequence_number":4,"response":{{response}}}""");
        return new RawAnswer(200, "text/event-stream", events.ToString());

        void Add(string name, string data) => events.Append("event: ").Append(name).Append("\ndata: ").Append(data).Append("\n\n");
    }

    private RawAnswer NotFound(int status)
    {
        Refused++;
        return new RawAnswer(status, "application/json", """{"error":{"message":"Previous response with id 'x' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}""");
    }
}
