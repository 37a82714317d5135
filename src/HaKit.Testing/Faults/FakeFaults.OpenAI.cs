namespace HaKit.Testing;

/// OpenAI and the servers that use its dialect.
public static partial class FakeFaults
{
    /// <summary>Faults in OpenAI's format.</summary>
    public static class OpenAI
    {
        /// <summary>429 <c>rate_limit_exceeded</c>, with the rate limit headers of an exhausted request limit.</summary>
        /// <param name="retryAfter">The time after which the client may call again, sent as <c>retry-after-ms</c>, <c>Retry-After</c> and the reset header. Default 1 s.</param>
        public static FakeFault RateLimited(TimeSpan? retryAfter = null)
        {
            var wait = retryAfter ?? TimeSpan.FromSeconds(1);
            return Error("OpenAI rate limit", 429, "requests", "rate_limit_exceeded",
                    $"Rate limit reached for model on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in {GoDuration(wait)}.")
                .WithHeader("retry-after-ms", Milliseconds(wait)).RetryAfter(wait)
                .WithHeader("x-ratelimit-limit-requests", "500")
                .WithHeader("x-ratelimit-remaining-requests", "0")
                .WithHeader("x-ratelimit-reset-requests", GoDuration(wait))
                .WithHeader("x-ratelimit-limit-tokens", "30000")
                .WithHeader("x-ratelimit-remaining-tokens", "29998")
                .WithHeader("x-ratelimit-reset-tokens", "6ms");
        }

        /// <summary>429 <c>rate_limit_exceeded</c> that names the wait only in the reset time of its token limit.</summary>
        /// <param name="reset">The time until the limit is reset.</param>
        public static FakeFault TokensExhausted(TimeSpan reset) =>
            Error("OpenAI token limit", 429, "tokens", "rate_limit_exceeded",
                    $"Rate limit reached for model on tokens per min (TPM): Limit 30000, Used 30000, Requested 1200. Please try again in {GoDuration(reset)}.")
                .WithHeader("x-ratelimit-limit-requests", "500")
                .WithHeader("x-ratelimit-remaining-requests", "499")
                .WithHeader("x-ratelimit-reset-requests", "120ms")
                .WithHeader("x-ratelimit-limit-tokens", "30000")
                .WithHeader("x-ratelimit-remaining-tokens", "0")
                .WithHeader("x-ratelimit-reset-tokens", GoDuration(reset));

        /// <summary>429 <c>slow_down</c>.</summary>
        public static FakeFault SlowDown() =>
            Error("OpenAI slow down", 429, "rate_limit_error", "slow_down", "Slow down: your traffic rose too fast. Reduce your rate of requests, then raise it gradually.");

        /// <summary>429 <c>insufficient_quota</c>: not a rate limit, but the account's quota is used up.</summary>
        public static FakeFault QuotaExhausted() =>
            Error("OpenAI quota exhausted", 429, "insufficient_quota", "insufficient_quota",
                "You exceeded your current quota, please check your plan and billing details.");

        /// <summary>429 <c>credit_balance_exhausted</c>: the account has no money left.</summary>
        public static FakeFault CreditExhausted() =>
            Error("OpenAI credit exhausted", 429, "billing_error", "credit_balance_exhausted", "Your credit balance is exhausted.");

        /// <summary>503 <c>server_is_overloaded</c>.</summary>
        public static FakeFault Overloaded() =>
            Error("OpenAI overloaded", 503, "service_unavailable_error", "server_is_overloaded", "The server is currently overloaded. Please try again later.");

        /// <summary>500 <c>server_error</c>.</summary>
        public static FakeFault ServerError() =>
            Error("OpenAI server error", 500, "server_error", null, "The server had an error while processing your request. Sorry about that!");

        /// <summary>400 <c>context_length_exceeded</c>.</summary>
        /// <param name="window">The size of the model's context window, in tokens.</param>
        public static FakeFault ContextLengthExceeded(int window = 8192) =>
            Json("OpenAI context length", 400, OpenAIBody("invalid_request_error", "context_length_exceeded", ContextLengthMessage(window, window + 1), "messages"));

