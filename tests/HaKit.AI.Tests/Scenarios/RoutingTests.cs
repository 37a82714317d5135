using Microsoft.Extensions.AI;

#pragma warning disable MEAI001 // Routers are experimental; nothing in src refers to them.

namespace HaKit.AI.Tests.Scenarios;

/// <summary>Tests pools together with routers, which choose a client by the request. A router can choose a pool, and an endpoint can be a router.</summary>
public sealed class RoutingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pool_can_be_what_a_router_chooses(bool streamed)
    {
        var cheap = new Line(ScriptedClient.Failing(), new ScriptedClient());
        var good = new Line(ScriptedClient.Failing(), ScriptedClient.Failing(), new ScriptedClient());
        using var router = RoutingChatClient.Create((context, _) => new(context.ChatOptions?.Reasoning is null ? cheap.Chat : good.Chat));

        Ask(cheap, router, streamed, null).GetServingEndpoint().Should().Be("1");
        Ask(good, router, streamed, new ChatOptions { Reasoning = new() }).GetServingEndpoint().Should().Be("2");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_router_can_be_an_endpoint(bool streamed)
    {
        var (small, large) = (new ScriptedClient(), ScriptedClient.Failing());
        using var router = RoutingChatClient.Create((context, _) => new(context.ChatOptions?.MaxOutputTokens > 100 ? large : small));
        var line = new Line(router, new ScriptedClient());

        line.Ask(streamed).GetServingEndpoint().Should().Be("0");
        line.Ask(streamed, new ChatOptions { MaxOutputTokens = 1000 }).GetServingEndpoint().Should().Be("1");
        (small.Calls, large.Calls).Should().Be((1, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_router_that_cannot_choose_is_an_endpoint_that_failed(bool streamed)
    {
        using var router = RoutingChatClient.Create((_, _) => throw new InvalidOperationException("no choice"));
        new Line(router, new ScriptedClient()).Ask(streamed).GetServingEndpoint().Should().Be("1");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pool_can_be_an_endpoint_of_another_pool(bool streamed)
    {
        var inner = new Line(o => o.Retry.MaxRetryAttempts = 0, null, ScriptedClient.Failing());
        var outer = new Line(inner.Chat, new ScriptedClient());

        outer.Ask(streamed).GetServingEndpoint().Should().Be("1");
    }

    private static ChatResponse Ask(Line line, RoutingChatClient router, bool streamed, ChatOptions? options)
    {
        ChatResponse? response = null;
        line.Run(async () => response = streamed
            ? await router.GetStreamingResponseAsync([new(ChatRole.User, "hi")], options, line.Caller).ToChatResponseAsync(line.Caller)
            : await router.GetResponseAsync([new(ChatRole.User, "hi")], options, line.Caller));
        return response!;
    }
}
