using System.Text;
using HaKit.Testing;
using static HaKit.Tests.Http.WireSiblings;
using static HaKit.Tests.Http.StreamChecks;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests successful answers of real servers and gateways over real sockets, one row for each: answers that are none, streams that failed, whole streams in
/// unusual forms, and keep-alives. The endpoint with the answer is in tier 0, and a healthy endpoint is in tier 1.
/// </summary>
public sealed class ServerStreamsTests
{
    private const string Chat = "/chat/completions";
    private const string Messages = "/messages";
    private const string Responses = "/responses";
    private const string Gemini = "/v1beta/models/g:streamGenerateContent?alt=sse";
    private const string HalfMessage = "event: content_block_delta\ndata: {\"type\": \"content_block_delta\", \"index\": 0, \"delta\": {\"type\": \"text_delta\", \"text\": \"half \"}}\n\n";
    private const string HalfResponse = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"half \"}\n\n";
    private const string HalfCandidate = "{\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"half \"}],\"role\": \"model\"},\"index\": 0}]}";
    private const string HalfLine = "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"half \"},\"done\":false}\n";
    private const string EmptyStruct = """{"id":"","object":"","created":0,"model":"","choices":null,"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>Bodies of a 200 that contain no answer, to a request without a stream.</summary>
    public static TheoryData<string, string, string?, string> NoAnswers => new()
    {
        { "one-api", Chat, "application/json", EmptyStruct },
        { "LM Studio", Chat, "application/json; charset=utf-8", """{"error":"Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"}""" },
        { "MiniMax", Chat, "application/json", """{"id":"04","choices":null,"created":0,"model":"","object":"","base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}""" },
        { "Zhipu", Chat, "application/json", """{"code":500,"msg":"404 NOT_FOUND","success":false}""" },
        { "Baidu", Chat, "application/json", """{"error_code":336100,"error_msg":"try again later","id":"as-1"}""" },
        { "iFlytek", Chat, "application/json", """{"code":10013,"message":"input content audit not passed","sid":"cht000"}""" },
        { "Tencent", Chat, "application/json", """{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"x"},"RequestId":"r"}}""" },
        { "Alibaba", Chat, "application/json", """{"Code":"Throttling.User","Message":"x","RequestId":"r","HostId":"h"}""" },
        { "AWS Lambda", Chat, "application/json", """{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited","trace":[]}""" },
        { "Amazon API Gateway", Chat, "application/json", """{"message":"Endpoint request timed out"}""" },
        { "GraphQL", Chat, "application/json", """{"errors":[{"message":"x","path":["chat"]}],"data":null}""" },
        { "S3", Chat, "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code></Error>" },
        { "a health check", Chat, "text/plain", "Healthy" },
        { "a captive portal", Chat, "text/html", "<html><body>Please log in</body></html>" },
        { "a job", Chat, "application/json", """{"id":"x","status":"processing"}""" },
        { "an empty message", Chat, "application/json", """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":0}}""" },
        { "Anthropic", Messages, "application/json", """{"id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{"input_tokens":3,"output_tokens":0}}""" },
        { "OpenAI, failed", Responses, "application/json", """{"id":"r","object":"response","status":"failed","error":{"code":"server_error","message":"x"},"output":[]}""" },
        { "OpenAI, nothing", Responses, "application/json", """{"id":"r","object":"response","status":"completed","error":null,"output":[]}""" },
        { "Gemini", "/v1beta/models/g:generateContent", "application/json", """{"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"modelVersion":"g","responseId":"r"}""" },
        { "Gemini, empty", "/v1beta/models/g:generateContent", "application/json", """{"candidates":[]}""" },
    };

    /// <summary>Streams without an answer.</summary>
    public static TheoryData<string, string, string?, string> NoStreams => new()
    {
        { "one-api", Chat, "application/json", EmptyStruct },
        { "one-api, events", Chat, "text/event-stream", "data: " + EmptyStruct + "\n\n" + Done },
        { "a role", Chat, "text/event-stream", Role + Done },
        { "a usage", Chat, "text/event-stream", "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":0}}\n\n" + Done },
        { "comments", Chat, "text/event-stream", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" },
        { "an end in another dialect", Chat, "text/event-stream", "event: done\ndata: {}\n\n" },
        { "an end with CR", Chat, "text/event-stream", "data: [DONE]\r\r" },
        { "Alibaba", Chat, "text/event-stream", "id:1\nevent:error\n:HTTP_STATUS/429\ndata:{\"code\":\"Throttling\",\"message\":\"x\",\"request_id\":\"r\"}\n\n" },
        { "FastAPI", Chat, "text/event-stream", "{\"detail\":\"Internal error\"}" },
        { "vLLM, in lines", Chat, "text/event-stream", "\n{\n  \"object\": \"error\",\n  \"message\": \"x\",\n  \"code\": 500\n}\n" },
        { "Gemini, array", Chat, "text/event-stream", "[{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"x\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n]" },
        { "nginx", Chat, "text/event-stream", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n" },
        { "Envoy", Chat, "text/event-stream", "upstream connect error or disconnect/reset before headers. reset reason: connection termination" },
        { "Gemini, malformed call", Gemini, "text/event-stream", "data: {\"candidates\": [{\"content\": {},\"finishReason\": \"UNEXPECTED_TOOL_CALL\",\"index\": 0,\"finishMessage\": \"x\"}]}\r\n\r\n" },
        { "OpenAI", Responses, "text/event-stream", "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"param\":null,\"sequence_number\":0}\n\n" },
        { "Anthropic", Messages, "text/event-stream", "event: error\ndata: {\"type\": \"error\", \"error\": {\"details\": null, \"type\": \"overloaded_error\", \"message\": \"Overloaded\"}}\n\n" },
    };

    /// <summary>What comes after some content in streams that failed.</summary>
    public static TheoryData<string, string, string, string> Failures => new()
    {
        { "OpenRouter", Chat, Role + HalfText, "data: {\"id\":\"gen-1\",\"provider\":\"X\",\"object\":\"chat.completion.chunk\",\"created\":1,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":\"error\",\"native_finish_reason\":\"error\",\"error\":{\"code\":502,\"message\":\"Upstream error\"}}]}\n\n" + Done },
        { "OpenRouter, no choices", Chat, Role + HalfText, "data: {\"id\":\"gen-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"error\":{\"code\":502,\"message\":\"Worker local total request limit reached (33/32)\",\"metadata\":{\"error_type\":\"provider_unavailable\"}},\"choices\":[]}\n\n" + Done },
        { "vLLM", Chat, Role + HalfText, "data: {\"error\": {\"message\": \"EngineCore encountered an issue.\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}\n\n" + Done },
        { "vLLM, aborted", Chat, Role + HalfText, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"logprobs\":null,\"finish_reason\" : \"abort\",\"stop_reason\":null}]}\r\n\r\n" + Done },
        { "a chunk on several lines", Chat, Role + HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\ndata: \"finish_reason\":\ndata: \"abort\"}]}\n\n" + Done },
        { "a canceled request", Chat, Role + HalfText, Finish("CANCELLED") + Done },
        { "an upstream's time", Chat, Role + HalfText, Finish("upstream_timeout") + Done },
        { "LM Studio", Chat, Role + HalfText, "event: error\ndata: {\"error\":{\"message\":\"The model has crashed without additional information. (Exit code: null)\"}}\n\n" + Done },
        { "LiteLLM", Chat, Role + HalfText, "data: {\"error\": {\"message\": \"litellm.MidStreamFallbackError: litellm.APIConnectionError: DeepseekException - peer closed connection\", \"type\": null, \"param\": null, \"code\": \"500\"}}\n\n" + Done },
        { "new-api", Chat, Role + HalfText, "data: {\"error\":{\"message\":\"bad response status code 502\",\"type\":\"upstream_error\",\"param\":\"\",\"code\":\"bad_response_status_code\"}}\n\n" + Done },
        { "AWS Lambda", Chat, Role + HalfText, "data: {\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: 1 Error: Runtime exited\",\"trace\":[]}\n\n" + Done },
        { "Alibaba", Chat, Role + HalfText, "data: {\"Code\":\"InternalError\",\"Message\":\"x\",\"RequestId\":\"r\"}\n\n" + Done },
        { "Tencent", Chat, Role + HalfText, "data: {\"Response\":{\"Error\":{\"Code\":\"InternalError\",\"Message\":\"x\"},\"RequestId\":\"r\"}}\n\n" + Done },
        { "iFlytek", Chat, Role + HalfText, "data: {\"code\":10013,\"message\":\"x\",\"sid\":\"cht1\"}\n\n" + Done },
        { "Baidu", Chat, Role + HalfText, "data: {\"error_code\":336100,\"error_msg\":\"try again later\",\"id\":\"as-1\",\"log_id\":\"1\"}\n\n" + Done },
        { "Spring", Chat, Role + HalfText, "data:{\"timestamp\":\"2026-01-01T00:00:00\",\"status\":500,\"error\":\"Internal Server Error\",\"path\":\"/v1\"}\n\n" + Done },
        { "ASP.NET", Chat, Role + HalfText, "data: {\"type\":\"https://tools.ietf.org/html/rfc9110#section-15.6.1\",\"title\":\"An error occurred while processing your request.\",\"status\":500,\"traceId\":\"00-1-2-00\"}\n\n" + Done },
        { "JSON-RPC", Chat, Role + HalfText, "data: {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"x\"},\"id\":1}\n\n" + Done },
        { "gRPC gateway", Chat, Role + HalfText, "data: {\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"x\",\"http_status\":\"Service Unavailable\"}}\n\n" + Done },
        { "ModelScope", Chat, Role + HalfText, "data: {\"errors\":{\"message\":\"x\",\"request_id\":\"r\"}}\n\n" + Done },
        { "Flask", Chat, Role + HalfText, "data: {\"exception\":\"ValueError\",\"traceback\":[\"a\",\"b\"]}\n\n" + Done },
        { "words", Chat, Role + HalfText, "data: Internal Server Error\n\n" + Done },
        { "Envoy", Chat, Role + HalfText, "data: upstream connect error or disconnect/reset before headers\n\n" + Done },
        { "an event in capitals", Chat, Role + HalfText, "event: ERROR\ndata: {\"reason\":\"x\"}\n\n" + Done },
        { "an event without data", Chat, Role + HalfText, "event: error\ndata:\n\n" + Done },
        { "words at the end", Chat, Role + HalfText, "Internal Server Error" },
        { "a page at the end", Chat, Role + HalfText, "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n</html>\r\n" },
        { "comments at the end", Chat, Role + HalfText, ": keep-alive\n\n: keep-alive\n\n" },
        { "OpenAI", Responses, HalfResponse, "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"param\":null,\"sequence_number\":2}\n\n" },
        { "OpenAI, limit", Responses, HalfResponse, "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":2,\"response\":{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"x\"},\"output\":[]}}\n\n" },
        { "Anthropic", Messages, HalfMessage, "event: error\ndata: {\"type\": \"error\", \"error\": {\"details\": null, \"type\": \"overloaded_error\", \"message\": \"Overloaded\"}, \"request_id\": \"req_1\"}\n\n" },
        { "Anthropic, cut", Messages, HalfMessage, "event: content_block_stop\ndata: {\"type\": \"content_block_stop\", \"index\": 0}\n\n" },
        { "Gemini, array", Gemini, "[" + HalfCandidate, ",\r\n{\"error\": {\"code\": 503,\"message\": \"The model is overloaded.\",\"status\": \"UNAVAILABLE\"}}\r\n]" },
        { "Gemini, cut array", Gemini, "[" + HalfCandidate, ",\r\n{\"candidates\": [{\"content\"" },
        { "Ollama", "/api/chat", HalfLine, "{\"error\":\"an error was encountered while running the model: unexpected EOF\"}\n" },
        { "Ollama, cut", "/api/chat", HalfLine, "{\"model\":\"m\",\"message\":{\"role\":\"assist" },
    };

    /// <summary>Whole streams with unusual labels, framings and line ends.</summary>
    public static TheoryData<string, string, string?, string> Whole => new()
    {
        { "a label in capitals", Chat, "Text/Event-Stream;Charset=UTF-8", Role + HalfText + Finish("stop") + Done },
        { "bytes", Chat, "binary/octet-stream", Role + HalfText + Finish("stop") + Done },
        { "a page", Chat, "text/html; charset=utf-8", Role + HalfText + Finish("stop") + Done },
        { "lines", Chat, "application/x-ndjson", Role + HalfText + Finish("stop") + Done },
        { "no reason", Chat, "text/event-stream", Role + HalfText + Done },
        { "all fields", Chat, "application/json", "retry: 3000\nid: 1\nevent: message\n" + HalfText + "id:2\nevent:message\n" + Finish("stop") + Done },
        { "no spaces", Chat, null, (Role + HalfText + Finish("stop") + Done).Replace("data: ", "data:", StringComparison.Ordinal) },
        { "a byte order mark and a comment", Chat, "text/event-stream", "\uFEFF: ok\r\n\r\n" + (HalfText + Finish("stop") + Done).Replace("\n", "\r\n", StringComparison.Ordinal) },
        { "padding", Chat, "text/plain", "\r\n\r\n:" + new string(' ', 2048) + "\n\n" + HalfText + Finish("stop") + Done },
        { "mixed line ends", Chat, "text/event-stream", Role.Replace("\n", "\r\n", StringComparison.Ordinal) + HalfText.Replace("\n", "\r", StringComparison.Ordinal) + Finish("stop") + Done },
        { "a chunk on several lines", Chat, "text/event-stream", "data: {\ndata:   \"choices\": [\ndata:     {\"index\": 0, \"delta\": {\"content\": \"half \"}, \"finish_reason\": null}\ndata:   ]\ndata: }\n\n" + Finish("stop") + Done },
        { "chunks as lines", Chat, "application/jsonl", "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}\r\n{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n" },
        { "chunks in a row", Chat, "application/json", "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}" },
        { "chunks in an array", Chat, null, "[\n{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}\n,\n{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n]\n" },
        { "records", Chat, "application/json-seq", "\u001E{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}\n\u001E{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n" },
        { "a whole answer in lines", Chat, "text/event-stream", "\n{\n  \"id\": \"c\",\n  \"choices\": [\n    {\n      \"index\": 0,\n      \"message\": {\"role\": \"assistant\", \"content\": \"half \"},\n      \"finish_reason\": \"stop\"\n    }\n  ]\n}\n" },
        { "a whole message", Messages, "text/event-stream", "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"half \"}],\"stop_reason\":\"end_turn\"}" },
        { "a whole response", Responses, "text/plain", "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"half \"}]}]}" },
        { "a refusal", Messages, "text/event-stream", HalfMessage + "event: message_delta\ndata: {\"type\": \"message_delta\", \"delta\": {\"stop_reason\": \"refusal\"}, \"usage\": {\"output_tokens\": 1}}\n\nevent: message_stop\ndata: {\"type\": \"message_stop\"}\n\n" },
        { "a filter", Responses, "text/event-stream", HalfResponse + "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"sequence_number\":2,\"response\":{\"id\":\"r\",\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"},\"output\":[]}}\n\n" },
        { "a filter of Vertex", Gemini, "text/event-stream", "data: " + HalfCandidate + "\n\ndata: {\"candidates\": [{\"finishReason\": \"MODEL_ARMOR\",\"finishMessage\": \"Blocked by Model Armor: failed\"}]}\n\n" },
        { "Gemini, array", Gemini, "application/json; charset=UTF-8", "[" + HalfCandidate + "\r\n,\r\n{\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}]},\"finishReason\": \"STOP\"}]}\r\n]\r\n" },
        { "a tool that failed", Responses, "text/event-stream", HalfResponse + "event: response.mcp_call.failed\ndata: {\"type\":\"response.mcp_call.failed\",\"sequence_number\":2,\"item_id\":\"i\",\"output_index\":0}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":3,\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[]}}\n\n" },
        { "timings at the end", Chat, "text/event-stream", HalfText + "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"timings\":{\"prompt_n\":1,\"cache_n\":0}}\n\n" + Done },
    };

    /// <summary>Keep-alives. <c>{n}</c> is a number, and <c>{id}</c> a new id.</summary>
    public static TheoryData<string, string, string> KeepAlives => new()
    {
        { "a chunk without choices", Chat, "data: {\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{n},\"model\":\"m\",\"system_fingerprint\":null}\n\n" },
        { "a usage without choices", Chat, "data: {\"id\":\"{id}\",\"usage\":{\"prompt_tokens\":{n}}}\n\n" },
        { "Starlette", Chat, ": ping - 2026-01-01 00:00:{n}+00:00\r\n\r\n" },
        { "blank lines", Chat, "\n\n" },
        { "an id in a heartbeat", Chat, "event: heartbeat\ndata: {\"id\":\"{id}\"}\n\n" },
        { "capitals", Chat, "event: KeepAlive\ndata: {\"id\":\"{id}\",\"ts\":{n}}\n\n" },
        { "Gemini", Gemini, "data: {\"usageMetadata\":{\"promptTokenCount\":{n}},\"modelVersion\":\"g\",\"responseId\":\"{id}\",\"createTime\":\"2026-01-01T00:00:00Z\"}\n\n" },
        { "OpenAI", Responses, "event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"sequence_number\":{n},\"response\":{\"id\":\"{id}\",\"status\":\"in_progress\",\"output\":[]}}\n\n" },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(NoAnswers))]
    public async Task A_200_without_an_answer_moves_on(string server, string path, string? label, string body)
    {
        await using var pair = Pair(path, new RawAnswer(200, label, body), isStream: false);
        for (var i = 0; i < 20; i++)
            (await pair.AskAsync()).Text.Should().Contain("served", server);
        pair.Asked.First.Should().BeInRange(1, 10, server);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(NoStreams))]
    public async Task A_stream_without_an_answer_moves_on(string server, string path, string? label, string body)
    {
        foreach (var pieces in Packets(body))
        {
            await using var pair = Pair(path, new RawAnswer(200, label, pieces));
            (await pair.AskAsync()).Text.Should().Contain("served", server);
            pair.Asked.Should().Be((1, 1), server);
        }
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Failures))]
    public Task A_stream_that_failed_is_partial_after_content(string server, string path, string half, string failure) =>
        ExpectPartialAsync(server, path, half[0] is '[' or '{' ? "application/json" : "text/event-stream", half + failure);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Whole))]
    public Task A_whole_stream_is_delivered_byte_for_byte(string server, string path, string? label, string body) =>
        ExpectWholeAsync(server, path, label, body);

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(KeepAlives))]
    public Task Keep_alives_hold_no_call_beside_a_well_sibling(string server, string path, string item) =>
        ExpectNoProgressAsync(server, path, "text/event-stream", item);
}
