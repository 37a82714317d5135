using HaKit.Dialects;
using HaKit.Testing;
using static HaKit.Tests.Http.WireSiblings;
using static HaKit.Tests.Http.StreamChecks;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests answers that look whole and are not, answers with an unusual Content-Type, and keep-alives under other names, over real sockets. The endpoint with the
/// answer is in tier 0, and a healthy endpoint is in tier 1.
/// </summary>
public sealed class StreamSiblingTests
{
    private const string HalfResponse = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"half\",\"sequence_number\":1}\n\n";
    private const string HalfCandidate = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}],\"role\":\"model\"},\"index\":0}]}\n\n";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":{\"type\":\"abort\",\"message\":\"Abort in waiting queue\"}}]}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: <html><head><title>502 Bad Gateway</title></head></html>\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[],\"x_groq\":{\"id\":\"r\",\"error\":\"over capacity\"}}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"base_resp\":{\"status_code\":1013,\"status_msg\":\"x\"}}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":null,\"base_resp\":{\"status_code\":1002}}\n\n" + Done)]
    [InlineData("/responses", HalfResponse, "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"error\":null,\"output\":[]}}\n\n")]
    [InlineData("/responses", HalfResponse, "data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"status\":\"completed\"}],\"status\":\"cancelled\"}}\n\n")]
    [InlineData("/responses", HalfResponse, "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"server_error\"}}}\n\n")]
    [InlineData("/v1beta/models/g:streamGenerateContent?alt=sse", HalfCandidate, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"MALFORMED_RESPONSE\"}]}\n\n")]
    public async Task A_failure_behind_a_good_end_is_partial_after_content_and_moves_on_before_it(string path, string half, string end)
    {
        await using (var pair = Pair(path, new RawAnswer(200, "text/event-stream", half + end)))
        {
            await pair.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>();
        }
        await using var before = Pair(path, new RawAnswer(200, "text/event-stream", end));
        (await before.AskAsync()).Text.Should().Contain("served");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":{\"type\":\"stop\",\"matched\":2}}]}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"error\":null},\"base_resp\":{\"status_code\":0}}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"error\":{\"code\":\"0\",\"message\":\"success\"}}\n\n" + Done)]
    [InlineData("/chat/completions", HalfText, "data: {\"status\":\"processing\",\"message\":\"still at work\"}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" + Done)]
    [InlineData("/responses", HalfResponse, "data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"mcp_call\",\"status\":\"failed\"}],\"status\":\"completed\"},\"note\":{\"status\":\"failed\"}}\n\n")]
    [InlineData("/responses", HalfResponse, "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}}\n\n")]
    [InlineData("/v1beta/models/g:streamGenerateContent?alt=sse", HalfCandidate, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\"}]}\n\n")]
    public async Task A_good_end_stays_one(string path, string half, string end)
    {
        await using var pair = Pair(path, new RawAnswer(200, "text/event-stream", half + end));
        (await pair.AskAsync()).Text.Should().Be(half + end);
        pair.Asked.Should().Be((1, 0));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("application/event-stream")]
    [InlineData("application/x-json-stream")]
    [InlineData("application/vnd.api+json")]
    [InlineData("application/xml")]
    [InlineData("text/html; charset=utf-8")]
    [InlineData("application/javascript")]
    public async Task On_a_path_of_JSON_no_label_hides_an_error_or_a_cut(string label)
    {
        await using (var whole = Pair("/chat/completions", new RawAnswer(200, label, HalfText + Finish("stop") + Done)))
        {
            (await whole.AskAsync()).Text.Should().Be(HalfText + Finish("stop") + Done);
        }
        await using (var cut = Pair("/chat/completions", new RawAnswer(200, label, HalfText)))
        {
            await cut.Awaiting(p => p.AskAsync()).Should().ThrowAsync<PartialResponseException>();
        }
        foreach (var isStream in (bool[])[true, false])
        {
            await using var error = Pair("/chat/completions", new RawAnswer(200, label, "{\"error\":{\"message\":\"x\",\"code\":500}}"), isStream);
            (await error.AskAsync()).Text.Should().Contain("served");
        }
        const string answer = """{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":{"type":"stop"}}],"error":{"code":0,"message":"success"}}""";
        await using var json = Pair("/chat/completions", new RawAnswer(200, label, answer), isStream: false);
        (await json.AskAsync()).Text.Should().Be(answer);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/responses", "event: response.heartbeat\ndata: {\"type\":\"response.heartbeat\"}\n\n")]
    [InlineData("/responses", "data: {\"type\":\"response.keepalive\",\"sequence_number\":{n}}\n\n")]
    [InlineData("/responses", "event: response.web_search_call.searching\ndata: {\"type\":\"response.web_search_call.searching\",\"item_id\":\"ws_1\",\"sequence_number\":{n}}\n\n")]
    [InlineData("/chat/completions", "data: {\"type\":\"stream.ping\"}\n\n")]
    [InlineData("/chat/completions", "data: ping\n\n")]
    [InlineData("/chat/completions", "data: keep-alive {n}\n\n")]
    [InlineData("/v1beta/models/g:streamGenerateContent?alt=sse", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"}}],\"usageMetadata\":{\"promptTokenCount\":{n}}}\n\n")]
    public Task Keep_alives_of_any_name_hold_no_call_beside_a_well_sibling(string path, string keepAlive) =>
        ExpectNoProgressAsync(keepAlive, path, "text/event-stream", keepAlive);

    [Theory]
    [InlineData("response.mapping", EventMeaning.Progress)]
    [InlineData("response.typing", EventMeaning.Progress)]
    [InlineData("response.ping", EventMeaning.KeepAlive)]
    [InlineData("keep_alive_ping", EventMeaning.KeepAlive)]
    [InlineData("thread.heartbeat", EventMeaning.KeepAlive)]
    [InlineData("pong", EventMeaning.Unknown)]
    internal void A_name_is_a_keep_alive_by_its_end(string name, EventMeaning meaning) => StreamEvents.MeaningOf(System.Text.Encoding.UTF8.GetBytes(name)).Should().Be(meaning);
}