        /// <summary>400 <c>content_policy_violation</c> (unverified).</summary>
        public static FakeFault ContentFiltered() =>
            Error("OpenAI content filter", 400, "invalid_request_error", "content_policy_violation", "Your request was rejected as a result of our safety system.");

        /// <summary>An answer that ends with <c>finish_reason: content_filter</c>.</summary>
        public static FakeFault ContentFilteredAnswer() => FakeFault.FinishReason("content_filter").Named("OpenAI content filter in 200");

        /// <summary>401 <c>invalid_api_key</c>.</summary>
        public static FakeFault BadKey() =>
            Error("OpenAI bad key", 401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");

        /// <summary>404 <c>model_not_found</c>.</summary>
        public static FakeFault ModelNotFound() =>
            Error("OpenAI model not found", 404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it.");

        /// <summary>A stream that ends with a server error after n chunks of content.</summary>
        /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative; default 0.</param>
        public static FakeFault ErrorInStream(int chunks = 0) =>
            FakeFault.ErrorEventAfter(chunks, OpenAIBody("server_error", null, "The server had an error while processing your request. Sorry about that!"))
                .Named("OpenAI error in stream");

        private static FakeFault Error(string name, int status, string type, string? code, string message) =>
            Json(name, status, OpenAIBody(type, code, message));
    }

    /// <summary>Faults in Azure OpenAI's format.</summary>
    public static class Azure
    {
        /// <summary>429 because of a deployment's rate limit.</summary>
        /// <param name="retryAfter">
        /// The time after which the client may call again, sent as <c>retry-after-ms</c> and <c>Retry-After</c>. Azure has been seen to send up to 24 h.
        /// </param>
        public static FakeFault Throttled(TimeSpan retryAfter) =>
            Json("Azure throttled", 429, $$$"""{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after {{{Seconds(retryAfter)}}} seconds."}}""")
                .WithHeader("retry-after-ms", Milliseconds(retryAfter)).RetryAfter(retryAfter)
                .WithHeader("x-ratelimit-remaining-requests", "0")
                .WithHeader("x-ratelimit-remaining-tokens", "0")
                .WithHeader("x-ratelimit-reset-requests", Seconds(retryAfter))
                .WithHeader("x-ratelimit-reset-tokens", "-1");

        /// <summary>429 that names the wait only in <c>x-ms-retry-after-ms</c>.</summary>
        /// <param name="retryAfter">The time after which the client may call again.</param>
        public static FakeFault ThrottledByGateway(TimeSpan retryAfter) =>
            Json("Azure throttled by gateway", 429, """{"error":{"code":"429","message":"Too many requests."}}""")
                .WithHeader("x-ms-retry-after-ms", Milliseconds(retryAfter));

        /// <summary>429 because of the quota of a region or SKU (unverified).</summary>
        public static FakeFault QuotaExhausted() =>
            Json("Azure quota exhausted", 429, """{"error":{"code":"InsufficientQuota","message":"This operation requires more quota than is available in this region for this SKU."}}""");

        /// <summary>503: the service is overloaded.</summary>
        public static FakeFault Overloaded() =>
            Json("Azure overloaded", 503, """{"error":{"code":"ServiceUnavailable","message":"The service is temporarily unable to process your request. Please try again later."}}""");

        /// <summary>400 <c>context_length_exceeded</c>.</summary>
        /// <param name="window">The size of the model's context window, in tokens.</param>
        public static FakeFault ContextLengthExceeded(int window = 8192) => OpenAI.ContextLengthExceeded(window).Named("Azure context length");

        /// <summary>400 <c>content_filter</c>, with <c>ResponsibleAIPolicyViolation</c>.</summary>
        public static FakeFault ContentFiltered() =>
            Json("Azure content filter", 400, """{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}}}}""");

        /// <summary>An answer that ends with <c>finish_reason: content_filter</c>.</summary>
        public static FakeFault ContentFilteredAnswer() => FakeFault.FinishReason("content_filter").Named("Azure content filter in 200");

        /// <summary>401 because of a wrong key.</summary>
        public static FakeFault BadKey() =>
            Json("Azure bad key", 401, """{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}""");

        /// <summary>404 <c>DeploymentNotFound</c>.</summary>
        public static FakeFault DeploymentNotFound() =>
            Json("Azure deployment not found", 404, """{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}""");

        /// <summary>410: the model behind the deployment is retired.</summary>
        public static FakeFault Retired() =>
            Json("Azure retired", 410, """{"error":{"code":"ModelDeprecated","message":"The model is retired and can no longer be used."}}""");
    }

    /// <summary>Faults in a vLLM server's format.</summary>
    public static class Vllm
    {
        /// <summary>503: the server is overloaded.</summary>
        public static FakeFault Overloaded() =>
            Json("vLLM overloaded", 503, """{"object":"error","message":"The server is overloaded.","type":"ServiceUnavailableError","param":null,"code":503}""");

        /// <summary>400 "This model's maximum context length is…".</summary>
        /// <param name="window">The size of the model's context window, in tokens.</param>
        public static FakeFault ContextLengthExceeded(int window = 8192) =>
            Json("vLLM context length", 400, $$"""{"object":"error","message":"{{ContextLengthMessage(window, window + 1)}}","type":"BadRequestError","param":null,"code":400}""");

        /// <summary>400 for another request that the server cannot serve.</summary>
        public static FakeFault BadRequest() =>
            Json("vLLM bad request", 400, """{"object":"error","message":"1 validation error for ChatCompletionRequest","type":"BadRequestError","param":null,"code":400}""");
    }

    /// <summary>Faults in Groq's format.</summary>
    public static class Groq
    {
        /// <summary>429 <c>rate_limit_exceeded</c> that names the wait in its text, and optionally in <c>Retry-After</c>.</summary>
        /// <param name="tryAgainIn">The time after which the client may call again. Default 5.289 s.</param>
        /// <param name="header">True to send <c>Retry-After</c> too. Default false.</param>
        public static FakeFault RateLimited(TimeSpan? tryAgainIn = null, bool header = false)
        {
            var wait = tryAgainIn ?? TimeSpan.FromSeconds(5.289);
            var fault = Json("Groq rate limit", 429, OpenAIBody("tokens", "rate_limit_exceeded",
                $"Rate limit reached for model in organization on tokens per minute (TPM): Limit 6000, Used 5800, Requested 729. Please try again in {GoDuration(wait)}."));
            return header ? fault.RetryAfter(wait) : fault;
        }
    }

    /// <summary>Faults in OpenRouter's format.</summary>
    public static class OpenRouter
    {
        /// <summary>429 whose <c>error.code</c> is a number.</summary>
        public static FakeFault RateLimited() =>
            Json("OpenRouter rate limit", 429, """{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-min."}}""");

        /// <summary>402 without a <c>Retry-After</c>.</summary>
        public static FakeFault CreditExhausted() =>
            Json("OpenRouter credit exhausted", 402, """{"error":{"code":402,"message":"Insufficient credits. Add more and retry."}}""");

        /// <summary>An error in a stream that began with status 200.</summary>
        /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative; default 0.</param>
        public static FakeFault ErrorInStream(int chunks = 0) =>
            FakeFault.ErrorEventAfter(chunks, """{"id":"gen-1","object":"chat.completion.chunk","created":1735689600,"model":"model","provider":"provider","error":{"code":502,"message":"Provider disconnected unexpectedly"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}""")
                .Named("OpenRouter error in stream");

        /// <summary>Sends <c>: OPENROUTER PROCESSING</c> comments until the first content. Combine it with <see cref="FakeFault.Latency"/>.</summary>
        /// <param name="every">The time between two comments. Default 1 s.</param>
        public static FakeFault Processing(TimeSpan? every = null) =>
            FakeFault.KeepAlives(every ?? TimeSpan.FromSeconds(1), "OPENROUTER PROCESSING").Named("OpenRouter processing");
    }

    internal static string ContextLengthMessage(int window, int asked) =>
        $"This model's maximum context length is {window} tokens. However, your messages resulted in {asked} tokens. Please reduce the length of the messages.";

    private static string OpenAIBody(string type, string? code, string message, string? param = null) =>
        Wire.ErrorBodies.OpenAI(type, code, message, param);
}
