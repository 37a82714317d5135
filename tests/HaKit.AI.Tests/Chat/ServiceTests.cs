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

    [Fact]
    public void An_endpoint_s_model_in_metadata_is_the_one_that_is_sent()
    {
        var world = new ChatWorld(1, endpoint: (_, e) => e.Model = "deployment-1");

        world.Client.GetService<ChatClientMetadata>()!.DefaultModelId.Should().Be("deployment-1");
        world.Ask().ModelId.Should().Be("deployment-1");
    }

    [Fact]
    public void Disposing_the_chat_client_leaves_pool_and_clients_alone()
    {
        var world = new ChatWorld();
        world.Client.Dispose();

        world.Ask().Text.Should().Be(ChatWorld.AnswerToHi);
    }
}
