namespace HaKit.Tests.Faults;

/// <summary>Tests more refusals of real servers and gateways, one row for each. <see cref="ServerRefusalsTests"/> explains the rows.</summary>
public sealed class MoreServerRefusalsTests
{
    /// <summary>Refusals that repeat a caller's text, whose words have a meaning if they are the server's own.</summary>
    public static TheoryData<string, int, string, string, string> Quoting => new()
    {
        { "SGLang", 400, "InvalidRequest, asks one", "", """{"object":"error","message":"Invalid request: messages -> 0 -> content: \"Quota exceeded, insufficient balance\" is not a list","type":"BadRequest","param":null,"code":400}""" },
        { "Ollama", 400, "InvalidRequest, asks one", "", """{"error":"invalid message content, value: 'Incorrect API key provided'"}""" },
        { "LocalAI", 500, "ServerError, moves on", "", """{"error":{"code":500,"message":"rpc error: code = Unknown desc = failed template: \"Your credit balance is too low\"","type":""}}""" },
        { "Ray Serve", 422, "InvalidRequest, returns", "", """{"detail":[{"type":"json_invalid","loc":["body",35],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value at content_filter, insufficient_quota"}}]}""" },
        { "KServe", 400, "InvalidRequest, asks one", "", """{"error":"Unrecognized request format: {'prompt': 'You exceeded your current quota'}"}""" },
        { "BentoML", 400, "InvalidRequest, asks one", "", """{"error":"1 validation error for Input\nprompt\n  String should have at most 10 characters [type=string_too_long, input_value='Your account is suspended due to insufficient balance', input_type=str]"}""" },
        { "Cloudflare Workers AI", 400, "InvalidRequest, asks one", "", """{"errors":[{"message":"AiError: Bad input: Error: oneOf at '/' not met: \"insufficient_quota\" is not valid","code":5006}],"success":false,"result":{},"messages":[]}""" },
        { "a gateway in Spain", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Entrada no válida: “por qué dice prompt is too long”","code":400}}""" },
        { "a gateway in Germany", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Ungültige Eingabe: „this model's maximum context length“","code":400}}""" },
        { "a gateway in Russia", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Недопустимый запрос: «insufficient balance, invalid api key»","code":400}}""" },
        { "a tool's name", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Unknown tool `insufficient_quota: your credit balance is too low`","type":"invalid_request_error","code":null}}""" },
        { "a policy engine", 403, "Forbidden, asks each", "", """{"error":{"message":"Request rejected by the policy engine, prompt: how do I top up my insufficient balance","code":403}}""" },
        { "a limiter", 429, "Throttled, moves on", "", """{"error":{"message":"Too many requests for input: insufficient_quota, billing hard limit","code":429}}""" },
        { "a limiter with quotation marks", 429, "Throttled, moves on", "", """{"error":{"message":"Too many requests. Input was \"try again in 3600s\"","code":429}}""" },
        { "an overloaded server", 503, "Overloaded, moves on", "", """{"detail":"Overloaded while handling 'retry after 3600 seconds'"}""" },
        { "a router", 404, "NotServed, asks each", "", """{"error":{"message":"Route not found for input 'model gpt-4 does not exist'","code":404}}""" },
        { "vLLM", 400, "InvalidRequest, asks one", "", """{"object":"error","message":"[{'type': 'missing', 'loc': ('body', 'model'), 'msg': 'Field required', 'input': {'messages': [{'role': 'user', 'content': 'Your API key expired. Invalid API key'}]}}]","type":"Bad Request","param":null,"code":400}""" },
        { "Bedrock", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"The text field in the ContentBlock object is blank: user said The security token included in the request is expired"}""" },
        { "Cohere", 400, "InvalidRequest, asks one", "", """{"id":"1","message":"invalid request: all elements in history must have a message, found \"trial key monthly limit reached\""}""" },
        { "a validator", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Bad input: why is the model gpt-9 not found","code":400}}""" },
        { "a validator with a name", 422, "InvalidRequest, asks one", "", """{"error":{"message":"Could not read question where is no such model, nsfw","code":422}}""" },
        { "an echo at 403", 403, "Forbidden, asks each", "", """{"error":{"message":"Blocked by rule 12: my app says authentication failed, api key is invalid","code":403}}""" },
    };

