namespace HaKit.Tests.Faults;

/// <summary>
/// Tests a third table of refusals of real servers and gateways, one row for each, and errors that arrive with status 200. <see cref="ServerRefusalsTests"/>
/// explains the rows.
/// </summary>
public sealed class ProviderRefusalsTests
{
    /// <summary>Refusals that repeat a part of the request.</summary>
    public static TheoryData<string, int, string, string, string> Quoting => new()
    {
        { "DeepSeek", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Failed to deserialize the JSON body into the target type: messages[0]: data did not match any variant of untagged enum ChatCompletionRequestContent at line 1 column 52","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}""" },
        { "Groq, tool", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=quota>insufficient_quota: You exceeded your current quota, please check your plan</function>"}}""" },
        { "Groq, JSON", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"json_validate_failed","failed_generation":"{\"error\":\"Incorrect API key provided\"}"}}""" },
        { "Cerebras", 400, "InvalidRequest, returns", "", """{"message":"body.messages.0.user.content: Input should be a valid string","type":"invalid_request_error","param":"validation_error","code":"wrong_api_format"}""" },
        { "xAI", 422, "InvalidRequest, asks each", "", "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `insufficient_quota`, expected one of `system`, `user` at line 1 column 30" },
        { "TGI", 422, "InvalidRequest, asks each", "", "Failed to deserialize the JSON body into the target type: inputs: invalid type: map, expected a string at line 1 column 12" },
        { "LiteLLM", 400, "InvalidRequest, asks one", "", """{"error":{"message":"litellm.BadRequestError: OpenAIException - Invalid value: 'Your credit balance is too low'. Supported values are: 'system', 'assistant' and 'user'.. Received Model Group=m\nAvailable Model Group Fallbacks=None","type":null,"param":null,"code":"400"}}""" },
        { "Bedrock", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"Malformed input request: #/messages/0/content/0: extraneous key [your account is suspended due to insufficient balance] is not permitted, please reformat your input and try again."}""" },
        { "Gemini", 400, "InvalidRequest, returns", "", """{"error":{"code":400,"message":"Invalid value at 'contents[0].role' (TYPE_STRING), \"API key not valid. Please pass a valid API key.\"","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].role","description":"Invalid value (TYPE_STRING), \"API key not valid\""}]}]}}""" },
        { "Snowflake", 400, "InvalidRequest, asks one", "", """{"message":"invalid request body: json: unknown field \"prompt is too long\"","request_id":"x"}""" },
        { "Portkey", 400, "InvalidRequest, asks one", "", """{"error":{"message":"openai error: Invalid value: 'prompt is too long'. Supported values are: 'system' and 'user'.","type":"invalid_request_error","param":null,"code":null},"provider":"openai"}""" },
        { "OpenRouter", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"Invalid value: 'You exceeded your current quota'\",\"type\":\"invalid_request_error\"}}","provider_name":"OpenAI"}},"user_id":"u"}""" },
        { "OpenRouter, schema", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Input required: specify \"prompt\" or \"messages\", found insufficient credits","code":400},"user_id":"u"}""" },
        { "Databricks", 400, "InvalidRequest, asks one", "", """{"error_code":"BAD_REQUEST","message":"Bad request: json: unknown field \"content management policy\"\n"}""" },
        { "Envoy AI Gateway", 400, "InvalidRequest, asks one", "", """{"type":"error","error":{"type":"BadRequest","code":"400","message":"malformed request: failed to parse JSON for /v1/chat/completions: invalid character 'q' looking for beginning of value: quota exceeded"}}""" },
        { "FastChat", 400, "InvalidRequest, asks one", "", """{"object":"error","message":"insufficient_quota is not of type 'array' - 'messages'","code":40302}""" },
        { "NIM", 422, "InvalidRequest, returns", "", """{"type":"urn:inference-service:problem-details:unprocessable-entity","title":"Unprocessable Entity","status":422,"detail":[{"type":"string_type","loc":["body","messages",0,"content"],"msg":"Input should be a valid string","input":["This model's maximum context length is 4096 tokens"]}]}""" },
        { "Xinference", 500, "ServerError, moves on", "", """{"detail":"[address=0.0.0.0:40000, pid=12] Parsing of 'the model is overloaded, retry after 3600 seconds' failed"}""" },
    };

    /// <summary>Missing models, missing paths, and refusals because of the place or the account.</summary>
    public static TheoryData<string, int, string, string, string> Elsewhere => new()
    {
        { "vLLM", 404, "ModelNotFound, asks each", "", """{"error":{"message":"The model `llama` does not exist.","type":"NotFoundError","param":"model","code":404}}""" },
        { "vLLM, template", 400, "InvalidRequest, asks one", "", """{"error":{"message":"As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one. None","type":"BadRequestError","param":null,"code":400}}""" },
        { "OpenAI, path", 404, "NotServed, asks each", "", """{"error":{"message":"Invalid URL (POST /v1/chat)","type":"invalid_request_error","param":null,"code":null}}""" },
        { "OpenAI, project", 403, "ModelNotFound, asks each", "", """{"error":{"message":"Project `proj_x` does not have access to model `gpt-4o`","type":"invalid_request_error","param":null,"code":"model_not_found"}}""" },
        { "OpenAI, output", 400, "InvalidRequest, asks one", "", """{"error":{"message":"Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.","type":"invalid_request_error","param":null,"code":null}}""" },
        { "OpenAI, parameter", 400, "InvalidRequest, returns", "", """{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}""" },
        { "Azure, model name", 400, "InvalidRequest, asks one", "", """{"error":{"code":"no_model_name","message":"No model specified in request. Please provide a model name in the request body or as a x-ms-model-mesh-model-name header.","details":"No model specified in request."}}""" },
        { "GitHub Models", 400, "ModelNotFound, asks each", "", """{"error":{"code":"unavailable_model","message":"Unavailable model: o1","details":"Unavailable model: o1"}}""" },
        { "GitHub Models, access", 403, "Forbidden, asks each", "", """{"error":{"code":"no_access","message":"No access to model: gpt-5","details":"No access to model: gpt-5"}}""" },
        { "Xinference", 400, "ModelNotFound, asks each", "", """{"detail":"Model not found in the model list, uid: qwen-chat"}""" },
        { "Xinference, other words", 400, "ModelNotFound, asks each", "", """{"detail":"[address=0.0.0.0:40000, pid=12] Model not found, uid: qwen-chat"}""" },
        { "Ray Serve", 404, "ModelNotFound, asks each", "", """{"error":{"message":"Could not find model with id llama-9. Select from: ['llama-8'].","type":"NotFound","code":404}}""" },
        { "Triton", 404, "ModelNotFound, asks each", "", """{"error":"Request for unknown model: 'x' is not found"}""" },
        { "Triton, batch", 400, "InvalidRequest, asks one", "", """{"error":"[request id: <id_unknown>] inference request batch-size must be <= 8 for 'x'"}""" },
        { "Ollama, tools", 400, "InvalidRequest, asks one", "", """{"error":"registry.ollama.ai/library/gemma:latest does not support tools"}""" },
        { "Ollama, memory", 500, "ServerError, moves on", "", """{"error":"model requires more system memory (5.5 GiB) than is available (3.2 GiB)"}""" },
        { "LM Studio", 400, "ModelNotFound, asks each", "", """{"error":{"message":"Failed to load model \"qwen\". Error: Model loading was stopped due to insufficient system resources.","type":"invalid_request_error","param":"model","code":"model_not_found"}}""" },
        { "LocalAI", 500, "ServerError, moves on", "", """{"error":{"code":500,"message":"could not load model - all backends returned error: rpc error: code = Unavailable","type":""}}""" },
        { "Hugging Face, provider", 400, "InvalidRequest, asks one", "", """{"error":{"message":"The requested model 'x/y' is not supported by any provider you have enabled.","type":"invalid_request_error","param":"model","code":"model_not_supported"}}""" },
        { "Hugging Face, retired", 410, "ModelNotFound, asks each", "", """{"error":"https://api-inference.huggingface.co is no longer supported. Please use https://router.huggingface.co instead."}""" },
        { "Hugging Face, plan", 400, "InvalidRequest, asks one", "", """{"error":"Model requires a Pro subscription; check out hf.co/pricing to learn more. Make sure to include your HF token in your query."}""" },
        { "Vertex, project", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Project `1` is not allowed to use Publisher Model `projects/p/locations/us/publishers/anthropic/models/c`","status":"FAILED_PRECONDITION"}}""" },
        { "Gemini", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT"}}""" },
        { "Volcengine", 404, "ModelNotFound, asks each", "", """{"error":{"code":"InvalidEndpointOrModel.NotFound","message":"The model or endpoint doubao-9 does not exist or you do not have access to it. Request id: 0217","param":"","type":"NotFound"}}""" },
        { "Volcengine, closed", 404, "ModelNotFound, asks each", "", """{"error":{"code":"ModelNotOpen","message":"Your account 21 has not activated the model doubao-9. Please activate the model service in the Ark Console. Request id: 0217","param":"","type":"NotFound"}}""" },
        { "Qwen", 404, "ModelNotFound, asks each", "", """{"error":{"message":"The model `qwen-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"},"request_id":"x"}""" },
        { "Qwen, access", 403, "Forbidden, asks each", "", """{"error":{"message":"Model access denied.","type":"Model.AccessDenied","param":null,"code":"Model.AccessDenied"},"request_id":"x"}""" },
        { "Bedrock, operation", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"Operation not allowed"}""" },
        { "Bedrock, form", 404, "ModelNotFound, asks each, 900 s", "x-amzn-ErrorType: ResourceNotFoundException", """{"message":"Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model. If you have already filled out the form, try again in 15 minutes."}""" },
        { "Bedrock, caching", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information."}""" },
        { "SageMaker", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationError", """{"Code":"ValidationError","Message":"Endpoint x of account 1 not found."}""" },
        { "SageMaker, container", 424, "InvalidRequest, asks one", "x-amzn-ErrorType: ModelError", """{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","LogStreamArn":"","Message":"Received client error (400) from primary with message \"{\"error\":\"bad\"}\"","OriginalMessage":"{\"error\":\"bad\"}","OriginalStatusCode":400}""" },
        { "SageMaker, failure", 424, "ServerError, moves on", "x-amzn-ErrorType: ModelError", """{"ErrorCode":"INTERNAL_FAILURE_FROM_MODEL","LogStreamArn":"","Message":"Received server error (500) from primary with message \"{}\"","OriginalMessage":"{}","OriginalStatusCode":500}""" },
        { "Envoy AI Gateway", 404, "NotServed, asks each", "", "No matching route found. It is likely because the model specified in your request is not configured in the Gateway." },
        { "Portkey", 400, "InvalidRequest, asks one", "", """{"status":"failure","message":"Either x-portkey-config or x-portkey-provider header is required"}""" },
        { "gRPC gateway", 404, "NotServed, asks each", "", """{"code":5,"message":"Not Found","details":[]}""" },
        { "gRPC gateway, method", 501, "ServerError, moves on", "", """{"code":12,"message":"Method Not Allowed","details":[]}""" },
        { "Groq, restricted", 400, "Unauthorized, moves on", "", """{"error":{"message":"Organization has been restricted. Please reach out to support if you believe this was in error.","type":"invalid_request_error","code":"organization_restricted"}}""" },
        { "Anthropic, beta", 400, "InvalidRequest, asks one", "", """{"type":"error","error":{"type":"invalid_request_error","message":"The long context beta is not yet available for this subscription."},"request_id":"req_1"}""" },
        { "LiteLLM, access", 403, "Forbidden, asks each", "", """{"error":{"message":"key not allowed to access model. This key can only access models=['a']. Tried to access b","type":"key_model_access_denied","param":"model","code":"403"}}""" },
        { "FastChat", 400, "InvalidRequest, asks one", "", """{"object":"error","message":"Only vicuna-7b allowed now, your model llama","code":40301}""" },
        { "SambaNova", 410, "ModelNotFound, asks each", "", """{"error":{"message":"The model x has been deprecated. Please use another model.","type":"invalid_request_error","param":"model","code":"model_deprecated"},"request_id":"x"}""" },
        { "Fireworks", 404, "ModelNotFound, asks each", "", """{"error":{"object":"error","type":"invalid_request_error","code":"invalid_request_error","message":"Model 'accounts/fireworks/models/x' not found"}}""" },
        { "Replicate", 422, "InvalidRequest, asks one", "", """{"title":"Invalid version or not permitted","detail":"The specified version does not exist (or perhaps you don't have permission to use it?)","status":422}""" },
        { "DeepInfra", 404, "ModelNotFound, asks each", "", """{"detail":{"error":"Model is not available"}}""" },
        { "Mistral", 404, "NotServed, asks each", "", """{"message":"no Route matched with those values","request_id":"x"}""" },
        { "Cloudflare AI Gateway", 400, "InvalidRequest, asks one", "", """{"success":false,"result":[],"messages":[],"error":[{"code":2008,"message":"Invalid provider"}]}""" },
    };

    /// <summary>Refusals of a credential, and of a permission.</summary>
    public static TheoryData<string, int, string, string, string> Credentials => new()
    {
        { "Apigee", 401, "Unauthorized, moves on", "", """{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}""" },
        { "Cerebras", 401, "Unauthorized, moves on", "", """{"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"}""" },
        { "Hugging Face", 403, "Forbidden, asks each", "", """{"error":"This authentication method does not have sufficient permissions to call Inference Providers on behalf of user x"}""" },
        { "Vertex", 403, "Forbidden, asks each", "", """{"error":{"code":403,"message":"Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/p/locations/us/publishers/google/models/g' (or it may not exist).","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"IAM_PERMISSION_DENIED","domain":"aiplatform.googleapis.com"}]}}""" },
        { "Gemini, project", 403, "Forbidden, asks each", "", """{"error":{"code":403,"message":"Your project has been denied access. Please contact support.","status":"PERMISSION_DENIED"}}""" },
        { "Anthropic", 403, "Forbidden, asks each", "", """{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission to use the specified resource."},"request_id":"req_1"}""" },
        { "Bedrock, bearer", 403, "Unauthorized, moves on", "x-amzn-ErrorType: AccessDeniedException", """{"Message":"Bearer Token has expired"}""" },
        { "Bedrock, marketplace", 403, "Forbidden, asks each", "x-amzn-ErrorType: AccessDeniedException", """{"message":"Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model."}""" },
        { "NIM", 403, "Forbidden, asks each", "", """{"status":403,"title":"Forbidden","detail":"Authorization failed"}""" },
        { "Databricks", 403, "Forbidden, asks each", "", """{"error_code":"PERMISSION_DENIED","message":"User does not have permission 'View' on Endpoint gte-large-en","details":[{"@type":"type.googleapis.com/google.rpc.RequestInfo","request_id":"x","serving_data":""}]}""" },
        { "Azure, keys off", 403, "Forbidden, asks each", "", """{"error":{"code":"AuthenticationTypeDisabled","message":"Key based authentication is disabled for this resource."}}""" },
        { "Amazon API Gateway", 403, "Unauthorized, moves on", "x-amzn-ErrorType: MissingAuthenticationTokenException", """{"message":"Missing Authentication Token"}""" },
        { "Amazon API Gateway, key", 403, "Forbidden, asks each", "x-amzn-ErrorType: ForbiddenException", """{"message":"Forbidden"}""" },
        { "AWS, expired at 400", 400, "Unauthorized, moves on", "", """{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}""" },
        { "AWS, unknown at 400", 400, "Unauthorized, moves on", "", """{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}""" },
        { "Snowflake", 401, "Unauthorized, moves on", "", """{"data":null,"code":"390303","message":"Invalid OAuth access token. [x]","success":false,"headers":null}""" },
        { "Fireworks", 403, "Forbidden, asks each", "", """{"error":"unauthorized"}""" },
        { "Mistral", 401, "Unauthorized, moves on", "", """{"detail":"Unauthorized"}""" },
        { "a gateway, disabled key", 403, "Unauthorized, moves on", "", """{"error":{"message":"The API key is disabled","type":"forbidden","code":"api_key_disabled"}}""" },
        { "a gateway, expired key", 403, "Unauthorized, moves on", "", """{"code":403,"message":"API key expired","data":null}""" },
    };

    /// <summary>Refusals of one prompt.</summary>
    public static TheoryData<string, int, string, string, string> Filters => new()
    {
        { "Kong, Azure", 400, "ContentFilter, returns", "", """{"error":{"message":"request failed content safety check: breached category [Hate] at level 4"}}""" },
        { "Cloudflare AI Gateway", 424, "ContentFilter, returns", "", """{"success":false,"result":[],"messages":[],"error":[{"code":2016,"message":"Prompt blocked due to security configurations"}]}""" },
        { "Cloudflare AI Gateway, answer", 424, "ContentFilter, returns", "", """{"success":false,"result":[],"messages":[],"error":[{"code":2017,"message":"Response blocked due to security configurations"}]}""" },
        { "WSO2", 446, "ContentFilter, returns", "", """{"code":"900514","type":"AZURE_CONTENT_SAFETY_CONTENT_MODERATION","message":{"interveningGuardrail":"azure-content-safety","action":"GUARDRAIL_INTERVENED","actionReason":"Violation of azure content safety content moderation detected.","direction":"REQUEST"}}""" },
        { "LiteLLM, Presidio", 400, "ContentFilter, returns", "", """{"error":{"message":"Blocked entity detected: EMAIL_ADDRESS by Guardrail: presidio. This entity is not allowed to be used in this request.","type":"None","param":"None","code":"400"}}""" },
        { "Vertex", 400, "ContentFilter, returns", "", """{"error":{"code":400,"message":"The prompt is blocked due to: PROHIBITED_CONTENT","status":"INVALID_ARGUMENT"}}""" },
        { "Imagen", 400, "ContentFilter, returns", "", """{"error":{"code":400,"message":"Unable to show generated images. All images were filtered out because they violated Vertex AI's usage guidelines. You will not be charged for blocked images. Try rephrasing the prompt.","status":"INVALID_ARGUMENT"}}""" },
        { "Veo", 400, "ContentFilter, returns", "", """{"error":{"code":400,"message":"Veo could not generate videos because the input image violates Vertex AI's usage guidelines. If you think this was an error, send feedback.","status":"INVALID_ARGUMENT"}}""" },
        { "Nova", 400, "ContentFilter, returns", "x-amzn-ErrorType: ValidationException", """{"message":"The generated text has been blocked by our content filters."}""" },
        { "Titan", 400, "ContentFilter, returns", "x-amzn-ErrorType: ValidationException", """{"message":"This request has been blocked by our content filters. Our filters automatically flagged this prompt because it may conflict our AUP or AWS Responsible AI Policy. Please adjust your text prompt to submit a new request."}""" },
        { "Stability", 403, "ContentFilter, returns", "", """{"id":"x","name":"content_moderation","errors":["Your request was flagged by our content moderation system, as a result your request was denied and you were not charged."]}""" },
        { "Zhipu", 400, "ContentFilter, returns", "", """{"error":{"code":"1301","message":"System detected potentially unsafe or sensitive content in input or generation. Please avoid using prompts that may generate sensitive content. Thank you for your cooperation."}}""" },
        { "MiniMax", 422, "ContentFilter, returns", "", """{"type":"error","error":{"type":"unprocessable_entity_error","message":"output new_sensitive (1027)","http_code":"422"},"request_id":"06"}""" },
        { "StepFun", 451, "ContentFilter, returns", "", """{"error":{"message":"The content you provided or machine outputted is blocked.","type":"censorship_blocked"}}""" },
        { "Spark", 400, "ContentFilter, returns", "", """{"error":{"message":"(10013) input content audit failed, suspected violation, please adjust your input.","type":"api_error","param":null,"code":"10013"}}""" },
        { "fal", 422, "InvalidRequest, returns", "", """{"detail":[{"loc":["body","prompt"],"msg":"The content could not be processed because it contained material flagged by a content checker.","type":"content_policy_violation","input":{"prompt":"x"}}]}""" },
        { "Cohere", 400, "ContentFilter, returns", "", """{"id":"x","message":"blocked output: please try again or contact the administrator, this generation is potentially toxic"}""" },
        { "OpenAI", 400, "ContentFilter, returns", "", """{"error":{"message":"Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed by our safety system.","type":"invalid_request_error","param":null,"code":"content_policy_violation"}}""" },
        { "Azure, jailbreak", 400, "ContentFilter, returns", "", """{"error":{"message":"The response was filtered due to the prompt triggering Microsoft's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"jailbreak":{"filtered":true,"detected":true}}}}}""" },
        { "LiteLLM, Azure", 400, "ContentFilter, returns", "", """{"error":{"message":"litellm.ContentPolicyViolationError: litellm.BadRequestError: AzureException ContentPolicyViolationError - The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Received Model Group=m","type":null,"param":null,"code":"400"}}""" },
        { "Portkey, Azure", 400, "ContentFilter, returns", "", """{"error":{"message":"azure-openai error: The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":null},"provider":"azure-openai"}""" },
        { "DashScope through a gateway", 400, "ContentFilter, returns", "", """{"error":{"message":"<400> InternalError.Algo.DataInspectionFailed: Output data may contain inappropriate content.","type":"upstream_error","param":"","code":400}}""" },
        { "SiliconFlow", 451, "NotServed, asks each", "", """{"code":20050,"message":"This model is not available in your area.","data":null}""" },
        { "Kong, firewall", 403, "Forbidden, asks each", "", """{"message":"Your IP address is not allowed","request_id":"x"}""" },
    };

    /// <summary>Prompts that do not fit the context window, and requests that are too large.</summary>
    public static TheoryData<string, int, string, string, string> Sizes => new()
    {
        { "vLLM", 400, "ContextLength, returns", "", """{"error":{"message":"You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=5000)","type":"BadRequestError","param":"input_tokens","code":400}}""" },
        { "vLLM, output", 400, "ContextLength, returns", "", """{"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 200 input tokens (5000 > 4096 - 200).","type":"BadRequestError","param":"max_tokens","code":400}}""" },
        { "SGLang", 400, "ContextLength, returns", "", """{"object":"error","message":"Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 5000 tokens: 4000 tokens from the input messages and 1000 tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.","type":"BadRequestError","param":null,"code":400}""" },
        { "SGLang, input", 400, "ContextLength, returns", "", """{"object":"error","message":"Input length (5000 tokens) exceeds the maximum allowed length (4090 tokens). Use a shorter input or enable --allow-auto-truncate.","type":"BadRequestError","param":null,"code":400}""" },
        { "llama.cpp", 400, "ContextLength, returns", "", """{"error":{"code":400,"message":"request (14429 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}}""" },
        { "llama.cpp, at 500", 500, "ContextLength, returns", "", """{"error":{"code":500,"message":"the request exceeds the available context size. try increasing the context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":1407,"n_ctx":256}}""" },
        { "llama-cpp-python", 400, "ContextLength, returns", "", """{"error":{"message":"Requested tokens (2285) exceed context window of 2048","type":"invalid_request_error","param":null,"code":null}}""" },
        { "TensorRT-LLM", 400, "ContextLength, returns", "", """{"object":"error","message":"The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)","type":"BadRequestError","param":null,"code":400}""" },
        { "Triton", 400, "ContextLength, returns", "", """{"error":"Encountered an error when fetching new request: Prompt length (5056) exceeds maximum input length (4096). Set log level to info and check TRTGptModel logs for how maximum input length is set"}""" },
        { "Xinference", 400, "ContextLength, returns", "", """{"detail":"[address=0.0.0.0:40000, pid=12] Requested tokens (5000) exceed context window of 4096"}""" },
        { "Ollama", 400, "ContextLength, returns", "", """{"error":"prompt too long; exceeded max context length by 4 tokens"}""" },
        { "LM Studio", 400, "ContextLength, returns", "", """{"error":"The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input"}""" },
        { "FastChat", 400, "ContextLength, returns", "", """{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.","code":40303}""" },
        { "Groq", 400, "ContextLength, returns", "", """{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}""" },
        { "Fireworks", 400, "ContextLength, returns", "", """{"error":{"object":"error","type":"invalid_request_error","code":"invalid_request_error","message":"The prompt is too long: 140000, model maximum context length: 131071"}}""" },
        { "Perplexity", 400, "ContextLength, returns", "", """{"error":{"message":"The total number of tokens in the prompt exceeds the limit of 127072","type":"bad_request","code":400}}""" },
        { "Zhipu", 400, "ContextLength, returns", "", """{"error":{"code":"1261","message":"Prompt exceeds max length"}}""" },
        { "DashScope", 400, "ContextLength, returns", "", """{"error":{"message":"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]","type":"invalid_request_error","param":null,"code":"invalid_parameter_error"},"request_id":"x"}""" },
        { "Volcengine", 400, "ContextLength, returns", "", """{"error":{"code":"InvalidParameter","message":"Input length 140000 exceeds the maximum length 131072. Request id: 0217","param":"","type":"BadRequest"}}""" },
        { "Volcengine, images", 400, "ContextLength, returns", "", """{"error":{"code":"InvalidParameter","message":"Total tokens of image and text exceed max message tokens. Request id: 0217","param":"","type":"BadRequest"}}""" },
        { "Baidu", 400, "ContextLength, returns", "", """{"error":{"code":"tokens_too_long","message":"Prompt tokens too long","type":"invalid_request_error"},"id":"as-x"}""" },
        { "Databricks", 400, "ContextLength, returns", "", """{"error_code":"BAD_REQUEST","message":"BAD_REQUEST: Input is too long for requested model."}""" },
        { "Snowflake", 400, "ContextLength, returns", "", """{"message":"max tokens of 128000 exceeded","request_id":"x"}""" },
        { "Copilot", 400, "ContextLength, returns", "", """{"error":{"message":"prompt token count of 70000 exceeds the limit of 64000","code":"model_max_prompt_tokens_exceeded"}}""" },
        { "Nova", 400, "ContextLength, returns", "x-amzn-ErrorType: ValidationException", """{"message":"Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again."}""" },
        { "Titan", 400, "InvalidRequest, asks one", "x-amzn-ErrorType: ValidationException", """{"message":"Malformed input request: expected maxLength: 50000, actual: 60000, please reformat your input and try again."}""" },
        { "Vertex", 400, "ContextLength, returns", "", """{"error":{"code":400,"message":"Unable to submit request because the input token count is 40000 but model only supports up to 32768. Reduce the input token count and try again. Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini","status":"INVALID_ARGUMENT"}}""" },
        { "Cohere", 400, "ContextLength, returns", "", """{"id":"x","message":"too many tokens: total number of tokens in the prompt cannot exceed 128000 - received 140000. Try using a shorter prompt, or enable prompt truncation."}""" },
        { "OpenAI, responses", 400, "ContextLength, returns", "", """{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":null}}""" },
        { "OpenAI, limit", 400, "ContextLength, returns", "", """{"error":{"message":"Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}""" },
        { "Azure", 400, "ContextLength, returns", "", """{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9000 tokens (8000 in your prompt; 1000 for the completion). Please reduce your prompt; or completion length.","type":"invalid_request_error","param":null,"code":null}}""" },
        { "LiteLLM", 400, "ContextLength, returns", "", """{"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.. Received Model Group=m\nAvailable Model Group Fallbacks=None","type":null,"param":null,"code":"400"}}""" },
        { "Portkey", 400, "ContextLength, returns", "", """{"error":{"message":"anthropic error: prompt is too long: 209303 tokens > 200000 maximum","type":"invalid_request_error","param":null,"code":null},"provider":"anthropic"}""" },
        { "gRPC gateway", 400, "ContextLength, returns", "", """{"code":3,"message":"invalid argument: prompt is too long: 9000 tokens > 8192","details":[]}""" },
        { "LocalAI", 500, "ServerError, moves on", "", """{"error":{"code":500,"message":"rpc error: code = Internal desc = the request exceeds the available context size (4096 tokens)","type":""}}""" },
        { "Anthropic, output", 400, "InvalidRequest, returns", "", """{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-x"},"request_id":"req_1"}""" },
        { "OpenAI, output", 400, "InvalidRequest, returns", "", """{"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}""" },
        { "Gemini, bytes", 400, "InvalidRequest, asks one", "", """{"error":{"code":400,"message":"Request payload size exceeds the limit: 20971520 bytes. Please use the File API.","status":"INVALID_ARGUMENT"}}""" },
        { "Amazon API Gateway", 413, "RequestTooLarge, asks one", "", """{"message":"Request Too Long"}""" },
        { "Vercel", 413, "RequestTooLarge, asks each", "", "Request Entity Too Large\n\nFUNCTION_PAYLOAD_TOO_LARGE" },
        { "Groq, bytes", 413, "RequestTooLarge, returns", "", """{"error":{"message":"Request Entity Too Large","type":"invalid_request_error","code":"request_too_large"}}""" },
        { "Anthropic, plan", 429, "RequestTooLarge, asks each, unblamed", "", """{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."},"request_id":"req_1"}""" },
        { "OpenRouter, credits", 402, "QuotaExhausted, moves on", "", """{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 4120. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account","code":402},"user_id":"u"}""" },
    };

    /// <summary>Used-up accounts, throttles and overloads.</summary>
    public static TheoryData<string, int, string, string, string> Accounts => new()
    {
        { "OpenAI, inactive", 429, "QuotaExhausted, moves on", "", """{"error":{"message":"Your account is not active, please check your billing details on our website.","type":"billing_not_active","param":null,"code":"billing_not_active"}}""" },
        { "OpenAI, overload", 429, "Overloaded, moves on", "", """{"error":{"message":"That model is currently overloaded with other requests. You can retry your request, or contact us through our help center if the error persists.","type":"server_error","param":null,"code":null}}""" },
        { "Moonshot", 429, "Overloaded, moves on", "", """{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}""" },
        { "TGI", 429, "Overloaded, moves on", "", """{"error":"Model is overloaded","error_type":"overloaded"}""" },
        { "TGI, memory", 424, "ServerError, moves on", "", """{"error":"Request failed during generation: Server error: CUDA out of memory","error_type":"generation"}""" },
        { "Cloudflare Workers AI", 429, "Overloaded, moves on", "", """{"errors":[{"message":"AiError: Capacity temporarily exceeded, please try again.","code":3040}],"success":false,"result":{},"messages":[]}""" },
        { "Azure, free tier", 403, "QuotaExhausted, moves on, 1209600 s", "", """{"error":{"code":"403","message":"Out of call volume quota for CognitiveServices F0 pricing tier. Please retry after 14 days. To increase your call volume switch to a paid tier."}}""" },
        { "Google, billing", 403, "QuotaExhausted, moves on", "", """{"error":{"code":403,"message":"This API method requires billing to be enabled. Please enable billing on project #1 by visiting https://console.developers.google.com/billing/enable?project=1 then retry.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BILLING_DISABLED","domain":"googleapis.com"}]}}""" },
        { "SiliconFlow", 403, "QuotaExhausted, moves on", "", """{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}""" },
        { "SiliconFlow, minute", 429, "Throttled, moves on", "", """{"message":"Request was rejected due to rate limiting. If you want more, please contact contact@siliconflow.cn. Details:TPM limit reached.","data":null}""" },
        { "Zhipu, overload", 429, "Overloaded, moves on", "", """{"error":{"code":"1305","message":"The service may be temporarily overloaded, please try again later"}}""" },
        { "Zhipu, day", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1304","message":"Daily call limit for this API reached. If you have more needs, please contact customer service."}}""" },
        { "Zhipu, week", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"1310","message":"Weekly/Monthly Limit Exhausted. Your limit will reset at 2026-01-04 00:00:00"}}""" },
        { "Zhipu, fair use", 429, "Throttled, moves on", "", """{"error":{"code":"1313","message":"Your account's current usage pattern does not comply with the Fair Usage Policy, and your request frequency has been limited."}}""" },
        { "xAI", 429, "Throttled, moves on", "", """{"code":"Some resource has been exhausted","error":"Too many requests for team 16f2 and model grok-4. Your team's rate limit is 60 requests per minute. To see your rate limits, visit https://console.x.ai."}""" },
        { "Fireworks", 429, "Throttled, moves on", "", """{"error":"Too Many Requests","message":"You have exceeded your usage limits. Please try again later or contact Fireworks to explore dedicated capacity."}""" },
        { "Fireworks, late", 429, "Throttled, moves on", "", """{"error":{"object":"error","type":"invalid_request_error","code":"invalid_request_error","message":"Request didn't generate first token before the given deadline"}}""" },
        { "Perplexity", 429, "Throttled, moves on", "", """{"error":{"message":"Request rate limit exceeded, please try again later.","type":"request_rate_limit_exceeded","code":429}}""" },
        { "Together", 429, "Throttled, moves on", "", """{"id":"o3L","error":{"message":"You have reached the rate limit specific to this model x. The maximum rate limit for this model is 6.0 queries and 180000 tokens per minute. This limit differs from the general rate limits published at Together AI rate limits documentation.","type":"model_rate_limit","param":null,"code":null}}""" },
        { "Together, dynamic", 429, "Throttled, moves on", "", """{"id":"o3L","error":{"message":"Request was rejected due to request rate limiting. Your rate limits are 600 RPM (10 QPS) and 180000 TPM.","type":"rate_limit","param":null,"code":"dynamic_request_limited"}}""" },
        { "Volcengine, overload", 429, "Overloaded, moves on", "", """{"error":{"code":"ServerOverloaded","message":"The service is currently unable to handle additional requests due to server overload. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Volcengine, minute", 429, "Throttled, moves on", "", """{"error":{"code":"ModelAccountTpmRateLimitExceeded","message":"The request failed because it exceeded the TPM limit of the associated model for your account. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Volcengine, free", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"QuotaExceeded","message":"Your account 21 has exceeded the free trial quota for the model doubao. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Volcengine, set limit", 429, "QuotaExhausted, moves on", "", """{"error":{"code":"SetLimitExceeded","message":"Your account 21 has reached the set inference limit for the doubao model, and the model service has been paused. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Volcengine, in flight", 429, "Throttled, moves on", "", """{"error":{"code":"InflightBatchsizeExceeded","message":"The number of requests in flight has exceeded the limit. Request id: 0217","param":"","type":"TooManyRequests"}}""" },
        { "Databricks", 429, "Throttled, moves on", "", """{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"REQUEST_LIMIT_EXCEEDED: Exceeded your workspace input tokens per minute limit for databricks-x."}""" },
        { "Databricks, runs", 429, "Throttled, moves on", "", """{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"There are already 5 active runs (limit: 5)."}""" },
        { "Bedrock, day", 429, "QuotaExhausted, moves on", "x-amzn-ErrorType: ThrottlingException", """{"message":"Too many tokens per day, please wait before trying again."}""" },
        { "AWS, at 400", 400, "Throttled, moves on", "", """{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}""" },
        { "AWS Lambda", 429, "Throttled, moves on", "", """{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}""" },
        { "Vertex, minute", 429, "Throttled, moves on", "", """{"error":{"code":429,"message":"Quota exceeded for aiplatform.googleapis.com/generate_content_input_tokens_per_minute_per_base_model with base model: gemini. Please submit a quota increase request.","status":"RESOURCE_EXHAUSTED"}}""" },
        { "Gemini, day", 429, "QuotaExhausted, moves on, 36 s", "", """{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"50"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"36s"}]}}""" },
        { "LiteLLM, user", 400, "QuotaExhausted, moves on", "", """{"error":{"message":"ExceededBudget: User=x over budget. Spend=1.0, Budget=0.5","type":"budget_exceeded","param":null,"code":"400"}}""" },
        { "Portkey", 429, "Throttled, moves on", "", """{"status":"failure","message":"Rate limit exceeded for this virtual key"}""" },
        { "Xinference", 429, "Throttled, moves on", "", """{"detail":"[address=0.0.0.0:40000, pid=12] Rate limit reached for the model. Request limit 5 for the model: qwen"}""" },
        { "Apigee", 429, "Throttled, moves on", "", """{"fault":{"faultstring":"Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=10, periodInMicroseconds=60000000, maxBurstMessageCount=1.0}","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}""" },
        { "Snowflake", 429, "Throttled, moves on", "", """{"message":"too many requests","request_id":"x"}""" },
        { "gRPC gateway", 429, "Throttled, moves on", "", """{"code":8,"message":"resource exhausted: too many requests","details":[]}""" },
        { "DashScope, burst", 429, "Throttled, moves on", "", """{"error":{"message":"Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.","type":"limit_burst_rate","param":null,"code":"limit_burst_rate"},"request_id":"x"}""" },
        { "DashScope", 429, "QuotaExhausted, moves on", "", """{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"},"request_id":"x"}""" },
        { "Cohere, minute", 429, "Throttled, moves on", "", """{"message":"You are past the per minute request limit, please wait and try again later."}""" },
        { "Ollama, week", 429, "QuotaExhausted, moves on", "", """{"error":"you (x) have reached your weekly usage limit, upgrade for higher limits: https://ollama.com/upgrade (ref: 1)"}""" },
        { "Hugging Face", 429, "Throttled, moves on", "", """{"error":"Too Many Requests: you have reached your 'api' rate limit.\nUpgrade to PRO for higher limits: https://huggingface.co/pricing"}""" },
        { "Envoy", 429, "Throttled, moves on", "x-envoy-ratelimited: true", "local_rate_limited" },
    };

    /// <summary>The forms of a time to wait.</summary>
    public static TheoryData<string, int, string, string, string> Times => new()
    {
        { "OpenRouter, day", 429, "Throttled, moves on, 86400 s", "", """{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767312000000"},"provider_name":null}},"user_id":"u"}""" },
        { "OpenRouter, upstream", 429, "Throttled, moves on, 30 s", "", """{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"rate-limited upstream","provider_name":"x","is_byok":false,"retry_after_seconds":30,"retry_after_seconds_raw":30}},"user_id":"u"}""" },
        { "LiteLLM, no deployment", 429, "Throttled, moves on, 5 s", "", """{"error":{"message":"No deployments available for selected model, Try again in 5 seconds. Passed model=gpt-4o. pre-call-checks=False, cooldown_list=['1']","type":"None","param":"None","code":"429"}}""" },
        { "LiteLLM, key", 429, "Throttled, moves on, 30 s", "retry-after: 30\nrate_limit_type: tokens", """{"error":{"message":"Rate limit exceeded for api_key: x. Limit type: tokens. Current limit: 1000, Remaining: 0. Limit resets at: 2026-01-01 00:00:30 UTC","type":"None","param":"None","code":"429"}}""" },
        { "Kong", 429, "Throttled, moves on, 12 s", "X-AI-RateLimit-Retry-After: 12", """{"message":"AI token rate limit exceeded for provider(s): openai"}""" },
        { "SambaNova", 429, "Throttled, moves on, 3600 s", "x-ratelimit-remaining-requests: 5\nx-ratelimit-remaining-requests-day: 0\nx-ratelimit-reset-requests-day: 1767229200", """{"error":{"message":"Rate limit exceeded","type":"rate_limit_exceeded","param":null,"code":null},"request_id":"x"}""" },
        { "Anthropic", 429, "Throttled, moves on, 3600 s", "anthropic-ratelimit-unified-status: rejected\nanthropic-ratelimit-unified-reset: 1767229200", """{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit. Please try again later."},"request_id":"req_1"}""" },
        { "Azure", 429, "Throttled, moves on, 86400 s", "", """{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2023-05-15 have exceeded token rate limit of your current AIServices S0 pricing tier. Please retry after 86400 seconds. Please contact Azure support service if you would like to further increase the default rate limit."}}""" },
        { "Azure, region", 429, "Throttled, moves on, 24 s", "", """{"error":{"code":"RateLimitReached","message":"Your requests to gpt-4o for gpt-4o in East US have exceeded the call rate limit for your current AIServices S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI Service. Please retry after 24 seconds."}}""" },
        { "Cloudflare", 429, "Throttled, moves on, 30 s", "", """{"type":"https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/error-1015/","title":"Error 1015: You are being rate limited","status":429,"detail":"You have been rate limited.","error_code":1015,"error_name":"rate_limited","cloudflare_error":true,"retryable":true,"retry_after":30}""" },
        { "Spring Cloud Gateway", 429, "Throttled, moves on", "X-RateLimit-Remaining: 0\nX-RateLimit-Requested-Tokens: 1\nX-RateLimit-Burst-Capacity: 1\nX-RateLimit-Replenish-Rate: 1", "" },
        { "Volcengine", 429, "Throttled, moves on, 60 s", "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 2026-01-01T08:01:00+08:00", "{}" },
        { "Triton behind Envoy", 503, "Overloaded, moves on, 5 s", "Retry-After: 5", """{"error":"Exceeds maximum queue size"}""" },
        { "vLLM production stack", 503, "Overloaded, moves on", "", """{"error":"Model x not found or vLLM engine is sleeping."}""" },
        { "BentoML", 429, "Throttled, moves on", "", """{"error":"Too many requests"}""" },
        { "a gateway, tomorrow", 429, "QuotaExhausted, moves on", "", """{"error":{"message":"You have reached your daily limit of 100 requests, please come back tomorrow","code":429}}""" },
    };

    /// <summary>Errors that arrive with status 200.</summary>
    public static TheoryData<string, int, string, string, string> InsideSuccess => new()
    {
        { "OpenRouter, throttle", 200, "Throttled, moves on", "", """{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"x is temporarily rate-limited upstream","provider_name":"Chutes"}},"user_id":"u"}""" },
        { "OpenRouter, gateway", 200, "ServerError, moves on", "", """{"error":{"message":"Internal Server Error","code":502},"user_id":"u"}""" },
        { "OpenRouter, choice", 200, "ServerError, moves on", "", """{"id":"gen","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"error","error":{"code":502,"message":"Upstream error"}}]}""" },
        { "OpenRouter, empty choice", 200, "Throttled, moves on", "", """{"id":"gen","object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":null}}],"usage":{"completion_tokens":0,"prompt_tokens":0,"total_tokens":0},"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"error code: 1015","provider_name":"Kluster"}},"user_id":"u"}""" },
        { "OpenRouter, request", 200, "InvalidRequest, asks one", "", """{"error":{"message":"Provider returned error","code":400},"user_id":"u"}""" },
        { "OpenRouter, credits", 200, "QuotaExhausted, moves on", "", """{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}""" },
        { "OpenRouter, minute", 200, "Throttled, moves on", "", """{"error":{"message":"Rate limit exceeded: limit_rpm/google/gemini-2.5-pro-exp-03-25/x. High demand for google/gemini on OpenRouter - limited to 1 request per minute. Please retry shortly.","code":429}}""" },
        { "Spring", 200, "ServerError, moves on", "", """{"timestamp":"2026-01-01T00:00:00.000+00:00","status":500,"error":"Internal Server Error","path":"/v1/chat/completions"}""" },
        { "LM Studio", 200, "BrokenBody, moves on", "", """{"error":"Unexpected endpoint or method. (POST /v1/chat)"}""" },
        { "Ollama", 200, "BrokenBody, moves on", "", """{"error":"unexpected server status: llm server loading model"}""" },
        { "FastChat", 200, "BrokenBody, moves on", "", """{"object":"error","message":"NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.","code":50004}""" },
        { "Anthropic, throttle", 200, "Throttled, moves on", "", """{"type":"error","error":{"type":"rate_limit_error","message":"Number of requests has exceeded your rate limit"}}""" },
        { "Anthropic, key", 200, "Unauthorized, moves on", "", """{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}""" },
        { "Anthropic, prompt", 200, "ContextLength, returns", "", """{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 209303 tokens > 200000 maximum"}}""" },
        { "OpenAI, prompt", 200, "ContextLength, returns", "", """{"error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model."}}""" },
        { "Responses, throttle", 200, "Throttled, moves on, 2 s", "", """{"id":"resp","object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"Rate limit reached for gpt-4o in organization org on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s."},"output":[]}""" },
        { "Responses, failure", 200, "ServerError, moves on", "", """{"id":"resp","object":"response","status":"failed","error":{"code":"server_error","message":"An error occurred while processing your request."},"output":[]}""" },
        { "gRPC gateway", 200, "BrokenBody, moves on", "", """{"error":{"code":14,"message":"upstream connect error","details":[]}}""" },
        { "Gemini, throttle", 200, "Throttled, moves on", "", """{"error":{"code":429,"message":"Resource exhausted. Please try again later.","status":"RESOURCE_EXHAUSTED"}}""" },
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
    public void A_refused_prompt_returns(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_prompt_that_does_not_fit_is_recognised(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Accounts))]
    public void A_used_up_account_a_throttle_and_an_overload_are_told_apart(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(Times))]
    public void A_time_to_wait_is_read_in_every_form(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);

    [Theory]
    [MemberData(nameof(InsideSuccess))]
    public void An_error_with_status_200_has_its_meaning(string server, int status, string expected, string headers, string body) => ServerRefusalsTests.Check(server, status, expected, headers, body);
}
