using System.Globalization;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

public sealed class FaultFuzzTests
{
    private const int Chunk = 2_000;

    private static readonly string[] s_names =
    [
        "error", "OriginalStatusCode", "code", "type", "message", "status", "details", "innererror", "inner_error", "error_code", "reason", "@type", "retryDelay", "violations", "quotaId",
        "object", "raw_status_code", "detail", "Message", "__type", "error_type", "choices", "finish_reason", "candidates", "finishReason", "promptFeedback", "blockReason",
        "stop_reason", "stopReason", "incomplete_details", "response", "delta", "messageStop", "throttlingException", "modelStreamErrorException", "param", "loc", "fieldViolations", "native_finish_reason", "done_reason",
        "errors", "x_groq", "metadata", "headers", "X-RateLimit-Reset", "retry_after", "retry_after_ms", "resets_at", "resets_in_seconds", "estimated_time", "msg", "error_msg", "errorMessage", "errcode", "status_code", "statusCode", "http_status", "http_status_code", "field", "pointer", "source", "name", "propertyPath", "invalid-params", "messages", "retry-after", "retry_in",
    ];

    private static readonly string[] s_values =
    [
        "null", "true", "0", "429", "503", "400", "\"429\"", "\"529\"", "\"\"", "\"error\"", "{}", "[]", "[{}]", "{\"code\":\"insufficient_quota\"}", "[{\"reason\":\"API_KEY_INVALID\"}]",
        "\"insufficient_quota\"", "\"rate_limit_exceeded\"", "\"slow_down\"", "\"overloaded_error\"", "\"context_length_exceeded\"", "\"content_filter\"", "\"invalid_request_error\"",
        "\"server_error\"", "\"rate_limit_error\"", "\"billing_error\"", "\"RESOURCE_EXHAUSTED\"", "\"UNAVAILABLE\"", "\"INVALID_ARGUMENT\"", "\"API_KEY_INVALID\"", "\"NoCapacity\"",
        "\"DeploymentNotFound\"", "\"3505\"", "\"1300\"", "\"ThrottlingException\"", "\"x#ExpiredTokenException\"", "\"SAFETY\"", "\"stop\"", "\"46s\"", "\"1h0.5m\"", "\"-1s\"",
        "\"GenerateRequestsPerDay\"", "\"GenerateRequestsPerMinute\"", "\"Please try again in 5.289s.\"", "\"retry after 26 seconds\"", "\"limit: 0\"", "\"limit: 0.5\"", "\"tokens per day\"",
        "\"maximum context length\"", "\"The model is OVERLOADED\"", "\"exceeded your current quota\"", "\"api key not valid\"", "\"regain access on 2026-08-01 at 00:00 UTC\"", "\"\\u0065rror\"", "\"é\"",
        "\"1 error: 'why: You exceeded your current quota' here\"", "\"it's `x` and \\\"API key not valid\\\" said\"", "\"Failed at b'limit: 0' (the users' tokens per day)\"", "\"\\u201cThe model is overloaded\"",
        "\"Your credit balance is too low\"", "\"API key not valid. Pass one.\"", "\"messages.0.content: too long\"", "\"max_tokens: 5 > 4\"", "\"User location: no\"", "\"invalid_value\"", "\"invalid_api_key_format\"",
        "\"Error code: 429 - {'error': 'retry after 26 seconds'}\"", "\"‘x’ at capacity «y»\"", "\"model\"", "\"exceeded_current_quota_error\"", "\"insufficient_user_quota\"", "\"InsufficientBalance\"", "\"rate_quota_exceeded\"", "\"data_inspection_failed\"", "\"abort\"", "\"MALFORMED_FUNCTION_CALL\"", "\"network_error\"", "\"OTHER\"",
        "\"Request too large for m: Limit 30,000, Requested 342389.\"", "\"Limit 100, Used 97, Requested 36\"", "\"Limit: 100 Requested: 101\"", "\"Content violates usage guidelines.\"", "\"Access denied: sensitive words\"",
        "\"Bad value &quot;API key not valid&quot; given\"", "\"&#39;limit: 0&#39; &amp;#x22;x\"", "\"„The model is overloaded“ ›at capacity‹ 「x」\"", "\"Blocked by rule 12: invalid api key\"", "\"litellm.RateLimitError: OpenAIException - You exceeded your current quota\"",
        "\"Quota exceeded for x, limit: 0\"", "\"Rate limit of 10 tokens, your request of 50 tokens\"", "\"Prompt larger than your rate limit\"", "\"budget_exceeded\"", "\"thinking_budget_exceeded\"", "\"usage_limit_reached\"", "\"no_credits\"", "\"litellm.BadRequestError: x\"",
        "\"Could not parse [The model is overloaded] in messages[0]\"", "\"<user>limit: 0</user> 5 < 8 > 3\"", "\"messages[0].content: [maximum context length\"", "\"a[b] c] <!api key not valid\"",
        "\"terminated\"", "\"finished\"", "\"oom\"", "\"request - limit 5, requested (6)\"",
        "\"Your input was flagged. No credits were charged.\"", "\"No credits left, your input was flagged\"", "\"The prompt tokens are too long\"", "\"retry in: 20s\"", "\"weekly_limit_exceeded\"", "\"0\"", "\"success\"", "\"OK\"", "{\"type\":\"abort\"}", "[{\"type\":\"abort\"}]", "{\"code\":\"0\",\"message\":\"none\"}", "20.5", "1767225640", "1767225640500", "\"2026-01-01T00:00:40Z\"", "\"Your limit resets at: 2026-01-01 00:00:40 UTC\"", "\"Try again in 00:00:12.\"", "\"quota, replenished in 5.03:23:11\"", "\"resets in ~3s\"", "\"retry in 1:30 minutes\"", "\"again at 2026-01-01T00:00:40\"",
        "\"invalid_prompt\"", "\"invalid_image_url\"", "\"invalid_response\"", "\"template_error\"", "\"Error code: 400 - {\"", "\"litellm.BadRequestError: AzureException BadRequestError - Error code: 422 - {'error': {'message': 'x'}}\"", "\"x Error code: 400\"", "\"Error code: 4000\"",
        "\"The context size is not enough. prompt\"", "\"Wrong: context length is only 5\"", "\"This violates our content policy\"",
        "\"Your resource has been blocked. It may violate our content policy.\"", "\"We suspended your account for usage guidelines\"", "\"Prompt blocked by your organization: content policy\"",
        "\"Blocked. request=You exceeded your current quota\"", "\"Denied (you have no credits) by rule\"", "\"Your account (a) has no credits (b\"", "\"Rate limit reached for m. He said: Limit 5, Requested 6\"", "\"Limit 5, input of 6 tokens: x\"", "\"Limit: used: 5 > 4\"",
        "[\"body\",\"messages\",0]", "[\"header\",\"x-api-key\"]", "[\"body\",\"model\"]", "[\"body\",12]", "[[\"query\"],\"n\"]", "[0,{\"x\":1},\"n\"]", "\"x-api-key\"", "\"query.api-version\"", "\"API-Version\"", "{\"Authorization\":[\"x\"]}",
        "\"invalid_request\"", "\"INVALID-ARGUMENT\"", "\"invalid_token\"", "\"max_tokens_missing\"", "\"grpc.StatusCode.UNAVAILABLE: x\"", "\"body.messages[0]: x\"", "\"GenerateContentRequest.contents: x\"", "\"upstream.example.com: no host\"",
        "\"Try again in 1,200 seconds\"", "\"retry in 1,200,300.5 ms\"", "\"retry in 1,20 s\"", "\"again in 1,2000\"", "200", "0.0", "\"200\"", "{\"code\":200,\"message\":\"OK\"}",
        "\"budget_tokens_too_low\"", "\"LoadBalancerLimitExceeded\"", "\"GenerateContentQuotaExceeded\"", "\"HTTPRateQuotaExceeded\"", "\"balance.low\"", "\"2ndRate_quota_exceeded\"", "\"credit-overflow\"",
        "\"We have run out of capacity\"", "\"Your messages have run out\"", "\"Usage limit (memory) reached\"", "\"No balance for a slot\"",
        "\"None\"", "\"Tokens per minute limit exceeded\"", "\"token_quota_exceeded\"", "\"usage limit reached\"", "\"Prompt tokens limit exceeded: 9,000 > 800 > 10\"", "\"Limit 5> 4,, > ,3\"", "\"exceed_context_size_error\"", "[\"credits are depleted\"]", "[{\"message\":\"daily free allocation\"}]",
        "\"litellm.BadRequestError: OpenAIException - Budget has been exceeded! 5 > 4\"", "\"The input length exceeds 5\"", "\"余额不足, spend cap per minute\"", "\"XException - insufficient account balance\"",
        "\"Too many requests for prompt: my app says try again in 3600s\"", "\"Rate limit reached for m on tokens per min (TPM): Limit 7000, Used 0. Please try again in 50s. Prompt: try again in 9s\"", "\"Rate limit reached. Limit: 9 / min. Current: 10 / min. Retry after: 4s\"",
        "\"input=try again in 3600s\"", "\"Too many prompt tokens, try again in 8s\"", "\"Throttled. prompt try again in 3600s\"", "\"OpenAIException - Error code: 429 - {'error': {'message': 'Slow down, try again in 7s', 'code': 'x'}}\"",
        "\"x: Error code: 429 - {'message': 'try again in 3600s'}\"", "\"You exceeded your current quota, please check your plan and billing details: y\\nPlease retry in 46s\"", "{\"messages\":[\"x\"]}", "{\"Model\":[\"x\"],\"\":[\"y\"]}", "{\"$.messages[0]\":[]}", "[{\"field\":\"input\"}]", "\"#/messages/0\"", "\"body.model\"",
        "\"litellm.BadRequestError: AnthropicException - {\\\"type\\\":\\\"error\\\",\\\"error\\\":{\\\"type\\\":\\\"invalid_request_error\\\",\\\"message\\\":\\\"Your credit balance is too low\\\"}}. Received\"", "\"XException - [{\\\"error\\\":{\\\"code\\\":429,\\\"details\\\":[{\\\"retryDelay\\\":\\\"46s\\\"}]}}]\"", "\"XException - {\\\"code\\\":\\\"insufficient_quota\\\"\"", "\"XError: {\\\"code\\\":\\\"insufficient_quota\\\"}\"",
        "\"Your organization must be verified\"", "\"This resource is not enabled: x\"", "\"your plan\"", "\"Input【API key not valid】 《limit: 0》\"", "\"Bad &lt;user&gt;the model is overloaded&amp;lt;/user&gt; 5 &#60; 8\"", "\"Forbidden\"", "\"Too Many Requests\"", "\"You exhausted your daily quota\"", "\"exceeded today's quota\"",
        "\"request reached max request: 3, please try again after 7 seconds\"", "\"max: x, try again in 7s\"", "\"It will reset at 2026-01-01 09:00:00 +0800 CST. x\"", "\"quota will reset after 8h44m7s\"", "\"Request body too large for x. Max size: 8\"", "\"20 seconds\"", "\"PT20S\"", "\"Thu, 01 Jan 2026 00:00:20 GMT\"", "\"00:00:20\"", "\"Violated moderation policy\"",
        "{\"message\":\"daily quota\"}", "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"x\"}}", "{\"detail\":[{\"loc\":[\"body\",\"messages\"]}]}", "{\"error\":\"insufficient_quota\",\"param\":\"messages\"}", "\"plan has expired\"", "\"MODEL_ARMOR\"",
        "\"The prompt (5000 tokens) exceeds the context size (a (b) c) of x\"", "\"Bad input: maximum context length\"", "\"input validation error: content policy (x\"", "\"anthropic error: BadError: prompt is too long: 5\"", "\"Could not parse content policy\"", "\"max_tokens is too large: 5. This model's maximum context length\"",
        "\"An unexpected error, the model is overloaded\"", "\"Invalid request: your request exceeded model token limit = 5\"", "\"<400> InternalError.Algo.InvalidParameter: Range of input length\"", "\"content policy is not of type 'array'\"", "\"Unknown `a b` and `c` content filter `d\"", "\"Field \\\"a\\\" is \\\"content filter\"",
        "\"Busy (try again in 3600s), (5/6 used) try again in 8s\"", "\"quota (limit: 0), limit: 0 query limit: 0\"", "\"prompt 5 > 4 limit\"", "\"Busy \u2192 You exceeded your current quota\"", "\"Wrong \u2012 content policy\"", "\"got limit 5, requested (9)\"", "400", "422",
    ];

