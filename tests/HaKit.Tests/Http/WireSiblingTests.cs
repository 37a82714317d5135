using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Health;
using static HaKit.Tests.Http.WireSiblings;

namespace HaKit.Tests.Http;

/// <summary>
/// Tests each kind of answer that once misled this library, with all its generated variants and over real sockets. The endpoint with the answer is in tier 0,
/// and a healthy endpoint is in tier 1. The text of a prompt, or the answer of a gateway, must affect only one call.
/// </summary>
public sealed class WireSiblingTests
{
    private const int Calls = 60;
    private const int MostAttempts = 10;

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    public static TheoryData<int> Statuses => [.. Foreign];

    public static TheoryData<string> Reasons => [.. FailingReasons];

    public static TheoryData<string> Lines => [.. ErrorLines];

    public static TheoryData<string> Bodies => [.. NoAnswers];

    [Theory]
    [InlineData(400, FaultKind.InvalidRequest)]
    [InlineData(404, FaultKind.NotServed)]
    [InlineData(422, FaultKind.InvalidRequest)]
    [InlineData(500, FaultKind.ServerError)]
    [InlineData(403, FaultKind.Forbidden)]
    [InlineData(429, FaultKind.Throttled)]
    public void Quoted_words_leave_the_fault_that_of_the_status(int status, FaultKind kind)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            foreach (var quote in Quotations)
            {
                foreach (var sentence in Sentences)
                {
                    foreach (var body in Errors(quote(sentence), status))
                    {
                        Classify(status, body, dialect)!.Kind.Should().Be(kind, "{0}: {1}", dialect, body);
                    }
                }
            }
        }
    }

    [Fact]
    public void At_403_and_429_only_the_first_clause_decides()
    {
        foreach (var sentence in Sentences.Where(s => s != "content management policy"))
        {
            foreach (var clause in Clauses)
            {
                foreach (var body in Errors(clause(sentence), 403, "permission_error"))
                {
                    Classify(403, body)!.Kind.Should().Be(FaultKind.Forbidden, body);
                }
            }
            foreach (var body in Errors($"Too many requests for prompt: why do I get: {sentence}", 429, "rate_limit_error"))
            {
                Classify(429, body)!.Kind.Should().Be(FaultKind.Throttled, body);
            }
        }
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(402)]
    public void A_time_to_wait_that_a_message_repeats_from_a_prompt_is_none(int status)
    {
        foreach (var dialect in Enum.GetValues<WireDialect>())
        {
            foreach (var wait in Waits)
            {
                foreach (var echo in Echoes)
                {
                    foreach (var body in Errors(echo(wait), status, "rate_limit_error").Append($$"""{"detail":{{System.Text.Json.JsonSerializer.Serialize(echo(wait))}}}"""))
                        Classify(status, body, dialect)!.RetryAfter.Should().BeNull(body);
                }
                foreach (var own in Own)
                    Classify(429, Errors(own(wait), 429, "rate_limit_error").First(), dialect)!.RetryAfter.Should().Be(TimeSpan.FromSeconds(3600), own(wait));
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_429_that_repeats_a_prompt_does_not_keep_other_callers_from_the_endpoint()
    {
        await using var pair = new Pair(r => r.Body.Contains("try again", StringComparison.Ordinal)
            ? new RawAnswer(429, "application/json", "{\"error\":{\"message\":\"Too many requests for prompt: my app says try again in 3600s\"}}") : null);
        await pair.AskAsync(prompt: "my app says try again in 3600s");
        pair.CooldownOfFirst.Should().BeLessThan(TimeSpan.FromSeconds(30), "the prompt named an hour");
        var before = pair.First.Seen.Count;
        while (pair.First.Seen.Count == before)
        {
            (await pair.AskAsync()).Should().Contain("served");
            await Task.Delay(20, Ct); // a real second passes until the endpoint is asked again
        }
    }

    [Fact]
    public void A_400_or_422_that_names_a_member_of_the_request_is_the_requests_own_fault()
    {
        foreach (var status in (int[])[400, 422])
        {
            foreach (var (body, names) in ErrorsOfMembers)
            {
                foreach (var dialect in Enum.GetValues<WireDialect>())
                    Classify(status, body, dialect)!.SecondOpinion.Should().Be(names ? SecondOpinion.None : SecondOpinion.One, "{0} {1}", status, body);
            }
        }
    }

    [Theory]
    [InlineData("You exceeded your current quota, please check your plan and billing details.")]
    [InlineData("Your account has insufficient balance")]
    [InlineData("Error code: 429 - You exceeded your current quota")]
    [InlineData("Insufficient credits. Add more using https://example.com/credits")]
    [InlineData("This request requires more credits, or fewer max_tokens.")]
    public void A_server_s_own_words_of_a_quota_still_are_one(string message)
    {
        foreach (var status in (int[])[402, 403, 429])
        {
            foreach (var body in Errors(message, status, "requests"))
            {
                Classify(status, body)!.Kind.Should().Be(FaultKind.QuotaExhausted, "{0} {1}", status, body);
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_prompt_that_a_server_quotes_moves_no_other_call()
    {
        var number = 0;
        foreach (var quote in Quotations)
        {
            var sentence = Sentences[number % Sentences.Length];
            int[] statuses = [400, 422, 404];
            var status = statuses[number++ % 3];
            var refusal = new RawAnswer(status, "application/json", Errors(quote(sentence), status).First());
            await using var pair = new Pair(r => r.Body.Contains("BAD", StringComparison.Ordinal) ? refusal : null, isOfBoth: true);
            for (var i = 0; i < 3; i++)
            {
                (await pair.AskAsync(prompt: "BAD")).Should().BeNull();
                (await pair.AskAsync()).Should().Contain("served");
            }
            pair.First.Seen.Count(r => !r.Body.Contains("BAD", StringComparison.Ordinal)).Should().Be(3, "{0}: other calls stay where they were", quote(sentence));
            pair.States.Should().OnlyContain(s => s == EndpointHealthStatus.Healthy);
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Statuses))]
    public async Task A_4xx_with_a_foreign_body_takes_no_calls_from_a_well_sibling(int status)
    {
        foreach (var (type, body) in ForeignBodies)
        {
            foreach (var stream in (bool[])[false, true])
            {
                await MovesAsync(new RawAnswer(status, type, body), stream, $"{status} {body}");
            }
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Statuses))]
    public async Task A_4xx_that_every_endpoint_gives_goes_back_at_once(int status)
    {
        foreach (var (type, body) in ForeignBodies)
        {
            await using var pair = new Pair(_ => new RawAnswer(status, type, body), isOfBoth: true);
            for (var i = 0; i < 6; i++)
            {
                (await pair.AskAsync()).Should().BeNull("{0}", status);
                (pair.First.Seen.Count + pair.Second.Seen.Count).Should().BeLessThanOrEqualTo(2 * (i + 1));
            }
            pair.States.Should().OnlyContain(s => s == EndpointHealthStatus.Healthy);
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Bodies))]
    public async Task A_200_without_an_answer_takes_no_calls_from_a_well_sibling(string body)
    {
        foreach (var type in Labels.Except(["text/event-stream"]))
        {
            await MovesAsync(new RawAnswer(200, type, body), stream: false, type);
            if (body.Length > 0)
            {
                await MovesAsync(new RawAnswer(200, type, body), stream: true, $"streamed, {type}");
            }
        }
        if (body is ['{', .., '}'])
        {
            await MovesAsync(new RawAnswer(200, "text/event-stream", $"data: {body}\n\n"), stream: true, "one event");
            await MovesAsync(new RawAnswer(200, "text/event-stream", $"data: {body}\n\n{Done}"), stream: true, "one event and an end");
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Reasons))]
    public async Task A_finish_reason_of_a_failure_moves_on_before_content_and_is_partial_after_it(string reason)
    {
        foreach (var label in Labels)
        {
            await MovesAsync(new RawAnswer(200, label, Role + Finish(reason) + Done), stream: true, label, calls: 3);
            await PartialAsync(new RawAnswer(200, label, Role + HalfText + Finish(reason) + Done), label);
            await PartialAsync(new RawAnswer(200, label, Role + HalfText + Finish("stop", ",\"native_finish_reason\":\"" + reason + "\"") + Done), label);
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Lines))]
    public async Task A_line_that_tells_of_a_failure_moves_on_before_content_and_is_partial_after_it(string line)
    {
        foreach (var ending in (string[])["\n", "\r\n", "\r"])
        {
            foreach (var end in (string[])[Done, ""])
            {
                string Framed(string events) => events.Replace("\n", ending, StringComparison.Ordinal);
                await MovesAsync(new RawAnswer(200, "text/event-stream", Framed(line + end)), stream: true, line, calls: 3);
                await PartialAsync(new RawAnswer(200, "text/event-stream", Framed(Role + HalfText + line + end)), line);
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_finish_reason_of_a_whole_answer_is_delivered_under_every_label()
    {
        foreach (var reason in GoodReasons)
        {
            foreach (var label in Labels)
            {
                var body = Role + HalfText + Finish(reason) + Done;
                await using var pair = new Pair(_ => new RawAnswer(200, label, body));
                for (var i = 0; i < 3; i++)
                {
                    (await pair.AskAsync(stream: true)).Should().Be(body, "{0} {1}", reason, label);
                }
                pair.Second.Seen.Should().BeEmpty();
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task What_comes_after_a_finish_reason_takes_neither_the_end_mark_nor_the_usage_from_the_answer()
    {
        const string usage = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
        var body = "";
        await using var pair = new Pair(_ => new RawAnswer(200, "text/event-stream", body));
        foreach (var (line, isPassedOn) in AfterTheEnd)
        {
            body = Role + HalfText + Finish("stop") + line + usage + Done;
            (await pair.AskAsync(stream: true)).Should().Be(isPassedOn ? body : body.Replace(line, "", StringComparison.Ordinal), line);
        }
        pair.Second.Seen.Should().BeEmpty();
    }

    private static Fault? Classify(int status, string body, WireDialect dialect = WireDialect.Unknown) => FaultClassifier.Default.Classify(new FaultEvidence
    {
        StatusCode = status,
        Body = Encoding.UTF8.GetBytes(body),
        Dialect = dialect,
        Request = RequestKind.CreatesAnswer,
    });

    private static async Task MovesAsync(RawAnswer answer, bool stream, string? because, int calls = Calls)
    {
        await using var pair = new Pair(_ => answer);
        for (var i = 0; i < calls; i++)
        {
            (await pair.AskAsync(stream)).Should().Contain("served", because);
        }
        pair.First.Seen.Count.Should().BeInRange(1, MostAttempts, because);
        pair.States[1].Should().Be(EndpointHealthStatus.Healthy, because);
        if (calls > MostAttempts)
        {
            var health = pair.Pool.Explain(RequestProfile.Default)[0].Health;
            (health.Cause is not null || health.CooldownUntil is not null).Should().BeTrue("the state tells why: {0}", because);
        }
    }

    private static async Task PartialAsync(RawAnswer answer, string? because)
    {
        await using var pair = new Pair(_ => answer);
        await pair.Awaiting(p => p.AskAsync(stream: true)).Should().ThrowAsync<PartialResponseException>(because);
    }

    // Two endpoints on sockets. The first endpoint answers as the test says, and successfully by default.
    private sealed class Pair : IAsyncDisposable
    {
        private const string Whole = """{"choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
        private readonly HttpClient _client;

        public Pair(Func<RawRequest, RawAnswer?> first, bool isOfBoth = false)
        {
            RawAnswer Well(RawRequest request) => request.Body.Contains("\"stream\":true", StringComparison.Ordinal)
                ? new(200, "text/event-stream", Role + HalfText.Replace("half ", "served", StringComparison.Ordinal) + Finish("stop") + Done) : new(200, "application/json", Whole);
            First = new RawServer(r => first(r) ?? Well(r));
            Second = new RawServer(r => (isOfBoth ? first(r) : null) ?? Well(r));
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            options.Endpoints.Add(new EndpointOptions { Name = "e0", Address = First.Address.AbsoluteUri });
            options.Endpoints.Add(new EndpointOptions { Name = "e1", Address = Second.Address.AbsoluteUri, Tier = 1 });
            Pool = new EndpointPool("pair", options);
            _client = Pool.CreateHttpClient();
        }

        public RawServer First { get; }

        public RawServer Second { get; }

        public EndpointPool Pool { get; }

        public TimeSpan CooldownOfFirst => Pool.GetStatus() is var status && status.Endpoints.Single(static e => e.Endpoint.Name == "e0").Health.CooldownUntil is { } until ? until - status.Now : TimeSpan.Zero;

        public EndpointHealthStatus[] States => [.. Pool.Explain(RequestProfile.Default).Select(e => e.Health.Status)];

        /// <summary>The answer; null for a refusal.</summary>
        public async Task<string?> AskAsync(bool stream = false, string prompt = "hi")
        {
            using var content = new StringContent($$"""{"model":"m","messages":[{"role":"user","content":"{{prompt}}"}],"stream":{{(stream ? "true" : "false")}}}""", Encoding.UTF8, "application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = content };
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            var text = await response.Content.ReadAsStringAsync(Ct);
            return response.StatusCode == HttpStatusCode.OK ? text : null;
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await Pool.DisposeAsync();
            First.Dispose();
            Second.Dispose();
        }
    }
}