    /// <summary>Missing models, missing paths, and refusals because of the place or the account.</summary>
    public static TheoryData<string, int, string, string, string> Elsewhere => new()
    {
        { "vLLM, path", 404, "NotServed, asks each", "", """{"detail":"Not Found"}""" },
        { "vLLM", 404, "ModelNotFound, asks each", "", """{"object":"error","message":"The model `llama` does not exist.","type":"NotFoundError","param":null,"code":404}""" },
        { "Ollama", 404, "ModelNotFound, asks each", "", """{"error":"model 'llama9' not found"}""" },
        { "Ollama, pull", 404, "ModelNotFound, asks each", "", """{"error":"model \"llama9\" not found, try pulling it first"}""" },
        { "LM Studio", 400, "ModelNotFound, asks each", "", """{"error":{"message":"Invalid model identifier \"x\". Please specify a valid downloaded model (e.g. qwen).","type":"invalid_request_error","param":"model","code":"model_not_found"}}""" },
        { "llama.cpp, path", 404, "NotServed, asks each", "", """{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}""" },
        { "llama.cpp", 503, "Overloaded, moves on", "", """{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}""" },
        { "Anthropic", 404, "ModelNotFound, asks each", "", """{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"},"request_id":"req_1"}""" },
        { "Anthropic, path", 404, "NotServed, asks each", "", """{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}""" },
        { "Gemini", 404, "ModelNotFound, asks each", "", """{"error":{"code":404,"message":"models/gemini-9 is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.","status":"NOT_FOUND"}}""" },
        { "Vertex", 404, "ModelNotFound, asks each", "", """{"error":{"code":404,"message":"Publisher Model `projects/p/locations/us/publishers/google/models/g` was not found or your project does not have access to it. Please ensure you are using a valid model version.","status":"NOT_FOUND"}}""" },
        { "Groq, path", 404, "NotServed, asks each", "", """{"error":{"message":"Unknown request URL: POST /v1/chat/completion. Please check the URL for typos, or see the docs at https://console.groq.com/docs/","type":"invalid_request_error","code":"unknown_url"}}""" },
        { "Groq, retired", 400, "ModelNotFound, asks each", "", """{"error":{"message":"The model `mixtral-8x7b-32768` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations","type":"invalid_request_error","code":"model_decommissioned"}}""" },
        { "Together", 400, "ModelNotFound, asks each", "", """{"id":"o3L","error":{"message":"Unable to access non-serverless model x. Please visit https://api.together.ai/models/x to create and start a new dedicated endpoint for the model.","type":"invalid_request_error","param":null,"code":"model_not_available"}}""" },
        { "Bedrock, retired", 404, "ModelNotFound, asks each", "x-amzn-ErrorType: ResourceNotFoundException", """{"message":"This model version has reached the end of its life. Please refer to the AWS documentation for more details."}""" },
        { "Bedrock, unknown", 400, "ModelNotFound, asks each", "x-amzn-ErrorType: ValidationException", """{"message":"The provided model identifier is invalid."}""" },
        { "DeepSeek", 400, "ModelNotFound, asks each", "", """{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}""" },
        { "Moonshot", 404, "ModelNotFound, asks each", "", """{"error":{"message":"Not found the model moonshot-v9 or Permission denied","type":"resource_not_found_error"}}""" },
        { "DashScope", 400, "ModelNotFound, asks each", "", """{"code":"InvalidParameter","message":"Model not exist.","request_id":"x"}""" },
        { "Zhipu", 400, "ModelNotFound, asks each", "", """{"error":{"code":"1211","message":"模型不存在，请检查模型代码。"}}""" },
        { "xAI", 404, "ModelNotFound, asks each", "", """{"code":"Some requested entity was not found","error":"The model grok-9 does not exist or your team 16f2 does not have access to it. Please ensure you're using the correct API key."}""" },
        { "OpenRouter", 400, "ModelNotFound, asks each", "", """{"error":{"message":"x/y is not a valid model ID","code":400},"user_id":"u"}""" },
        { "Snowflake", 400, "ModelNotFound, asks each", "", """{"message":"unknown model \"llama9\"","request_id":"x"}""" },
        { "Snowflake, region", 400, "InvalidRequest, asks one", "", """{"message":"The model you requested is unavailable in your region. To access it, enable cross region inference with AWS_EU, ANY_REGION.","request_id":"x"}""" },
        { "Snowflake, account", 403, "Forbidden, asks each", "", """{"code":"003001","message":"This account is not allowed to access this endpoint. Please contact Snowflake support.","request_id":"x","error_code":"003001"}""" },
        { "Databricks, path", 404, "NotServed, asks each", "", """{"error_code":"ENDPOINT_NOT_FOUND","message":"No API found for 'POST /serving-endpoints/x'"}""" },
        { "watsonx", 404, "ModelNotFound, asks each", "", """{"errors":[{"code":"model_not_supported","message":"Model 'ibm/x' is not supported","more_info":"https://cloud.ibm.com/apidocs/watsonx-ai#text-chat"}],"trace":"t","status_code":404}""" },
        { "Triton", 400, "ModelNotFound, asks each", "", """{"error":"Request for unknown model: 'x' is not found"}""" },
        { "KServe", 404, "ModelNotFound, asks each", "", """{"error":"Model with name llama does not exist."}""" },
        { "Ray Serve", 404, "NotServed, asks each", "", "Path '/v1/chat/completions' not found. Ping http://127.0.0.1:8000/-/routes for available routes." },
        { "HAProxy", 400, "InvalidRequest, asks each", "", "<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n" },
        { "HAProxy, no server", 503, "Overloaded, moves on", "", "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n" },
        { "Fastly", 500, "ServerError, moves on", "", "<html><head><title>Fastly error: unknown domain example.com</title></head></html>" },
        { "Cloudflare AI Gateway", 400, "InvalidRequest, asks one", "", """{"success":false,"result":[],"messages":[],"errors":[{"code":2001,"message":"Please configure AI Gateway in the Cloudflare dashboard"}]}""" },
        { "Cloudflare, path", 404, "NotServed, asks each", "", """{"success":false,"errors":[{"code":7000,"message":"No route for that URI"}],"messages":[],"result":null}""" },
        { "Cloudflare Workers AI", 400, "ModelNotFound, asks each", "", """{"errors":[{"message":"AiError: No such model @cf/x or task","code":5007}],"success":false,"result":{},"messages":[]}""" },
        { "Azure, operation", 400, "InvalidRequest, asks one", "", """{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation does not work with the specified model, gpt-x. Please choose different model and try again."}}""" },
        { "Azure, version", 400, "InvalidRequest, asks one", "", """{"error":{"code":"BadRequest","message":"API version not supported"}}""" },
        { "Fireworks", 404, "ModelNotFound, asks each", "", """{"error":{"object":"error","type":"invalid_request_error","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}""" },
        { "Cerebras", 404, "ModelNotFound, asks each", "", """{"message":"Model x does not exist or you do not have access to it.","type":"not_found_error","param":"model","code":"model_not_found"}""" },
        { "Mistral", 400, "ModelNotFound, asks each", "", """{"object":"error","message":"Invalid model: mistral-x","type":"invalid_model","param":null,"code":"1500"}""" },
        { "Cohere", 404, "ModelNotFound, asks each", "", """{"id":"x","message":"model 'command-x' not found, make sure the correct model ID was used and that you have access to the model."}""" },
        { "Perplexity", 400, "ModelNotFound, asks each", "", """{"error":{"message":"Invalid model 'x'. Permitted models can be found in the documentation at https://docs.perplexity.ai/guides/model-cards.","type":"invalid_model","code":400}}""" },
        { "Replicate", 404, "NotServed, asks each", "", """{"title":"Not found","detail":"The requested resource could not be found.","status":404}""" },
        { "MiniMax", 400, "ModelNotFound, asks each", "", """{"type":"error","error":{"type":"bad_request_error","message":"invalid params, unknown model 'x' (2013)","http_code":"400"},"request_id":"06"}""" },
        { "Baidu", 400, "ModelNotFound, asks each", "", """{"error":{"code":"invalid_model","message":"The model does not exist or you do not have access to it.","type":"invalid_request_error"},"id":"as-x"}""" },
        { "LiteLLM", 400, "ModelNotFound, asks each", "", """{"error":{"message":"/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.","type":"None","param":"None","code":"400"}}""" },
        { "a gateway with a quoted name", 400, "ModelNotFound, asks each", "", """{"error":{"message":"The model 'gpt-9' does not exist","type":"invalid_request_error","code":null}}""" },
        { "a gateway with a plain name", 422, "ModelNotFound, asks each", "", """{"error":{"message":"Model gpt-9 was not found","code":422}}""" },
        { "a part of a conversation", 400, "InvalidRequest, asks one", "", """{"error":{"message":"The model response was not found in the conversation","code":400}}""" },
    };

