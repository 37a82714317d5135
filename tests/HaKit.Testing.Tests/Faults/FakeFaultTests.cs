using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using HaKit.Testing.Tests.Fakes;

namespace HaKit.Testing.Tests.Faults;

/// <summary>Tests each fault as a client without HaKit sees it, over real sockets and in memory.</summary>
public sealed class FakeFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task Any_status_comes_with_any_body_and_headers(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.InOrder(
            FakeFault.Status(418, "<html>teapot</html>", "text/html").WithHeader("Retry-After", "7").WithHeader("retry-after", "8"),
            FakeFault.Status(503));

        var first = await BareClient.PostAsync(fake.Client, "p", stream: true);
        first.StatusCode.Should().Be((HttpStatusCode)418);
        first.Headers.GetValues("Retry-After").Should().Equal("8");
        first.Content.Headers.ContentType!.MediaType.Should().Be("text/html");
        (await first.Content.ReadAsStringAsync(Token)).Should().Be("<html>teapot</html>");
        var second = await BareClient.PostAsync(fake.Client, "p", stream: false);
        JsonDocument.Parse(await second.Content.ReadAsStringAsync(Token)).RootElement.GetProperty("error").GetProperty("code").GetString().Should().Be("server_is_overloaded");
        (await Whole(fake)).Should().BeTrue();
        fake.Counts.Should().Match<FakeCounts>(c => c.Failed == 2 && c.AnsweredWhole == 1 && c.CompletionTokens > 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_hang_answers_nothing_until_the_client_gives_up(bool sockets)
    {
        var arrived = new TaskCompletionSource();
        await using var fake = await Transport.StartAsync(sockets, new FakeAiOptions { Observe = _ => arrived.TrySetResult() });
        fake.Faults.Next(1, FakeFault.Hang);
        using var giveUp = new CancellationTokenSource();

        var call = BareClient.PostUntilAsync(fake.Client, BareClient.Ask("p", stream: true), giveUp.Token);
        await arrived.Task;
        call.IsCompleted.Should().BeFalse();
        fake.Counts.InFlight.Should().Be(1);
        await giveUp.CancelAsync();

        await call.Invoking(c => c).Should().ThrowAsync<OperationCanceledException>();
        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.Failed == 1 && c.Abandoned == 0 && c.ByStatus[0] == 1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_reset_breaks_the_connection_before_any_answer(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Next(1, FakeFault.Reset);

        var call = () => BareClient.PostAsync(fake.Client, "p", stream: false);

        (await call.Should().ThrowAsync<HttpRequestException>()).Which.StatusCode.Should().BeNull();
        (await Whole(fake)).Should().BeTrue();
        fake.Counts.Should().Match<FakeCounts>(c => c.Failed == 1 && c.Received == 2);
    }

    [Fact]
    public async Task A_refusal_in_memory_is_the_exception_of_a_closed_port()
    {
        await using var fake = await Transport.StartAsync(sockets: false);
        fake.Faults.InOrder(FakeFault.Refused, FakeFault.NameNotResolved, FakeFault.TlsFailed, FakeFault.Throw(() => new TimeoutException("mine")));

        var errors = new List<Exception?>();
        for (var i = 0; i < 4; i++)
            errors.Add(await Record.ExceptionAsync(() => BareClient.PostAsync(fake.Client, "p", stream: false)));

        errors.Take(3).Cast<HttpRequestException>().Select(e => e.HttpRequestError).Should().Equal(
            HttpRequestError.ConnectionError, HttpRequestError.NameResolutionError, HttpRequestError.SecureConnectionError);
        errors[0]!.InnerException.Should().BeOfType<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.ConnectionRefused);
        errors[3].Should().BeOfType<TimeoutException>();
    }

    [Theory]
    [InlineData(true, "v1/chat/completions"), InlineData(true, "v1/messages"), InlineData(false, "v1/chat/completions"), InlineData(false, "v1/messages")]
    public async Task A_cut_resets_a_stream_after_exactly_n_contents(bool sockets, string path)
    {
        await using var fake = await Transport.StartAsync(sockets);
        for (var n = 0; n < 6; n++)
        {
            fake.Faults.Next(1, FakeFault.CutAfter(n));
            var stream = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "cut", stream: true, maxTokens: 5, path));

            stream.Contents.Should().HaveCount(Math.Min(n, 5));
            stream.Error.Should().NotBeNull("it is cut after {0}", n);
            stream.Events.Should().NotContain(e => e.Contains("[DONE]") || e.Contains("message_stop"));
        }

        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.Failed == 1 && c.Cut == 5 && c.CompletionTokens == 15);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_cut_answer_that_is_not_streamed_breaks_within_its_body(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Next(1, FakeFault.CutAfter(3));

        var response = await BareClient.PostAsync(fake.Client, "cut", stream: false);

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        await response.Invoking(r => r.Content.ReadAsStringAsync(Token)).Should().ThrowAsync<HttpRequestException>();
        (await fake.CountsWhenSettledAsync()).Cut.Should().Be(1);
    }

    [Theory]
    [InlineData(true, "v1/chat/completions"), InlineData(true, "v1/messages"), InlineData(false, "v1/chat/completions"), InlineData(false, "v1/messages")]
    public async Task An_early_end_is_clean_but_lacks_the_finish_marker(bool sockets, string path)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.InOrder(FakeFault.EndAfter(2), FakeFault.EndAfter(1000));

        var early = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "end", stream: true, maxTokens: 5, path));
        var late = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "end", stream: true, maxTokens: 5, path));

        early.Error.Should().BeNull();
        early.Contents.Should().HaveCount(2);
        late.Contents.Should().HaveCount(5);
        early.Events.Concat(late.Events).Should().NotContain(e => e.Contains("[DONE]") || e.Contains("message_stop") || e.Contains("\"stop\""));
        (await fake.CountsWhenSettledAsync()).Cut.Should().Be(2);
    }

    [Theory]
    [InlineData(true, "v1/chat/completions"), InlineData(true, "v1/messages"), InlineData(false, "v1/chat/completions"), InlineData(false, "v1/messages")]
    public async Task An_error_event_ends_a_stream_after_a_200(bool sockets, string path)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.InOrder(FakeFault.ErrorEventAfter(2), FakeFault.ErrorEventAfter(0, """{"error":"mine"}"""));

        var stream = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "e", stream: true, maxTokens: 5, path));
        var own = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "e", stream: true, maxTokens: 5, path));

        stream.Error.Should().BeNull();
        stream.Contents.Should().HaveCount(2);
        JsonDocument.Parse(stream.Events[^1]).RootElement.TryGetProperty("error", out _).Should().BeTrue();
        own.Contents.Should().BeEmpty();
        own.Events[^1].Should().Be("""{"error":"mine"}""");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Keep_alives_only_are_comments_without_content_or_end(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Next(1, FakeFault.KeepAlivesOnly(TimeSpan.FromMilliseconds(2), "working"));

        var response = await BareClient.PostAsync(fake.Client, "k", stream: true);
        var stream = await BareClient.ReadAsync(response, stopAfterEvents: 5);
        response.Dispose();

        stream.Comments.Should().HaveCount(5).And.AllBe("working");
        stream.Events.Should().BeEmpty();
        (await fake.CountsWhenSettledAsync()).Abandoned.Should().Be(0, "no content would ever have come");
    }

    [Theory]
    [InlineData(true, "v1/chat/completions", 1), InlineData(true, "v1/messages", 3), InlineData(false, "v1/chat/completions", 1), InlineData(false, "v1/messages", 3)]
    public async Task Silence_after_the_role_frame_leaves_the_connection_open(bool sockets, string path, int openingEvents)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Next(1, FakeFault.SilentAfter(0));
        var response = await BareClient.PostAsync(fake.Client, "s", stream: true, path: path);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Token));
        using var giveUp = new CancellationTokenSource();

        for (var events = 0; events < openingEvents;)
        {
            if ((await reader.ReadLineAsync(Token))!.StartsWith("data: ", StringComparison.Ordinal))
                events++;
        }

        (await reader.ReadLineAsync(Token)).Should().BeEmpty();
        var next = reader.ReadLineAsync(giveUp.Token).AsTask();
        next.IsCompleted.Should().BeFalse();
        fake.Counts.InFlight.Should().Be(1);
        await giveUp.CancelAsync();

        await next.Invoking(n => n).Should().ThrowAsync<OperationCanceledException>();
        response.Dispose();
        (await fake.CountsWhenSettledAsync()).Failed.Should().Be(1);
    }

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public async Task Empty_truncated_and_error_bodies_come_with_a_200(bool sockets, bool stream)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.InOrder(FakeFault.EmptyBody, FakeFault.TruncatedBody, FakeFault.ErrorIn200(), FakeFault.ErrorIn200("""{"error":"mine"}"""));
        var bodies = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var response = await BareClient.PostAsync(fake.Client, "b", stream, maxTokens: 6);
            response.StatusCode.Should().Be(HttpStatusCode.OK);
            bodies.Add((await response.Content.ReadAsStringAsync(Token)).Trim().Replace("data: ", "", StringComparison.Ordinal));
        }

        bodies[0].Should().BeEmpty();
        bodies[1].Should().Contain("chatcmpl").And.NotContain("[DONE]");
        if (!stream)
            FluentActions.Invoking(() => JsonDocument.Parse(bodies[1])).Should().Throw<JsonException>();
        JsonDocument.Parse(bodies[2]).RootElement.TryGetProperty("error", out _).Should().BeTrue();
        bodies[3].Should().Be("""{"error":"mine"}""");
        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.AnsweredWhole == 0 && c.Failed == 3 && c.Cut == 1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_latency_is_waited_for_at_each_stage(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Always(FakeFault.Latency(Ms(30), Ms(40), Ms(10)));
        var mark = TimeProvider.System.GetTimestamp();

        var response = await BareClient.PostAsync(fake.Client, "slow", stream: true, maxTokens: 5);
        TimeProvider.System.GetElapsedTime(mark).Should().BeGreaterThanOrEqualTo(Ms(29));
        (await BareClient.ReadAsync(response)).Contents.Should().HaveCount(5);
        TimeProvider.System.GetElapsedTime(mark).Should().BeGreaterThanOrEqualTo(Ms(109));

        mark = TimeProvider.System.GetTimestamp();
        await BareClient.PostAsync(fake.Client, "slow", stream: false, maxTokens: 5);
        TimeProvider.System.GetElapsedTime(mark).Should().BeGreaterThanOrEqualTo(Ms(109));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Faults_combine(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        var slow = FakeFault.Latency(toFirstToken: Ms(20)).And(FakeFault.KeepAlives(Ms(5), "busy"));
        fake.Faults.Always(slow.WithHeader("x-slow", "1"));
        fake.Faults.Next(1, FakeFault.CutAfter(2));

        var cut = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "c", stream: true, maxTokens: 5));
        var whole = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "c", stream: true, maxTokens: 5));

        cut.Error.Should().NotBeNull();
        cut.Contents.Should().HaveCount(2);
        cut.Comments.Should().Equal("busy", "busy", "busy");
        cut.Response.Headers.GetValues("x-slow").Should().Equal("1");
        whole.Contents.Should().HaveCount(5);
        whole.Comments.Should().HaveCount(3);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_whole_answer_may_say_another_reason_for_its_end(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Always(FakeFault.FinishReason("content_filter"));

        var stream = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "f", stream: true));

        stream.Events[^2].Should().Contain("\"finish_reason\":\"content_filter\"");
        stream.Events[^1].Should().Be("[DONE]");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_client_that_leaves_a_good_answer_is_counted_as_such(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Faults.Next(1, FakeFault.Latency(perToken: TimeSpan.FromMinutes(1)));
        var response = await BareClient.PostAsync(fake.Client, "l", stream: true);
        await BareClient.ReadAsync(response, stopAfterEvents: 2);

        response.Dispose();

        (await fake.CountsWhenSettledAsync()).Should().Match<FakeCounts>(c => c.Abandoned == 1 && c.Cut == 0 && c.CompletionTokens == 1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Probes_see_a_healthy_endpoint_unless_a_rule_says_otherwise(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        fake.Load.Waiting = 3;
        fake.Load.CacheUsage = 0.25;
        fake.Faults.Always(FakeFault.Status(500));

        (await fake.Client.GetAsync("health", Token)).StatusCode.Should().Be(HttpStatusCode.OK);
        var metrics = await fake.Client.GetStringAsync("metrics", Token);
        metrics.Split('\n').Should().Contain(l => l.StartsWith("vllm:num_requests_waiting{") && l.EndsWith(" 3.0"))
            .And.Contain(l => l.StartsWith("vllm:kv_cache_usage_perc{") && l.EndsWith(" 0.25"));
        fake.Faults.Always(FakeFault.Status(500), where: _ => true);
        (await fake.Client.GetAsync("health", Token)).StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        fake.Counts.Should().Match<FakeCounts>(c => c.Probes == 3 && c.Received == 0);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Nonsense_is_refused_and_never_breaks_the_fake(bool sockets)
    {
        await using var fake = await Transport.StartAsync(sockets);
        string[] bodies = ["", "{", "[]", "null", "3", """{"messages":3}""", """{"messages":[]}""", """{"messages":[{"role":"user","content":"x"}],"max_tokens":0}""", """{"messages":[{"content":[{"type":"image_url"}]}]}"""];

        foreach (var body in bodies)
        {
            foreach (var path in new[] { "v1/chat/completions", "v1/messages" })
                (await fake.Client.PostAsync(path, new StringContent(body), Token)).StatusCode.Should().Be(HttpStatusCode.BadRequest, "of {0}", body);
        }

        (await fake.Client.PostAsync("v1/embeddings", new StringContent("{}"), Token)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await fake.Client.PostAsync("v1/files", new StringContent("no parts"), Token)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await fake.Client.GetAsync("v1/nothing", Token)).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static async Task<bool> Whole(Transport fake)
    {
        var stream = await BareClient.ReadAsync(await BareClient.PostAsync(fake.Client, "whole?", stream: true));
        return stream.Error is null && string.Concat(stream.Contents) == FakeAnswers.AnswerTo("whole?") && stream.Events[^1] == "[DONE]";
    }
}
