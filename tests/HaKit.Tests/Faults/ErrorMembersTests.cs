namespace HaKit.Tests.Faults;

/// <summary>Tests the members of an error one by one: what each of them decides, in each type that a server may write it.</summary>
public sealed class ErrorMembersTests
{
    [Theory]
    [InlineData(200, """{"choices":[{"message":{"finish_reason":"stop"},"finish_reason":"content_filter"}]}""", "kind=ContentFilter")]
    [InlineData(200, """{"choices":[{"native_finish_reason":{"finish_reason":"stop"},"finish_reason":"content_filter"}]}""", "kind=ContentFilter")]
    [InlineData(200, """{"choices":[{"finish_reason":[{"finish_reason":"stop"}],"native_finish_reason":"error"}]}""", "kind=ServerError")]
    [InlineData(200, """{"choices":[{"finish_reason":{"matched":{"type":"stop"},"type":"abort"}}]}""", "kind=ServerError")]
    [InlineData(200, """{"candidates":[{"content":{"finishReason":"STOP"},"finishReason":"SAFETY"}]}""", "kind=ContentFilter")]
    [InlineData(200, """{"promptFeedback":{"safetyRatings":[{"category":"a"}],"blockReason":"SAFETY"}}""", "kind=ContentFilter")]
    [InlineData(200, """{"incomplete_details":{"more":{"reason":"max_output_tokens"},"reason":"content_filter"}}""", "kind=ContentFilter")]
    [InlineData(200, """{"response":{"usage":{"stop_reason":"end_turn"},"stop_reason":"refusal"}}""", "kind=ContentFilter")]
    [InlineData(429, """{"error":{"param":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(429, """{"error":{"request":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(429, """{"error":{"message":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(429, """{"error":{"retry_after":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}}""", "kind=Throttled code=rate_limit_exceeded retry=none")]
    [InlineData(429, """{"__type":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(429, """{"object":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(429, """{"request":{"code":"insufficient_quota"},"code":"rate_limit_exceeded"}""", "kind=Throttled code=rate_limit_exceeded")]
    [InlineData(400, """{"error":{"message":"x","details":[{"@type":{"reason":"other"},"reason":"API_KEY_INVALID"}]}}""", "kind=Unauthorized code=API_KEY_INVALID")]
    [InlineData(400, """{"error":{"message":"x","details":[{"@type":"t","links":[{"reason":"other"}],"reason":"API_KEY_INVALID"}]}}""", "kind=Unauthorized code=API_KEY_INVALID")]
    [InlineData(400, """{"error":{"message":"x","details":[{"@type":"t","fieldViolations":[{"reason":"other"}],"reason":"API_KEY_INVALID"}]}}""", "kind=Unauthorized code=API_KEY_INVALID")]
    [InlineData(429, """{"error":{"message":"Slow down","details":[{"retryDelay":{"retryDelay":"9s"},"retry_after":5}]}}""", "kind=Throttled retry=00:00:05")]
    [InlineData(429, """{"error":{"message":"Slow down","metadata":{"raw":{"retry_after":9},"headers":{"x":{"retry-after":"8"},"Retry-After":"5"}}}}""", "kind=Throttled retry=00:00:05")]
    [InlineData(429, """{"error":{"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota","details":[{"violations":[{"quotaDimensions":{"model":"m"},"quotaId":"RequestsPerDay"}]}]}}""", "kind=QuotaExhausted")]
    [InlineData(503, """{"error":{"message":"x","innererror":{"nested":{"code":"QuotaExceeded"},"code":"NoCapacity"}}}""", "kind=Overloaded reach=Region code=NoCapacity")]
    public void Member_of_another_type_is_skipped_and_a_later_member_decides(int status, string body, string expectation) =>
        Fixture.Check(Classified.Answer(status, body), expectation, body);

    [Theory]
    [InlineData(429, """{"error":"You exceeded your current quota"}""", "kind=QuotaExhausted")]
    [InlineData(429, """{"error":"You exceeded your current quota","message":"Try later"}""", "kind=QuotaExhausted")]
    [InlineData(429, """{"message":"Try later","error":"You exceeded your current quota"}""", "kind=QuotaExhausted")]
    [InlineData(429, """{"error":{"message":"You exceeded your current quota"},"message":"Try later"}""", "kind=QuotaExhausted")]
    [InlineData(429, """{"error":["You exceeded your current quota"],"message":"Try later"}""", "kind=QuotaExhausted")]
    [InlineData(429, """{"error":"Try later","message":"You exceeded your current quota"}""", "kind=Throttled")]
    [InlineData(429, """{"detail":"You exceeded your current quota"}""", "kind=QuotaExhausted")]
    public void Message_of_the_error_takes_precedence_over_a_message_beside_it(int status, string body, string expectation) =>
        Fixture.Check(Classified.Answer(status, body), expectation, body);

    [Theory]
    [InlineData("""{"error":true,"message":"It broke"}""", "kind=BrokenBody")]
    [InlineData("""{"type":"error","error":true}""", "kind=BrokenBody")]
    [InlineData("""{"object":"error","error":500}""", "kind=ServerError")]
    [InlineData("""{"error":429}""", "kind=Throttled")]
    [InlineData("""{"error":{"status":429,"message":"Slow down"}}""", "kind=Throttled")]
    [InlineData("""{"error":{"status":"429","message":"Slow down"}}""", "kind=Throttled")]
    [InlineData("""{"error":{"status_code":503,"message":"Busy"}}""", "kind=Overloaded")]
    [InlineData("""{"status":429,"error":"Slow down"}""", "kind=Throttled")]
    [InlineData("""{"object":"error","message":"Slow down","raw_status_code":429}""", "kind=Throttled")]
    [InlineData("""{"error":{"code":399,"message":"x"}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":400,"message":"x"}}""", "kind=InvalidRequest")]
    [InlineData("""{"error":{"code":599,"message":"x"}}""", "kind=ServerError")]
    [InlineData("""{"error":{"code":600,"message":"x"}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":"399","message":"x"}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":"599","message":"x"}}""", "kind=ServerError")]
    [InlineData("""{"error":{"code":"600","message":"x"}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":4290,"message":"x"}}""", "kind=BrokenBody")]
    public void Error_within_a_success_has_the_status_that_its_body_contains(string body, string expectation) =>
        Fixture.Check(Classified.Answer(200, body), expectation, body);

    [Theory]
    [InlineData("""{"error":{"code":200,"message":"OK"},"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}""")]
    [InlineData("""{"error":{"code":"200","message":""}}""")]
    [InlineData("""{"error":{"code":0.0,"message":"success"}}""")]
    [InlineData("""{"error":200}""")]
    [InlineData("""{"error":"200"}""")]
    public void An_error_that_says_success_is_none(string body) => Classified.Answer(200, body).Should().BeNull(body);

    [Theory]
    [InlineData("""{"error":{"code":200,"message":"It broke"}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":201}}""", "kind=BrokenBody")]
    [InlineData("""{"error":{"code":200,"type":"server_error"}}""", "kind=ServerError")]
    public void An_error_with_the_code_of_a_success_is_one_if_another_word_says_so(string body, string expectation) => Fixture.Check(Classified.Answer(200, body), expectation, body);

    [Theory]
    [InlineData(500, """{"error":"x","error_type":"overloaded_error"}""", "kind=Overloaded reach=Model code=overloaded_error")]
    [InlineData(400, """{"error":{"message":"x","details":[{"@type":"t","reason":"API_KEY_INVALID"}]}}""", "kind=Unauthorized")]
    [InlineData(400, """{"error":{"message":"x","details":[{"reason":"API_KEY_INVALID"}]}}""", "kind=InvalidRequest")]
    [InlineData(429, """{"error":{"code":"insufficient_quota","innererror":{"code":"x"}}}""", "kind=QuotaExhausted reach=Region")]
    [InlineData(429, """{"error":{"code":"insufficient_quota"}}""", "kind=QuotaExhausted reach=Account")]
    [InlineData(429, """{"error":{"code":"429","type":"insufficient_quota"}}""", "kind=QuotaExhausted reach=Region")]
    [InlineData(429, """{"code":"429","type":"insufficient_quota"}""", "kind=QuotaExhausted reach=Region")]
    [InlineData(429, """{"error":{"code":429,"type":"insufficient_quota"}}""", "kind=QuotaExhausted reach=Account")]
    public void Members_that_only_one_dialect_has_show_that_dialect(int status, string body, string expectation) =>
        Fixture.Check(Classified.Answer(status, body), expectation, body);

    [Theory]
    [InlineData("", """{"quotaId":"PerDayRequests"}""", FaultKind.QuotaExhausted)]
    [InlineData("", """{"quotaId":"RequestsPerDay"},{"quotaId":"TokensPerDay"}""", FaultKind.QuotaExhausted)]
    [InlineData("", """{"quotaId":"RequestsPerDay"},{"quotaId":"RequestsPerMinute"}""", FaultKind.QuotaExhausted)]
    [InlineData("", """{"quotaId":"RequestsPerMinute"}""", FaultKind.Throttled)]
    [InlineData("", """{"quotaMetric":"RequestsPerDay"}""", FaultKind.Throttled)]
    [InlineData(" of 50 per day", """{"quotaId":"RequestsPerMinute"}""", FaultKind.Throttled)]
    [InlineData(" of 50 per day", """{"quotaMetric":"requests"}""", FaultKind.QuotaExhausted)]
    [InlineData(" of 50 per day", """{"quotaId":5}""", FaultKind.QuotaExhausted)]
    public void Name_of_the_violated_quota_decides_before_the_words_of_the_message(string words, string violations, FaultKind kind)
    {
        var body = $$"""{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota{{words}}","details":[{"@type":"t","violations":[{{violations}}]}]} }""";
        Classified.Answer(429, body)!.Kind.Should().Be(kind, body);
    }

    [Theory]
    [InlineData("""{"error":{"message":"x","param":"temperature"}}""", true)]
    [InlineData("""{"message":"x","param":"temperature"}""", true)]
    [InlineData("""{"param":"temperature","error":{"message":"x","param":"top_p"}}""", true)]
    [InlineData("""{"param":"temperature","error":{"message":"x","param":null}}""", true)]
    [InlineData("""{"error":{"message":"x","param":"model"}}""", false)]
    [InlineData("""{"error":{"message":"x","param":"None"}}""", false)]
    [InlineData("""{"error":{"message":"x","param":""}}""", false)]
    [InlineData("""{"error":{"message":"x","param":5}}""", false)]
    [InlineData("""{"error":{"message":"x","details":[{"fieldViolations":[{"field":"a"}]}]}}""", true)]
    [InlineData("""{"error":{"message":"x","details":[{"fieldViolations":[{"field":"a"}]},{"fieldViolations":[{"field":"b"}]}]}}""", true)]
    [InlineData("""{"error":{"message":"x","param":"a","details":[{"fieldViolations":"none"}]}}""", true)]
    [InlineData("""{"error":{"message":"x","details":[{"fieldViolations":"none"}]}}""", false)]
    [InlineData("""{"error":{"message":"x","details":[{"links":[{"url":"u"}]}]}}""", false)]
    [InlineData("""{"detail":[{"loc":["body","n"],"msg":"x"}]}""", true)]
    [InlineData("""{"detail":[{"loc":["body","n"],"msg":"x"},{"loc":["body","m"],"msg":"y"}]}""", true)]
    [InlineData("""{"detail":[{"ctx":{"loc":"no"},"loc":["body","n"]}]}""", true)]
    [InlineData("""{"detail":[{"loc":"body","msg":"x"}]}""", false)]
    [InlineData("""{"detail":[{"ctx":[1],"msg":"x"}]}""", false)]
    public void Request_is_to_blame_if_the_error_names_a_member_other_than_the_model(string body, bool blamesRequest)
    {
        foreach (var status in new[] { 400, 422 })
        {
            var fault = Classified.Answer(status, body, request: RequestKind.CreatesAnswer)!;
            fault.Kind.Should().Be(FaultKind.InvalidRequest, body);
            fault.SecondOpinion.Should().Be(blamesRequest ? SecondOpinion.None : SecondOpinion.One, body);
        }
    }
}