    /// <summary>Refusals of a credential, and of a permission.</summary>
    public static TheoryData<string, int, string, string, string> Credentials => new()
    {
        { "OpenAI, scope", 403, "Forbidden, asks each", "", """{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have the correct role in your organization.","type":"invalid_request_error","param":null,"code":"missing_scope"}}""" },
        { "Gemini, leaked", 403, "Unauthorized, moves on", "", """{"error":{"code":403,"message":"Your API key was reported as leaked. Please use another API key.","status":"PERMISSION_DENIED"}}""" },
        { "Gemini, disabled", 403, "Forbidden, asks each", "", """{"error":{"code":403,"message":"Generative Language API has not been used in project 1 before or it is disabled. Enable it by visiting the console then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}""" },
        { "Gemini", 400, "Unauthorized, moves on", "", """{"error":{"code":400,"message":"API Key not found. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}""" },
        { "Bedrock", 403, "Unauthorized, moves on", "x-amzn-ErrorType: UnrecognizedClientException", """{"message":"The security token included in the request is invalid."}""" },
        { "Bedrock, model", 403, "Forbidden, asks each", "x-amzn-ErrorType: AccessDeniedException", """{"message":"You don't have access to the model with the specified model ID."}""" },
        { "Bedrock, policy", 403, "Forbidden, asks each", "x-amzn-ErrorType: AccessDeniedException", """{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:x because no identity-based policy allows the bedrock:InvokeModel action"}""" },
        { "Bedrock, key", 403, "Unauthorized, moves on", "x-amzn-ErrorType: AccessDeniedException", """{"Message":"Authentication failed: Please make sure your API Key is valid."}""" },
        { "Groq", 403, "Forbidden, asks each", "", """{"error":{"message":"Access denied. Please check your network settings."}}""" },
        { "Anthropic, place", 403, "Forbidden, asks each", "", """{"error":{"type":"forbidden","message":"Request not allowed"}}""" },
        { "Anthropic", 401, "Unauthorized, moves on", "", """{"type":"error","error":{"type":"authentication_error","message":"OAuth authentication is currently not allowed for this organization."},"request_id":"req_1"}""" },
        { "xAI", 403, "Forbidden, asks each", "", """{"code":"The caller does not have permission to execute the specified operation","error":"Team is not authorized to perform this action"}""" },
        { "MiniMax", 401, "Unauthorized, moves on", "", """{"type":"error","error":{"type":"authentication_error","message":"login fail: Please carry the API secret key in the 'Authorization' field of the request header (1004)"}}""" },
        { "Kong", 401, "Unauthorized, moves on", "", """{"message":"No API key found in request","request_id":"x"}""" },
        { "Kong, group", 403, "Forbidden, asks each", "", """{"message":"You cannot consume this service","request_id":"x"}""" },
        { "DashScope", 403, "Forbidden, asks each", "", """{"code":"AccessDenied.Unpurchased","message":"Access to model denied. Please make sure you are eligible for using the model.","request_id":"x"}""" },
        { "Databricks, limit of 0", 403, "Forbidden, asks each", "", """{"error_code":"PERMISSION_DENIED","message":"PERMISSION_DENIED: The endpoint is disabled due to a rate limit set to 0."}""" },
        { "a gateway, revoked", 403, "Unauthorized, moves on", "", """{"error":{"message":"This API key has been revoked","code":403}}""" },
    };

