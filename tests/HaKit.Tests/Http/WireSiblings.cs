using System.Text.Json;

namespace HaKit.Tests.Http;

/// <summary>Generates answers of each kind that real servers and gateways gave: the same mistake with other words, statuses, labels and framings.</summary>
internal static class WireSiblings
{
    public const string Role = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
    public const string HalfText = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half \"},\"finish_reason\":null}]}\n\n";
    public const string Done = "data: [DONE]\n\n";

    /// <summary>Statuses between 400 and 499 that do not mean a bad key, a used-up account or a throttle.</summary>
    public static readonly int[] Foreign =
    [
        400, 404, 405, 406, 407, 409, 411, 412, 413, 414, 415, 416, 417, 418, 419, 420, 421, 422, 423, 425, 426, 428, 431, 444, 449, 450, 451, 460, 494, 495, 496, 497, 498, 499,
    ];

    /// <summary>Bodies that say nothing about the request.</summary>
    public static readonly (string? Type, string Body)[] ForeignBodies =
    [
        ("text/html", "<html><head><title>no</title></head><body><center>nginx</center></body></html>"), (null, ""), ("text/plain", "no"), ("application/json", """{"detail":"Not here"}"""),
        ("application/json", """{"message":"no Route matched with those values"}"""), ("application/json", "{}"), ("application/json", "null"), ("text/plain", "default backend"),
    ];

    /// <summary>Sentences that have a meaning at the right status if they are the server's own words, and no meaning if the server quotes them.</summary>
    public static readonly string[] Sentences =
    [
        "You exceeded your current quota, please check your plan and billing details", "Incorrect API key provided: sk-abc", "insufficient_quota", "Your credit balance is too low to access the API",
        "This model's maximum context length is 10 tokens", "content management policy", "limit: 0", "Rate limit reached, please try again in 3600s", "invalid api key", "Limit 30000, Requested 342389",
        "The model is overloaded", "model does not exist", "You have reached your weekly usage limit", "Your team doesn't have any credits", "Budget has been exceeded", "tokens limit: 5 > 4",
    ];

    /// <summary>Ways in which a server quotes what a caller sent.</summary>
    public static readonly Func<string, string>[] Quotations =
    [
        w => $"1 validation error: 'input': 'why do I get: {w}'", w => $"Invalid value for messages: \"{w}\"", w => $"Invalid value: &quot;{w}&quot; is not allowed", w => $"Invalid value: &#39;{w}&#39; is not allowed",
        w => $"Invalid value: &#x27;{w}&#x27; is not allowed", w => $"Invalid value: &#34;{w}&#34; is not allowed", w => $"Invalid value: &apos;{w}&apos; is not allowed",
        w => $"Invalid value: &amp;quot;{w}&amp;quot; is not allowed", w => $"Unprocessable input \u201C{w}\u201D", w => $"Ung\u00fcltige Eingabe: \u201E{w}\u201C", w => $"Entr\u00e9e non valide: \u00ab {w} \u00bb",
        w => $"Ung\u00fcltig: \u00bb{w}\u00ab bitte", w => $"Ung\u00fcltig: \u2039{w}\u203a bitte", w => $"\u65e0\u6548\u8f93\u5165\uff1a\u300c{w}\u300d", w => $"\u65e0\u6548\u8f93\u5165\uff1a\u300e{w}\u300f",
        w => $"\u65e0\u6548\u8f93\u5165\uff1a\uff02{w}\uff02", w => $"Invalid input `{w}` here", w => $"Invalid input:\n```\n{w}\n```\n", w => $"body: \\\"{w}\\\" is wrong",
        w => "Validation error: {'messages': [{'role': 'user', 'content': '" + w + "'}]}", w => "Bad body: {\"messages\":[{\"role\":\"user\",\"content\":\"" + w + "\"}]}",
        w => "Bad body: {\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"" + w + "\\\"}]}", w => $"Input should be a valid list [type=list_type, input_value='{w}', input_type=str]",
        w => $"Unknown input: ''{w}''", w => $"Could not parse [{w}]", w => $"Could not parse [{w}] in [1, 2]", w => $"Could not parse <input>{w}</input>", w => $"Bad request: <user>{w}</user> is not allowed",
        w => $"Could not parse [{w}", w => $"1 validation error [type=string_type, input_value={w}, input_type=str]",
    ];

    /// <summary>Messages with the text that a firewall found, without quotation marks around the whole text, after the first clause.</summary>
    public static readonly Func<string, string>[] Clauses =
        [w => $"Request blocked by policy 12: why do I get: {w}", w => $"Blocked by firewall rule: {w}", w => $"Forbidden prompt - {w}", w => $"'{w}'", w => $"&quot;{w}&quot;", w => $"\"{w}\""];