    private static readonly (string Name, string[] Values)[] s_headers =
    [
        ("retry-after-ms", ["2000, 2500", "2500ms", "2s, 0", "1500.5", "-1", "0", "x", "1767225640500", "1767225640500000", "1767225590000"]),
        ("x-ms-retry-after-ms", ["9000", "NaN", "1767225620000"]),
        ("Retry-After", ["1", "86400", "1.5", "0", "-3", "1m30s", "Thu, 01 Jan 2026 00:00:30 GMT", "Wed, 31 Dec 2025 00:00:30 GMT", "Thursday, 01-Jan-26 00:00:30 GMT", "later", "99999999999999", "20, 20", "5, 30 ", "20 seconds", "2 minutes", "2026-01-01T00:00:40Z", "1767225640", "1767225640500", "3 parsecs", "\"20\"", "PT20S", "pt1m", "20sec", "7 s", "2026-01-01 00:00:40 UTC", "2026-01-01 00:00:40", "Thu, 01 Jan 2026 00:00:30 UTC", "00:00:20", "5.03:23:11", "P1D", "Thu, 01 Jan 2026 00:00:20 +0000", "Thu Jan 01 2026 00:00:20 GMT+0000 (UTC)", "2026-01-01T00:00:20.123456789Z", "2026-01-01T00:00:20+0000", "20;", "in 20 seconds", "~20s", "'20'", "after 3", "Thu, 01-Jan-2026 00:00:40 GMT", "01 Jan 2026 00:00:40 GMT", "thu, 01 jan 2026 00:00:40 gmt", "2026-01-01 00:00:40 +0000 UTC", "2026-01-01 08:00:40.5 +0800 CST", "2026-01-01t00:00:40z", "2026-01-01 00:00:40.250000", "20260101T000040Z", "1 minute 30 seconds", "1m 30s.", "P0DT0H1M30S", "P1DT2H", "P1M", "20 seconds, 20 seconds"]),
        ("X-Rate-Limit-Reset", ["1767225640", "20, 30"]),
        ("X-Rate-Limit-Remaining", ["0, 0", "3"]),
        ("X-Rate-Limit-Retry-After-Seconds", ["26"]),
        ("X-Retry-After", ["22", "x"]),
        ("ratelimitbysize-reset", ["23"]),
        ("anthropic-ratelimit-unified-reset", ["1767225640"]),
        ("x-ratelimit-remaining-tokens-minute", ["0", "4"]),
        ("x-ratelimit-reset-tokens-minute", ["11.38", "24"]),
        ("x-ratelimit-remaining-requests-day", ["0"]),
        ("x-ratelimit-reset-requests-day", ["25"]),
        ("RateLimit", ["\"default\";r=0;t=20", "limit=10, remaining=0, reset=21", "\"x\";r=3;t=20", "t=5;r=x", "reset=", "limit=3", "\"a\";r=4;t=2, \"b\";r=0;t=90", "\"a,\\\"b;r=0;t=3600\";r=0;t=2 , c;t=7", "limit=1, remaining=0, reset=3, remaining=2, reset=5"]),
        ("X-RateLimit-Reset-After", ["18", "1.5"]),
        ("RateLimit-Reset", ["17", "1767225640", "x", "1767225640500000", "1767225640500000000"]),
        ("RateLimit-Remaining", ["0", "4"]),
        ("X-RateLimit-Reset", ["19", "2026-01-01T00:00:50Z"]),
        ("x-should-retry", ["false, true", "true, false", "false", "true", " FALSE"]),
        ("Date", ["Thu, 01 Jan 2026 00:00:10 GMT", "x"]),
        ("x-amzn-ErrorType", ["ThrottlingException:http://x/", "ServiceQuotaExceededException", ":", "bad token:"]),
        ("x-ratelimit-remaining-tokens", ["0, 0", "5, 0, x", "0", "-1", "5"]),
        ("x-ratelimit-reset-tokens", ["20s, 30s", "20 seconds", "PT20S", "6m0s", "0", "-1", "12", "6ms"]),
        ("x-ratelimit-remaining-requests", ["0", "3"]),
        ("x-ratelimit-reset-requests", ["1s", "1h", "1767225640", "1767225640123", "1"]),
        ("anthropic-ratelimit-requests-remaining", ["0", "7"]),
        ("anthropic-ratelimit-requests-reset", ["2026-01-01T00:00:40Z", "2025-01-01T00:00:40Z", "T"]),
        ("anthropic-ratelimit-output-tokens-remaining", ["0"]),
        ("anthropic-ratelimit-output-tokens-reset", ["2026-01-01T00:01:40.5+00:00"]),
    ];

