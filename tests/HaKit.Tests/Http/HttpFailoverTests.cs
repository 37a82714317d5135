using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Http;

public sealed class HttpFailoverTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // The failures before the first content. The other endpoint is healthy.
    public static TheoryData<string, bool> Faults()
    {
        var data = new TheoryData<string, bool>();
        foreach (var name in Early.Keys)
        {
            data.Add(name, false);
            data.Add(name, true);
        }
        return data;
    }

    private static readonly Dictionary<string, FakeFault> Early = new()
    {
        ["reset"] = FakeFault.Reset,
        ["refused"] = FakeFault.Refused,
        ["dns"] = FakeFault.NameNotResolved,
        ["tls"] = FakeFault.TlsFailed,
        ["hang"] = FakeFault.Hang,
        ["empty"] = FakeFault.EmptyBody,
        ["500"] = FakeFault.Status(500),
        ["502 html"] = FakeFault.Status(502, "<html>bad gateway</html>", "text/html"),
        ["503 empty"] = FakeFault.Status(503, ""),
        ["529"] = FakeFaults.Anthropic.Overloaded(),
        ["429"] = FakeFaults.OpenAI.RateLimited(),
        ["quota"] = FakeFaults.OpenAI.QuotaExhausted(),
        ["error in 200"] = FakeFault.ErrorIn200(),
        ["cut at 0"] = FakeFault.CutAfter(0),
        ["end at 0"] = FakeFault.EndAfter(0),
        ["error event at 0"] = FakeFault.ErrorEventAfter(0),
        ["silent at 0"] = FakeFault.SilentAfter(0),
        ["keep-alives only"] = FakeFault.KeepAlivesOnly(TimeSpan.FromSeconds(1)),
        ["redirect"] = FakeFault.Status(307, "").WithHeader("Location", "http://elsewhere.test/v1/chat/completions"),
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Every_fault_before_the_first_content_fails_over_and_leaves_nothing_open(string fault, bool stream)
    {
        await using var http = new HttpPool();
        http.Fakes[0].Faults.Always(Early[fault]);
        for (var i = 0; i < 2; i++) // one of the two calls goes to the faulty endpoint
        {
            var call = http.SendAsync(HttpPool.Chat("hi", stream));
            http.Time.Advance(TimeSpan.FromSeconds(60));
            using var response = await call;
            response.StatusCode.Should().Be(HttpStatusCode.OK);
            var text = await response.Content.ReadAsStringAsync(Ct);
            (stream ? HttpPool.TextOf(text) : text).Should().Contain(FakeAnswers.AnswerTo("hi"));
            response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
            detail!.Endpoint.Should().Be("b");
        }
        http.Fakes[0].Counts.Received.Should().BeGreaterThan(0);
        http.Open.Should().Be(0);
        http.InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("end")]
    [InlineData("silent")]
    [InlineData("error")]
    [InlineData("truncated")]
    public async Task Failure_13_at_the_wire_a_stream_that_is_not_whole_ends_with_an_exception_and_goes_on_doing_so(string how)
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(how switch
        {
            "cut" => FakeFault.CutAfter(3),
            "end" => FakeFault.EndAfter(3),
            "silent" => FakeFault.SilentAfter(3),
            "error" => FakeFault.ErrorEventAfter(3),
            _ => FakeFault.TruncatedBody,
        });
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        var received = new StringBuilder();
        var reading = Read();
        http.Time.Advance(TimeSpan.FromSeconds(31));
        var partial = (await reading.Awaiting(r => r).Should().ThrowAsync<PartialResponseException>()).Which;
        partial.DeliveredItems.Should().Be(how == "truncated" ? 1 : 3);
        partial.Attempts.Should().ContainSingle();
        HttpPool.TextOf(received.ToString()[..received.ToString().LastIndexOf("\n\n", StringComparison.Ordinal)]).Should().NotBeEmpty().And.Subject.Should().Match(t => FakeAnswers.AnswerTo("hi").StartsWith(t));
        await stream.ReadAsync(new byte[10], Ct).AsTask().Awaiting(r => r).Should().ThrowAsync<PartialResponseException>("a second read must not seem to be the end");
        http.InFlight.Should().Be(0);

        async Task Read()
        {
            var buffer = new byte[50];
            while (await stream.ReadAsync(buffer, Ct) is > 0 and var count)
                received.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("truncated")]
    [InlineData("error")]
    [InlineData("cut")]
    [InlineData("html")]
    public async Task Failure_36_a_200_that_is_empty_cut_or_an_error_is_no_success(string how)
    {
        await using var http = new HttpPool(2);
        http.Fakes[0].Faults.Always(how switch
        {
            "empty" => FakeFault.EmptyBody,
            "truncated" => FakeFault.TruncatedBody,
            "error" => FakeFault.ErrorIn200(),
            "html" => FakeFault.Status(200, "<html>log in</html>", "text/html"),
            _ => FakeFault.CutAfter(2),
        });
        http.Client.DefaultRequestHeaders.Add("Accept", "application/json");
        for (var i = 0; i < 12; i++)
            (await http.ReadAsync(HttpPool.Chat("hi"))).Should().Contain(FakeAnswers.AnswerTo("hi"));
        http.Fakes[0].Counts.Received.Should().BeInRange(1, 6);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health", "an endpoint that only pretends is ejected");
        http.Open.Should().Be(0);
    }

    [Fact]
    public async Task A_broken_answer_to_a_request_that_may_not_be_repeated_is_an_error_and_not_half_an_answer()
    {
        await using var http = new HttpPool(2);
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFault.TruncatedBody);
        var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") };
        request.Options.Set(EndpointPoolHandler.ProfileKey, new RequestProfile { MayRepeat = false });
        (await http.Client.SendAsync(request, Ct).Awaiting(r => r).Should().ThrowAsync<EndpointFaultException>()).Which.Fault.Kind.Should().Be(FaultKind.BrokenBody);
        http.Sent.Should().HaveCount(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Failure_39_a_refusal_of_the_request_comes_back_whole_and_at_once(bool large)
    {
        await using var http = new HttpPool(2);
        var body = $$$"""{"error":{"type":"invalid_request_error","param":"messages","code":"invalid_value","message":"{{{new string('x', large ? 200_000 : 20)}}}"}}""";
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFault.Status(400, body));
        using (var response = await http.SendAsync(HttpPool.Chat("hi")))
        {
            response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
            response.Content.Headers.ContentType!.MediaType.Should().Be("application/json");
            (await response.Content.ReadAsStringAsync(Ct)).Should().Be(body);
        }
        http.Sent.Should().HaveCount(1);
        http.Open.Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Failure_39_a_400_that_does_not_say_what_is_wrong_gets_one_second_opinion_and_the_first_answer_comes_back(bool large)
    {
        await using var http = new HttpPool(3);
        for (var i = 0; i < 3; i++)
            http.Fakes[i].Faults.Always(FakeFault.Status(400, $$$"""{"error":{"message":"refused by {{{http.Fakes[i].Name}}} {{{new string('x', large ? 200_000 : 20)}}}","type":"invalid_request_error","code":null}}"""));
        using (var response = await http.SendAsync(HttpPool.Chat("hi")))
        {
            response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
            (await response.Content.ReadAsStringAsync(Ct)).Should().Contain("refused by a ");
        }
        http.Sent.Should().HaveCount(2);
        http.Open.Should().Be(0);
        http.InFlight.Should().Be(0);
    }

    [Fact]
    public async Task Failure_54_a_prompt_that_is_too_long_goes_only_to_larger_windows_and_then_comes_back_refused()
    {
        await using var http = new HttpPool(4, o => (o.Endpoints[0].ContextWindow, o.Endpoints[1].ContextWindow, o.Endpoints[2].ContextWindow) = (8_000, 32_000, 128_000));
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFaults.OpenAI.ContextLengthExceeded());
        using (var response = await http.SendAsync(HttpPool.Chat("hi")))
        {
            response.StatusCode.Should().Be(HttpStatusCode.BadRequest);
            (await response.Content.ReadAsStringAsync(Ct)).Should().Contain("context_length_exceeded");
        }
        http.Sent.Should().HaveCount(3);
        http.Open.Should().Be(0);
        http.InFlight.Should().Be(0);
    }

    [Fact]
    public async Task When_all_fail_the_exception_says_what_was_tried_and_nothing_stays_open()
    {
        await using var http = new HttpPool(2);
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        var refused = (await http.SendAsync(HttpPool.Chat("hi")).Awaiting(r => r).Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        refused.Attempts.Should().OnlyContain(a => a.Fault!.Kind == FaultKind.QuotaExhausted);
        http.Open.Should().Be(0);
        http.InFlight.Should().Be(0);
    }

    [Fact]
    public async Task Failure_32_a_healthy_stream_of_many_minutes_is_not_ended()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.Latency(perToken: TimeSpan.FromSeconds(25)));
        http.Client.Timeout.Should().Be(Timeout.InfiniteTimeSpan);
        var call = http.SendAsync(HttpPool.Chat("hi", stream: true, more: ",\"max_tokens\":40"));
        using var response = await call;
        var reading = response.Content.ReadAsStringAsync(Ct);
        http.Time.Advance(TimeSpan.FromSeconds(25 * 41));
        HttpPool.TextOf(await reading).Should().Be(FakeAnswers.AnswerTo("hi", 40));
    }

    [Fact]
    public async Task The_stream_that_the_caller_gets_is_the_bytes_that_came()
    {
        await using var http = new HttpPool(1);
        var direct = await http.Fakes[0].CreateClient().PostAsync("chat/completions", HttpPool.Chat("hi", stream: true), Ct);
        http.Fakes[0].Faults.Always(FakeFault.KeepAlives(TimeSpan.FromSeconds(1), "OPENROUTER PROCESSING").And(FakeFault.Latency(toFirstToken: TimeSpan.FromSeconds(5))));
        var call = http.SendAsync(HttpPool.Chat("hi", stream: true));
        http.Time.Advance(TimeSpan.FromSeconds(5));
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync(Ct);
        text.Split(": OPENROUTER PROCESSING\n\n").Should().HaveCount(5);
        Numberless(text.Replace(": OPENROUTER PROCESSING\n\n", "", StringComparison.Ordinal)).Should().Be(Numberless(await direct.Content.ReadAsStringAsync(Ct)));

        static string Numberless(string text) => System.Text.RegularExpressions.Regex.Replace(text, "chatcmpl-[0-9]+|\"created\":[0-9]+", "");
    }

    [Fact]
    public async Task A_stream_that_is_left_is_closed_and_gives_its_place_back()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.SilentAfter(2));
        var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        http.InFlight.Should().Be(1);
        response.Dispose();
        http.InFlight.Should().Be(0);
        http.Open.Should().Be(0);
    }

    [Fact]
    public async Task A_read_of_a_stream_can_be_cancelled_and_nobody_is_blamed()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.SilentAfter(1));
        using var response = await http.SendAsync(HttpPool.Chat("hi", stream: true));
        using var caller = new CancellationTokenSource();
        var stream = await response.Content.ReadAsStreamAsync(Ct);
        var buffer = new byte[100_000];
        (await stream.ReadAsync(buffer, caller.Token)).Should().BePositive(); // the role
        (await stream.ReadAsync(buffer, caller.Token)).Should().BePositive(); // the content
        var reading = stream.ReadAsync(buffer, caller.Token).AsTask();
        caller.Cancel();
        await reading.Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
        http.InFlight.Should().Be(0);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }

    [Fact]
    public async Task Failure_33_the_response_of_a_losing_hedge_is_disposed_of()
    {
        await using var http = new HttpPool(2, o =>
        {
            o.Hedging.Enabled = true;
            o.Hedging.MinimumDelay = TimeSpan.FromSeconds(1);
            o.FirstContent.Minimum = TimeSpan.FromSeconds(10); // longer than the answers, so that no attempt is given up
        });
        for (var i = 0; i < 60; i++)
            await http.ReadAsync(HttpPool.Chat("learn"));
        foreach (var fake in http.Fakes)
            fake.Faults.Next(1, FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(5)));
        var call = http.ReadAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromSeconds(20));
        (await call).Should().Contain(FakeAnswers.AnswerTo("hi"));
        http.Sent.Should().HaveCount(62);
        http.Open.Should().Be(0);
        http.InFlight.Should().Be(0);
    }

    [Fact]
    public async Task Another_content_passes_through_as_it_comes_and_counts_as_load_until_it_is_read()
    {
        await using var http = new HttpPool(1);
        http.Fakes[0].Faults.Always(FakeFault.Status(200, "sound", "audio/mpeg"));
        using var response = await http.SendAsync(HttpPool.Chat("hi"));
        http.InFlight.Should().Be(1);
        (await response.Content.ReadAsStringAsync(Ct)).Should().Be("sound");
        http.InFlight.Should().Be(0);
    }

    [Theory]
    [InlineData("application/json, text/event-stream", "responses", false)]
    [InlineData("text/event-stream, */*;q=0.1", "responses", false)]
    [InlineData("text/event-stream", "responses", true)]
    [InlineData("application/json", "responses?stream=true", true)]
    [InlineData("application/json", "responses?a=1&stream=TRUE&b=2", true)]
    [InlineData("application/json", "responses?upstream=true", false)]
    [InlineData("application/json", "responses?stream=trueish", false)]
    [InlineData("application/json", "models/m:streamGenerateContent", true)]
    public async Task A_call_that_accepts_plain_json_too_is_a_plain_one_unless_it_asks_for_a_stream(string accept, string path, bool stream)
    {
        await using var http = new HttpPool();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(http.Client.BaseAddress!, path)) { Content = HttpPool.Chat("hi") };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var call = new HaKit.Http.HttpCall(http.Pool, static (_, _, _) => throw new NotSupportedException(), request);
        await call.ReadBodyAsync(Ct);
        call.AsksForStream.Should().Be(stream);
    }

    [Fact]
    public async Task An_answer_that_takes_40_s_is_waited_for_though_events_are_accepted_too()
    {
        await using var http = new HttpPool();
        http.Client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        foreach (var fake in http.Fakes)
            fake.Faults.Always(FakeFault.Latency(toHeaders: TimeSpan.FromSeconds(40)));
        var call = http.ReadAsync(HttpPool.Chat("hi"));
        http.Time.Advance(TimeSpan.FromSeconds(41));
        call.IsCompleted.Should().BeTrue();
        (await call).Should().Contain(FakeAnswers.AnswerTo("hi"));
        http.Sent.Count.Should().BeLessThanOrEqualTo(2, "until its times are known a second attempt may start beside it, and the first to answer wins");
    }

    [Theory]
    [InlineData("""{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"m"}}""")]
    [InlineData("""{"id":"ftjob-1","status":"failed","error":{"code":"invalid_training_file","message":"m","param":"training_file"}}""")]
    public async Task Asking_how_a_job_went_that_has_failed_is_answered_and_no_fault(string job)
    {
        await using var http = new HttpPool(1, inner: new Always(() => new ByteArrayContent(Encoding.UTF8.GetBytes(job)) { Headers = { { "Content-Type", "application/json" } } }));
        var call = http.SendAsync(null, "responses/resp_1");
        call.IsCompleted.Should().BeTrue();
        using (var response = await call)
            (await response.Content.ReadAsStringAsync(Ct)).Should().Be(job);
        http.Sent.Should().HaveCount(1);
        http.Pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().BeNull();
    }

    [Fact]
    public async Task Asking_how_a_job_went_fails_when_the_answer_is_cut()
    {
        await using var http = new HttpPool(1, inner: new Always(() => new ByteArrayContent("{\"id\":"u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } }));
        var call = http.SendAsync(null, "responses/resp_1");
        http.Time.Advance(TimeSpan.FromMinutes(3));
        await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
    }

    [Fact]
    public async Task A_streamed_response_that_a_filter_ended_after_content_comes_whole()
    {
        const string Events = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n"
            + "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"response\":{\"error\":null,\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n";
        await using var http = new HttpPool(1, inner: new Always(() => new ByteArrayContent(Encoding.UTF8.GetBytes(Events)) { Headers = { { "Content-Type", "text/event-stream" } } }));
        (await http.ReadAsync(HttpPool.Chat("hi", stream: true), "responses")).Should().Be(Events);
    }

    [Fact]
    public async Task Usage_that_an_answer_reports_is_known_to_the_call()
    {
        await using var http = new HttpPool(1);
        using var response = await http.SendAsync(HttpPool.Chat("hi"));
        response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail);
        detail!.OutputTokens.Should().Be(http.Fakes[0].Counts.CompletionTokens);
        detail.InputTokens.Should().Be(http.Fakes[0].Counts.PromptTokens);
    }

    [Fact]
    public async Task A_synchronous_call_goes_through_the_pool_too()
    {
        await using var http = new HttpPool(2);
        http.Fakes[0].Faults.Always(FakeFault.Refused);
        http.Fakes[1].Faults.Next(1, FakeFault.None);
        for (var i = 0; i < 2; i++)
        {
            using var response = http.Client.Send(new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = HttpPool.Chat("hi") }, Ct);
            response.StatusCode.Should().Be(HttpStatusCode.OK);
        }
    }

    private sealed class Always(Func<HttpContent> content) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Content = content() });
    }
}