    /// <summary>Refusals of one prompt, and firewalls.</summary>
    public static TheoryData<string, int, string, string, string> Filters => new()
    {
        { "Azure", 400, "ContentFilter, returns", "", """{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}""" },
        { "Azure, images", 400, "ContentFilter, returns", "", """{"error":{"code":"contentFilter","message":"Your task failed as a result of our safety system."}}""" },
        { "OpenAI, images", 400, "ContentFilter, returns", "", """{"error":{"message":"Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com and include the request ID x. safety_violations=[sexual].","type":"image_generation_user_error","param":null,"code":"moderation_blocked"}}""" },
        { "Moonshot", 400, "ContentFilter, returns", "", """{"error":{"message":"The request was rejected because it was considered high risk","type":"content_filter"}}""" },
        { "DeepSeek", 400, "ContentFilter, returns", "", """{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}""" },
        { "MiniMax", 400, "ContentFilter, returns", "", """{"type":"error","error":{"type":"bad_request_error","message":"input new_sensitive (1026)"},"request_id":"06"}""" },
        { "Bedrock", 400, "ContentFilter, returns", "x-amzn-ErrorType: ValidationException", """{"message":"The model returned the following errors: Output blocked by content filtering policy"}""" },
        { "DashScope", 400, "ContentFilter, returns", "", """{"error":{"code":"data_inspection_failed","param":null,"message":"Input data may contain inappropriate content. For details, see: https://help.aliyun.com/x","type":"data_inspection_failed"},"request_id":"x"}""" },
        { "xAI, images", 400, "ContentFilter, returns", "", """{"code":"Client specified an invalid argument","error":"Generated image rejected by content moderation."}""" },
        { "Replicate", 422, "ContentFilter, returns", "", """{"title":"Prediction failed","detail":"NSFW content detected. Try running it again, or try a different prompt.","status":422}""" },
        { "APIM", 403, "ContentFilter, returns", "", """{ "statusCode": 403, "message": "Request failed content safety check." }""" },
        { "CloudFront", 403, "Forbidden, asks each", "X-Cache: Error from cloudfront", "<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY><H1>403 ERROR</H1>Request blocked. We can't connect to the server for this app or website at this time.</BODY></HTML>" },
        { "Akamai", 403, "Forbidden, asks each", "", "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\nYou don't have permission to access this resource on this server.<P>\nReference&#32;&#35;18&#46;1\n</BODY>\n</HTML>\n" },
        { "Imperva", 403, "Forbidden, asks each", "", "<html><head></head><body>Request unsuccessful. Incapsula incident ID: 1-2</body></html>" },
        { "AWS WAF", 403, "Forbidden, asks each", "", "" },
    };

