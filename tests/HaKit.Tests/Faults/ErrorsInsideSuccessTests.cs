using System.Text.Json;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Tests.Http;

namespace HaKit.Tests.Faults;

/// <summary>
/// Tests errors inside a 200 whose body gives no status. A code, the name of a member or the server's first words may show that the request is at fault. The
/// endpoint must then lose no calls. An error that blames nothing, or the server's own answer, stays a broken body.
/// </summary>
public sealed class ErrorsInsideSuccessTests
{
    private static readonly string[] s_ofRequest =
    [
        "invalid_prompt", "invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "image_too_large", "image_parse_error", "unsupported_image_media_type", "empty_image_file", "failed_to_download_image",
        "image_file_not_found", "invalid_value", "missing_required_parameter", "unsupported_parameter", "string_above_max_length", "max_tokens_out_of_range",
    ];

    private static readonly string[] s_ofServer =
    [
        "server_error", "internal_error", "invalid_response", "invalid_upstream_response", "malformed_response", "missing_output", "upstream_parse_error", "parse_error", "json_parse_error", "unsupported_backend", "engine_died", "unknown", "x",
        "too_many_concurrent_requests", "queue_too_long", "invalid_worker_state", "model_not_loaded",
    ];

    // The frames in which servers write an error into a 200.
    private static readonly string[] s_frames =
    [
        """{"error":{"code":CODE,"message":"x"}}""", """{"error":{"code":CODE,"type":"server_error","message":"x","param":null}}""",
        """{"type":"response.failed","response":{"status":"failed","error":{"code":CODE,"message":"x"}}}""", """{"type":"error","error":{"code":CODE,"message":"x"}}""",
    ];

    [Fact]
    public void A_code_about_the_request_is_neutral_and_a_code_about_the_server_is_not()
    {
        foreach (var frame in s_frames)
        {
            foreach (var dialect in Enum.GetValues<WireDialect>())
            {
                foreach (var code in s_ofRequest)
                    Answer(frame, code, dialect).Should().Match<Fault>(f => f.IsNeutral && f.Kind == FaultKind.InvalidRequest, "{0} {1} {2}", code, dialect, frame);
                foreach (var code in s_ofServer)
                    Answer(frame, code, dialect).IsNeutral.Should().BeFalse("{0} {1} {2}", code, dialect, frame);
            }
        }
    }

    [Fact]
    public void A_code_of_a_content_filter_or_a_quota_has_its_meaning_without_a_status()
    {
        foreach (var frame in s_frames)
        {
            foreach (var code in (string[])["data_inspection_failed", "DataInspectionFailed", "content_filter", "content_policy_violation", "prohibited_content", "sensitive_words_detected"])
                Answer(frame, code).Should().Match<Fault>(f => f.IsNeutral && f.Kind == FaultKind.ContentFilter, "{0} {1}", code, frame);
            foreach (var code in (string[])["insufficient_user_quota", "exceeded_current_quota_error", "insufficient_quota", "InsufficientBalance", "payment_required"])
                Answer(frame, code).Kind.Should().Be(FaultKind.QuotaExhausted, "{0} {1}", code, frame);
        }
    }

    [Theory]
    [InlineData("""{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"Your prompt was flagged as potentially violating our usage policy"}}}""", FaultKind.ContentFilter)]
    [InlineData("""{"error":{"code":"data_inspection_failed","type":"data_inspection_failed","message":"<400> InternalError.Algo.DataInspectionFailed: Input data may contain inappropriate content."}}""", FaultKind.ContentFilter)]
    [InlineData("""{"error":{"message":"Error code: 400 - {'error': {'message': 'The response was filtered', 'code': 'content_filter'}}"}}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":{"message":"litellm.BadRequestError: AzureException BadRequestError - Error code: 422 - {'error': {'message': 'x'}}"}}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":{"message":"Trying to keep the first 14538 tokens when context the overflows. However, the model is loaded with context length of only 2048 tokens, which is not enough."}}""", FaultKind.ContextLength)]
    [InlineData("""{"error":{"message":"The prompt exceeds the context window"}}""", FaultKind.ContextLength)]
    [InlineData("""{"error":{"message":"Input validation error: too long","http_status_code":422}}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":"Template error: x","error_type":"template_error"}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":"Tool error: x","error_type":"tool_error"}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":"Missing template variable: x","error_type":"missing_template_variable"}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":{"message":"Invalid value","type":"x","param":"temperature"}}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":{"message":"Content violates usage guidelines."}}""", FaultKind.InvalidRequest)]
    [InlineData("""{"error":{"message":"The response was filtered by our content management policy"}}""", FaultKind.InvalidRequest)]
    public void An_error_that_blames_the_request_is_neutral(string body, FaultKind kind)
    {
        foreach (var request in Enum.GetValues<RequestKind>())
            Classified.Answer(200, body, WireDialect.OpenAI, request).Should().Match<Fault>(f => f.Kind == kind && f.IsNeutral, "{0} {1}", request, body);
    }

