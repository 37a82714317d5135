using System.Globalization;
using System.Reflection;
using System.Text.Json;
using HaKit.Testing.Tests.Fakes;

namespace HaKit.Testing.Tests.Faults;

/// <summary>Tests the form of providers' faults on the wire: one row for each fault.</summary>
public sealed class FakeFaultsTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(90.5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The status, the place in the body, and the value at that place; or a header.</summary>
    public static TheoryData<string, FakeFaultRow> Rows { get; } = new()
    {
        { "OpenAI.RateLimited", new(FakeFaults.OpenAI.RateLimited(Wait), 429, "error.code", "rate_limit_exceeded", "retry-after-ms", "90500") },
        { "OpenAI.RateLimited reset", new(FakeFaults.OpenAI.RateLimited(Wait), 429, "error.type", "requests", "x-ratelimit-reset-requests", "1m30.5s") },
        { "OpenAI.TokensExhausted", new(FakeFaults.OpenAI.TokensExhausted(TimeSpan.FromMilliseconds(6)), 429, "error.type", "tokens", "x-ratelimit-reset-tokens", "6ms") },
        { "OpenAI.SlowDown", new(FakeFaults.OpenAI.SlowDown(), 429, "error.code", "slow_down") },
        { "OpenAI.QuotaExhausted", new(FakeFaults.OpenAI.QuotaExhausted(), 429, "error.code", "insufficient_quota") },
        { "OpenAI.CreditExhausted", new(FakeFaults.OpenAI.CreditExhausted(), 429, "error.code", "credit_balance_exhausted") },
        { "OpenAI.Overloaded", new(FakeFaults.OpenAI.Overloaded(), 503, "error.code", "server_is_overloaded") },
        { "OpenAI.ServerError", new(FakeFaults.OpenAI.ServerError(), 500, "error.type", "server_error") },
        { "OpenAI.ContextLengthExceeded", new(FakeFaults.OpenAI.ContextLengthExceeded(), 400, "error.code", "context_length_exceeded") },
        { "OpenAI.ContentFiltered", new(FakeFaults.OpenAI.ContentFiltered(), 400, "error.code", "content_policy_violation") },
        { "OpenAI.ContentFilteredAnswer", new(FakeFaults.OpenAI.ContentFilteredAnswer(), 200, "choices.0.finish_reason", "content_filter") },
        { "OpenAI.BadKey", new(FakeFaults.OpenAI.BadKey(), 401, "error.code", "invalid_api_key") },
        { "OpenAI.ModelNotFound", new(FakeFaults.OpenAI.ModelNotFound(), 404, "error.code", "model_not_found") },
        { "OpenAI.ErrorInStream", new(FakeFaults.OpenAI.ErrorInStream(), 200, "error.type", "server_error") },
        { "Azure.Throttled", new(FakeFaults.Azure.Throttled(TimeSpan.FromHours(24)), 429, "error.code", "429", "Retry-After", "86400") },
        { "Azure.Throttled reset", new(FakeFaults.Azure.Throttled(Wait), 429, "error.message", "retry after 91 seconds", "x-ratelimit-reset-tokens", "-1") },
        { "Azure.ThrottledByGateway", new(FakeFaults.Azure.ThrottledByGateway(TimeSpan.FromMilliseconds(12.5)), 429, "error.code", "429", "x-ms-retry-after-ms", "12.5") },
        { "Azure.QuotaExhausted", new(FakeFaults.Azure.QuotaExhausted(), 429, "error.message", "quota") },
        { "Azure.Overloaded", new(FakeFaults.Azure.Overloaded(), 503, "error.code", "ServiceUnavailable") },
        { "Azure.ContextLengthExceeded", new(FakeFaults.Azure.ContextLengthExceeded(), 400, "error.code", "context_length_exceeded") },
        { "Azure.ContentFiltered", new(FakeFaults.Azure.ContentFiltered(), 400, "error.innererror.code", "ResponsibleAIPolicyViolation") },
        { "Azure.ContentFilteredAnswer", new(FakeFaults.Azure.ContentFilteredAnswer(), 200, "choices.0.finish_reason", "content_filter") },
        { "Azure.BadKey", new(FakeFaults.Azure.BadKey(), 401, "error.code", "401") },
        { "Azure.DeploymentNotFound", new(FakeFaults.Azure.DeploymentNotFound(), 404, "error.code", "DeploymentNotFound") },
        { "Azure.Retired", new(FakeFaults.Azure.Retired(), 410, "error.message", "retired") },
        { "Anthropic.RateLimited", new(FakeFaults.Anthropic.RateLimited(Wait), 429, "error.type", "rate_limit_error", "Retry-After", "91") },
        { "Anthropic.TokensExhausted", new(FakeFaults.Anthropic.TokensExhausted(DateTimeOffset.UnixEpoch), 429, "error.type", "rate_limit_error", "anthropic-ratelimit-input-tokens-reset", "1970-01-01T00:00:00Z") },
        { "Anthropic.BillingError", new(FakeFaults.Anthropic.BillingError(), 402, "error.type", "billing_error") },
        { "Anthropic.CreditExhausted", new(FakeFaults.Anthropic.CreditExhausted(), 400, "error.message", "credit balance") },
        { "Anthropic.SpendLimitReached", new(FakeFaults.Anthropic.SpendLimitReached(), 429, "error.details.error_code", "enforced_spend_limit_reached", "Retry-After", null) },
        { "Anthropic.Overloaded", new(FakeFaults.Anthropic.Overloaded(), 529, "error.type", "overloaded_error") },
        { "Anthropic.OverloadedInStream", new(FakeFaults.Anthropic.OverloadedInStream(), 200, "error.type", "overloaded_error") },
        { "Anthropic.ServerError", new(FakeFaults.Anthropic.ServerError(), 500, "error.type", "api_error") },
        { "Anthropic.ContextLengthExceeded", new(FakeFaults.Anthropic.ContextLengthExceeded(), 400, "error.message", "prompt is too long: 209303 tokens > 200000 maximum") },
        { "Anthropic.ContextLimitExceeded", new(FakeFaults.Anthropic.ContextLimitExceeded(), 400, "error.message", "exceed context limit") },
        { "Anthropic.RequestTooLarge", new(FakeFaults.Anthropic.RequestTooLarge(), 413, "error.type", "request_too_large") },
        { "Anthropic.Refusal", new(FakeFaults.Anthropic.Refusal(), 200, "stop_reason", "refusal", Path: "v1/messages") },
        { "Anthropic.BadKey", new(FakeFaults.Anthropic.BadKey(), 401, "error.type", "authentication_error") },
        { "Anthropic.ModelNotFound", new(FakeFaults.Anthropic.ModelNotFound(), 404, "error.type", "not_found_error") },
        { "Gemini.RateLimited", new(FakeFaults.Gemini.RateLimited(), 429, "error.details.0.violations.0.quotaId", "PerMinute") },
        { "Gemini.RateLimited delay", new(FakeFaults.Gemini.RateLimited(TimeSpan.FromSeconds(46)), 429, "error.details.1.retryDelay", "46s") },
        { "Gemini.RateLimitedInText", new(FakeFaults.Gemini.RateLimitedInText(new TimeSpan(0, 10, 17, 5).Add(TimeSpan.FromTicks(7235411))), 429, "error.message", "retry in 10h17m5.7235411s") },
        { "Gemini.QuotaExhausted", new(FakeFaults.Gemini.QuotaExhausted(), 429, "error.details.0.violations.0.quotaId", "PerDay") },
        { "Gemini.NoQuota", new(FakeFaults.Gemini.NoQuota(), 429, "error.message", "limit: 0") },
        { "Gemini.PaymentRequired", new(FakeFaults.Gemini.PaymentRequired(), 402, "error.code", "402") },
        { "Gemini.Overloaded", new(FakeFaults.Gemini.Overloaded(), 503, "error.status", "UNAVAILABLE") },
        { "Gemini.ContextLengthExceeded", new(FakeFaults.Gemini.ContextLengthExceeded(), 400, "error.message", "exceeds the maximum number of tokens allowed") },
        { "Gemini.BadKey", new(FakeFaults.Gemini.BadKey(), 400, "error.details.0.reason", "API_KEY_INVALID") },
        { "Gemini.PromptBlocked", new(FakeFaults.Gemini.PromptBlocked(), 200, "promptFeedback.blockReason", "SAFETY") },
        { "Gemini.ContentFilteredAnswer", new(FakeFaults.Gemini.ContentFilteredAnswer(), 200, "candidates.0.finishReason", "SAFETY") },
        { "Mistral.RateLimited", new(FakeFaults.Mistral.RateLimited(), 429, "code", "1300") },
        { "Mistral.RateLimitedBare", new(FakeFaults.Mistral.RateLimitedBare(), 429, "message", "Requests rate limit exceeded") },
        { "Mistral.QuotaExhausted", new(FakeFaults.Mistral.QuotaExhausted(), 429, "message", "Monthly") },
        { "Mistral.Overloaded", new(FakeFaults.Mistral.Overloaded(), 429, "message", "Service tier capacity exceeded for this model.") },
        { "Mistral.ContextLengthExceeded", new(FakeFaults.Mistral.ContextLengthExceeded(), 400, "message", "too large for model") },
        { "Bedrock.Throttled", new(FakeFaults.Bedrock.Throttled(), 429, "message", "Too many requests", "x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/") },
        { "Bedrock.ModelNotReady", new(FakeFaults.Bedrock.ModelNotReady(), 429, "message", "not ready") },
        { "Bedrock.QuotaExhausted", new(FakeFaults.Bedrock.QuotaExhausted(), 400, "message", "service quota") },
        { "Bedrock.Overloaded", new(FakeFaults.Bedrock.Overloaded(), 503, "message", "available") },
        { "Bedrock.ModelStreamError", new(FakeFaults.Bedrock.ModelStreamError(), 424, "message", "streaming") },
        { "Bedrock.ModelTimeout", new(FakeFaults.Bedrock.ModelTimeout(), 408, "message", "timing out") },
        { "Bedrock.ContextLengthExceeded", new(FakeFaults.Bedrock.ContextLengthExceeded(), 400, "message", "Input is too long") },
        { "Bedrock.GuardrailIntervened", new(FakeFaults.Bedrock.GuardrailIntervened(), 200, "stopReason", "guardrail_intervened") },
        { "Bedrock.BadKey", new(FakeFaults.Bedrock.BadKey(), 403, "message", "security token") },
        { "Bedrock.ExpiredToken", new(FakeFaults.Bedrock.ExpiredToken(), 403, "message", "expired") },
        { "Vllm.Overloaded", new(FakeFaults.Vllm.Overloaded(), 503, "code", "503") },
        { "Vllm.ContextLengthExceeded", new(FakeFaults.Vllm.ContextLengthExceeded(4096), 400, "message", "This model's maximum context length is 4096") },
        { "Vllm.BadRequest", new(FakeFaults.Vllm.BadRequest(), 400, "type", "BadRequestError") },
        { "Groq.RateLimited", new(FakeFaults.Groq.RateLimited(), 429, "error.message", "try again in 5.289s", "Retry-After", null) },
        { "Groq.RateLimited header", new(FakeFaults.Groq.RateLimited(header: true), 429, "error.code", "rate_limit_exceeded", "Retry-After", "6") },
        { "OpenRouter.RateLimited", new(FakeFaults.OpenRouter.RateLimited(), 429, "error.code", "429") },
        { "OpenRouter.CreditExhausted", new(FakeFaults.OpenRouter.CreditExhausted(), 402, "error.code", "402", "Retry-After", null) },
        { "OpenRouter.ErrorInStream", new(FakeFaults.OpenRouter.ErrorInStream(), 200, "error.code", "502") },
    };

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public async Task A_providers_fault_has_its_status_body_and_headers(string name, FakeFaultRow row)
    {
        using var endpoint = new FakeHttpEndpoint();
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(row.Fault);

        var response = await BareClient.PostAsync(client, "p", stream: false, path: row.Path);

        ((int)response.StatusCode).Should().Be(row.Status, name);
        var body = await response.Content.ReadAsStringAsync(Token);
        At(JsonDocument.Parse(body).RootElement, row.Where).Should().Contain(row.What);
        if (row.Header is null)
            return;
        if (row.HeaderValue is null)
            response.Headers.Contains(row.Header).Should().BeFalse();
        else
            response.Headers.GetValues(row.Header).Should().Equal(row.HeaderValue);
    }

    [Fact]
    public void Every_fault_of_every_provider_has_its_row()
    {
        var faults = typeof(FakeFaults).GetNestedTypes().SelectMany(provider => provider.GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Where(m => m.ReturnType == typeof(FakeFault)).Select(m => $"{provider.Name}.{m.Name}")).ToHashSet();

        faults.ExceptWith(Rows.Select(row => row.Data.Item1.Split(' ')[0]));

        faults.Should().BeEquivalentTo("OpenRouter.Processing");
    }

    [Fact]
    public void Processing_comments_come_before_the_content_in_virtual_time()
    {
        var clock = new ManualTimeProvider();
        using var endpoint = new FakeHttpEndpoint(new() { Time = clock });
        using var client = endpoint.CreateClient(new("http://fake.test/"));
        endpoint.Faults.Always(FakeFaults.OpenRouter.Processing().And(FakeFault.Latency(toFirstToken: TimeSpan.FromSeconds(10))));

        var stream = clock.Run(async () => await BareClient.ReadAsync(await BareClient.PostAsync(client, "p", stream: true)));

        stream.Comments.Should().HaveCount(9).And.AllBe("OPENROUTER PROCESSING");
        string.Concat(stream.Contents).Should().Be(FakeAnswers.AnswerTo("p"));
        clock.Elapsed.Should().Be(TimeSpan.FromSeconds(10));
    }

    private static string At(JsonElement root, string where)
    {
        foreach (var step in where.Split('.'))
            root = int.TryParse(step, CultureInfo.InvariantCulture, out var index) ? root[index] : root.GetProperty(step);
        return root.ToString();
    }

    public sealed record FakeFaultRow(FakeFault Fault, int Status, string Where, string What, string? Header = null, string? HeaderValue = null, string Path = "v1/chat/completions");
}
