using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Text;
using HaKit.Health;
using HaKit.Tests.Http;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using static HaKit.Tests.Http.WireSiblings;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>
/// Tests each kind of answer that once misled this library, with its generated variants and over real sockets, through chat clients. The endpoints are clients
/// of the OpenAI SDK: the endpoint with the answer is in tier 0, and a healthy endpoint is in tier 1. The result is the same as over HTTP, as far as the SDK
/// shows the difference.
/// </summary>
public sealed class WireChatTests
{
    private const int Calls = 30;
    private const int MostAttempts = 10;

    // The finish reasons that this version of the SDK can represent.
    private static readonly string[] s_readable = ["stop", "length", "tool_calls", "content_filter", "function_call"];
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Reasons => Twice(FailingReasons);

    public static TheoryData<string, bool> Lines => Twice(ErrorLines);

    public static TheoryData<string, bool> Bodies => Twice(NoAnswers);

    public static TheoryData<int, bool> Statuses
    {
        get
        {
            var data = new TheoryData<int, bool>();
            foreach (var status in Foreign)
            {
                data.Add(status, false);
                data.Add(status, true);
            }
            return data;
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Statuses))]
    public async Task A_4xx_with_a_foreign_body_takes_no_calls_from_a_well_sibling(int status, bool isFit)
    {
        foreach (var (type, body) in ForeignBodies)
        {
            await MovesAsync(new RawAnswer(status, type, body), stream: false, isFit, body);
            await MovesAsync(new RawAnswer(status, type, body), stream: true, isFit, body);
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Bodies))]
    public async Task A_200_without_an_answer_takes_no_calls_from_a_well_sibling(string body, bool isFit)
    {
        await MovesAsync(new RawAnswer(200, "application/json", body), stream: false, isFit, body);
        if (body is ['{', .., '}'])
        {
            await MovesAsync(new RawAnswer(200, "text/event-stream", $"data: {body}\n\n"), stream: true, isFit, "one event");
            await MovesAsync(new RawAnswer(200, "text/event-stream", $"data: {body}\n\n{Done}"), stream: true, isFit, "one event and an end");
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Reasons))]
    public async Task A_finish_reason_of_a_failure_moves_on_before_content_and_is_partial_after_it(string reason, bool isFit)
    {
        await MovesAsync(new RawAnswer(200, "text/event-stream", Role + Finish(reason) + Done), stream: true, isFit, reason);
        await MovesAsync(new RawAnswer(200, "application/json", Whole("half ", reason)), stream: false, isFit, reason);
        await using var pair = new Pair(_ => new RawAnswer(200, "text/event-stream", Role + HalfText + Finish(reason) + Done), isFit);
        (await pair.Awaiting(p => p.AskAsync(stream: true)).Should().ThrowAsync<PartialResponseException>(reason)).Which.Fault.Kind.Should().Be(FaultKind.ServerError);
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Lines))]
    public async Task A_line_that_tells_of_a_failure_moves_on_before_content_and_is_partial_after_it(string line, bool isFit)
    {
        foreach (var end in (string[])[Done, ""])
        {
            await MovesAsync(new RawAnswer(200, "text/event-stream", line + end), stream: true, isFit, line);
            await using var pair = new Pair(_ => new RawAnswer(200, "text/event-stream", Role + HalfText + line + end), isFit);
            await pair.Awaiting(p => p.AskAsync(stream: true)).Should().ThrowAsync<PartialResponseException>(line);
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_finish_reason_of_a_whole_answer_never_ejects_its_endpoint(bool isFit)
    {
        foreach (var reason in GoodReasons)
        {
            await using var pair = new Pair(_ => new RawAnswer(200, "text/event-stream", Role + HalfText + Finish(reason) + Done), isFit);
            for (var i = 0; i < 12; i++)
            {
                if (s_readable.Contains(reason, StringComparer.OrdinalIgnoreCase))
                {
                    (await pair.AskAsync(stream: true)).Should().Be("half ", reason);
                }
                else
                {
                    await pair.Awaiting(p => p.AskAsync(stream: true)).Should().ThrowAsync<PartialResponseException>("the SDK cannot read '{0}', and text may have come with it", reason);
                }
            }
            pair.First.Seen.Count.Should().Be(12, reason);
            pair.States.Should().OnlyContain(s => s == EndpointHealthStatus.Healthy, reason);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_whole_answer_that_the_SDK_cannot_read_from_any_endpoint_ejects_none()
    {
        foreach (var reason in GoodReasons.Except(s_readable, StringComparer.OrdinalIgnoreCase))
        {
            await using var pair = new Pair(_ => new RawAnswer(200, "application/json", Whole("half ", reason)), isFit: true, isOfBoth: true);
            for (var i = 0; i < 8; i++)
            {
                await pair.Awaiting(p => p.AskAsync(stream: false)).Should().ThrowAsync<Exception>(reason);
            }
            pair.States.Should().OnlyContain(s => s == EndpointHealthStatus.Healthy, reason);
        }
    }

    private static string Whole(string text, string reason) =>
        $$$"""{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"{{{text}}}"},"finish_reason":"{{{reason}}}"}]}""";

    private static TheoryData<string, bool> Twice(IEnumerable<string> texts)
    {
        var data = new TheoryData<string, bool>();
        foreach (var text in texts)
        {
            data.Add(text, false);
            data.Add(text, true);
        }
        return data;
    }

    private static async Task MovesAsync(RawAnswer answer, bool stream, bool isFit, string because)
    {
        await using var pair = new Pair(_ => answer, isFit);
        for (var i = 0; i < Calls; i++)
        {
            (await pair.AskAsync(stream)).Should().Be("served", because);
        }
        pair.First.Seen.Count.Should().BeInRange(1, MostAttempts, because);
        pair.States[1].Should().Be(EndpointHealthStatus.Healthy, because);
    }

    // Two endpoints on sockets. The first endpoint answers as the test says.
    private sealed class Pair : IAsyncDisposable
    {
        private readonly EndpointPoolChatClient _client;

        public Pair(Func<RawRequest, RawAnswer> first, bool isFit, bool isOfBoth = false)
        {
            First = new RawServer(first);
            Second = new RawServer(isOfBoth ? first : Well);
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            foreach (var (i, server) in new[] { First, Second }.Index())
            {
                var sdk = new OpenAIClientOptions { Endpoint = server.Address, RetryPolicy = new ClientRetryPolicy(0) };
                if (isFit)
                    sdk.UseHaEndpoint($"e{i}");
                options.AddEndpoint($"e{i}", new ChatClient("m", new ApiKeyCredential("k"), sdk).AsIChatClient(), e => e.Tier = i);
            }
            Pool = new EndpointPool("pair", options);
            _client = Pool.AsChatClient();
        }

        public RawServer First { get; }

        public RawServer Second { get; }

        public EndpointPool Pool { get; }

        public EndpointHealthStatus[] States => [.. Pool.Explain(RequestProfile.Default).Select(e => e.Health.Status)];

        public async Task<string> AskAsync(bool stream)
        {
            if (!stream)
                return (await _client.GetResponseAsync("hi", cancellationToken: Ct)).Text;
            var text = new StringBuilder();
            await foreach (var update in _client.GetStreamingResponseAsync("hi", cancellationToken: Ct))
                text.Append(update.Text);
            return text.ToString();
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await Pool.DisposeAsync();
            First.Dispose();
            Second.Dispose();
        }

        private static RawAnswer Well(RawRequest request) => request.Body.Contains("\"stream\":true", StringComparison.Ordinal)
            ? new(200, "text/event-stream", Role + HalfText.Replace("half ", "served", StringComparison.Ordinal) + Finish("stop") + Done)
            : new(200, "application/json", Whole("served", "stop"));
    }
}
