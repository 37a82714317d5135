using System.ClientModel;
using System.ClientModel.Primitives;
using Anthropic;
using Anthropic.Exceptions;
using HaKit.AI.Tests.Chat;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using OpenAI;

namespace HaKit.AI.Tests;

/// <summary>
/// Tests one pool over the official OpenAI and Anthropic SDKs, each with its own server on real sockets. If one server fails, the other server answers.
/// </summary>
public sealed class SdkTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly Dictionary<string, Func<string, FakeFault>> Early = new()
    {
        ["reset"] = _ => FakeFault.Reset,
        ["throttle"] = at => at == "gpt" ? FakeFaults.OpenAI.RateLimited() : FakeFaults.Anthropic.RateLimited(),
        ["quota"] = at => at == "gpt" ? FakeFaults.OpenAI.QuotaExhausted() : FakeFaults.Anthropic.SpendLimitReached(),
        ["overload"] = at => at == "gpt" ? FakeFaults.OpenAI.Overloaded() : FakeFaults.Anthropic.Overloaded(),
        ["500"] = _ => FakeFault.Status(500),
        ["bad key"] = at => at == "gpt" ? FakeFaults.OpenAI.BadKey() : FakeFaults.Anthropic.BadKey(),
        ["model"] = at => at == "gpt" ? FakeFaults.OpenAI.ModelNotFound() : FakeFaults.Anthropic.ModelNotFound(),
        ["html"] = _ => FakeFault.Status(502, "<html>Bad Gateway</html>", "text/html"),
        ["error in 200"] = _ => FakeFault.ErrorIn200(),
        ["empty"] = _ => FakeFault.EmptyBody,
        ["cut"] = _ => FakeFault.CutAfter(0),
        ["end"] = _ => FakeFault.EndAfter(0),
        ["error event"] = at => at == "gpt" ? FakeFaults.OpenAI.ErrorInStream(0) : FakeFaults.Anthropic.OverloadedInStream(0),
    };

    public static TheoryData<string, string, bool> Faults()
    {
        var all = new TheoryData<string, string, bool>();
        foreach (var fault in Early.Keys)
        {
            foreach (var first in (string[])["gpt", "claude"])
            {
                all.Add(fault, first, false);
                all.Add(fault, first, true);
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Whichever_is_in_trouble_the_other_answers(string fault, string first, bool streamed)
    {
        await using var world = await World.StartAsync(first);
        world[first].Faults.Always(Early[fault](first));

        var response = await world.AskAsync(streamed);

        response.GetServingEndpoint().Should().Be(first == "gpt" ? "claude" : "gpt");
        response.Text.Should().Be(FakeAnswers.AnswerTo("hi", 20));
        world[first].Counts.Received.Should().Be(1, "the SDK's own retries are off, and another provider is there");
    }

    [Theory]
    [InlineData("throttle", "gpt", "Throttled")]
    [InlineData("throttle", "claude", "Throttled")]
    [InlineData("quota", "gpt", "QuotaExhausted")]
    [InlineData("quota", "claude", "QuotaExhausted")]
    [InlineData("overload", "gpt", "Overloaded")]
    [InlineData("overload", "claude", "Overloaded")]
    [InlineData("bad key", "gpt", "Unauthorized")]
    [InlineData("bad key", "claude", "Unauthorized")]
    [InlineData("model", "claude", "ModelNotFound")]
    public async Task Without_the_handler_either_sdk_s_exceptions_are_understood_too(string fault, string first, string kind)
    {
        await using var world = await World.StartAsync(first, bare: true);
        world[first].Faults.Always(Early[fault](first));

        foreach (var streamed in (bool[])[false, true])
        {
            var response = await world.AskAsync(streamed);
            response.GetServingEndpoint().Should().NotBe(first);
            if (!streamed)
                response.AdditionalProperties![ChatStory.AttemptsKey].As<string>().Should().StartWith($"{first}: {kind} (");
        }
    }

    [Theory]
    [InlineData("gpt", false)]
    [InlineData("gpt", true)]
    [InlineData("claude", false)]
    [InlineData("claude", true)]
    public async Task Killed_and_back_again(string first, bool streamed)
    {
        await using var world = await World.StartAsync(first);
        (await world.AskAsync(streamed)).GetServingEndpoint().Should().Be(first);

        await world[first].KillAsync();
        (await world.AskAsync(streamed)).GetServingEndpoint().Should().NotBe(first);

        await world[first].RestartAsync(Ct);
        (await world.AskAsync(streamed)).GetServingEndpoint().Should().Be(first);
    }

    [Theory]
    [InlineData("gpt", "cut")]
    [InlineData("gpt", "end")]
    [InlineData("gpt", "error")]
    [InlineData("claude", "cut")]
    [InlineData("claude", "end")]
    [InlineData("claude", "error")]
    public async Task Failure_13_half_a_stream_of_either_sdk_is_an_exception(string first, string how)
    {
        await using var world = await World.StartAsync(first);
        world[first].Faults.Always(how switch
        {
            "cut" => FakeFault.CutAfter(3),
            "end" => FakeFault.EndAfter(3),
            _ => first == "gpt" ? FakeFaults.OpenAI.ErrorInStream(3) : FakeFaults.Anthropic.OverloadedInStream(3),
        });

        var failure = (await world.AskAsync(streamed: true).Awaiting(a => a).Should().ThrowAsync<PartialResponseException>()).Which;

        failure.Endpoint.Should().Be(first);
        failure.DeliveredItems.Should().BeInRange(1, 3);
    }

    [Theory]
    [InlineData("gpt", false)]
    [InlineData("gpt", true)]
    [InlineData("claude", false)]
    [InlineData("claude", true)]
    public async Task A_context_overflow_goes_to_the_larger_window(string first, bool streamed)
    {
        var other = first == "gpt" ? "claude" : "gpt";
        await using var world = await World.StartAsync(first, (name, e) => e.ContextWindow = name == first ? 8_000 : 100_000);
        world[first].Faults.Always(first == "gpt" ? FakeFaults.OpenAI.ContextLengthExceeded() : FakeFaults.Anthropic.ContextLengthExceeded());

        (await world.AskAsync(streamed)).GetServingEndpoint().Should().Be(other);
        (await world.AskAsync(streamed, new string('x', 100_000))).GetServingEndpoint().Should().Be(other);
        world[first].Counts.Received.Should().Be(1, "the second prompt could be seen not to fit");
    }

    [Fact]
    public async Task A_context_overflow_of_the_largest_window_is_the_sdk_s_own_exception()
    {
        await using var world = await World.StartAsync("claude", (name, e) => e.ContextWindow = name == "claude" ? 100_000 : 8_000);
        world["claude"].Faults.Always(FakeFaults.Anthropic.ContextLengthExceeded());

        await world.AskAsync(false, new string('x', 100_000)).Awaiting(a => a).Should().ThrowAsync<AnthropicBadRequestException>();

        world["gpt"].Counts.Received.Should().Be(0, "its window is smaller");
    }

    [Fact]
    public async Task A_request_at_fault_is_each_sdk_s_own_exception_and_asked_once()
    {
        await using var world = await World.StartAsync("gpt");
        world["gpt"].Faults.Always(FakeFaults.OpenAI.ContentFiltered());
        await world.AskAsync(false).Awaiting(a => a).Should().ThrowAsync<ClientResultException>();
        world["claude"].Counts.Received.Should().Be(0);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("claude")]
    public async Task Failure_1_Retry_After_is_known_through_either_sdk_and_kept(string first)
    {
        await using var world = await World.StartAsync(first);
        var wait = TimeSpan.FromSeconds(90);
        world[first].Faults.Always(first == "gpt" ? FakeFaults.OpenAI.RateLimited(wait) : FakeFaults.Anthropic.RateLimited(wait));

        for (var i = 0; i < 3; i++)
            (await world.AskAsync(streamed: i == 1)).GetServingEndpoint().Should().NotBe(first);

        world[first].Counts.Received.Should().Be(1);
        world.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == first).AvailableIn.Should().BeCloseTo(wait, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task When_both_are_down_the_refusal_says_what_each_answered_and_when_to_come_back()
    {
        await using var world = await World.StartAsync("gpt");
        world["gpt"].Faults.Always(FakeFaults.OpenAI.RateLimited(TimeSpan.FromSeconds(200)));
        world["claude"].Faults.Always(FakeFaults.Anthropic.SpendLimitReached());

        var failure = (await world.AskAsync(false).Awaiting(a => a).Should().ThrowAsync<NoEndpointAvailableException>()).Which;

        failure.Attempts.Select(a => $"{a.Endpoint} {a.Fault!.Kind}").Should().Equal("gpt Throttled", "claude QuotaExhausted");
        failure.RetryAfter.Should().BeGreaterThan(TimeSpan.FromSeconds(100));
    }

    [Fact]
    public async Task Tools_run_once_however_often_models_are_asked()
    {
        await using var world = await World.StartAsync("gpt");
        var runs = 0;
        var weather = AIFunctionFactory.Create((string city) => $"{city}: sunny, {++runs}", "weather");
        // The loop of function invocation is around the pool, where it belongs.
        List<ChatMessage> history = [new(ChatRole.User, "Paris")];
        var asked = await world.Chat.GetResponseAsync(history, new ChatOptions { Tools = [weather], MaxOutputTokens = 20 }, Ct);
        asked.FinishReason.Should().Be(ChatFinishReason.ToolCalls);
        var call = asked.Messages[0].Contents.OfType<FunctionCallContent>().Single();
        var result = await weather.InvokeAsync(new(call.Arguments), Ct);
        history.AddRange(asked.Messages);
        history.Add(new(ChatRole.Tool, [new FunctionResultContent(call.CallId, result)]));
        await world["gpt"].KillAsync();

        var answered = await world.Chat.GetResponseAsync(history, new ChatOptions { MaxOutputTokens = 20 }, Ct);

        answered.GetServingEndpoint().Should().Be("claude", "the other provider goes on from the tool's result");
        answered.FinishReason.Should().Be(ChatFinishReason.Stop);
        runs.Should().Be(1);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("claude")]
    public async Task A_tool_call_that_either_sdk_streams_comes_whole(string first)
    {
        await using var world = await World.StartAsync(first);
        var weather = AIFunctionFactory.Create((string city) => city, "weather");

        var asked = await world.Chat.GetStreamingResponseAsync("Paris", new ChatOptions { Tools = [weather], MaxOutputTokens = 20 }, Ct).ToChatResponseAsync(Ct);

        asked.GetServingEndpoint().Should().Be(first);
        asked.FinishReason.Should().Be(ChatFinishReason.ToolCalls);
        asked.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Should().ContainSingle().Which.Name.Should().Be("weather");
    }

    [Fact]
    public async Task Many_at_once_in_trouble_get_each_their_own_answer_whole_or_are_told()
    {
        await using var world = await World.StartAsync("gpt");
        world["gpt"].Faults.WithProbability(0.1, FakeFaults.OpenAI.Overloaded());
        world["gpt"].Faults.WithProbability(0.1, FakeFault.CutAfter(2));
        var cut = 0;

        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Ct }, async (i, _) =>
        {
            try
            {
                (await world.AskAsync(streamed: i % 2 == 0, $"question {i}")).Text.Should().Be(FakeAnswers.AnswerTo($"question {i}", 20));
            }
            catch (PartialResponseException) when (i % 2 == 0)
            {
                Interlocked.Increment(ref cut);
            }
        });

        cut.Should().BeLessThan(60, "a tenth of the streams of one of two are cut");
        world.Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task Cancelling_a_stream_closes_it_at_the_server_and_counts_against_nobody()
    {
        await using var world = await World.StartAsync("claude");
        world["claude"].Faults.Always(FakeFault.SilentAfter(2));
        using var caller = new CancellationTokenSource();

        var reading = async () =>
        {
            await foreach (var update in world.Chat.GetStreamingResponseAsync("hi", new ChatOptions { MaxOutputTokens = 20 }, caller.Token))
            {
                if (update.Text.Length > 0)
                    await caller.CancelAsync();
            }
        };

        await reading.Should().ThrowAsync<OperationCanceledException>();
        while (world["claude"].Counts.InFlight > 0)
            await Task.Delay(1, Ct);
        world.Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        world.Pool.Explain(RequestProfile.Default)[0].Health.Status.Should().Be(HaKit.Health.EndpointHealthStatus.Healthy);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly Dictionary<string, FakeAiServer> _servers = [];

        public required EndpointPool Pool { get; init; }

        public required EndpointPoolChatClient Chat { get; init; }

        public FakeAiServer this[string name] => _servers[name];

        public static async Task<World> StartAsync(string first, Action<string, EndpointOptions>? configure = null, bool bare = false)
        {
            var gpt = await FakeAiServer.StartAsync(cancellationToken: Ct);
            var claude = await FakeAiServer.StartAsync(cancellationToken: Ct);
            var sdk = new OpenAIClientOptions { Endpoint = gpt.OpenAIAddress, RetryPolicy = new ClientRetryPolicy(0) };
            var openAI = new OpenAIClient(new ApiKeyCredential("k"), bare ? sdk : sdk.UseHaEndpoint("gpt"));
            var anthropic = bare
                ? new AnthropicClient { ApiKey = "k", BaseUrl = claude.Address.ToString(), MaxRetries = 0 }
                : new AnthropicClient { ApiKey = "k", BaseUrl = claude.Address.ToString(), MaxRetries = 0, HttpClient = EndpointFaultHandler.CreateHttpClient("claude") };
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } }
                .AddEndpoint("gpt", openAI.GetChatClient("gpt-fake").AsIChatClient(), e => Configure("gpt", e))
                .AddEndpoint("claude", anthropic.AsIChatClient("claude-fake"), e => Configure("claude", e));
            var pool = new EndpointPool("chat", options);
            return new World { Pool = pool, Chat = pool.AsChatClient(), _servers = { ["gpt"] = gpt, ["claude"] = claude } };

            void Configure(string name, EndpointOptions endpoint)
            {
                endpoint.Tier = name == first ? 0 : 1;
                endpoint.Provider = name == "gpt" ? "openai" : "anthropic";
                configure?.Invoke(name, endpoint);
            }
        }

        public async Task<ChatResponse> AskAsync(bool streamed, string prompt = "hi")
        {
            var options = new ChatOptions { MaxOutputTokens = 20 };
            var response = streamed
                ? await Chat.GetStreamingResponseAsync(prompt, options, Ct).ToChatResponseAsync(Ct)
                : await Chat.GetResponseAsync(prompt, options, Ct);
            response.FinishReason.Should().Be(ChatFinishReason.Stop);
            return response;
        }

        public async ValueTask DisposeAsync()
        {
            await Pool.DisposeAsync();
            foreach (var server in _servers.Values)
                await server.DisposeAsync();
        }
    }
}
