namespace HaKit.Testing;

/// <content>Anthropic.</content>
public static partial class FakeFaults
{
    /// <summary>Faults in Anthropic's format.</summary>
    public static class Anthropic
    {
        /// <summary>429 <c>rate_limit_error</c> with <c>retry-after</c>.</summary>
        /// <param name="retryAfter">The time after which the client may call again. Null: the header is left out.</param>
        public static FakeFault RateLimited(TimeSpan? retryAfter) =>
            Error("Anthropic rate limit", 429, "rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute.")
                .RetryAfter(retryAfter)
                .WithHeader("anthropic-ratelimit-requests-limit", "50")
                .WithHeader("anthropic-ratelimit-requests-remaining", "0");

        /// <summary>429 <c>rate_limit_error</c> with <c>retry-after</c> 1 s.</summary>
        public static FakeFault RateLimited() => RateLimited(TimeSpan.FromSeconds(1));

        /// <summary>429 <c>rate_limit_error</c> that names the wait only in the reset time of its input tokens.</summary>
        /// <param name="reset">The instant of the reset. It may be in the past.</param>
        public static FakeFault TokensExhausted(DateTimeOffset reset) =>
            Error("Anthropic token limit", 429, "rate_limit_error", "This request would exceed your organization's rate limit of 40,000 input tokens per minute.")
                .WithHeader("anthropic-ratelimit-input-tokens-limit", "40000")
                .WithHeader("anthropic-ratelimit-input-tokens-remaining", "0")
                .WithHeader("anthropic-ratelimit-input-tokens-reset", reset.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));

        /// <summary>402 <c>billing_error</c>.</summary>
        public static FakeFault BillingError() =>
            Error("Anthropic billing", 402, "billing_error", "There is a problem with the billing of your account.");

        /// <summary>400 "credit balance is too low".</summary>
        public static FakeFault CreditExhausted() =>
            Error("Anthropic credit exhausted", 400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.");

        /// <summary>429 because a spend limit is reached, without <c>retry-after</c>.</summary>
        public static FakeFault SpendLimitReached() =>
            Json("Anthropic spend limit", 429, """{"type":"error","error":{"type":"rate_limit_error","message":"You have reached your specified API usage limits.","details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"req_fake"}""");

        /// <summary>529 <c>overloaded_error</c>.</summary>
        public static FakeFault Overloaded() => Error("Anthropic overloaded", 529, "overloaded_error", "Overloaded");

        /// <summary><c>overloaded_error</c> as an event in the stream after a 200 (unverified).</summary>
        /// <param name="chunks">The number of chunks of content that are delivered before the fault. Not negative; default 0.</param>
        public static FakeFault OverloadedInStream(int chunks = 0) =>
            FakeFault.ErrorEventAfter(chunks, Wire.ErrorBodies.Anthropic("overloaded_error", "Overloaded")).Named("Anthropic overloaded in stream");

        /// <summary>500 <c>api_error</c>.</summary>
        public static FakeFault ServerError() => Error("Anthropic server error", 500, "api_error", "Internal server error");

        /// <summary>400 "prompt is too long".</summary>
        /// <param name="tokens">The length of the prompt, in tokens.</param>
        /// <param name="window">The size of the model's context window, in tokens.</param>
        public static FakeFault ContextLengthExceeded(int tokens = 209303, int window = 200000) =>
            Error("Anthropic context length", 400, "invalid_request_error", PromptTooLong(tokens, window));

        /// <summary>400 "input length and max_tokens exceed context limit".</summary>
        public static FakeFault ContextLimitExceeded() =>
            Error("Anthropic context limit", 400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000, decrease input length or `max_tokens` and try again");

        /// <summary>413 <c>request_too_large</c>: too many bytes.</summary>
        public static FakeFault RequestTooLarge() =>
            Error("Anthropic request too large", 413, "request_too_large", "Request exceeds the maximum size");

        /// <summary>An answer that ends with <c>stop_reason: refusal</c> (unverified).</summary>
        public static FakeFault Refusal() => FakeFault.FinishReason("refusal").Named("Anthropic refusal");

        /// <summary>401 <c>authentication_error</c>.</summary>
        public static FakeFault BadKey() => Error("Anthropic bad key", 401, "authentication_error", "invalid x-api-key");

        /// <summary>404 <c>not_found_error</c>.</summary>
        public static FakeFault ModelNotFound() => Error("Anthropic model not found", 404, "not_found_error", "model: not found");

        internal static string PromptTooLong(int tokens, int window) => $"prompt is too long: {tokens} tokens > {window} maximum";

        private static FakeFault Error(string name, int status, string type, string message) =>
            Json(name, status, Wire.ErrorBodies.Anthropic(type, message));
    }
}
