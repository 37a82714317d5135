namespace HaKit.Testing;

/// Gemini, Mistral and Bedrock. Only their error answers exist; the fakes do not support their dialects otherwise.
public static partial class FakeFaults
{
    /// <summary>Faults in the format of Google's Gemini.</summary>
    public static class Gemini
    {
        /// <summary>429 <c>RESOURCE_EXHAUSTED</c> because of a limit per minute.</summary>
        /// <param name="retryDelay">The <c>RetryInfo</c> in the body (unverified). Default 46 s.</param>
        public static FakeFault RateLimited(TimeSpan? retryDelay = null) =>
            Exhausted("Gemini rate limit", "GenerateRequestsPerMinutePerProjectPerModel", "You exceeded your current quota, please check your plan and billing details.", retryDelay ?? TimeSpan.FromSeconds(46));

        /// <summary>429 that names the wait only in its text: "retry in 10h17m5.723541104s".</summary>
        /// <param name="retryIn">The time after which the client may call again.</param>
        public static FakeFault RateLimitedInText(TimeSpan retryIn) =>
            Exhausted("Gemini rate limit in text", "GenerateRequestsPerMinutePerProjectPerModel", $"You exceeded your current quota. Please retry in {GoDuration(retryIn)}.", null);

        /// <summary>429 <c>RESOURCE_EXHAUSTED</c> because of a limit per day.</summary>
        public static FakeFault QuotaExhausted() =>
            Exhausted("Gemini quota exhausted", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "You exceeded your current quota, please check your plan and billing details.", null);

        /// <summary>429 because the project has no quota: <c>limit: 0</c>.</summary>
        public static FakeFault NoQuota() =>
            Exhausted("Gemini no quota", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0", null);

        /// <summary>402: payment is required.</summary>
        public static FakeFault PaymentRequired() => Error("Gemini payment required", 402, "FAILED_PRECONDITION", "Billing is not active for this project.");

        /// <summary>503 <c>UNAVAILABLE</c>.</summary>
        public static FakeFault Overloaded() => Error("Gemini overloaded", 503, "UNAVAILABLE", "The model is overloaded. Please try again later.");

        /// <summary>400 <c>INVALID_ARGUMENT</c> "exceeds the maximum number of tokens allowed".</summary>
        /// <param name="window">The size of the model's context window, in tokens.</param>
        public static FakeFault ContextLengthExceeded(int window = 1048575) =>
            Error("Gemini context length", 400, "INVALID_ARGUMENT", $"The input token count ({window + 1}) exceeds the maximum number of tokens allowed ({window}).");

        /// <summary>400 (not 401) because of a wrong key.</summary>
        public static FakeFault BadKey() =>
            Json("Gemini bad key", 400, """{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}""");

        /// <summary>200 with a blocked prompt: <c>promptFeedback.blockReason</c> (unverified).</summary>
        public static FakeFault PromptBlocked() =>
            Json("Gemini prompt blocked", 200, """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}""");

        /// <summary>200 that ends with <c>finishReason: SAFETY</c> (unverified).</summary>
        public static FakeFault ContentFilteredAnswer() =>
            Json("Gemini safety", 200, """{"candidates":[{"finishReason":"SAFETY","index":0,"safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH"}]}]}""");

        private static FakeFault Error(string name, int status, string code, string message) =>
            Json(name, status, $$$"""{"error":{"code":{{{status}}},"message":"{{{message}}}","status":"{{{code}}}"}}""");

        private static FakeFault Exhausted(string name, string quotaId, string message, TimeSpan? retryDelay)
        {
            var retry = retryDelay is { } wait ? $$""",{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{{DecimalSeconds(wait)}}"}""" : "";
            return Json(name, 429, $$$"""{"error":{"code":429,"message":"{{{message}}}","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_requests","quotaId":"{{{quotaId}}}"}]}{{{retry}}}]}}""");
        }
    }

