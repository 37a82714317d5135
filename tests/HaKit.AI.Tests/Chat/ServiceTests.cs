using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

public sealed class ServiceTests
{
    [Fact]
    public void The_pool_the_client_and_each_endpoint_s_client_can_be_reached()
    {
        var world = new ChatWorld();

        world.Client.GetService<EndpointPool>().Should().BeSameAs(world.Pool);
        world.Client.GetService<EndpointPoolChatClient>().Should().BeSameAs(world.Client);
        world.Client.GetService<IChatClient>().Should().BeSameAs(world.Client);
        world.Client.GetService<FakeChatClient>().Should().BeSameAs(world["a"]);
        world.Client.GetService(typeof(IChatClient), "b").Should().BeSameAs(world["b"]);
        world.Client.GetService(typeof(ChatClientMetadata), "b").Should().BeSameAs(world["b"].Metadata);
        world.Client.GetService(typeof(ChatClientMetadata), "nobody").Should().BeNull();
    }

    [Fact]
    public void The_client_that_served_an_answer_can_be_reached()
    {
        var world = new ChatWorld();
        world["a"].Faults.Always(FakeFault.Refused);

        world.Client.GetService(typeof(IChatClient), world.Ask().GetServingEndpoint()).Should().BeSameAs(world["b"]);
    }

    [Fact]
    public void Metadata_says_what_is_true_of_all_and_nothing_else()
    {
        var world = new ChatWorld();
        (world["a"].Metadata, world["b"].Metadata) = (new("openai", new Uri("http://one/"), "m"), new("openai", new Uri("http://two/"), "m"));
        world.Client.GetService<ChatClientMetadata>().Should().Match<ChatClientMetadata>(m => m.ProviderName == "openai" && m.ProviderUri == null && m.DefaultModelId == "m");

        world["b"].Metadata = new("anthropic", new Uri("http://two/"), "m");
        world.Client.GetService<ChatClientMetadata>()!.ProviderName.Should().BeNull();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(null)]
    [InlineData("m")]
    public async Task A_pool_without_endpoints_answers_every_question_and_refuses_every_call(string? model)
    {
        var world = new ChatWorld(0, o => o.AllowEmpty = true);
        world.Client.GetService<ChatClientMetadata>().Should().Match<ChatClientMetadata>(m => m.ProviderName == null && m.ProviderUri == null && m.DefaultModelId == null);
        world.Client.GetService<FakeChatClient>().Should().BeNull();
        using var traced = ((IChatClient)world.Client).AsBuilder().UseOpenTelemetry().Build();
        foreach (var streamed in (bool[])[false, true])
            world.Failure(streamed, new ChatOptions { ModelId = model }).Should().BeOfType<NoEndpointAvailableException>();

        using var embeddings = world.Pool.AsEmbeddingGenerator();
        ((IEmbeddingGenerator)embeddings).GetService<EmbeddingGeneratorMetadata>().Should().Match<EmbeddingGeneratorMetadata>(m => m.ProviderName == null && m.DefaultModelId == null);
        await embeddings.Awaiting(e => e.GenerateAsync(["a"], new EmbeddingGenerationOptions { ModelId = model }, TestContext.Current.CancellationToken)).Should().ThrowAsync<NoEndpointAvailableException>();
    }

    [Fact]
    public void An_endpoint_s_model_in_metadata_is_the_one_that_is_sent()
    {
        var world = new ChatWorld(1, endpoint: (_, e) => e.Model = "deployment-1");

        world.Client.GetService<ChatClientMetadata>()!.DefaultModelId.Should().Be("deployment-1");
        world.Ask().ModelId.Should().Be("deployment-1");
    }

    [Fact]
    public async Task A_telemetry_decorator_outside_sees_one_call_and_one_inside_each_attempt_with_its_own_provider()
    {
        var spans = new List<string>();
        using var gpt = new FakeChatClient("gpt") { Metadata = new("openai", null, "gpt-x") };
        using var claude = new FakeChatClient("claude") { Metadata = new("anthropic", null, "claude-x") };
        claude.Answer = _ => new ChatResponse(new ChatMessage(ChatRole.Assistant, "yes")) { ModelId = "claude-x-2026", FinishReason = ChatFinishReason.Stop };
        gpt.Faults.Always(FakeFault.Refused);
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } }
            .AddEndpoint("gpt", new Decorator(gpt, "inside", spans))
            .AddEndpoint("claude", new Decorator(claude, "inside", spans), e => e.Tier = 1);
        using var chat = new Decorator(new EndpointPool("chat", options).AsChatClient(), "outside", spans);

        await chat.GetResponseAsync(ChatWorld.Hi, null, TestContext.Current.CancellationToken);

        spans.Should().Equal("inside openai gpt-x → nothing", "inside anthropic claude-x → claude-x-2026", "outside   → claude-x-2026");
    }

    /// <summary>Reads the metadata once, in its constructor, as decorators do.</summary>
    private sealed class Decorator(IChatClient inner, string place, List<string> spans) : DelegatingChatClient(inner)
    {
        private readonly ChatClientMetadata? _metadata = inner.GetService<ChatClientMetadata>();

        public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            ChatResponse? response = null;
            try
            {
                return response = await base.GetResponseAsync(messages, options, cancellationToken);
            }
            finally
            {
                spans.Add($"{place} {_metadata?.ProviderName} {_metadata?.DefaultModelId} → {response?.ModelId ?? "nothing"}");
            }
        }
    }

    [Fact]
    public void Disposing_the_chat_client_leaves_pool_and_clients_alone()
    {
        var world = new ChatWorld();
        world.Client.Dispose();

        world.Ask().Text.Should().Be(ChatWorld.AnswerToHi);
    }
}
