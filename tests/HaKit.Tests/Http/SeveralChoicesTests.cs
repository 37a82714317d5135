using System.Text;

namespace HaKit.Tests.Http;

/// <summary>Streams whose request asks for several choices: the end of one choice is not the end of the answer. Virtual time.</summary>
public sealed class SeveralChoicesTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string, string, string> Dialects() => new()
    {
        {
            "chat/completions", """{"model":"m","n":2,"stream":true,"messages":[]}""",
            Event("""{"choices":[{"index":0,"delta":{"content":"a"}}]}""") + Event("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""),
            Event("""{"choices":[{"index":1,"delta":{"content":"b"}}]}"""), Event("""{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}""") + "data: [DONE]\n\n"
        },
        {
            "models/m:streamGenerateContent?alt=sse", """{"contents":[],"generationConfig":{"candidateCount": 2}}""",
            Event("""{"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"""),
            Event("""{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}}]}"""), Event("""{"candidates":[{"index":1,"finishReason":"STOP"}]}""")
        },
        {
            "models/m:streamGenerateContent?alt=sse", """{"contents":[],"generation_config":{"candidate_count":2}}""",
            Event("""{"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"""),
            Event("""{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}}]}"""), Event("""{"candidates":[{"index":1,"finishReason":"MAX_TOKENS"}]}""")
        },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Dialects))]
    public async Task A_cut_inside_the_second_choice_is_no_normal_end(string path, string request, string first, string half, string end)
    {
        end.Should().NotBeEmpty();
        await using var http = new HttpPool(1, inner: new Answering(first + half));
        using var response = await http.SendAsync(new StringContent(request, Encoding.UTF8, "application/json"), path);
        await using var body = await response.Content.ReadAsStreamAsync(Ct);
        await body.Awaiting(b => b.CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>();
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Dialects))]
    public async Task With_the_end_of_each_choice_the_answer_is_whole(string path, string request, string first, string half, string end)
    {
        await using var http = new HttpPool(1, inner: new Answering(first + half + end));
        using var response = await http.SendAsync(new StringContent(request, Encoding.UTF8, "application/json"), path);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(first + half + end);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("chat/completions", """{"model":"m","n":2,"stream":true,"messages":[]}""", """{"choices":[{"index":0,"delta":{"content":"a"}}]}""", """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""")]
    [InlineData("models/m:streamGenerateContent?alt=sse", """{"contents":[],"generationConfig":{"candidateCount":2}}""", """{"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]}}]}""", """{"candidates":[{"index":0,"content":{"parts":[]},"finishReason":"STOP"}]}""")]
    [InlineData("images/generations", """{"model":"m","n":2,"stream":true,"prompt":"p"}""", """{"type":"image_generation.partial_image","b64_json":"YQ=="}""", """{"type":"image_generation.completed","b64_json":"YQ=="}""")]
    public async Task A_server_that_gives_one_choice_in_place_of_two_gives_a_whole_answer(string path, string request, string first, string last)
    {
        await using var http = new HttpPool(1, inner: new Answering(Event(first) + Event(last)));
        using var response = await http.SendAsync(new StringContent(request, Encoding.UTF8, "application/json"), path);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(Event(first) + Event(last));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"model":"m","n":1,"stream":true,"messages":[{"n":2}]}""")]
    [InlineData("""{"model":"m","stream":true,"tools":[{"candidateCount":2}]}""")]
    [InlineData("""{"model":"m","n":null,"stream":true}""")]
    public async Task With_one_choice_its_end_is_the_end(string request)
    {
        var events = Event("""{"choices":[{"index":0,"delta":{"content":"a"}}]}""") + Event("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""");
        await using var http = new HttpPool(1, inner: new Answering(events));
        using var response = await http.SendAsync(new StringContent(request, Encoding.UTF8, "application/json"));
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be(events);
    }

    private static string Event(string data) => $"data: {data}\n\n";

    private sealed class Answering(string events) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(events)) { Headers = { { "Content-Type", "text/event-stream" } } } });
    }
}