    /// <summary>Faults in Mistral's format.</summary>
    public static class Mistral
    {
        /// <summary>429 <c>rate_limited</c>, code 1300.</summary>
        public static FakeFault RateLimited() => Error("Mistral rate limit", 429, "Rate limit exceeded", "rate_limited", "1300");

        /// <summary>429 with only a message.</summary>
        public static FakeFault RateLimitedBare() => Json("Mistral bare rate limit", 429, """{"message":"Requests rate limit exceeded"}""");

        /// <summary>429 because of the monthly cap (wording unverified).</summary>
        public static FakeFault QuotaExhausted() => Error("Mistral monthly cap", 429, "Monthly usage limit exceeded", "rate_limited", "1300");

        /// <summary>429 "Service tier capacity exceeded for this model." (type and code unverified).</summary>
        public static FakeFault Overloaded() => Error("Mistral overloaded", 429, "Service tier capacity exceeded for this model.", "service_tier_capacity_exceeded", "3505");

        /// <summary>400 "too large for model" (unverified).</summary>
        public static FakeFault ContextLengthExceeded() =>
            Error("Mistral context length", 400, "Prompt contains 40001 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "invalid_request_prompt", "3051");

        private static FakeFault Error(string name, int status, string message, string type, string code) =>
            Json(name, status, $$"""{"object":"error","message":"{{message}}","type":"{{type}}","param":null,"code":"{{code}}","raw_status_code":{{status}}}""");
    }

    /// <summary>Faults in Amazon Bedrock's format, with the exception's name in <c>x-amzn-ErrorType</c>.</summary>
    public static class Bedrock
    {
        /// <summary>429 <c>ThrottlingException</c>.</summary>
        public static FakeFault Throttled() => Error(429, "ThrottlingException", "Too many requests, please wait before trying again.");

        /// <summary>429 <c>ModelNotReadyException</c>.</summary>
        public static FakeFault ModelNotReady() => Error(429, "ModelNotReadyException", "The model is not ready to serve inference requests. Please try again.");

        /// <summary>400 <c>ServiceQuotaExceededException</c>.</summary>
        public static FakeFault QuotaExhausted() => Error(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account.");

        /// <summary>503 <c>ServiceUnavailableException</c>.</summary>
        public static FakeFault Overloaded() => Error(503, "ServiceUnavailableException", "The service isn't currently available. Try again later.");

        /// <summary>424 <c>ModelStreamErrorException</c>.</summary>
        public static FakeFault ModelStreamError() => Error(424, "ModelStreamErrorException", "An error occurred while streaming the response. Retry your request.");

        /// <summary>408 <c>ModelTimeoutException</c>.</summary>
        public static FakeFault ModelTimeout() => Error(408, "ModelTimeoutException", "Model is timing out. Try again.");

        /// <summary>400 <c>ValidationException</c> "Input is too long".</summary>
        public static FakeFault ContextLengthExceeded() => Error(400, "ValidationException", "Input is too long for requested model.");

        /// <summary>200 that ends with <c>stopReason: guardrail_intervened</c> (unverified).</summary>
        public static FakeFault GuardrailIntervened() =>
            Json("Bedrock guardrail", 200, """{"output":{"message":{"role":"assistant","content":[{"text":"Sorry, the model cannot answer this question."}]}},"stopReason":"guardrail_intervened","usage":{"inputTokens":4,"outputTokens":9,"totalTokens":13}}""");

        /// <summary>403 <c>UnrecognizedClientException</c> because of wrong credentials.</summary>
        public static FakeFault BadKey() => Error(403, "UnrecognizedClientException", "The security token included in the request is invalid.");

        /// <summary>403 <c>ExpiredTokenException</c>.</summary>
        public static FakeFault ExpiredToken() => Error(403, "ExpiredTokenException", "The security token included in the request is expired");

        private static FakeFault Error(int status, string type, string message) =>
            Json($"Bedrock {type}", status, $$"""{"message":"{{message}}"}""").WithHeader("x-amzn-ErrorType", type + ":http://internal.amazon.com/coral/com.amazon.bedrock/");
    }
}