    /// <summary>Prompts that do not fit the context window, and requests and throttles with similar words.</summary>
    public static TheoryData<string, int, string, string, string> Sizes => new()
    {
        { "Anthropic", 400, "ContextLength, returns", "", """{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again"}}""" },
        { "llama.cpp", 400, "ContextLength, returns", "", """{"error":{"code":400,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}}""" },
        { "TGI", 422, "ContextLength, returns", "", """{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 6204 `inputs` tokens and 2047 `max_new_tokens`","error_type":"validation"}""" },
        { "SGLang", 400, "ContextLength, returns", "", """{"object":"error","message":"The input (5000 tokens) is longer than the model's context length (4096 tokens).","type":"BadRequestError","param":null,"code":400}""" },
        { "Together", 422, "ContextLength, returns", "", """{"id":"o3L","error":{"message":"Input validation error: `inputs` must have less than 8193 tokens. Given: 9000","type":"invalid_request_error","param":null,"code":null}}""" },
        { "vLLM", 400, "ContextLength, returns", "", """{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.","type":"BadRequestError","param":null,"code":400}}""" },
        { "Gemini", 400, "ContextLength, returns", "", """{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}""" },
        { "Cohere", 400, "ContextLength, returns", "", """{"id":"x","message":"too many tokens: size limit exceeded by 1234 tokens. Try using shorter or fewer inputs, or setting prompt_truncate='AUTO'."}""" },
        { "DashScope", 400, "ContextLength, returns", "", """{"code":"InvalidParameter","message":"Range of input length should be [1, 30720]","request_id":"x"}""" },
        { "Zhipu", 400, "ContextLength, returns", "", """{"error":{"code":"1261","message":"Prompt 超长"}}""" },
        { "MiniMax", 400, "ContextLength, returns", "", """{"type":"error","error":{"type":"bad_request_error","message":"invalid params, context window exceeds limit (2013)"},"request_id":"06"}""" },
        { "Moonshot", 400, "ContextLength, returns", "", """{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}}""" },
        { "Cerebras", 400, "ContextLength, returns", "", """{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}""" },
        { "xAI", 400, "ContextLength, returns", "", """{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}""" },
        { "Ollama", 400, "ContextLength, returns", "", """{"error":"the input length exceeds the context length"}""" },
        { "LM Studio", 400, "ContextLength, returns", "", """{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input"}""" },
        { "Bedrock, Anthropic", 400, "ContextLength, returns", "x-amzn-ErrorType: ValidationException", """{"message":"The model returned the following errors: prompt is too long: 209303 tokens > 200000 maximum"}""" },
        { "watsonx", 400, "ContextLength, returns", "", """{"errors":[{"code":"invalid_input_argument","message":"Invalid input argument for Model 'x': the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model"}],"trace":"t","status_code":400}""" },
        { "Mistral", 400, "ContextLength, returns", "", """{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt","param":null,"code":"3051"}""" },
        { "OpenRouter", 400, "ContextLength, returns", "", """{"error":{"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens (130000 of text input, 10000 in the output). Please reduce the length of either one, or use the \"middle-out\" transform to compress your prompt automatically.","code":400}}""" },
        { "OpenAI, text", 400, "InvalidRequest, returns", "", """{"error":{"message":"Invalid 'messages[0].content': string too long. Expected a string with maximum length 10485760, but got a string with length 12582912 instead.","type":"invalid_request_error","param":"messages[0].content","code":"string_above_max_length"}}""" },
        { "Moonshot, throttle", 429, "Throttled, moves on", "", """{"error":{"type":"rate_limit_reached_error","message":"Your account x / proj-x <ak-x> request reached project TPM rate limit, current: 1410, limit: 100, see https://platform.moonshot.cn/docs/pricing/limits"}}""" },
        { "Envoy", 413, "RequestTooLarge, asks each", "", "Payload Too Large" },
        { "Starlette", 413, "RequestTooLarge, asks one", "", """{"detail":"Request body too large"}""" },
    };