    /// <summary>Times to wait of an hour.</summary>
    public static readonly string[] Waits = ["try again in 3600s", "please retry after 1 hour", "Please wait 60 minutes", "retry in: 3600s", "please try again in 1h0m0s", "the limit resets in 60 min"];

    /// <summary>Messages that repeat a prompt.</summary>
    public static readonly Func<string, string>[] Echoes =
    [
        w => $"Too many requests for prompt: my app says {w}", w => $"Throttled - my app says {w}", w => $"Too many requests\nmy app says {w}", w => $"Slow down. Prompt was: {w}", w => $"Slow down. Prompt was {w}",
        w => $"Rate limit reached for m. Last input: {w}", w => $"Rate limit reached for m: {w}", w => $"Busy. request={w}", w => $"Busy. Your question {w} was not answered", w => $"litellm.RateLimitError: Blocked by rule 5: {w}",
        w => $"Blocked: Error code: 429 - {{'message': '{w}'}}", w => $"Error code: 429 - {{'error': {{'message': 'Too many requests for prompt: {w}', 'code': 'x'}}}}", w => $"Rate limit reached for m: used it twice, {w}", w => $"Too many requests, 'my app says {w}'",
        w => $"Limit 5: {w}", w => $"You asked: {w}",
    ];

    /// <summary>Messages in which the time to wait is the server's own.</summary>
    public static readonly Func<string, string>[] Own =
    [
        w => $"Slow down, {w}", w => $"Rate limit reached for `m` in organization `o` on tokens per minute (TPM): Limit 7000, Used 0, Requested ~12. {w}. Visit https://x.test/limits: it tells more", w => $"{w}. Please go here: https://x.test",
        w => $"Rate limit reached for m on requests per min. Limit: 3 / min. Current: 4 / min. {w}", w => $"litellm.RateLimitError: OpenAIException - Error code: 429 - {{'error': {{'message': 'Slow down, {w}.', 'code': 'x'}}}}", w => $"Too many input tokens, {w}",
        w => $"You exceeded your current quota, please check your plan and billing details. To learn more, head to: https://x.test?tab=limits. \n* Quota exceeded for metric: m, limit: 5\n{w}.",
    ];