    [Theory]
    [InlineData("The engine died: prompt exceeds the context window")]
    [InlineData("It broke \"content policy\"")]
    [InlineData("Upstream failed for prompt: content violates usage guidelines")]
    [InlineData("x Error code: 400 - bad")]
    [InlineData("Error code: 401 - {'error': 'x'}")]
    [InlineData("Error code: 4000")]
    [InlineData("It broke")]
    public void Words_that_are_not_the_server_s_own_decide_nothing(string message)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
            Classified.Answer(200, JsonSerializer.Serialize(new { error = new { message } }), dialect, RequestKind.CreatesAnswer)!.Kind.Should().Be(FaultKind.BrokenBody, "{0} {1}", dialect, message);
    }

    [Theory]
    [InlineData("""{"error":{"message":"Content violates usage guidelines."}}""")]
    [InlineData("""{"error":{"message":"This model's maximum context length is 10 tokens."}}""")]
    public void A_server_that_names_no_status_may_have_done_the_work(string body) =>
        Classified.Answer(200, body, WireDialect.OpenAI, RequestKind.CreatesAnswer)!.Applied.Should().Be(FaultApplied.Ambiguous, "a request that must not be repeated stays there");

    [Theory]
    [InlineData("""{"error":{"message":"x","code":"planted_code","param":"planted"}}""")]
    [InlineData("""{"error":{"message":"x","code":"too_many_pending_requests"}}""")]
    [InlineData("""{"error":{"message":"x","type":"invalid_request_error"}}""")]
    public void A_code_or_a_parameter_alone_asks_another_endpoint(string body) =>
        Classified.Answer(200, body, WireDialect.OpenAI, RequestKind.CreatesAnswer)!.SecondOpinion.Should().NotBe(SecondOpinion.None);

    [Fact]
    public void A_phrase_of_a_filter_without_a_status_or_a_code_moves_on_to_each_endpoint()
    {
        foreach (var request in Enum.GetValues<RequestKind>())
        {
            Classified.Answer(200, """{"error":{"message":"Content violates usage guidelines."}}""", WireDialect.OpenAI, request).Should().Match<Fault>(f => f.IsProvisional && f.SecondOpinion == SecondOpinion.Each);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("""{"error":{"code":"data_inspection_failed","message":"x"}}""")]
    [InlineData("""{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"x"}}}""")]
    [InlineData("""{"error":{"message":"Content violates usage guidelines."}}""")]
    [InlineData("""{"error":{"message":"Error code: 400 - {'error': {'message': 'x'}}"}}""")]
    [InlineData("""{"error":{"message":"x","http_status_code":422}}""")]
    [InlineData("""{"code":"DataInspectionFailed","message":"x"}""")]
    public async Task A_prompt_that_every_endpoint_refuses_in_its_stream_takes_no_endpoint_away(string data)
    {
        var input = new WireInput("x", "/v1/chat/completions", IsStream: true, "", null, new Dictionary<string, string>(), 200, null, [], []);
        var refusal = new RawAnswer(200, "text/event-stream", System.Text.Encoding.UTF8.GetBytes($"data: {data}\n\n"));
        await using var pair = new WirePair(input, r => r.Body.Contains("BAD", StringComparison.Ordinal) ? refusal : null, isOfBoth: true);
        for (var i = 1; i <= 6; i++)
        {
            try
            {
                await pair.AskAsync("BAD");
            }
            catch (Exception exception) when (exception is EndpointFaultException or HttpRequestException)
            {
                // The call may also end with an exception. Only the endpoints matter here.
            }
            (pair.Asked.First + pair.Asked.Second).Should().BeLessThanOrEqualTo(2 * i);
        }
        pair.Health.Should().OnlyContain(h => h.Status == EndpointHealthStatus.Healthy);
        var before = pair.Asked;
        (await pair.AskAsync()).Text.Should().Contain("served");
        pair.Asked.First.Should().Be(before.First + 1);
    }

    private static Fault Answer(string frame, string code, WireDialect dialect = WireDialect.Unknown) =>
        Classified.Answer(200, frame.Replace("CODE", JsonSerializer.Serialize(code), StringComparison.Ordinal), dialect, RequestKind.CreatesAnswer)!;
}
