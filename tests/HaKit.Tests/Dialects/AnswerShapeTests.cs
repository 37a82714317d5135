using System.Text;
using HaKit.Dialects;
using HaKit.Testing;
using HaKit.Tests.Http;

namespace HaKit.Tests.Dialects;

/// <summary>Tests which bodies of a 200 are an answer at each path, and that a 200 without an answer takes no calls from another endpoint.</summary>
public sealed class AnswerShapeTests
{
    [Theory]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"blockReason":"SAFETY"}}""", true)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"safetyRatings":[{"category":"a"}],"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":3}}""", true)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{},"candidates":[{"content":{"parts":[{"text":"x"}]}}]}""", true)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{}}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"safetyRatings":[{"category":"a"}]},"usageMetadata":{"promptTokenCount":3}}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"blockReason":""}}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"blockReason":null}}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{"more":{"blockReason":"SAFETY"}}}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":"blockReason"}""", false)]
    [InlineData("/v1beta/models/m:generateContent", """[{"promptFeedback":{"blockReason":"SAFETY"}}]""", true)]
    [InlineData("/v1beta/models/m:generateContent", """[{"promptFeedback":{}}]""", false)]
    [InlineData("/v1/responses", """{"status":"queued","output":[]}""", true)]
    [InlineData("/v1/responses", """{"status":"in_progress","output":[]}""", true)]
    [InlineData("/v1/responses", """{"status":"incomplete","output":[]}""", true)]
    [InlineData("/v1/responses", """{"status":"cancelled","output":[]}""", false)]
    [InlineData("/v1/responses", """{"status":"completed","output":[]}""", false)]
    [InlineData("/model/m/converse", """{"stopReason":"end_turn","output":{}}""", true)]
    [InlineData("/model/m/converse", """{"stopReason":"","output":{}}""", false)]
    [InlineData("/model/m/converse", """{"stopReason":null}""", false)]
    [InlineData("/api/chat", """{"message":{"role":"assistant","content":""},"done":true}""", true)]
    [InlineData("/api/chat", """{"message":{"role":"assistant","content":""},"done":false}""", false)]
    [InlineData("/v1/rerank", """[{"index":0,"score":0.9}]""", true)]
    [InlineData("/v1/rerank", """{"results":[{"index":0,"relevance_score":0.9}]}""", true)]
    [InlineData("/v1/rerank", "[]", false)]
    [InlineData("/v1/rerank", "[{}]", false)]
    [InlineData("/v1/rerank", "[null]", false)]
    [InlineData("/v1/embeddings", "[[0.1,0.2]]", true)]
    [InlineData("/v1/embeddings", "[[]]", false)]
    [InlineData("/v1/chat/completions", """[{"message":{"content":"x"}}]""", false)]
    public void A_200_is_an_answer_if_it_has_what_its_path_requires(string path, string body, bool isAnswer)
    {
        var shape = DialectTable.PathOf(path.StartsWith("/api", StringComparison.Ordinal) ? WireDialect.Ollama : WireDialect.Unknown, path)!.Value.Shape;
        shape.IsMetBy(Encoding.UTF8.GetBytes(body)).Should().Be(isAnswer, body);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("/v1beta/models/m:generateContent", """{"promptFeedback":{}}""")]
    [InlineData("/v1/responses", """{"id":"r","object":"response","status":"cancelled","output":[]}""")]
    public async Task A_200_without_an_answer_takes_no_calls_from_a_well_sibling(string path, string body)
    {
        const int calls = 60;
        var input = new WireInput("x", path, IsStream: false, "", null, new Dictionary<string, string>(), 200, null, [], []);
        await using var pair = new WirePair(input, _ => new RawAnswer(200, "application/json", Encoding.UTF8.GetBytes(body)));
        for (var i = 0; i < calls; i++)
            (await pair.AskAsync()).Text.Should().Contain("served");
    }

    [Theory]
    [InlineData(WireDialect.Vllm)]
    [InlineData(WireDialect.OpenAI)]
    public async Task A_ranking_that_is_an_array_is_asked_of_one_endpoint(WireDialect dialect)
    {
        await using var http = new HttpPool(3, options =>
        {
            foreach (var endpoint in options.Endpoints)
                endpoint.Dialect = dialect;
        });
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFault.Status(200, """[{"index":0,"score":0.9}]"""));
        for (var i = 1; i <= 6; i++)
        {
            (await http.ReadAsync(new StringContent("""{"query":"x","texts":["a","b"]}""", Encoding.UTF8, "application/json"), "rerank")).Should().Contain("score");
            http.Sent.Should().HaveCount(i);
        }
    }
}