    /// <summary>Bodies of a 400 or 422, and whether they name a member of the request.</summary>
    public static readonly (string Body, bool Names)[] ErrorsOfMembers =
    [
        ("""{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"errors":{"messages":["The messages field is required."]},"traceId":"00-1-2-00"}""", true),
        ("""{"title":"One or more validation errors occurred.","status":400,"errors":{"$.messages[0].content":["The JSON value could not be converted."],"request":["The request field is required."]}}""", true),
        ("""{"title":"One or more validation errors occurred.","status":422,"errors":{"MaxTokens":["The field MaxTokens must be between 1 and 5."]}}""", true),
        ("""{"message":"The given data was invalid.","errors":{"max_tokens":["The max tokens must be at least 1."]}}""", true),
        ("""{"error":{"message":"Invalid","errors":{"temperature":["too high"]}}}""", true),
        ("""{"title":"Constraint Violation","status":400,"violations":[{"field":"chat.messages","message":"must not be empty"}]}""", true),
        ("""{"title":"Validation Failed","violations":[{"propertyPath":"messages","message":"This value should not be blank."}]}""", true),
        ("""{"type":"https://x.test/probs","title":"Your request parameters didn't validate.","invalid-params":[{"name":"max_tokens","reason":"must be positive"}]}""", true),
        ("""{"title":"Your request is not valid.","errors":[{"detail":"must be a positive integer","pointer":"#/max_tokens"}]}""", true),
        ("""{"errors":[{"status":"422","source":{"pointer":"/data/attributes/messages"},"detail":"too short"}]}""", true),
        ("""{"status":400,"error":"Bad Request","errors":[{"field":"messages","defaultMessage":"must not be null"}]}""", true),
        ("""{"error":{"code":"invalid","message":"x","details":[{"field":"messages","issue":"missing"}]}}""", true),
        ("""{"detail":[{"loc":["body","messages"],"msg":"field required"}]}""", true),
        ("""{"detail":[{"type":"missing","loc":["body","messages",0,"content"],"msg":"Field required"}]}""", true),
        ("""{"detail":[{"type":"json_invalid","loc":["body",12],"msg":"JSON decode error"}]}""", true),
        ("""{"detail":[{"loc":["body"],"msg":"field required"}]}""", true),
        ("""{"detail":[{"loc":["messages",0,"content"],"msg":"field required"}]}""", true),
        ("""{"detail":[{"loc":["header","x-api-key"],"msg":"Field required"},{"loc":["body","messages"],"msg":"Field required"}]}""", true),
        ("""{"errors":{"Authorization":["The header is missing."],"messages":["The messages field is required."]}}""", true),
        ("""{"error":{"message":"x","param":"messages.0.content.0.image_url.url"}}""", true),
        ("""{"error":{"message":"x","param":"tools[0].function.parameters"}}""", true),
        ("""{"detail":[{"type":"missing","loc":["header","x-api-key"],"msg":"Field required"}]}""", false),
        ("""{"detail":[{"type":"missing","loc":["header","authorization"],"msg":"Field required"}]}""", false),
        ("""{"detail":[{"type":"missing","loc":["query","api-version"],"msg":"Field required"}]}""", false),
        ("""{"detail":[{"type":"enum","loc":["path","region"],"msg":"x"},{"loc":["cookie","session"],"msg":"x"}]}""", false),
        ("""{"detail":[{"loc":["body","model"],"msg":"no such model"}]}""", false),
        ("""{"detail":[{"loc":["body","project-id"],"msg":"x"},{"loc":[],"msg":"x"}]}""", false),
        ("""{"errors":{"Authorization":["The header is missing."]}}""", false),
        ("""{"errors":{"X-Api-Key":["The header is missing."],"Api-Version":["x"],"region":["x"]}}""", false),
        ("""{"error":{"message":"x","param":"api_key"}}""", false),
        ("""{"error":{"message":"x","param":"api-version"}}""", false),
        ("""{"error":{"message":"x","param":"region"}}""", false),
        ("""{"error":{"message":"x","param":"organization"}}""", false),
        ("""{"error":{"message":"x","param":"headers.x-goog-user-project"}}""", false),
        ("""{"title":"x","errors":[{"detail":"x","pointer":"#/query/api-version"},{"pointer":"#/header/X-Api-Key"}]}""", false),
        ("""{"errors":[{"source":{"pointer":"/data/attributes/tenant_id"},"detail":"x"}]}""", false),
        ("""{"title":"One or more validation errors occurred.","status":400,"errors":{"model":["This model is not known."]}}""", false),
        ("""{"title":"One or more validation errors occurred.","status":400,"errors":{"Model":["This model is not known."],"":["Not here."]}}""", false),
        ("""{"errors":{"message":"User location is not supported"}}""", false),
        ("""{"errors":{"base":["User location is not supported"]}}""", false),
        ("""{"errors":[{"message":"User location is not supported","source":"gateway"}]}""", false),
        ("""{"errors":["User location is not supported"]}""", false),
        ("""{"title":"Not here","status":400,"errors":{}}""", false),
        ("""{"title":"Not here","status":400,"violations":[{"field":"","message":"x"},{"field":"model"}]}""", false),
        ("""{"title":"Not here","errors":[{"pointer":"#/model"}]}""", false),
    ];

    /// <summary>Bodies of a 200 that contain no chat answer.</summary>
    public static readonly string[] NoAnswers =
    [
        """{"choices":[]}""", "null", """{"choices":null,"base_resp":{"status_code":1002}}""", "upstream said no", "", "{}", "[]", "\"\"", "\"ok\"", "true", "0", """{"choices":[null]}""", """{"choices":[{}]}""",
        """{"choices":{}}""", """{"choices":""}""", """{"choices":[{"index":0}]}""", """{"choices":[{"index":0,"message":null}]}""", """{"choices":[{"index":0,"message":{},"finish_reason":null}]}""",
        """{"choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":null}]}""", """{"id":"x","object":"chat.completion","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}""",
        """{"object":"error","message":"The service is busy","type":"service_unavailable","param":null,"code":503}""", """{"error":"model is loading"}""", """{"detail":"Internal error"}""",
        """{"status":503,"message":"busy"}""", """{"statusCode":429,"message":"slow down"}""", """{"status_code":502,"msg":"bad gateway"}""", """{"code":1002,"msg":"rate limit"}""", """{"success":false,"message":"failed"}""",
        """{"errors":[{"message":"failed","code":7003}],"success":false,"result":null}""", """{"output":null}""", """{"ok":true}""", """{"status":"error","message":"x"}""", """{"error":true,"message":"x"}""", """{"error":500}""",
        """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""", """[{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}]""",
        """{"code":"429","msg":"请求过于频繁，请稍后再试"}""", """{"success":false,"code":401,"message":"无效的令牌"}""", """{"id":null,"object":"chat.completion","choices":null,"usage":null}""", """{"error_code":336100,"error_msg":"Internal error, please try again later"}""",
        """{"detail":{"status":503,"message":"no workers"}}""", """{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later.","request_id":"x"}""",
        """{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"error"}]}""", "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"cut",
    ];