    private static readonly int[] s_statuses = [0, 200, 200, 200, 400, 401, 402, 403, 404, 408, 410, 412, 413, 422, 424, 429, 429, 429, 446, 498, 500, 502, 503, 504, 529, 599];

    /// <summary>
    /// HAKIT_FUZZ_COUNT sets the number of cases, and HAKIT_FUZZ_SEED the seed. A case depends only on the seed and on its number, so a failed case can be
    /// repeated by its number.
    /// </summary>
    [Fact]
    public void Mutated_answers_are_judged_as_by_the_slow_classifier()
    {
        var count = Setting("HAKIT_FUZZ_COUNT", 200_000);
        var seed = Setting("HAKIT_FUZZ_SEED", 20260101);
        var kinds = new long[Enum.GetValues<FaultKind>().Length + 1];
        Parallel.For(0, (count + Chunk - 1) / Chunk, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = TestContext.Current.CancellationToken }, chunk =>
        {
            for (var i = chunk * Chunk; i < Math.Min(count, (chunk + 1) * Chunk); i++)
            {
                var kind = Try(unchecked((seed * 1_000_003) + i));
                Interlocked.Increment(ref kinds[kind is { } k ? (int)k + 1 : 0]);
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", kinds.Select((n, i) => $"{(i == 0 ? "no fault" : ((FaultKind)(i - 1)).ToString())} {n}")));
        kinds.Count(n => n > count / 2_000).Should().BeGreaterThan(12, "mutations that lead to one verdict only would prove nothing");
    }

    private static FaultKind? Try(int number)
    {
        var random = new Random(number);
        var evidence = Mutate(random);
        Fault? fast, slow;
        try
        {
            fast = FaultClassifier.Default.Classify(in evidence);
            slow = SlowClassifier.Classify(in evidence);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{Show(number, evidence)}", exception);
        }

        var sameWait = fast?.RetryAfter is null == slow?.RetryAfter is null
            && Math.Abs(((fast?.RetryAfter ?? default) - (slow?.RetryAfter ?? default)).TotalMilliseconds) < 1;
        if (!sameWait || fast is null != slow is null || (fast is not null && fast with { RetryAfter = null } != slow! with { RetryAfter = null }))
            throw new InvalidOperationException($"fast: {Fixture.Describe(fast)}\nslow: {Fixture.Describe(slow)}\n{Show(number, evidence)}");
        if (fast?.Code is { } code && (code.Length > 64 || code.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))))
            throw new InvalidOperationException($"code {code}\n{Show(number, evidence)}");
        return fast?.Kind;
    }

