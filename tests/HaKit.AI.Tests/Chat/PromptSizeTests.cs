using System.Text.Json;
using HaKit.Limits;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>Tests how the estimated and the given size of a prompt choose the endpoint, and that an estimate refuses no call.</summary>
public sealed class PromptSizeTests
{
    private static IReadOnlyList<ChatMessage> Long { get; } = [new(ChatRole.User, new string('x', 10_000))];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_estimate_refuses_no_call_that_may_go_only_to_a_small_endpoint(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 1_000_000);

        world.Ask(streamed, new ChatOptions().UseHaProfile(new RequestProfile { Endpoints = ["a"] }), Long).GetServingEndpoint().Should().Be("a");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_endpoint_that_cannot_serve_a_call_does_not_make_the_estimate_refuse_it(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => (e.Vision, e.ContextWindow) = name == "a" ? (true, (int?)2_000) : (false, null));
        var message = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1, 2 }, "image/png"), new DataContent(new byte[100_000], "application/pdf")]);

        world.Ask(streamed, messages: [message]).GetServingEndpoint().Should().Be("a", "b sees no images");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_estimate_above_a_whole_minute_of_the_account_refuses_no_call(bool streamed)
    {
        var world = new ChatWorld(configure: o => o.AccountLimits["team"] = new() { TokensPerMinute = 1_000 }, endpoint: (_, e) => e.Account = "team");

        world.Ask(streamed, messages: Long).GetServingEndpoint().Should().Be("a");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_endpoint_that_seems_too_small_serves_the_call_that_would_end_otherwise(bool streamed)
    {
        var world = new ChatWorld(endpoint: (name, e) => (e.ContextWindow, e.Limits) = name == "a" ? (1_000, (LimitOptions?)null) : (100_000, new() { RequestsPerMinute = 1 }));
        var options = new ChatOptions().UseHaProfile(new RequestProfile { MaxWait = TimeSpan.Zero });

        world.Ask(streamed, options, Long).GetServingEndpoint().Should().Be("b");
        world.Ask(streamed, options, Long).GetServingEndpoint().Should().Be("a", "b is full, and the call may not wait for it");
        world.Time.Run(() => world.Pool.ForceDownAsync("b").AsTask());
        world.Ask(streamed, messages: Long).GetServingEndpoint().Should().Be("a", "an operator has taken b out of service");
    }

    [Fact]
    public void A_call_whose_prompt_seems_too_long_for_a_free_endpoint_waits_for_the_endpoint_that_is_large_enough()
    {
        var world = new ChatWorld(endpoint: (name, e) => (e.ContextWindow, e.Limits) = name == "a" ? (1_000, (LimitOptions?)null) : (100_000, new() { RequestsPerMinute = 1 }));

        for (var i = 0; i < 2; i++)
            world.Ask(messages: Long).GetServingEndpoint().Should().Be("b");
    }

    [Theory]
    [InlineData(1_000, null)]
    [InlineData(null, 1_000)]
    public void A_number_of_tokens_that_the_caller_gives_refuses_the_call(int? window, int? limit)
    {
        var world = new ChatWorld(endpoint: (_, e) => (e.ContextWindow, e.Limits) = (window, limit is null ? null : new() { TokensPerMinute = limit }));

        world.Failure(options: new ChatOptions().UseHaProfile(new RequestProfile { InputTokens = 2_000 })).Should().BeOfType<NoEndpointAvailableException>();
        world.Ask(options: new ChatOptions().UseHaProfile(new RequestProfile { InputTokens = 2_000, IsInputEstimated = true })).GetServingEndpoint().Should().Be("a");
    }

    public static TheoryData<string> LongContents => ["result", "result of text", "contents of a result", "arguments"];

    [Theory]
    [MemberData(nameof(LongContents))]
    public void The_text_of_a_tool_call_and_of_its_result_counts(string content)
    {
        var world = new ChatWorld(endpoint: (name, e) => e.ContextWindow = name == "a" ? 1_000 : 100_000);
        var text = new string('x', 10_000);
        AIContent tool = content switch
        {
            "result" => new FunctionResultContent("1", JsonSerializer.SerializeToElement(text)),
            "result of text" => new FunctionResultContent("1", text),
            "contents of a result" => new FunctionResultContent("1", new List<AIContent> { new TextContent(text) }),
            _ => new FunctionCallContent("1", "write", new Dictionary<string, object?> { ["path"] = "x", ["text"] = JsonSerializer.SerializeToElement(text) }),
        };

        world.Ask(messages: [ChatWorld.Hi[0], new(ChatRole.Assistant, [tool])]).GetServingEndpoint().Should().Be("b");
    }
}