    /// <summary>Finish reasons that mean a failure.</summary>
    public static readonly string[] FailingReasons =
    [
        "abort", "error", "aborted", "network_error", "failed", "cancelled", "server_error", "engine_error", "unknown", "UNKNOWN", "internal_error", "timeout", "insufficient_system_resource", "overloaded", "load_shed",
        "rate_limit", "shed", "preempted", "disconnect", "exception", "stopped_unexpectedly", "upstream_error", "model_error", "nan", "oom", "throttled", "terminated", "killed", "interrupted", "quota", "unavailable",
        "context_lost", "panic", "fault", "crashed", "busy", "capacity", "bad_gateway", "broken_pipe", "reset", "ERROR", "Server-Error", "MALFORMED_FUNCTION_CALL", "OTHER",
        "worker_died", "engine_dead", "upstream_closed", "premature_eof", "process_exited", "node_down", "unreachable", "SIGTERM", "hang-up", "stopped_early", "server_restart",
    ];

    /// <summary>Finish reasons of whole answers.</summary>
    public static readonly string[] GoodReasons =
    [
        "stop", "length", "tool_calls", "content_filter", "eos", "end_turn", "max_tokens", "eos_token", "stop_sequence", "COMPLETE", "MAX_TOKENS", "function_call", "eos_found", "model_length", "STOP", "end", "finished", "done",
        "completed", "stop_word", "sensitive", "stopped", "early_stopping", "assigned", "signal_stop", "eof",
    ];

    /// <summary>Lines of a stream that report a failure.</summary>
    public static readonly string[] ErrorLines =
    [
        "error: {\"code\":500,\"message\":\"x\"}\n\n", "error: x\n\n", "data: {\"error\":{\"message\":\"x\"}}\n\n", "data: {\"error\":\"x\"}\n\n", "data: {\"error\":true,\"message\":\"x\"}\n\n", "event: error\ndata: {\"message\":\"x\"}\n\n",
        "event: error\ndata: x\n\n", "event: exception\ndata: {\"message\":\"x\"}\n\n", "event: upstream_error\ndata: {\"reason\":\"x\"}\n\n", "data: {\"code\":500,\"message\":\"x\"}\n\n",
        "data: {\"object\":\"error\",\"message\":\"x\",\"code\":500}\n\n", "data: {\"detail\":\"x\"}\n\n", "data: {\"status\":503,\"message\":\"x\"}\n\n", "data: {\"message\":\"Internal error\"}\n\n",
        "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", "data: {\"success\":false,\"message\":\"x\"}\n\n", "data: {\"errors\":[{\"message\":\"x\"}]}\n\n", "data: Error: upstream\n\n",
        "data: [ERROR]\n\n", "{\"error\":{\"message\":\"x\",\"code\":500}}\n\n",
    ];

    /// <summary>Content types: right, vague and missing.</summary>
    public static readonly string?[] Labels = ["text/event-stream", "application/json", "text/plain", "application/octet-stream", null];

    /// <summary>Events after the finish reason. Events that are errors are left out, because the answer is whole, and all others are passed on.</summary>
    public static IEnumerable<(string Line, bool IsPassedOn)> AfterTheEnd =>
    [
        .. from status in (string[])["\"finished\"", "\"completed\"", "\"stopped\"", "\"closed\"", "\"error-free\"", "200", "0", "5", "true"]
           from member in (string[])["status", "code", "status_code", "errcode"]
           from words in (string[])[",\"message\":\"bye\"", ",\"msg\":\"done\",\"id\":\"c\"", ",\"detail\":\"x\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}", ""]
           select ($"data: {{\"{member}\":{status}{words}}}\n\n", true),
        ("event: session.status\ndata: {\"type\":\"session.status\",\"status\":\"idle\",\"message\":\"x\"}\n\n", true),
        ("data: {\"message\":\"bye\"}\n\n", true),
        ("data: {\"error\":{\"message\":\"late\",\"code\":500}}\n\n", false),
        ("event: error\ndata: {\"code\":500,\"message\":\"late\"}\n\n", false),
        ("error: {\"code\":500,\"message\":\"late\"}\n\n", false),
    ];

    /// <summary>The last chunk of a stream.</summary>
    public static string Finish(string reason, string more = "") => "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"" + more + "}]}\n\n";

    /// <summary>An error in OpenAI's format, and an error in vLLM's format.</summary>
    public static IEnumerable<string> Errors(string message, int status, string type = "Bad Request")
    {
        var text = JsonSerializer.Serialize(message);
        yield return $$$"""{"error":{"message":{{{text}}},"type":"{{{type}}}","param":null,"code":{{{status}}}}}""";
        yield return $$"""{"object":"error","message":{{text}},"type":"{{type}}","param":null,"code":{{status}}}""";
    }
}