    private static FaultEvidence Mutate(Random random)
    {
        var fixture = Pick(random, Fixture.All);
        var body = new List<byte>(fixture.Body);
        for (var times = random.Next(4); times > 0; times--)
            Mutate(random, body);
        var headers = new List<(string, string)>();
        if (random.Next(4) != 0)
            headers.AddRange(fixture.Headers);
        for (var times = random.Next(4) - 1; times > 0; times--)
        {
            var (name, values) = Pick(random, s_headers);
            headers.RemoveAll(h => h.Item1.Equals(name, StringComparison.OrdinalIgnoreCase));
            headers.Add((name, random.Next(8) == 0 ? Scramble(random, Pick(random, values)) : Pick(random, values)));
        }

        return new FaultEvidence
        {
            StatusCode = random.Next(3) == 0 ? Pick(random, s_statuses) : fixture.Status,
            Dialect = random.Next(2) == 0 ? (WireDialect)random.Next(Enum.GetValues<WireDialect>().Length) : fixture.Dialect,
            Headers = headers.Count == 0 ? null : Fixture.HeadersOf(headers),
            Body = body.ToArray(),
            Request = (RequestKind)random.Next(3),
            Now = Fixture.Now,
        };
    }

    private static void Mutate(Random random, List<byte> body)
    {
        var at = random.Next(body.Count + 1);
        switch (random.Next(9))
        {
            case 0 when body.Count > 0:
                body[random.Next(body.Count)] = (byte)random.Next(256);
                break;
            case 1:
                body.RemoveRange(at, body.Count - at);
                break;
            case 2:
                body.RemoveRange(at, Math.Min(random.Next(1, 9), body.Count - at));
                break;
            case 3:
                body.InsertRange(at, Bytes(Pick(random, ["{", "}", "[", "]", ",", ":", "\"", "\\", "\0", "\uFEFF", " ", "1"])));
                break;
            case 4 when body.IndexOf((byte)'{', Math.Min(at, Math.Max(0, body.Count - 1))) is var open and >= 0:
                body.InsertRange(open + 1, Bytes($"\"{Pick(random, s_names)}\":{Pick(random, s_values)}{(random.Next(20) == 0 ? "" : ",")}"));
                break;
            case 5 or 6:
                ReplaceString(random, body);
                break;
            case 7:
                body.InsertRange(0, Bytes(Pick(random, ["[", "{\"response\":", "{\"error\":", "{\"delta\":", "{\"x\":1,\"choices\":[", "\uFEFF", "  "])));
                body.AddRange(Bytes(Pick(random, ["]", "}", "]}", ""])));
                break;
            default:
                if (random.Next(400) == 0)
                    body.InsertRange(Math.Min(1, body.Count), Bytes("\"pad\":\"" + new string('x', random.Next(65_000, 66_500)) + "\","));
                else
                    body.InsertRange(at, Pick(random, Fixture.All).Body);
                break;
        }
    }