    /// <summary>Used-up accounts, and throttles with similar words.</summary>
    public static TheoryData<string, int, string, string, string> Accounts => new()
    {
        { "OpenCode", 401, "QuotaExhausted, moves on", "", """{"type":"error","error":{"type":"CreditsError","message":"Insufficient balance. Manage your billing here: https://opencode.ai/workspace/x/billing"}}""" },
        { "OpenCode, month", 401, "QuotaExhausted, moves on", "", """{"type":"error","error":{"type":"MonthlyLimitError","message":"Your workspace has reached its limit of $20. Manage your limits here: https://opencode.ai/workspace/x/billing"}}""" },
        { "Cohere, trial", 429, "QuotaExhausted, moves on", "", """{"id":"x","message":"You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits at 'https://dashboard.cohere.com/api-keys'."}""" },
        { "Cohere, minute", 429, "Throttled, moves on", "", """{"id":"x","message":"trial token rate limit exceeded, limit is 100000 tokens per minute"}""" },
        { "Cloudflare Workers AI", 429, "QuotaExhausted, moves on", "", """{"errors":[{"message":"AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan if you would like to continue usage.","code":4006}],"success":false,"result":{},"messages":[]}""" },
        { "Scaleway", 429, "Throttled, moves on", "", """{"error":"TOO MANY REQUESTS","message":"You exceeded your current quota of tokens per minute"}""" },
        { "Scaleway, parallel", 429, "Throttled, moves on", "", """{"error":"TOO MANY REQUESTS","message":"You exceeded your current threshold of concurrent requests"}""" },
        { "Databricks", 429, "Throttled, moves on", "", """{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"REQUEST_LIMIT_EXCEEDED: Exceeded workspace QPS rate limit for databricks-x. Please use a provisioned throughput Foundation Model APIs endpoint for a higher rate limit."}""" },
        { "Baidu", 429, "Throttled, moves on", "", """{"error":{"code":"rpm_rate_limit_exceeded","message":"Rate limit reached for RPM","type":"invalid_request_error"},"id":"as-x"}""" },
        { "Zhipu, parallel", 429, "Throttled, moves on", "", """{"error":{"code":"1302","message":"您当前使用该API的并发数过高，请降低并发，或联系客服增加限额。"}}""" },
        { "Zhipu, limit of hours", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1308","message":"已达到 5 小时的使用上限。您的限额将在 2026-01-01 09:00:00 重置。"}}""" },
        { "Z.AI, limit of hours", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2026-01-01 09:00:00"}}""" },
        { "Z.AI, Anthropic's form", 429, "QuotaExhausted, moves on", "", """{"type":"error","error":{"type":"1113","message":"Insufficient balance or no resource package. Please recharge."},"request_id":"x"}""" },
        { "SiliconFlow", 403, "QuotaExhausted, moves on", "", """{"code":30011,"message":"The selected model requires paid balance. Your paid balance is insufficient. Please top up and try again.","data":null}""" },
        { "MiniMax", 500, "QuotaExhausted, moves on", "", """{"type":"error","error":{"type":"api_error","message":"insufficient balance (1008)"},"request_id":"06"}""" },
        { "xAI", 403, "QuotaExhausted, moves on", "", """{"code":"permission-denied","error":"Your team deadb has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit."}""" },
        { "DashScope, overdue", 403, "QuotaExhausted, moves on", "", """{"code":"AccessDenied","message":"Access denied due to overdue account","request_id":"x"}""" },
        { "DashScope, minute", 429, "Throttled, moves on", "", """{"error":{"message":"You exceeded your current requests list.","type":"limit_requests","param":null,"code":"limit_requests"},"request_id":"x"}""" },
        { "LiteLLM, budget", 400, "QuotaExhausted, moves on", "", """{"error":{"message":"Budget has been exceeded! Current cost: 10.1, Max budget: 10.0","type":"budget_exceeded","param":null,"code":"400"}}""" },
        { "APIM", 403, "QuotaExhausted, moves on, 9015 s", "", """{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 02:30:15." }""" },
        { "APIM, tokens", 429, "Throttled, moves on, 16 s", "", """{ "statusCode": 429, "message": "Token limit is exceeded. Try again in 16 seconds." }""" },
        { "watsonx", 403, "QuotaExhausted, moves on", "", """{"errors":[{"code":"token_quota_reached","message":"Consumed 51000 tokens and reached the limit of 50000 tokens"}],"trace":"t","status_code":403}""" },
        { "watsonx, throttle", 429, "Throttled, moves on", "", """{"errors":[{"code":"rate_limit_reached_requests","message":"rate limit reached for requests"}],"trace":"t","status_code":429}""" },
        { "Bedrock", 400, "QuotaExhausted, moves on", "x-amzn-ErrorType: ServiceQuotaExceededException", """{"message":"Your request exceeds the service quota for your account."}""" },
        { "Bedrock, throttle", 429, "Throttled, moves on", "x-amzn-ErrorType: ThrottlingException", """{"message":"Too many tokens, please wait before trying again."}""" },
        { "Anthropic, spend", 429, "QuotaExhausted, moves on", "", """{"type":"error","error":{"type":"rate_limit_error","message":"This workspace has reached its limit","details":{"error_code":"enforced_spend_limit_reached"}}}""" },
        { "Anthropic, limits", 400, "QuotaExhausted, moves on, 2678400 s", "", """{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-02-01 at 00:00 UTC."}}""" },
        { "Gemini, no limit", 429, "QuotaExhausted, moves on, 36.712 s", "", """{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: gemini-2.0-flash\nPlease retry in 36.711919173s.","status":"RESOURCE_EXHAUSTED"}}""" },
        { "Replicate", 429, "Throttled, moves on, 5 s", "", """{"detail":"Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute with a burst of 1 requests while you have less than $5.0 in credit. Your rate limit resets in ~5s.","status":429,"retry_after":5}""" },
        { "Mistral", 429, "Overloaded, moves on", "", """{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505","raw_status_code":429}""" },
    };

