using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using HaKit.Tests.Dialects;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests streams over HTTP in OpenAI's and Anthropic's formats that are cut at any byte. Another endpoint continues them, or the exception names the reason.
/// </summary>
public sealed class HttpContinuationTests
{
    private const string Chat = "v1/chat/completions";
    private const string Messages = "v1/messages";

    private static readonly JsonSerializerOptions s_asIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Chat, true)]
    [InlineData(Chat, false)]
    [InlineData(Messages, true)]
    [InlineData(Messages, false)]
    public async Task A_body_cut_at_any_byte_is_continued_and_the_caller_reads_one_whole_answer(string path, bool isReset)
    {
        // Some characters have several bytes, and the cut may be within one.
        const string Text = "ha ha ha! Zwölf 😀 春は\n| a | b |\n| 1 | 2 |\n    indented  ";
        var whole = Encoding.UTF8.GetBytes(string.Concat(EventsOf(path, Text, "one")));
        var content = EventsOf(path, Text, "one").First(e => TextOf(e).Length > 0);
        var end = Encoding.UTF8.GetString(whole).IndexOf(content, StringComparison.Ordinal) + content.Length; // ASCII up to here
        for (var cut = 1; cut < whole.Length; cut += 3)
        {
            var servers = new Servers((name, body) => name == "a" ? whole[..cut] : Encoding.UTF8.GetBytes(string.Concat(EventsOf(path, Text[Beginning(body).Length..], "two"))), isReset);
            await using var pool = Pool();
            var (answer, failure) = await AskAsync(pool, servers, path);
            failure.Should().BeNull($"the body was cut after {cut} of {whole.Length} bytes");
            TextOf(answer).Should().Be(Text, $"the body was cut after {cut} of {whole.Length} bytes: {answer}");
            // Before the first content the other endpoint gives the whole answer. An event needs no blank line where the body ends.
            var id = Ids(answer).Should().ContainSingle().Subject;
            if (cut >= end || cut < end - 2)
                id.Should().Be(cut >= end ? "one" : "two", $"the body was cut after {cut} bytes, and its first content ends after {end}");
        }
    }

    [Theory]
    [InlineData(Chat)]
    [InlineData(Messages)]
    public async Task An_answer_never_has_more_tokens_than_the_request_allows_wherever_it_is_cut(string path)
    {
        const string Text = "ha-ha-ha!-and-so-on"; // without white space, which the request for the rest leaves out at its end
        var events = EventsOf(path, Text, "one").ToList();
        var tokens = TokensOf(events);
        var first = events.IndexOf(tokens[0]);
        for (var allowed = 1; allowed <= tokens.Count; allowed++)
        {
            for (var delivered = 1; delivered <= allowed; delivered++)
            {
                var body = Encoding.UTF8.GetBytes(string.Concat(events.Take(first + delivered)));
                var servers = new Servers((name, request) => name == "a" ? body : Rest(request), isReset: true);
                await using var pool = Pool();
                var (answer, failure) = await AskAsync(pool, servers, path, $",\"max_tokens\":{allowed}");
                failure.Should().BeNull();
                var beginning = TextOf(string.Concat(tokens.Take(delivered)));
                var rest = TokensOf([.. EventsOf(path, Text[beginning.Length..], "two")]).Take(allowed - delivered);
                TextOf(answer).Should().Be(beginning + TextOf(string.Concat(rest)), $"{delivered} of {allowed} tokens were delivered: {answer}");
            }
        }

        static List<string> TokensOf(List<string> events) => [.. events.Where(e => TextOf(e).Length > 0)];

        // Sends as many tokens as the request allows.
        byte[] Rest(string request)
        {
            var rest = EventsOf(path, Text[Beginning(request).Length..], "two").ToList();
            var tooMany = TokensOf(rest).Skip((int)JsonNode.Parse(request)!["max_tokens"]!).ToHashSet();
            return Encoding.UTF8.GetBytes(string.Concat(rest.Where(e => !tooMany.Contains(e))));
        }
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("null")]
    public async Task A_number_of_tokens_that_limits_nothing_stays_and_the_answer_comes_whole(string allowed)
    {
        const string Text = "ha-ha-ha!-and-so-on";
        var events = EventsOf(Chat, Text, "one").ToList();
        var servers = new Servers((name, request) => Encoding.UTF8.GetBytes(string.Concat(name == "a" ? events.Take(4) : EventsOf(Chat, Text[Beginning(request).Length..], "two"))), isReset: true);
        await using var pool = Pool();
        var (answer, failure) = await AskAsync(pool, servers, Chat, $",\"max_tokens\":{allowed}");
        failure.Should().BeNull();
        TextOf(answer).Should().Be(Text);
        (JsonNode.Parse(servers.Bodies[^1])!["max_tokens"]?.ToJsonString() ?? "null").Should().Be(allowed);
    }

    [Theory]
    [InlineData(Chat)]
    [InlineData(Messages)]
    public async Task Any_text_cut_at_any_two_bytes_is_one_whole_answer(string path)
    {
        var random = new Random(11);
        foreach (var text in AnswerSeamTests.Texts)
        {
            for (var run = 0; run < 12; run++)
            {
                var cuts = new Dictionary<string, double> { ["a"] = random.NextDouble(), ["b"] = random.NextDouble(), ["c"] = 1 };
                // Mistral sends the beginning again.
                var repeats = path == Chat && run % 3 == 2;
                var servers = new Servers((name, body) =>
                {
                    var rest = EventsOf(path, repeats && name != "a" ? text : text[Beginning(body).Length..], name).ToList();
                    var whole = Encoding.UTF8.GetBytes(string.Concat(rest));
                    var most = whole.Length - Encoding.UTF8.GetByteCount(rest[^1]) - Encoding.UTF8.GetByteCount(rest[^2]);
                    return name == "c" ? whole : whole[..(int)(most * cuts[name])];
                }, isReset: run % 2 == 0);
                await using var pool = Pool(o =>
                {
                    o.Endpoints.Add(new EndpointOptions { Name = "c", Address = "http://c.test/", Tier = 2, Continuation = Continuation.AssistantPrefix });
                    foreach (var endpoint in o.Endpoints)
                        endpoint.Dialect = repeats ? WireDialect.Mistral : WireDialect.Unknown;
                });
                var (answer, failure) = await AskAsync(pool, servers, path);
                var what = $"'{text}' was cut at {cuts["a"]:0.00} and {cuts["b"]:0.00}: {answer}";
                failure.Should().BeNull(what);
                TextOf(answer).Should().Be(text, what);
                Ids(answer).Should().ContainSingle(what);
            }
        }
    }

    [Fact]
    public async Task A_pipeline_whose_handlers_are_over_by_then_is_not_continued()
    {
        var servers = new Servers((_, _) => Encoding.UTF8.GetBytes(string.Concat(EventsOf(Chat, "Hello world", "one").Take(3))), isReset: true);
        await using var pool = Pool();
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>().AddHaEndpointFailover(pool).Build();
        using var client = new HttpClient(new ResilienceHandler(pipeline) { InnerHandler = servers });
        using var request = Request(pool, Chat, """{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}""");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        var failure = (await stream.Awaiting(s => s.CopyToAsync(Stream.Null, Ct)).Should().ThrowAsync<PartialResponseException>()).Which;
        failure.NotContinued.Should().Be(NotContinuedReason.OtherRequest);
        servers.Bodies.Should().ContainSingle();
    }

    [Fact]
    public async Task The_detail_of_the_request_tells_the_seam_and_the_rest_is_asked_with_the_endpoints_own_model_and_key()
    {
        var asked = new List<HttpRequestMessage>();
        var servers = new Servers((name, body) => Encoding.UTF8.GetBytes(name == "a" ? string.Concat(EventsOf(Chat, "Hello world", "one").Take(3)) : string.Concat(EventsOf(Chat, "world", "two"))), isReset: true, asked.Add);
        await using var pool = Pool(o => (o.Endpoints[1].Model, o.Endpoints[1].Credential) = ("other", "secret"));
        using var request = Request(pool, Chat, """{"model":"m","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"hi"}]}""");
        request.Headers.Add("Idempotency-Key", "k1");
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = servers });
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        await response.Content.ReadAsStringAsync(Ct);
        request.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        var seam = detail!.Seams.Should().ContainSingle().Subject;
        (seam.From, seam.To).Should().Be(("a", "b"));
        seam.AfterCharacters.Should().BePositive();
        asked[^1].Headers.Authorization!.ToString().Should().Be("Bearer secret");
        asked[^1].Headers.TryGetValues("Idempotency-Key", out var keys);
        (keys ?? []).Should().NotContain("k1");
        var body = JsonNode.Parse(servers.Bodies[^1])!;
        ((string)body["model"]!).Should().Be("other");
        ((int)body["max_tokens"]!).Should().BeLessThan(50);
        ((string)body["messages"]![1]!["role"]!).Should().Be("assistant");
    }

    [Theory]
    [InlineData(NotContinuedReason.Off, Chat, "", "off")]
    [InlineData(NotContinuedReason.MustNotRepeat, Chat, "", "must not repeat")]
    [InlineData(NotContinuedReason.OtherRequest, "v1/completions", "", "")]
    [InlineData(NotContinuedReason.StructuredOutput, Chat, ""","response_format":{"type":"json_object"}""", "")]
    [InlineData(NotContinuedReason.StopSequences, Chat, ""","stop":["x"]""", "")]
    [InlineData(NotContinuedReason.SeveralChoices, Chat, ""","n":2""", "")]
    [InlineData(NotContinuedReason.LogProbabilities, Chat, ""","logprobs":true""", "")]
    [InlineData(NotContinuedReason.Audio, Chat, ""","modalities":["audio"]""", "")]
    [InlineData(NotContinuedReason.Citations, Chat, ""","web_search_options":{"x":1}""", "")]
    [InlineData(NotContinuedReason.Reasoning, Chat, ""","reasoning_effort":"high" """, "")]
    [InlineData(NotContinuedReason.Reasoning, Messages, ""","thinking":{"type":"enabled"}""", "")]
    [InlineData(NotContinuedReason.StoredState, Chat, ""","previous_response_id":"resp_1" """, "")]
    [InlineData(NotContinuedReason.Citations, Chat, ""","web_search_options":{}""", "")]
    [InlineData(NotContinuedReason.NoEndpoint, Chat, "", "only a")]
    [InlineData(NotContinuedReason.NoEndpoint, Chat, "", "none")]
    [InlineData(NotContinuedReason.Reasoning, Chat, "", "thinks aloud")]
    [InlineData(NotContinuedReason.TooLong, Chat, "", "too long")]
    [InlineData(NotContinuedReason.ToolCall, Chat, "", "tool call")]
    [InlineData(NotContinuedReason.ContentFilter, Chat, "", "refused")]
    public async Task What_is_not_continued_is_told_and_no_endpoint_is_asked(NotContinuedReason reason, string path, string more, string how)
    {
        var servers = new Servers((name, _) => Encoding.UTF8.GetBytes(string.Concat(EventsOf(Chat, how == "thinks aloud" ? "<think>The user wants an answer" : "Hello world, this is an answer", "one").Take(4)) + how switch
        {
            "too long" => string.Concat(EventsOf(Chat, new string('x', 200), "one").SkipLast(2)),
            "tool call" => "data: {\"id\":\"one\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]},\"finish_reason\":null}]}\n\n",
            "refused" => "data: {\"id\":\"one\",\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"I cannot\"},\"finish_reason\":null}]}\n\n",
            _ => "",
        }), isReset: false);
        await using var pool = Pool(o =>
        {
            o.Streaming.Continuation = how == "off" ? StreamContinuation.Off : StreamContinuation.On;
            if (how is "only a" or "none")
                o.Endpoints[1].Continuation = Continuation.None;
            if (how == "none")
                o.Endpoints[0].Continuation = Continuation.None;
            if (how == "too long")
                o.Http.MaxReplayBytes = 100;
        });
        var (_, failure) = await AskAsync(pool, servers, path, more, how == "must not repeat" ? new RequestProfile { MayRepeat = false } : null);
        var partial = (failure as PartialResponseException ?? failure?.InnerException as PartialResponseException)!;
        partial.Should().NotBeNull($"{failure}");
        partial.NotContinued.Should().Be(reason);
        partial.Endpoint.Should().Be("a");
        servers.Bodies.Should().HaveCount(1);
    }

    [Theory]
    [InlineData("""{"error":{"message":"blocked","code":"content_filter"}}""")]
    [InlineData("""{"id":"one","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}""")]
    public async Task An_answer_that_a_filter_ended_is_at_its_end_and_comes_as_it_is(string end)
    {
        var servers = new Servers((_, _) => Encoding.UTF8.GetBytes(string.Concat(EventsOf(Chat, "Hello world", "one").Take(3)) + $"data: {end}\n\n"), isReset: true);
        await using var pool = Pool();
        var (answer, failure) = await AskAsync(pool, servers, Chat);
        failure.Should().BeNull();
        answer.Should().EndWith($"data: {end}\n\n");
        servers.Bodies.Should().ContainSingle();
    }

    [Fact]
    public async Task An_answer_of_which_only_the_mark_of_its_end_is_missing_is_ended_without_asking()
    {
        var servers = new Servers((_, _) => Encoding.UTF8.GetBytes(string.Concat(EventsOf(Messages, "Hello", "one").SkipLast(1))), isReset: true);
        await using var pool = Pool();
        var (answer, failure) = await AskAsync(pool, servers, Messages);
        failure.Should().BeNull();
        TextOf(answer).Should().Be("Hello");
        answer.Should().EndWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        servers.Bodies.Should().HaveCount(1);
    }

    [Fact]
    public async Task An_endpoint_that_refuses_the_beginning_masks_nothing()
    {
        var servers = new Servers((name, _) => name == "a" ? Encoding.UTF8.GetBytes(string.Concat(EventsOf(Chat, "Hello world", "one").Take(3))) : null, isReset: true);
        await using var pool = Pool();
        var (_, failure) = await AskAsync(pool, servers, Chat);
        var partial = (failure as PartialResponseException ?? failure?.InnerException as PartialResponseException)!;
        (partial.Endpoint, partial.NotContinued).Should().Be(("a", NotContinuedReason.Failed));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_rest_of_an_answer_avoids_an_endpoint_that_refuses_requests_of_its_kind()
    {
        const string Text = "ha ha ha ha ha ha ha ha";
        const string Tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";
        var asked = new List<string>();
        var events = EventsOf(Chat, Text, "one").ToList();
        var cut = string.Concat(events.Take(events.Count / 2));
        var servers = new Servers((name, body) =>
        {
            asked.Add(name);
            if (name == "b")
                return null;
            return Encoding.UTF8.GetBytes(name == "a" ? cut : string.Concat(EventsOf(Chat, Text[Beginning(body).Length..], "two")));
        }, isReset: true);
        await using var pool = Pool(static o => o.Endpoints.Add(new EndpointOptions { Name = "c", Address = "http://c.test/", Tier = 2, Continuation = Continuation.AssistantPrefix }));
        for (var i = 0; i < 6; i++)
        {
            (await AskAsync(pool, servers, Chat, Tools, new RequestProfile { Endpoints = ["b", "c"] })).Failure.Should().BeNull();
        }
        asked.Count(static name => name == "b").Should().Be(5, "the sixth call avoids it");
        asked.Clear();

        var (answer, failure) = await AskAsync(pool, servers, Chat, Tools);

        failure.Should().BeNull();
        TextOf(answer).Should().Be(Text);
        asked.Should().Equal("a", "c");
    }

    private static EndpointPool Pool(Action<EndpointPoolOptions>? configure = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.Streaming.Continuation = StreamContinuation.On;
        foreach (var (name, tier) in new[] { ("a", 0), ("b", 1) })
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = $"http://{name}.test/", Tier = tier, Continuation = Continuation.AssistantPrefix });
        configure?.Invoke(options);
        return new EndpointPool("http", options);
    }

    private static HttpRequestMessage Request(EndpointPool pool, string path, string body) =>
        new(HttpMethod.Post, new Uri(pool.Origin, path)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private static async Task<(string Answer, Exception? Failure)> AskAsync(EndpointPool pool, Servers servers, string path, string more = "", RequestProfile? profile = null)
    {
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = servers }, disposeHandler: false);
        using var request = Request(pool, path, "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" + more + "}");
        if (profile is not null)
            request.Options.Set(EndpointPoolHandler.ProfileKey, profile);
        var bytes = new MemoryStream();
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            await (await response.Content.ReadAsStreamAsync(Ct)).CopyToAsync(bytes, Ct);
            return (Encoding.UTF8.GetString(bytes.ToArray()), null);
        }
        catch (Exception exception)
        {
            return (Encoding.UTF8.GetString(bytes.ToArray()), exception);
        }
    }

    // The whole answer as a server sends it, event by event.
    private static IEnumerable<string> EventsOf(string path, string text, string id)
    {
        var words = AnswerSeamTests.Pieces(text, new Random(text.Length)).Where(p => p.Length > 0 && !char.IsHighSurrogate(p[^1]) && !char.IsLowSurrogate(p[0])).ToList();
        if (string.Concat(words) != text)
            words = [text[..(text.Length / 4)], text[(text.Length / 4)..]];
        if (path == Messages)
        {
            yield return Named("message_start", $$$$"""{"type":"message_start","message":{"id":"{{{{id}}}}","model":"m","usage":{"input_tokens":9,"output_tokens":1}}}""");
            yield return Named("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""");
            foreach (var word in words)
                yield return Named("content_block_delta", "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + JsonSerializer.Serialize(word, s_asIs) + "}}");
            yield return Named("content_block_stop", """{"type":"content_block_stop","index":0}""");
            yield return Named("message_delta", """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}""");
            yield return Named("message_stop", """{"type":"message_stop"}""");
            yield break;
        }
        yield return Chunk("""{"role":"assistant","content":""}""");
        foreach (var word in words)
            yield return Chunk("{\"content\":" + JsonSerializer.Serialize(word, s_asIs) + "}");
        yield return Chunk("{}", "\"stop\"");
        yield return "data: [DONE]\n\n";

        string Chunk(string delta, string finish = "null") =>
            $$$"""data: {"id":"{{{id}}}","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{finish}}}}]}""" + "\n\n";

        static string Named(string name, string data) => $"event: {name}\ndata: {data}\n\n";
    }

    private static string Beginning(string body) => (string?)JsonNode.Parse(body)!["messages"]!.AsArray().LastOrDefault(m => (string)m!["role"]! == "assistant")?["content"] ?? "";

    private static IEnumerable<JsonNode> Data(string answer) => answer.Split('\n')
        .Where(l => l.StartsWith("data: {", StringComparison.Ordinal)).Select(l => JsonNode.Parse(l[6..])!);

    private static string TextOf(string answer) => string.Concat(Data(answer).Select(d => (string?)d["delta"]?["text"] ?? (string?)d["choices"]?[0]?["delta"]?["content"]));

    private static IEnumerable<string> Ids(string answer) => Data(answer).Select(d => (string?)d["id"] ?? (string?)d["message"]?["id"]).OfType<string>().Distinct();

    private sealed class Servers(Func<string, string, byte[]?> answer, bool isReset, Action<HttpRequestMessage>? observe = null) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            Bodies.Add(body);
            observe?.Invoke(request);
            var name = request.RequestUri!.Host[..1];
            if (answer(name, body) is not { } bytes)
            {
                var refusal = new StringContent("""{"error":{"message":"no prefill","type":"invalid_request_error","param":null,"code":null}}""", Encoding.UTF8, "application/json");
                return new HttpResponseMessage(HttpStatusCode.BadRequest) { RequestMessage = request, Content = refusal };
            }

            var content = new StreamContent(isReset && name == "a" ? new Resetting(bytes) : new MemoryStream(bytes));
            content.Headers.ContentType = new("text/event-stream");
            return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = content };
        }
    }

    // Returns its bytes, and then fails.
    private sealed class Resetting(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Read(buffer.Span);
            return count > 0 ? new(count) : ValueTask.FromException<int>(new HttpIOException(HttpRequestError.ResponseEnded));
        }
    }
}
