namespace HaKit.Tests.Faults;

/// <summary>Tests how the end of an answer with status 200 is read.</summary>
public sealed class AnswerEndTests
{
    [Theory]
    [InlineData("""{"choices":[{"finish_reason":"stop"}]}""", "none")]
    [InlineData("""{"choices":[{"finish_reason":"content_filter"}]}""", "kind=ContentFilter applied=Ambiguous")]
    [InlineData("""{"choices":[{"finish_reason":"error"}]}""", "kind=ServerError")]
    [InlineData("""{"choices":[{"finish_reason":"error"},{"finish_reason":"stop"}]}""", "none")]
    [InlineData("""{"choices":[{"finish_reason":"error"},{"finish_reason":"content_filter"}]}""", "kind=ContentFilter")]
    [InlineData("""{"choices":[{"finish_reason":5}]}""", "none")]
    [InlineData("""{"choices":[{"finish_reason":"stop","native_finish_reason":"network_error"}]}""", "kind=ServerError")]
    [InlineData("""{"choices":[{"finish_reason":"stop","native_finish_reason":"completed"}]}""", "none")]
    [InlineData("""{"choices":[{"finish_reason":"stop","native_finish_reason":null}]}""", "none")]
    [InlineData("""{"choices":[{"native_finish_reason":"completed"}]}""", "none")]
    [InlineData("""{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}""", "kind=ServerError")]
    [InlineData("""{"promptFeedback":{"blockReason":""}}""", "none")]
    [InlineData("""{"promptFeedback":{"blockReason":5}}""", "none")]
    [InlineData("""{"done":true,"done_reason":"error"}""", "kind=ServerError")]
    [InlineData("""{"done":true,"done_reason":"stop"}""", "none")]
    [InlineData("""{"response":{"done_reason":"error"}}""", "none")]
    [InlineData("""{"delta":{"stop_reason":"refusal"}}""", "kind=ContentFilter")]
    [InlineData("""{"messageStop":{"stopReason":"guardrail_intervened"}}""", "kind=ContentFilter")]
    [InlineData("""{"delta":{"finish_reason":"ERROR"}}""", "kind=ServerError")]
    [InlineData("""{"id":"x","finish_reason":"ERROR","message":{"role":"assistant","content":[{"type":"text","text":"half "}]}}""", "kind=ServerError")]
    [InlineData("""{"id":"x","finish_reason":"TIMEOUT","message":{"content":[{"type":"text","text":"half "}]}}""", "kind=ServerError")]
    [InlineData("""{"event_type":"stream-end","finish_reason":"ERROR_TOXIC"}""", "kind=ServerError")]
    [InlineData("""{"finishReason":"error","text":"half "}""", "kind=ServerError")]
    [InlineData("""{"finish_reason":"content_filter","text":"half "}""", "kind=ContentFilter")]
    [InlineData("""{"id":"x","finish_reason":"COMPLETE","message":{"content":[{"type":"text","text":"whole"}]}}""", "none")]
    [InlineData("""{"finish_reason":"MAX_TOKENS","text":"x"}""", "none")]
    [InlineData("""{"finish_reason":null,"text":"x"}""", "none")]
    [InlineData("""{"response":{"finishReason":"error"}}""", "none")]
    [InlineData("""{"candidates":[{"finishReason":"LANGUAGE"}]}""", "kind=ContentFilter")]
    [InlineData("""{"choices":[{"finish_reason":"language_end"}]}""", "none")]
    [InlineData("""{"choices":[{"finish_reason":"worker_died"}]}""", "kind=ServerError")]
    [InlineData("""{"choices":[{"finish_reason":"peer_closed"}]}""", "kind=ServerError")]
    [InlineData("""{"response":{"response":{"stop_reason":"refusal"}}}""", "none")]
    public void Finish_reasons_decide_about_an_answer_without_an_error(string body, string expectation)
    {
        foreach (var status in new[] { 0, 200, 399 })
            Fixture.Check(Classified.Answer(status, body), expectation, body);
    }
}