    /// <summary>The forms of a time to wait, in headers and in bodies.</summary>
    public static TheoryData<string, int, string, string, string> Times => new()
    {
        { "Replicate, sentence", 429, "Throttled, moves on, 5 s", "", """{"detail":"Request was throttled. Your rate limit resets in ~5s.","status":429}""" },
        { "Django", 429, "Throttled, moves on, 7 s", "", """{"detail":"Request was throttled. Expected available in 7 seconds."}""" },
        { "Hugging Face, loading", 503, "Overloaded, moves on, 20.5 s", "", """{"error":"Model x is currently loading","estimated_time":20.5}""" },
        { "Hugging Face", 429, "Throttled, moves on, 55 s", "RateLimit: \"api\";r=0;t=55\nRateLimit-Policy: \"fixed window\";\"api\";q=1000;w=300", "" },
        { "Cerebras", 429, "Throttled, moves on, 11.38 s", "x-ratelimit-remaining-tokens-minute: 0\nx-ratelimit-reset-tokens-minute: 11.38\nx-ratelimit-remaining-requests-day: 14370\nx-ratelimit-reset-requests-day: 33011.38", """{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}""" },
        { "Cerebras, second", 429, "Throttled, moves on", "", """{"message":"Requests per second limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}""" },
        { "Cerebras, traffic", 429, "Throttled, moves on", "", """{"message":"We're experiencing high traffic right now! Please try again soon.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}""" },
        { "Anthropic", 429, "Throttled, moves on, 25 s", "anthropic-ratelimit-requests-remaining: 40\nanthropic-ratelimit-requests-reset: 2026-01-01T00:00:05Z\nanthropic-ratelimit-input-tokens-remaining: 0\nanthropic-ratelimit-input-tokens-reset: 2026-01-01T00:00:25Z", """{"type":"error","error":{"type":"rate_limit_error","message":"Number of request tokens has exceeded your per-minute rate limit"}}""" },
        { "Gemini", 429, "Throttled, moves on, 36 s", "", """{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"15"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"36s"}]}}""" },
        { "Groq", 429, "Throttled, moves on, 345.6 s", "", """{"error":{"message":"Rate limit reached for model `x` in organization `org_01` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 99900, Requested 500. Please try again in 5m45.6s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing","type":"tokens","code":"rate_limit_exceeded"}}""" },
        { "LiteLLM", 429, "Throttled, moves on, 33 s", "retry-after: 33\nrate_limit_type: requests", """{"error":{"message":"Max parallel request limit reached. Limit type: api_key","type":"None","param":"None","code":"429"}}""" },
        { "APIM", 429, "Throttled, moves on, 28 s", "", """{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 28 seconds." }""" },
        { "Cloudflare", 429, "Throttled, moves on", "", "error code: 1015" },
        { "one minute", 429, "Throttled, moves on, 60 s", "", """{"error":{"message":"Too many requests. Please try again in 1 minute.","code":429}}""" },
        { "one hour", 429, "Throttled, moves on, 3600 s", "", """{"error":{"message":"Too many requests. Please retry after 1 hour.","code":429}}""" },
        { "a date of RFC 850", 429, "Throttled, moves on, 40 s", "Retry-After: Thursday, 01-Jan-26 00:00:40 GMT", """{}""" },
        { "a date of C", 429, "Throttled, moves on, 40 s", "Retry-After: Thu Jan  1 00:00:40 2026", """{}""" },
        { "milliseconds with a fraction", 429, "Throttled, moves on, 1.25 s", "retry-after-ms: 1250.0\nRetry-After: 2", """{}""" },
        { "a negative time", 429, "Throttled, moves on", "Retry-After: -5", """{}""" },
        { "microseconds", 429, "Throttled, moves on, 60 s", "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767225660000000", """{}""" },
        { "not again", 429, "Throttled, moves on, once", "x-should-retry: false", """{}""" },
    };

    [Theory]
    [MemberData(nameof(Quoting))]
    public void Words_that_a_server_repeats_decide_nothing(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.CheckQuoting(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public void A_missing_model_and_a_missing_path_are_told_apart(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Credentials))]
    public void A_refused_credential_and_a_missing_permission_are_told_apart(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_refused_prompt_returns_and_a_firewall_is_asked_once(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_prompt_that_does_not_fit_is_recognised(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Accounts))]
    public void A_used_up_account_is_a_quota_and_a_limit_of_a_minute_is_not(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time_to_wait_is_read_in_every_form(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);
}
