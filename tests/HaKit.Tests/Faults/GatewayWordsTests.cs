using System.Text;
using System.Text.Json;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests sentences and codes of providers and gateways that use another provider's format: a used-up quota, a limit per minute, a prompt that is too long, a
/// content filter. The same words decide nothing if the server quotes them.
/// </summary>
public sealed class GatewayWordsTests
{
    private static readonly string[] s_windows = ["minute", "second", "min"];

    [Theory]
    [InlineData(429, "you have used up your daily free allocation of 10,000 neurons")]
    [InlineData(429, "Your prepayment credits are depleted. Please go to the console.")]
    [InlineData(429, "Your project has exceeded its monthly spending cap.")]
    [InlineData(403, "You've reached your usage limit for this billing cycle.")]
    [InlineData(403, "Key limit exceeded (daily limit). Manage it in the settings.")]
    [InlineData(403, "token quota is not enough, token remain quota: 0, need quota: 1")]
    [InlineData(429, "You are using a Trial key, which is limited to 1000 API calls / month.")]
    [InlineData(429, "Usage limit reached for 5 hour. Your limit will reset at 2026-01-01 00:40:00")]
    [InlineData(429, "Your trial credits have run out.")]
    [InlineData(403, "This API key has hit its weekly limit")]
    [InlineData(403, "No credits left. Your usage is against the usage policy")]
    [InlineData(429, "余额不足或无可用资源包,请充值。")]
    [InlineData(403, "用户额度不足, 剩余额度: 0")]
    [InlineData(400, "litellm.BadRequestError: OpenAIException - Budget has been exceeded! Current cost: 5, Max budget: 4")]
    [InlineData(400, "litellm.APIError: AnthropicException - Your credit balance is too low to access the API")]
    public void A_sentence_about_a_used_up_account_is_a_quota_unless_it_is_quoted(int status, string sentence)
    {
        foreach (var body in Bodies(sentence))
        {
            Classify(status, body).Should().Match<Fault>(f => f.Kind == FaultKind.QuotaExhausted && f.Reach == FaultReach.Account, body);
        }
        foreach (var body in Bodies($"Invalid input: \"{sentence}\" is not allowed").Concat(Bodies($"Not allowed: why do I get {sentence}")))
        {
            Classify(status, body).Kind.Should().NotBe(FaultKind.QuotaExhausted, body);
        }
    }

