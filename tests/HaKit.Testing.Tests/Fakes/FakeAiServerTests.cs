using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;

namespace HaKit.Testing.Tests.Fakes;

/// <summary>Tests behaviour that only real sockets can show.</summary>
public sealed class FakeAiServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stopped_server_refuses_connections_and_comes_back_on_the_same_port()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Token);
        using var client = Connect(server);
        var address = server.Address;
        (await AskAsync(client, "before")).Should().Be(FakeAnswers.AnswerTo("before"));

        await server.StopAsync();
        server.IsListening.Should().BeFalse();
        var refused = (await client.Invoking(c => AskAsync(c, "meanwhile")).Should().ThrowAsync<HttpRequestException>()).Which;
        refused.HttpRequestError.Should().Be(HttpRequestError.ConnectionError);
        refused.InnerException.Should().BeOfType<SocketException>().Which.SocketErrorCode.Should().Be(SocketError.ConnectionRefused);

        await server.RestartAsync(Token);
        server.Address.Should().Be(address);
        (await AskAsync(client, "after")).Should().Be(FakeAnswers.AnswerTo("after"));
        server.Counts.Should().Match<FakeCounts>(c => c.Received == 2 && c.AnsweredWhole == 2);
    }

    [Fact]
    public async Task A_killed_server_resets_the_streams_it_was_sending_and_counts_them_as_cut()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Token);
        using var client = Connect(server);
        server.Faults.Always(FakeFault.SilentAfter(2).Named("stuck"), r => r.Prompt == "fault");
        server.Faults.Always(FakeFault.Latency(perToken: TimeSpan.FromMinutes(1)), r => r.Prompt == "slow");
        var stuck = await BareClient.PostAsync(client, "fault", stream: true);
        var slow = await BareClient.PostAsync(client, "slow", stream: true);
        var reading = new[] { BareClient.ReadAsync(stuck), BareClient.ReadAsync(slow) };
        while (server.Counts.InFlight < 2)
            await Task.Delay(1, Token);

        await server.KillAsync();

        foreach (var stream in await Task.WhenAll(reading))
            stream.Error.Should().NotBeNull();
        server.Counts.Should().Match<FakeCounts>(c => c.Received == 2 && c.InFlight == 0 && c.Cut + c.Failed == 2 && c.Abandoned == 0);
    }

    // A server on a real clock waits twice if its timer fired a part of a millisecond too early. It flushes between the two waits, when there is nothing to
    // flush yet.
    [Fact]
    public async Task An_answer_whose_timer_was_early_arrives_whole()
    {
        await using var server = await FakeAiServer.StartAsync(new() { Time = new EarlyTimers() }, cancellationToken: Token);
        using var client = Connect(server);
        server.Faults.Always(FakeFault.Latency(TimeSpan.FromMilliseconds(100)));

        using var response = await BareClient.PostAsync(client, "early", stream: false);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token));

        body.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().Should().Be(FakeAnswers.AnswerTo("early"));
    }

    [Fact]
    public async Task A_stop_lets_an_answer_end()
    {
        var arrived = new TaskCompletionSource();
        await using var server = await FakeAiServer.StartAsync(new() { Observe = _ => arrived.TrySetResult() }, cancellationToken: Token);
        using var client = Connect(server);
        server.Faults.Always(FakeFault.Latency(TimeSpan.FromMilliseconds(50)));
        var call = AskAsync(client, "in flight");
        await arrived.Task;

        await server.StopAsync();

        (await call).Should().Be(FakeAnswers.AnswerTo("in flight"));
        server.Counts.AnsweredWhole.Should().Be(1);
    }

    [Fact]
    public async Task An_outage_happens_on_the_servers_clock()
    {
        var clock = new ManualTimeProvider();
        await using var server = await FakeAiServer.StartAsync(new() { Time = clock }, cancellationToken: Token);
        server.Outage(TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        using (server.Outage(TimeSpan.FromHours(3), TimeSpan.FromHours(4)))
            server.IsListening.Should().BeTrue();

        clock.Advance(TimeSpan.FromHours(1));
        await Until(() => !server.IsListening);
        clock.Advance(TimeSpan.FromHours(1));
        await Until(() => server.IsListening);
        clock.Advance(TimeSpan.FromHours(5));

        server.IsListening.Should().BeTrue("the second outage was called off");
    }

    [Fact]
    public async Task Thousands_of_calls_over_faults_and_kills_reconcile_exactly()
    {
        await using var server = await FakeAiServer.StartAsync(new() { Seed = 3 }, cancellationToken: Token);
        using var client = Connect(server);
        server.Faults.WithProbability(0.05, FakeFault.Status(503));
        server.Faults.WithProbability(0.05, FakeFault.CutAfter(3));
        server.Faults.WithProbability(0.05, FakeFault.Reset);
        var results = new ConcurrentDictionary<string, int>();
        var left = 3000;
        const int Callers = 16;
        const int Kills = 3;
        // On a machine that restarts the server slowly, the calls must not go to a port on which nothing listens.
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running.SetResult();

        var callers = Enumerable.Range(0, Callers).Select(CallAsync).ToArray();
        for (var kill = 0; kill < Kills; kill++)
        {
            var mark = server.Counts.Received + 300;
            await Until(() => server.Counts.Received >= mark);
            running = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await server.KillAsync();
            await server.RestartAsync(Token);
            running.SetResult();
        }

        await Task.WhenAll(callers);
        await Until(() => server.Counts.InFlight == 0);

        var counts = server.Counts;
        results.Keys.Should().NotContain("wrong");
        results["whole"].Should().BeGreaterThan(1500);
        counts.AnsweredWhole.Should().Be(results["whole"]);
        counts.Received.Should().Be(counts.AnsweredWhole + counts.Cut + counts.Failed);
        // A kill may happen between the server's start of an answer and its arrival at the client: the server has begun the answer, and the client sees a
        // reset.
        counts.ByStatus[503].Should().BeInRange(results["503"], results["503"] + (Kills * Callers));
        results.Values.Sum().Should().Be(3000);

        async Task CallAsync(int caller)
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var n)
            {
                await running.Task.WaitAsync(Token);
                var result = await OutcomeOf($"call {n}", stream: n % 2 == 0);
                results.AddOrUpdate(result, 1, (_, count) => count + 1);
            }
        }

        async Task<string> OutcomeOf(string prompt, bool stream)
        {
            try
            {
                using var response = await BareClient.PostAsync(client, prompt, stream, maxTokens: 8);
                if (!response.IsSuccessStatusCode)
                    return ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
                if (!stream)
                {
                    var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Token)).RootElement;
                    return answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString() == FakeAnswers.AnswerTo(prompt, 8) ? "whole" : "wrong";
                }

                var events = await BareClient.ReadAsync(response);
                if (events.Error is not null)
                    return "cut";
                return string.Concat(events.Contents) == FakeAnswers.AnswerTo(prompt, 8) && events.Events[^1] == "[DONE]" ? "whole" : "wrong";
            }
            catch (HttpRequestException)
            {
                return "failed";
            }
        }
    }

    [Fact]
    public async Task Requests_are_seen_as_they_were_sent()
    {
        var seen = new List<FakeRequest>();
        await using var server = await FakeAiServer.StartAsync(new() { Name = "east", Observe = seen.Add }, cancellationToken: Token);
        using var client = Connect(server);
        using var ask = BareClient.Ask("p", stream: false, path: "openai/deployments/my%2Fmodel/chat/completions?api-version=2024-10-21&x=%20", model: "");
        ask.Headers.Add("api-key", "secret");
        ask.Content = new StringContent("""{"messages":[{"role":"user","content":"hello"}]}""");

        var response = await client.SendAsync(ask, Token);

        response.Headers.GetValues("x-fake-endpoint").Should().Equal("east");
        var request = seen.Should().ContainSingle().Subject;
        request.Path.Should().Be("/openai/deployments/my%2Fmodel/chat/completions");
        request.Query.Should().Be("?api-version=2024-10-21&x=%20");
        request.Model.Should().Be("my/model");
        request.ApiKey.Should().Be("secret");
        request.Prompt.Should().Be("hello");
        request.Headers["content-type"].Should().StartWith("text/plain");
        request.Body.Length.Should().Be(48);
    }

    private sealed class EarlyTimers : TimeProvider
    {
        private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(80);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > Early ? dueTime - Early : TimeSpan.Zero, period);
    }

    private static HttpClient Connect(FakeAiServer server) =>
        new(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero }) { BaseAddress = server.Address, Timeout = Timeout.InfiniteTimeSpan };

    private static async Task<string> AskAsync(HttpClient client, string prompt) =>
        string.Concat((await BareClient.ReadAsync(await BareClient.PostAsync(client, prompt, stream: true))).Contents);

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(1, Token);
    }
}
