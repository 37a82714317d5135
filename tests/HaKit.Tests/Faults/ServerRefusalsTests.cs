using System.Globalization;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests the refusals of real servers and gateways, one row for each: the server, the status, the expected fault, the headers (one on each line), and the body.
/// An expected fault is written as its kind, the action of the call, and the time to wait. "asks each": the call asks each of the other endpoints once, and the
/// refusal counts only if one of them serves. "unblamed": it never counts. The clock of the tests is 2026-01-01 00:00:00 UTC, as a Unix time 1767225600.
/// </summary>
public sealed class ServerRefusalsTests
{
    /// <summary>Refusals that repeat a caller's text, whose words have a meaning if they are the server's own.</summary>
    public static TheoryData<string, int, string, string, string> Quoting => new()
    {
        { "vLLM", 400, "InvalidRequest, asks one", "", """{"object":"error","message":"[{'type': 'list_type', 'loc': ('body', 'messages'), 'msg': 'Input should be a valid list', 'input': 'You exceeded your current quota, please check your plan and billing details.'}]","type":"BadRequestError","param":null,"code":400}""" },
        { "FastAPI", 422, "InvalidRequest, returns", "", """{"detail":[{"type":"list_type","loc":["body","messages"],"msg":"Input should be a valid list","input":"insufficient_quota: Your credit balance is too low"}]}""" },
        { "OpenAI", 400, "InvalidRequest, returns", "", """{"error":{"message":"Invalid value: 'This model's maximum context length is 8192 tokens'. Supported values are: 'system', 'assistant', 'user', 'function', and 'tool'.","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}""" },
        { "llama.cpp", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Failed to parse messages: Missing 'content'; messages = [\n  {\n    \"role\": \"user\",\n    \"text\": \"Incorrect API key provided: sk-live\"\n  }\n]","type":"invalid_request_error"}}""" },
        { "Ollama", 400, "InvalidRequest, asks one", "", """{"error":"json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Message: \"You have reached your weekly usage limit\""}""" },
        { "Triton", 400, "InvalidRequest, asks one", "", """{"error":"failed to parse the request JSON buffer: Invalid value. at 12: 「API key not valid」"}""" },
        { "Mistral", 422, "InvalidRequest, returns", "", """{"object":"error","message":{"detail":[{"type":"string_type","loc":["body","messages",0,"user","content","str"],"msg":"Input should be a valid string","input":{"text":"Your account is in arrears"}}]},"type":"invalid_request_error","param":null,"code":null}""" },
        { "Gemini", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Invalid JSON payload received. Unexpected token.\nquota \"limit: 0\" exceeded\n^","status":"INVALID_ARGUMENT"}}""" },
        { "Gemini, per minute", 429, "Throttled, moves on", "", """{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota). The prompt was \"Quota exceeded per day, limit: 0\"","status":"RESOURCE_EXHAUSTED"}}""" },
        { "YARP", 404, "NotServed, asks each", "", """{"detail":"No route matches “The model does not exist, invalid api key”"}""" },
        { "Bedrock", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException:http://internal.amazon.com/coral/com.amazon.coral.validate/", """{"message":"Malformed input request: #/messages/0/content: expected type: JSONArray, found: String \"Input is too long, your API key expired\", please reformat your input and try again."}""" },
        { "Cohere", 422, "InvalidRequest, asks one", "", """{"id":"6c9","message":"invalid request: message ‘content policy, prompt is too long’ must be at least 1 token long"}""" },
        { "TGI", 500, "ServerError, moves on", "", """{"error":"Request failed during generation: Server error: Value out of range: 'The model is overloaded'","error_type":"generation"}""" },
        { "ASP.NET", 500, "ServerError, moves on", "", """{"type":"https://tools.ietf.org/html/rfc9110#section-15.6.1","title":"An error occurred while processing your request.","status":500,"detail":"Cannot read \u003cprompt\u003eWe are at capacity\u003c/prompt\u003e"}""" },
        { "Zhipu", 400, "InvalidRequest, asks one", "", """{"error":{"code":"1210","message":"API 调用参数有误，输入【余额不足，content policy】，请检查文档。"}}""" },
        { "a gateway in Japan", 400, "InvalidRequest, asks one", "", """{"error":{"message":"入力『This model's maximum context length is 10 tokens』は無効です","type":"BadRequest","code":400}}""" },
        { "a gateway in China", 422, "InvalidRequest, asks one", "", """{"code":422,"message":"参数《prompt is too long》不合法"}""" },
        { "a gateway in France", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Entrée non valide : « input is too long, our safety system »","code":400}}""" },
        { "a gateway in Korea", 400, "InvalidRequest, asks one", "", """{"error":{"message":"잘못된 입력 〈invalid model, content filter〉","code":400}}""" },
        { "Spring", 400, "InvalidRequest, asks one", "", """{"timestamp":"2026-01-01T00:00:00.000+00:00","status":400,"error":"Bad Request","message":"JSON parse error: Unrecognized token &lt;prompt is too long&gt; here","path":"/v1/chat/completions"}""" },
        { "a gateway that escapes twice", 422, "InvalidRequest, asks one", "", """{"error":{"message":"Bad input &amp;lt;user&amp;gt;this violates the content policy&amp;lt;/user&amp;gt;","code":422}}""" },
        { "a gateway with full-width brackets", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Unknown value ［our safety system］ given","code":400}}""" },
        { "Python", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Could not decode b\"I don't get: content policy\"","code":400}}""" },
        { "a message that is cut", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Could not decode 'why does it say: prompt is too long, content filter ... [truncated]","code":400}}""" },
    };

    /// <summary>Answers that say nothing about the request, and refusals because of the place or the account.</summary>
    public static TheoryData<string, int, string, string, string> Elsewhere => new()
    {
        { "Traefik", 404, "NotServed, asks each", "", "404 page not found\n" },
        { "Kong", 404, "NotServed, asks each", "", """{"message":"no Route matched with those values","request_id":"0f5"}""" },
        { "APIM", 404, "NotServed, asks each", "", """{ "statusCode": 404, "message": "Resource not found" }""" },
        { "Spring", 404, "NotServed, asks each", "", """{"timestamp":"2026-01-01T00:00:00.000+00:00","status":404,"error":"Not Found","path":"/v1/chat/completions"}""" },
        { "Express", 404, "NotServed, asks each", "", "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot POST /v1/chat/completions</pre>\n</body>\n</html>\n" },
        { "NIM", 404, "NotServed, asks each", "", """{"status":404,"title":"Not Found","detail":"Function '12345678-b123-12a3-1221-123456789123': Not found for account 'Ab1EzDFj7NoQ'"}""" },
        { "S3", 404, "NotServed, asks each", "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>" },
        { "Azure", 404, "ModelNotFound, asks each", "", """{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}""" },
        { "Azure Foundry", 404, "NotServed, asks each", "", """{"error":{"code":"api_not_supported","message":"The requested API is not supported.","details":"The requested API is not supported."}}""" },
        { "Azure Foundry, unknown model", 400, "ModelNotFound, asks each", "", """{"error":{"code":"unknown_model","message":"Unknown model: DeepSeek-V4-Flash","details":"Unknown model: DeepSeek-V4-Flash"}}""" },
        { "OpenRouter", 404, "NotServed, asks each", "", """{"error":{"message":"No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy","code":404},"user_id":"org_1"}""" },
        { "Starlette", 405, "NotServed, asks each", "Server: uvicorn", """{"detail":"Method Not Allowed"}""" },
        { "ModSecurity", 406, "NotServed, asks each", "", "<html><head><title>Not Acceptable!</title></head><body><h1>Not Acceptable!</h1><p>An appropriate representation of the requested resource could not be found on this server. This error was generated by Mod_Security.</p></body></html>" },
        { "Squid", 407, "NotServed, asks each", "Proxy-Authenticate: Basic realm=\"proxy\"", "<html><head><title>ERROR: Cache Access Denied</title></head></html>" },
        { "nginx", 411, "NotServed, asks each", "", "<html>\r\n<head><title>411 Length Required</title></head>\r\n</html>\r\n" },
        { "a teapot", 418, "NotServed, asks each", "", "" },
        { "Envoy", 426, "NotServed, asks each", "upgrade: HTTP/2", "" },
        { "Node", 431, "NotServed, asks each", "Connection: close", "" },
        { "IIS", 440, "NotServed, asks each", "", "<h1>Login Time-out</h1>" },
        { "a CDN", 451, "NotServed, asks each", "", """{"error":{"message":"This service is not available in your region.","code":"unavailable_for_legal_reasons"}}""" },
        { "AWS ALB", 464, "NotServed, asks each", "Server: awselb/2.0", "<html><head><title>464</title></head></html>" },
        { "nginx, TLS", 495, "NotServed, asks each", "", "<html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n</html>\r\n" },
        { "Groq, flex tier", 498, "Overloaded, moves on", "", """{"error":{"message":"Flex tier capacity exceeded","type":"invalid_request_error","code":"capacity_exceeded"}}""" },
        { "Gemini", 499, "NotServed, asks each", "", """{"error":{"code":499,"message":"The operation was cancelled.","status":"CANCELLED"}}""" },
        { "nginx, 400", 400, "InvalidRequest, asks each", "", "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n</html>\r\n" },
        { "OpenAI, unverified organization", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization. If you just verified, it can take up to 15 minutes for access to propagate.","type":"invalid_request_error","param":"stream","code":"unsupported_value"}}""" },
        { "Azure, resource without a feature", 400, "InvalidRequest, asks one", "", """{"error":{"message":"This resource is not enabled for reasoning summaries.","type":"invalid_request_error","param":"reasoning.summary","code":"unsupported_value"}}""" },
        { "Gemini, free tier", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.","status":"FAILED_PRECONDITION"}}""" },
        { "Vertex, organization policy", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Organization Policy constraint `constraints/vertexai.allowedModels` violated for `projects/p` attempting to use a disallowed Gen AI model.","status":"FAILED_PRECONDITION"}}""" },
        { "Vertex, perimeter", 403, "Forbidden, asks each", "", """{"error":{"code":403,"message":"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x","status":"PERMISSION_DENIED"}}""" },
        { "Bedrock, country", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"Access to Anthropic models is not allowed from unsupported countries, regions, or territories. Please refer to the supported countries."}""" },
        { "Bedrock, on demand", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"Invocation of model ID anthropic.claude with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."}""" },
        { "Anthropic", 400, "InvalidRequest, asks one", "", """{"type":"error","error":{"type":"invalid_request_error","message":"Your organization has disabled Claude subscription access for Claude Code · Use an Anthropic API key instead"},"request_id":"req_1"}""" },
        { "Groq", 400, "InvalidRequest, asks one", "", """{"error":{"message":"The model `x` requires terms acceptance. Please have the org admin accept the terms at https://console.groq.com/playground","type":"invalid_request_error","code":"model_terms_required"}}""" },
        { "Copilot", 400, "InvalidRequest, asks one", "", """{"error":{"message":"The requested model is not supported.","code":"model_not_supported","param":"model","type":"invalid_request_error"}}""" },
        { "OpenAI, country", 403, "Forbidden, asks each", "", """{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}""" },
        { "Cloudflare, JSON", 522, "ServerError, moves on, 120 s", "", """{"type":"https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/error-522/","title":"Error 522: Connection timed out","status":522,"detail":"Cloudflare could not establish a TCP connection to the origin server.","error_code":522,"error_name":"connection_timeout","cloudflare_error":true,"retryable":true,"retry_after":120}""" },
        { "Cloudflare", 530, "ServerError, moves on", "", "error code: 1016" },
        { "Envoy, upstream", 503, "Overloaded, moves on", "", "no healthy upstream" },
        { "a proxy", 598, "ServerError, moves on", "", "" },
        { "AWS ALB, 561", 561, "ServerError, moves on", "", "<html><head><title>561</title></head></html>" },
    };

    /// <summary>Refusals of a credential.</summary>
    public static TheoryData<string, int, string, string, string> Credentials => new()
    {
        { "Azure, Entra", 401, "Unauthorized, moves on", "", """{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."}""" },
        { "Envoy", 401, "Unauthorized, moves on", "www-authenticate: Bearer realm=\"x\", error=\"invalid_token\"", "Jwt is expired" },
        { "APIM", 401, "Unauthorized, moves on", "", """{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }""" },
        { "Vertex", 401, "Unauthorized, moves on", "", """{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_EXPIRED"}]}}""" },
        { "Bedrock", 403, "Unauthorized, moves on", "x-amzn-ErrorType: ExpiredTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/", """{"message":"The security token included in the request is expired"}""" },
        { "Bedrock, clock", 403, "Unauthorized, moves on", "", """{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired: 20251231T230000Z is now earlier than 20251231T235500Z"}""" },
        { "nginx", 401, "Unauthorized, moves on", "", "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n</html>\r\n" },
        { "Gemini", 400, "Unauthorized, moves on", "", """{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT"}}""" },
        { "xAI", 400, "Unauthorized, moves on", "", """{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***. You can obtain an API key from https://console.x.ai."}""" },
        { "watsonx", 401, "Unauthorized, moves on", "", """{"errors":[{"code":"authentication_token_expired","message":"Failed to authenticate the request due to an expired token"}],"trace":"t","status_code":401}""" },
        { "Databricks", 403, "Forbidden, asks each", "", """{"error_code":"403","message":"Invalid access token. [TraceId: 00-1-2-00]"}""" },
    };

    /// <summary>Refusals of one prompt, and firewalls.</summary>
    public static TheoryData<string, int, string, string, string> Filters => new()
    {
        { "xAI", 403, "ContentFilter, returns", "", """{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Team: 16f2, API key ID: 77, Model: grok-4, Failed check: SAFETY_CHECK_TYPE_BIO"}""" },
        { "OpenRouter", 403, "ContentFilter, returns", "", """{"error":{"code":403,"message":"m requires moderation on OpenAI. Your input was flagged for \"violence\". No credits were charged.","metadata":{"reasons":["violence"],"flagged_input":"...","provider_name":"OpenAI"}}}""" },
        { "Cloudflare", 403, "Forbidden, asks each", "cf-mitigated: challenge", "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>" },
        { "Azure Application Gateway", 403, "Forbidden, asks each", "Server: Microsoft-Azure-Application-Gateway/v2", "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n" },
        { "Azure, network", 403, "Forbidden, asks each", "", """{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}""" },
        { "Istio", 403, "Forbidden, asks each", "", "RBAC: access denied" },
        { "DashScope", 400, "ContentFilter, returns", "", """{"code":"DataInspectionFailed","message":"Output data may contain inappropriate content.","request_id":"x"}""" },
        { "Zhipu", 400, "ContentFilter, returns", "", """{"contentFilter":[{"level":1,"role":"user"}],"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语，感谢您的配合。"}}""" },
        { "Volcengine", 400, "ContentFilter, returns", "", """{"error":{"code":"InputTextSensitiveContentDetected","message":"The request failed because the input text may contain sensitive information. Request id: 0217","param":"","type":"BadRequest"}}""" },
        { "Volcengine through a gateway", 400, "ContentFilter, returns", "", """{"error":{"message":"The request failed because the output text may contain sensitive information.","type":"upstream_error","param":"","code":400}}""" },
        { "OpenAI", 400, "ContentFilter, returns", "", """{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}""" },
        { "Anthropic", 400, "ContentFilter, returns", "", """{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}""" },
        { "Vertex", 400, "ContentFilter, returns", "", """{"error":{"code":400,"message":"The prompt could not be submitted. This prompt contains sensitive words that violate Google's Responsible AI practices.","status":"INVALID_ARGUMENT"}}""" },
        { "Imagen", 400, "ContentFilter, returns", "", """{"error":{"code":400,"message":"Image generation failed with the following error: Your current safety filter threshold filtered out 4 generated images. You will not be charged for blocked images.","status":"INVALID_ARGUMENT"}}""" },
        { "LiteLLM, keyword", 403, "ContentFilter, returns", "", """{"error":{"message":"Content blocked: keyword 'bomb' found (severity: high)","type":"None","param":"None","code":"403"}}""" },
        { "LiteLLM, quoted", 400, "InvalidRequest, asks one", "", """{"error":{"message":"{'error': 'Violated guardrail policy', 'bedrock_guardrail_response': 'Sorry'}","type":"None","param":"None","code":"400"}}""" },
        { "LiteLLM, moderation", 400, "ContentFilter, returns", "", """{"detail":{"error":"Violated OpenAI moderation policy"}}""" },
        { "Portkey", 446, "ContentFilter, returns", "", """{"error":{"message":"The guardrail checks defined in the config failed. You can find more information in the `hook_results` object.","type":"hooks_failed","param":null,"code":null},"hook_results":{}}""" },
        { "Cohere", 498, "ContentFilter, returns", "", """{"id":"6c9","message":"unsafe request: this input violates our usage guidelines"}""" },
        { "a gateway in China", 403, "ContentFilter, returns", "", """{"code":403,"msg":"您的输入内容包含敏感词，请修改后重试"}""" },
        { "Kong", 400, "InvalidRequest, asks one", "", """{"error":{"message":"bad request"}}""" },
        { "Kimi, account", 403, "Forbidden, asks each", "", """{"error":{"message":"Access terminated. Review our Community Guidelines or contact support for assistance.","type":"access_terminated_error"}}""" },
    };

    /// <summary>Requests that are larger than a limit, and throttles with similar words.</summary>
    public static TheoryData<string, int, string, string, string> Sizes => new()
    {
        { "OpenAI", 429, "RequestTooLarge, asks each, unblamed", "", """{"error":{"message":"Request too large for gpt-4o (for limit gpt-4o-long-context) in organization org-z on tokens per min (TPM): Limit 30000, Requested 132819. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}""" },
        { "Groq", 413, "RequestTooLarge, asks each, unblamed", "retry-after: 20", """{"error":{"message":"Request too large for model `llama-3.3-70b-versatile` in organization `org_01` service tier `on_demand` on tokens per minute (TPM): Limit 12000, Requested 14137, please reduce your message size and try again. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing","type":"tokens","code":"rate_limit_exceeded"}}""" },
        { "GitHub Models", 413, "RequestTooLarge, asks each, unblamed", "", """{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens.","details":"Request body too large for gpt-4o model. Max size: 8000 tokens."}}""" },
        { "LiteLLM", 429, "RequestTooLarge, asks each, unblamed", "", """{"error":{"message":"litellm.RateLimitError: RateLimitError: GroqException - {\"error\":{\"message\":\"Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7015, please reduce your message size and try again.\",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}","type":"throttling_error","param":null,"code":"429"}}""" },
        { "Vertex, Anthropic", 413, "ContextLength, returns", "", """{"type":"error","error":{"type":"request_too_large","message":"Prompt is too long"}}""" },
        { "Anthropic", 413, "RequestTooLarge, returns", "", """{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}""" },
        { "nginx", 413, "RequestTooLarge, asks each", "", "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>\r\n" },
        { "Kestrel", 413, "RequestTooLarge, asks each", "", "" },
        { "Cloudflare Workers AI", 413, "ContextLength, returns", "", """{"errors":[{"message":"AiError: The estimated number of input and maximum output tokens (27000) exceeded this model context window limit (24000).","code":5021}],"success":false,"result":{},"messages":[]}""" },
        { "Groq, throttle", 429, "Throttled, moves on, 4.77 s", "", """{"error":{"message":"Rate limit reached for model `llama-3.1-8b-instant` in organization `org_01` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 5034, Requested 1443. Please try again in 4.77s. Need more tokens? Upgrade to Dev Tier today","type":"tokens","code":"rate_limit_exceeded"}}""" },
        { "OpenAI, throttle", 429, "Throttled, moves on, 411480 s", "", """{"error":{"message":"Rate limit reached for gpt-4o-mini in organization org-z on tokens per min (TPM): Limit 100000, Used 96749, Requested 19126. Please try again in 114h18m0s. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}""" },
        { "Anthropic, throttle", 429, "Throttled, moves on, 17 s", "retry-after: 17", """{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed the rate limit for your organization (a22c) of 20,000 input tokens per minute. For details, refer to: https://docs.anthropic.com/en/api/rate-limits."}}""" },
    };

    /// <summary>Times to wait that are instants as numbers.</summary>
    public static TheoryData<string, int, string, string, string> UnixTimes => new()
    {
        { "seconds", 429, "Throttled, moves on, 60 s", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 1767225660", "{}" },
        { "decimal seconds", 429, "Throttled, moves on, 60.5 s", "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 1767225660.5", "{}" },
        { "milliseconds", 429, "Throttled, moves on, 60.25 s", "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 1767225660250", "{}" },
        { "the server's clock", 429, "Throttled, moves on, 30 s", "Date: Thu, 01 Jan 2026 00:00:30 GMT\nRetry-After: 1767225660", "{}" },
        { "OpenRouter", 429, "Throttled, moves on, 60 s", "", """{"error":{"message":"Rate limit exceeded: free-models-per-min. ","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"16","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767225660000"},"provider_name":null}},"user_id":"u"}""" },
        { "a member of an error", 429, "Throttled, moves on, 60 s", "", """{"error":{"message":"slow down","resetsAt":1767225660}}""" },
        { "a text beside an error", 429, "Throttled, moves on, 60 s", "", """{"error":"slow down","reset_at":"1767225660"}""" },
        { "a decimal member", 429, "Throttled, moves on, 60.75 s", "", """{"message":"slow down","retry_after":1767225660.75}""" },
        { "a plain reset", 429, "Throttled, moves on, 60 s", "X-RateLimit-Limit: 60\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767225660", "{}" },
        { "a plain reset of a limit that is left", 429, "Throttled, moves on", "X-RateLimit-Remaining: 5\nX-RateLimit-Reset: 1767225660", "{}" },
        { "another spelling", 429, "Throttled, moves on, 60 s", "x-rate-limit-limit: 60\nx-rate-limit-remaining: 0\nx-rate-limit-reset: 1767225660", "{}" },
        { "two gateways", 429, "Throttled, moves on, 60 s", "x-ratelimit-remaining-tokens: 0, 0\nx-ratelimit-reset-tokens: 1767225660, 1767225630", "{}" },
        { "the past", 429, "Throttled, moves on", "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 1767225540", "{}" },
    };

    /// <summary>Used-up accounts, and throttles with similar words.</summary>
    public static TheoryData<string, int, string, string, string> Accounts => new()
    {
        { "Moonshot", 429, "QuotaExhausted, moves on", "", """{"error":{"message":"Your account org-446a <ak-f817> is suspended due to insufficient balance, please recharge your account or check your plan and billing details","type":"exceeded_current_quota_error"}}""" },
        { "Moonshot, inactive", 403, "QuotaExhausted, moves on", "", """{"error":{"message":"Your account xx is not active, organization <xx> exceeded current quota, please check your plan and billing details","type":"exceeded_current_quota_error"}}""" },
        { "Fireworks", 412, "QuotaExhausted, moves on", "", """{"error":{"message":"Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices. Please go to https://fireworks.ai/account/billing for more information.","param":null,"code":"PRECONDITION_FAILED","type":"error"},"request_id":"11650e2f"}""" },
        { "Portkey", 412, "QuotaExhausted, moves on", "", """{"status":"failure","message":"Budget has been exceeded for this virtual key"}""" },
        { "a precondition", 412, "NotServed, asks each", "", """{"message":"Precondition Failed"}""" },
        { "Together", 402, "QuotaExhausted, moves on", "", """{"id":"o3L","error":{"message":"Credit limit exceeded. Please navigate to https://api.together.xyz/settings/billing to add credit or upgrade your plan.","type":"credit_limit","param":null,"code":null}}""" },
        { "DeepSeek", 402, "QuotaExhausted, moves on", "", """{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}""" },
        { "xAI", 429, "QuotaExhausted, moves on", "", """{"code":"Some resource has been exhausted","error":"Your team 16f2 has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit."}""" },
        { "xAI, new team", 403, "QuotaExhausted, moves on", "", """{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits or licenses yet. You can purchase those on https://console.x.ai/team/481c."}""" },
        { "xAI, subscription", 403, "QuotaExhausted, moves on", "", """{"code":"personal-team-blocked:spending-limit","error":"You have run out of credits or need a Grok subscription. Add credits at https://grok.com/?_s=usage or upgrade at https://grok.com/supergrok."}""" },
        { "Perplexity", 401, "QuotaExhausted, moves on", "", """{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":401}}""" },
        { "Hugging Face", 402, "QuotaExhausted, moves on", "", """{"error":"You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits."}""" },
        { "Novita", 403, "QuotaExhausted, moves on", "", """{"code":403,"reason":"NOT_ENOUGH_BALANCE","message":"not enough balance","metadata":{}}""" },
        { "ModelScope", 429, "QuotaExhausted, moves on", "", """{"error":{"http_code":"429","message":"insufficient balance (1008)","type":"insufficient_balance_error"},"request_id":"x"}""" },
        { "ModelScope, day", 429, "QuotaExhausted, moves on", "", """{"errors":{"message":"You have exceeded today's quota for model m, please try again tomorrow","request_id":"30da"}}""" },
        { "sub2api", 403, "QuotaExhausted, moves on", "", """{"code":"INSUFFICIENT_BALANCE","message":"Insufficient account balance"}""" },
        { "new-api", 403, "QuotaExhausted, moves on", "", """{"error":{"message":"预扣费额度失败, 用户剩余额度: ＄0.003000, 需要预扣费额度: ＄0.020000 (request id: 2026)","type":"new_api_error","param":"","code":"insufficient_user_quota"}}""" },
        { "a gateway in China", 403, "QuotaExhausted, moves on", "", """{"code":403,"message":"免费额度已用完，请充值后继续使用"}""" },
        { "DashScope", 400, "QuotaExhausted, moves on", "", """{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing.","request_id":"x"}""" },
        { "DashScope, free tier", 403, "QuotaExhausted, moves on", "", """{"error":{"message":"The free tier of the model has been exhausted.","type":"AllocationQuota.FreeTierOnly","param":null,"code":"AllocationQuota.FreeTierOnly"}}""" },
        { "Zhipu", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1113","message":"您的账户已欠费，请充值后重试。"}}""" },
        { "Zhipu, plan", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1309","message":"您的GLM Coding Plan套餐已到期，暂无法使用，请您续费后重试"}}""" },
        { "Z.AI, plan", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1309","message":"Your GLM Coding Plan package has expired and is temporarily unavailable. You can resume using it after renewing the subscription."}}""" },
        { "MiniMax", 429, "QuotaExhausted, moves on, 3600 s", "", """{"type":"error","error":{"type":"rate_limit_error","message":"usage limit exceeded, 5-hour usage limit reached for Token Plan Starter (0/0 used), resets at 2026-01-01T01:00:00Z (2056)"},"request_id":"06"}""" },
        { "Volcengine", 403, "QuotaExhausted, moves on", "", """{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance. Request id: 0217","param":"","type":"Forbidden"}}""" },
        { "Volcengine, plan", 429, "QuotaExhausted, moves on, 3600 s", "", """{"error":{"code":"AccountQuotaExceeded","message":"You have exceeded the 5-hour usage quota. It will reset at 2026-01-01 09:00:00 +0800 CST. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Gemini, day", 429, "QuotaExhausted, moves on", "", """[{"error":{"code":429,"message":"You have exhausted your daily quota on this model.","status":"RESOURCE_EXHAUSTED"}}]""" },
        { "Gemini, capacity of an account", 429, "QuotaExhausted, moves on, 581981.3 s", "", """{"error":{"code":429,"message":"You have exhausted your capacity on this model. Your quota will reset after 161h39m41s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"QUOTA_EXHAUSTED","domain":"cloudcode-pa.googleapis.com"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"581981.3s"}]}}""" },
        { "OpenAI, images", 400, "QuotaExhausted, moves on", "", """{"error":{"code":"billing_hard_limit_reached","message":"Billing hard limit has been reached","param":null,"type":"invalid_request_error"}}""" },
        { "LiteLLM, Anthropic", 400, "QuotaExhausted, moves on", "", """{"error":{"message":"litellm.BadRequestError: AnthropicException - {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.\"}}. Received Model Group=claude\nAvailable Model Group Fallbacks=None","type":null,"param":null,"code":"400"}}""" },
        { "NestJS", 403, "QuotaExhausted, moves on", "", """{"statusCode":403,"message":"Insufficient credits. Please top up your account.","error":"Forbidden"}""" },
        { "FastAPI", 429, "QuotaExhausted, moves on", "", """{"detail":{"error":{"code":"insufficient_quota","message":"No more requests for this key"}}}""" },
        { "FastAPI, words", 403, "QuotaExhausted, moves on", "", """{"detail":{"message":"Your account has insufficient credits","code":"forbidden"}}""" },
        { "Cohere, trial", 429, "Throttled, moves on", "", """{"id":"6c9","message":"You are using a Trial key, which is limited to 10 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits."}""" },
        { "DashScope, minute", 429, "Throttled, moves on", "", """{"code":"Throttling.AllocationQuota","message":"Allocated quota exceeded, please increase your quota limit.","request_id":"x"}""" },
        { "Vertex, minute", 429, "Throttled, moves on", "", """{"error":{"code":429,"message":"Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.","status":"RESOURCE_EXHAUSTED"}}""" },
        { "GitHub Models", 429, "Throttled, moves on, 52350 s", "", """{"error":{"code":"RateLimitReached","message":"Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 52350 seconds before retrying.","details":"Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 52350 seconds before retrying."}}""" },
        { "Amazon API Gateway", 429, "Throttled, moves on", "x-amzn-ErrorType: LimitExceededException", """{"message":"Limit Exceeded"}""" },
        { "ModelScope, minute", 429, "Throttled, moves on", "", """{"errors":{"message":"Request limit exceeded.","request_id":"30da26a6"}}""" },
    };

    /// <summary>The forms of a time to wait, in headers and in bodies.</summary>
    public static TheoryData<string, int, string, string, string> Times => new()
    {
        { "a date of a cookie", 429, "Throttled, moves on, 40 s", "Retry-After: Thu, 01-Jan-2026 00:00:40 GMT", "{}" },
        { "a date without its day", 429, "Throttled, moves on, 40 s", "Retry-After: 01 Jan 2026 00:00:40 GMT", "{}" },
        { "a date in small letters", 429, "Throttled, moves on, 40 s", "Retry-After: thu, 01 jan 2026 00:00:40 gmt", "{}" },
        { "a time of Go", 429, "Throttled, moves on, 40 s", "Retry-After: 2026-01-01 00:00:40 +0000 UTC", "{}" },
        { "a time of Go elsewhere", 429, "Throttled, moves on, 40.5 s", "Retry-After: 2026-01-01 08:00:40.5 +0800 CST", "{}" },
        { "an instant in small letters", 429, "Throttled, moves on, 40 s", "Retry-After: 2026-01-01t00:00:40z", "{}" },
        { "a fraction after a space", 429, "Throttled, moves on, 40.25 s", "Retry-After: 2026-01-01 00:00:40.250000", "{}" },
        { "the basic form of ISO", 429, "Throttled, moves on, 40 s", "Retry-After: 20260101T000040Z", "{}" },
        { "two units", 429, "Throttled, moves on, 90 s", "Retry-After: 1 minute 30 seconds", "{}" },
        { "two short units", 429, "Throttled, moves on, 90 s", "Retry-After: 1m 30s", "{}" },
        { "a sign", 429, "Throttled, moves on, 90 s", "Retry-After: +90", "{}" },
        { "a whole ISO duration", 429, "Throttled, moves on, 90 s", "Retry-After: P0DT0H1M30S", "{}" },
        { "days and hours", 429, "Throttled, moves on, 93600 s", "Retry-After: P1DT2H", "{}" },
        { "months", 429, "Throttled, moves on", "Retry-After: P1M", "{}" },
        { "a list with a space", 429, "Throttled, moves on, 30 s", "Retry-After: 20 , 30", "{}" },
        { "a second line", 429, "Throttled, moves on, 30 s", "Retry-After: soon\nRetry-After: 30 Seconds", "{}" },
        { "milliseconds twice", 429, "Throttled, moves on, 2.5 s", "retry-after-ms: 2000, 2500", "{}" },
        { "milliseconds on two lines", 429, "Throttled, moves on, 2.5 s", "x-ms-retry-after-ms: 2500\nx-ms-retry-after-ms: 2500\nRetry-After: 3", "{}" },
        { "milliseconds with a unit", 429, "Throttled, moves on, 2.5 s", "retry-after-ms: 2500ms", "{}" },
        { "a reset twice", 429, "Throttled, moves on, 20 s", "x-ratelimit-remaining-requests: 0,0\nx-ratelimit-reset-requests: 20s,20s", "{}" },
        { "a reset on two lines", 429, "Throttled, moves on, 20 s", "x-ratelimit-remaining-requests: 0\nx-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 20s\nx-ratelimit-reset-requests: 20s", "{}" },
        { "a reset with a unit", 429, "Throttled, moves on, 20 s", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 20 seconds", "{}" },
        { "an ISO reset", 429, "Throttled, moves on, 20 s", "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: PT20S", "{}" },
        { "Kong", 429, "Throttled, moves on, 20 s", "RateLimit-Limit: 5\nRateLimit-Remaining: 0\nRateLimit-Reset: 20\nX-RateLimit-Remaining-Minute: 0", """{"message":"API rate limit exceeded","request_id":"x"}""" },
        { "Bucket4j", 429, "Throttled, moves on, 20 s", "X-Rate-Limit-Retry-After-Seconds: 20", "{}" },
        { "Copilot", 429, "Throttled, moves on, 20 s", "x-ratelimit-user-retry-after: 20", "rate limit exceeded" },
        { "Envoy", 429, "Throttled, moves on, 20 s", "x-ratelimit-limit: 10, 10;w=60\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 20", "" },
        { "the drafts", 429, "Throttled, moves on, 20 s", "ratelimit-policy: \"default\";q=100;w=60\nratelimit: \"default\";r=0;t=20", "" },
        { "not again", 503, "Overloaded, moves on, once", "x-should-retry: False", "" },
        { "not again, twice", 503, "Overloaded, moves on, once", "x-should-retry: false, false", "" },
        { "a member with a unit", 429, "Throttled, moves on, 20 s", "", """{"error":{"message":"slow down","retry_after":"20 seconds"}}""" },
        { "a member with a clock time", 429, "Throttled, moves on, 20 s", "", """{"error":{"message":"slow down","retryAfter":"00:00:20"}}""" },
        { "a member with an ISO duration", 429, "Throttled, moves on, 20 s", "", """{"message":"slow down","retry_after":"PT20S"}""" },
        { "a member with a date", 429, "Throttled, moves on, 20 s", "", """{"message":"slow down","reset_at":"Thu, 01 Jan 2026 00:00:20 GMT"}""" },
        { "a member named like the header", 429, "Throttled, moves on, 20 s", "", """{"error":{"message":"slow down","retry-after":20}}""" },
        { "Moonshot", 429, "Throttled, moves on, 7 s", "", """{"error":{"message":"Your account org-446a<ak-f817> request reached max request: 3, please try again after 7 seconds","type":"rate_limit_reached_error"}}""" },
        { "a sentence of Google", 429, "Throttled, moves on, 31447 s", "", """{"error":{"code":429,"message":"You have reached a limit of this model. It will reset after 8h44m7s.","status":"RESOURCE_EXHAUSTED"}}""" },
        { "a sentence with an offset", 429, "Throttled, moves on, 40 s", "", """{"error":{"message":"Slow down, the limit resets at 2026-01-01T00:00:40+0000","code":429}}""" },
        { "LiteLLM, Vertex", 429, "Throttled, moves on, 46 s", "", """{"error":{"message":"litellm.RateLimitError: VertexAIException - {\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"Resource has been exhausted.\",\n    \"status\": \"RESOURCE_EXHAUSTED\",\n    \"details\": [\n      {\n        \"@type\": \"type.googleapis.com/google.rpc.RetryInfo\",\n        \"retryDelay\": \"46s\"\n      }\n    ]\n  }\n}\n","type":"throttling_error","param":null,"code":"429"}}""" },
        { "LiteLLM, Azure", 429, "Throttled, moves on, 45 s", "", """{"error":{"message":"litellm.RateLimitError: AzureException RateLimitError - Your requests to gpt-4.1-nano for gpt-4.1-nano in Sweden Central have exceeded the token rate limit for your current AIServices S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI API version 2023-05-15. Please retry after 45 seconds.","type":"throttling_error","param":null,"code":"429"}}""" },
    };

    [Theory]
    [MemberData(nameof(Quoting))]
    public void Words_that_a_server_repeats_decide_nothing(string server, int status, string expected, string headers, string body) => CheckQuoting(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public void A_refusal_that_is_not_about_the_request_moves_on(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Credentials))]
    public void A_refused_credential_is_recognised(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_refused_prompt_returns_and_a_firewall_is_asked_once(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_request_that_is_larger_than_a_limit_is_no_throttle(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(UnixTimes))]
    public void A_large_number_is_an_instant(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Accounts))]
    public void A_used_up_account_is_a_quota_and_a_limit_of_a_minute_is_not(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time_to_wait_is_read_in_every_form(string server, int status, string expected, string headers, string body) => Check(server, status, expected, headers, body);

    internal static void CheckQuoting(string server, int status, string expected, string headers, string body)
    {
        Check(server, status, expected, headers, body);
        var kind = Classify(status, headers, body, WireDialect.Unknown).Kind;
        foreach (var dialect in Enum.GetValues<WireDialect>())
            Classify(status, headers, body, dialect).Kind.Should().Be(kind, "{0} {1}", server, dialect);
    }

    internal static void Check(string server, int status, string expected, string headers, string body)
    {
        var fault = Classify(status, headers, body, WireDialect.Unknown);
        Describe(fault).Should().Be(expected, "{0} {1}", server, body);
        foreach (var dialect in Enum.GetValues<WireDialect>())
            Slowly(status, headers, body, dialect).Should().Be(Rounded(Classify(status, headers, body, dialect)), "{0} {1}", server, dialect);
    }

    private static Fault Classify(int status, string headers, string body, WireDialect dialect) => FaultClassifier.Default.Classify(Evidence(status, headers, body, dialect))!;

    private static Fault Slowly(int status, string headers, string body, WireDialect dialect) => Rounded(SlowClassifier.Classify(Evidence(status, headers, body, dialect))!);

    private static FaultEvidence Evidence(int status, string headers, string body, WireDialect dialect) => new()
    {
        StatusCode = status,
        Body = Encoding.UTF8.GetBytes(body),
        Dialect = dialect,
        Request = RequestKind.CreatesAnswer,
        Headers = headers.Length == 0 ? null : Fixture.HeadersOf(headers.Split('\n').Select(static line => (line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]))),
        Now = Fixture.Now,
    };

    private static Fault Rounded(Fault fault) => fault with { RetryAfter = fault.RetryAfter is { } wait ? TimeSpan.FromMilliseconds(Math.Round(wait.TotalMilliseconds)) : null };

    private static string Describe(Fault fault)
    {
        var action = fault switch
        {
            { SecondOpinion: SecondOpinion.Each, IsProvisional: true } => "asks each",
            { SecondOpinion: SecondOpinion.Each } => "asks each, unblamed",
            { SecondOpinion: SecondOpinion.One } => "asks one",
            { Blame: FaultBlame.Request } => "returns",
            _ => "moves on",
        };
        var wait = Rounded(fault).RetryAfter is { } told ? string.Create(CultureInfo.InvariantCulture, $", {told.TotalSeconds} s") : "";
        return $"{fault.Kind}, {action}{wait}{(fault.MayAskAgain ? "" : ", once")}";
    }
}