    [Theory]
    [InlineData("We have run out of capacity for this model, please retry")]
    [InlineData("Workers have run out of memory")]
    [InlineData("Concurrent usage limit reached")]
    [InlineData("Usage limit of simultaneous requests reached")]
    [InlineData("GPU usage limit reached")]
    [InlineData("The memory usage limit of this instance was reached")]
    [InlineData("All slots have run out")]
    [InlineData("You exceeded your current quota of 5 concurrent requests")]
    public void A_limit_of_the_server_or_of_simultaneous_requests_is_a_throttle(string message)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            foreach (var body in Bodies(message))
                Classify(429, body, dialect).Kind.Should().Be(FaultKind.Throttled, "{0} {1}", dialect, body);
        }
    }

    [Theory]
    [InlineData("Your credit has run out")]
    [InlineData("Your free messages have run out")]
    [InlineData("You have reached your usage limit")]
    [InlineData("You have no credits for this capacity")]
    [InlineData("Insufficient balance for the memory of this worker")]
    public void Words_of_a_used_up_account_stay_a_quota(string message)
    {
        foreach (var body in Bodies(message))
            Classify(429, body).Kind.Should().Be(FaultKind.QuotaExhausted, body);
    }

    [Theory]
    [InlineData("budget_tokens_too_low")]
    [InlineData("max_tokens_budget_exceeded")]
    [InlineData("thinking_tokens_budget_exceeded")]
    [InlineData("context_budget_exceeded")]
    [InlineData("output_budget_exceeded")]
    [InlineData("ThinkingBudgetExceeded")]
    [InlineData("retry_budget_exhausted")]
    [InlineData("latency_budget_exceeded")]
    [InlineData("load_balancer_overflow")]
    [InlineData("load_balancer_limit_exceeded")]
    [InlineData("LoadBalancerLimitExceeded")]
    [InlineData("credit_card_not_allowed")]
    [InlineData("credits_not_allowed")]
    [InlineData("refund_limit_exceeded")]
    [InlineData("balance_overflow")]
    [InlineData("request_rate_quota_exceeded")]
    [InlineData("RateQuotaExceeded")]
    [InlineData("quota_per_second_exceeded")]
    [InlineData("concurrent_usage_limit_reached")]
    [InlineData("gpu_memory_usage_limit")]
    public void A_code_that_only_contains_the_letters_of_a_word_is_no_quota(string code)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            foreach (var status in (int[])[400, 403, 429])
                Classify(status, JsonSerializer.Serialize(new { error = new { code, message = "x" } }), dialect).Kind.Should().NotBe(FaultKind.QuotaExhausted, "{0} {1} {2}", status, code, dialect);
        }
    }

    [Theory]
    [InlineData("GenerateContentQuotaExceeded")]
    [InlineData("corporate_quota_exceeded")]
    [InlineData("secondary_quota_exceeded")]
    [InlineData("balance_too_low")]
    [InlineData("low_balance")]
    [InlineData("CreditsLow")]
    [InlineData("insufficientbalance")]
    [InlineData("INSUFFICIENT_FUNDS")]
    [InlineData("credit_limit_reached")]
    [InlineData("BudgetExceededError")]
    [InlineData("monthly_budget_exceeded")]
    [InlineData("exceeded_current_quota_error")]
    [InlineData("insufficient_user_quota")]
    public void A_code_of_a_used_up_account_is_a_quota(string code)
    {
        foreach (var status in (int[])[400, 403, 429])
            Classify(status, JsonSerializer.Serialize(new { error = new { code, message = "x" } })).Kind.Should().Be(FaultKind.QuotaExhausted, "{0} {1}", status, code);
    }

    [Fact]
    public void A_used_up_account_of_Gemini_is_a_quota_and_its_quota_per_minute_is_not()
    {
        string Body(string message) => $$$"""{"error":{"code":429,"message":{{{JsonSerializer.Serialize(message)}}},"status":"RESOURCE_EXHAUSTED"}}""";
        Classify(429, Body("Your prepayment credits are depleted."), WireDialect.Gemini).Kind.Should().Be(FaultKind.QuotaExhausted);
        Classify(429, Body("Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: x."), WireDialect.Gemini).Kind.Should().Be(FaultKind.Throttled);
    }

    [Theory]
    [InlineData("were charged")]
    [InlineData("have been used")]
    [InlineData("will be deducted")]
    public void A_sentence_that_nothing_was_charged_is_about_no_quota(string nothing)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            var body = JsonSerializer.Serialize(new { error = new { message = $"Too many requests. No credits {nothing}." } });
            Classify(429, body, dialect).Should().Match<Fault>(f => f.Kind == FaultKind.Throttled && !f.UntilCleared, "{0}", dialect);
            body = JsonSerializer.Serialize(new { error = new { message = $"You have no credits left. No credits {nothing}." } });
            Classify(429, body, dialect).Kind.Should().Be(FaultKind.QuotaExhausted, "{0}", dialect);
        }
    }

    [Fact]
    public void A_limit_of_a_minute_is_a_throttle_even_if_its_code_or_its_message_says_quota()
    {
        foreach (var window in s_windows)
        {
            foreach (var code in (string[])["token_quota_exceeded", "request_quota_exceeded", "usage_limit_reached", "x"])
            {
                foreach (var message in (string[])[$"Tokens per {window} limit exceeded - too many tokens", $"Requests/{window} usage limit exceeded", $"You exceeded your current quota of 5 requests / {window}"])
                {
                    Classify(429, JsonSerializer.Serialize(new { message, type = "limit", param = "quota", code })).Kind.Should().Be(FaultKind.Throttled, "{0}: {1}", code, message);
                }
            }
        }
        Classify(429, """{"message":"Tokens per day limit exceeded - too many tokens processed.","code":"token_quota_exceeded"}""").Kind.Should().Be(FaultKind.QuotaExhausted);
    }

    [Theory]
    [InlineData("This model's maximum prompt length is 131072 but the request contains 537812 tokens.")]
    [InlineData("too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4213.")]
    [InlineData("The input (9000 tokens) is longer than the model's context length (8192 tokens).")]
    [InlineData("Prompt length (8193) exceeds maximum input length (8192).")]
    [InlineData("Input Tokens Exceeded: Number of input tokens exceeds maximum length.")]
    [InlineData("Input validation error: `inputs` must have less than 1024 tokens. Given: 1500")]
    [InlineData("Prompt exceeds max length")]
    [InlineData("The conversation is too long for the context window of this model")]
    [InlineData("InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]")]
    [InlineData("the model is loaded with context length of only 4096 tokens, which is not enough.")]
    [InlineData("Token count 150000 exceeds the model context limit of 128000")]
    public void A_sentence_about_a_prompt_that_is_too_long_means_the_context_length(string sentence)
    {
        foreach (var status in (int[])[400, 413, 422])
        {
            foreach (var body in Bodies(sentence))
            {
                Classify(status, body).Kind.Should().Be(FaultKind.ContextLength, "{0} {1}", status, body);
            }
        }
    }

    [Theory]
    [InlineData(403, "Request failed content safety check.")]
    [InlineData(400, "Content blocked: category found by guardrail")]
    [InlineData(422, "input new_sensitive (1026)")]
    [InlineData(400, "系统检测到输入或生成内容可能包含不安全或敏感内容")]
    [InlineData(403, "x requires moderation on y. Your input was flagged for \"violence\". No credits were charged.")]
    [InlineData(400, "The content you provided was blocked by our content filters.")]
    [InlineData(424, "Prompt blocked due to security configurations")]
    public void A_sentence_about_refused_content_is_a_content_filter(int status, string sentence)
    {
        foreach (var body in Bodies(sentence).Append($$"""{"success":false,"error":[{"message":{{JsonSerializer.Serialize(sentence)}},"code":2016}]}"""))
        {
            Classify(status, body).Kind.Should().Be(FaultKind.ContentFilter, body);
        }
    }

    [Theory]
    [InlineData("error")]
    [InlineData("errors")]
    public void A_list_of_errors_is_read_at_a_failing_status_and_is_no_failure_inside_a_success(string member)
    {
        var body = $$"""{"{{member}}":[{"message":"insufficient balance","code":"insufficient_quota"}],"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}""";
        Classify(429, body).Kind.Should().Be(FaultKind.QuotaExhausted);
        FaultClassifier.Default.Classify(Evidence(200, body, WireDialect.Unknown)).Should().BeNull();
    }

    [Fact]
    public void A_field_that_LiteLLM_writes_as_None_names_no_member_of_the_request()
    {
        foreach (var param in (string[])["None", "null", ""])
        {
            Classify(400, $$$"""{"error":{"message":"litellm.BadRequestError: GeminiException - This organization has been disabled.","type":"None","param":"{{{param}}}","code":"400"}}""")
                .Should().Match<Fault>(f => f.Kind == FaultKind.InvalidRequest && f.SecondOpinion == SecondOpinion.One, param);
        }
        Classify(400, """{"error":{"message":"x","type":"None","param":"messages","code":"400"}}""").SecondOpinion.Should().Be(SecondOpinion.None);
    }

    [Fact]
    public void A_402_for_one_request_that_is_larger_than_a_limit_leaves_the_account_to_the_others()
    {
        Classify(402, """{"error":{"message":"Prompt tokens limit exceeded: 230799 > 91442. Create a key with a higher monthly limit","code":402}}""")
            .Should().Match<Fault>(f => f.Kind == FaultKind.RequestTooLarge && f.SecondOpinion == SecondOpinion.Each && f.RetryAfter == null);
        Classify(402, """{"error":{"message":"Prompt tokens limit: 5 > 91442","code":402}}""").Kind.Should().Be(FaultKind.QuotaExhausted);
    }

    private static IEnumerable<string> Bodies(string message)
    {
        var text = JsonSerializer.Serialize(message);
        yield return $$$"""{"error":{"message":{{{text}}},"type":"x","param":null,"code":null}}""";
        yield return $$"""{"error":{{text}}}""";
        yield return $$"""{"message":{{text}}}""";
        yield return $$$"""{"errors":[{"message":{{{text}}},"code":4006}],"success":false,"result":{}}""";
    }

    private static Fault Classify(int status, string body, WireDialect dialect = WireDialect.OpenAI) => FaultClassifier.Default.Classify(Evidence(status, body, dialect))!;

    private static FaultEvidence Evidence(int status, string body, WireDialect dialect) =>
        new() { StatusCode = status, Body = Encoding.UTF8.GetBytes(body), Dialect = dialect, Request = RequestKind.CreatesAnswer, Now = Fixture.Now };
}