    /// <summary>Replaces a string by another name or value.</summary>
    private static void ReplaceString(Random random, List<byte> body)
    {
        if (body.Count == 0)
            return;
        var open = body.IndexOf((byte)'"', random.Next(body.Count));
        var close = open < 0 || open + 1 >= body.Count ? -1 : body.IndexOf((byte)'"', open + 1);
        if (close < 0)
            return;
        body.RemoveRange(open, close - open + 1);
        body.InsertRange(open, Bytes(random.Next(2) == 0 ? $"\"{Pick(random, s_names)}\"" : Pick(random, s_values)));
    }

    private static string Scramble(Random random, string value)
    {
        var at = random.Next(value.Length + 1);
        return random.Next(2) == 0 ? value[..at] : value.Insert(at, Pick(random, ["0", ".", "-", "s", "h", " ", "9999999999", "T", "Z"]));
    }

    private static T Pick<T>(Random random, IReadOnlyList<T> of) => of[random.Next(of.Count)];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static string Show(int number, in FaultEvidence evidence) =>
        $"case {number}, status {evidence.StatusCode}, declared {evidence.Dialect}, headers {evidence.Headers}\n{Encoding.Latin1.GetString(evidence.Body.Span[..Math.Min(4000, evidence.Body.Length)])}";
}
