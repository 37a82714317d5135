using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>A call keeps the messages with which it was begun, also for attempts that start later.</summary>
public sealed class CallerChangeTests
{
    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_that_can_be_enumerated_once_are_sent_to_each_endpoint(bool streamed)
    {
        var world = new ChatWorld();
        world["a"].Faults.Next(1, FakeFault.Refused);
        var enumerations = 0;
        Ask(world, streamed, Once()).Text.Should().Be(ChatWorld.AnswerToHi);
        enumerations.Should().Be(1);
        world["b"].Requests.Should().ContainSingle().Which.Prompt.Should().Be("hi");

        IEnumerable<ChatMessage> Once()
        {
            enumerations++;
            yield return new ChatMessage(ChatRole.User, "hi");
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_list_that_the_caller_clears_during_the_call_is_sent_whole_to_the_next_endpoint(bool streamed)
    {
        var messages = new List<ChatMessage> { new(ChatRole.System, "be brief"), new(ChatRole.User, "hi") };
        var world = new ChatWorld();
        world["a"].Answer = _ =>
        {
            messages.Clear();
            throw new HttpRequestException(HttpRequestError.ConnectionError);
        };
        Ask(world, streamed, messages);
        world["b"].Requests.Should().ContainSingle().Which.Messages.Should().HaveCount(2);
    }

    [Fact(Timeout = 30_000)]
    public void Texts_that_the_caller_clears_during_the_call_are_embedded_by_the_next_endpoint()
    {
        var time = new ManualTimeProvider();
        var texts = new List<string> { "one", "two" };
        using var first = new ClearingGenerator(texts);
        using var second = new FakeEmbeddingGenerator("b", time);
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        options.AddEndpoint("a", first).AddEndpoint("b", second, e => e.Tier = 1);
        using var pool = new EndpointPool("embeddings", options, new EndpointPoolParts { TimeProvider = time });
        time.Run(() => pool.AsEmbeddingGenerator().GenerateAsync(texts)).Should().HaveCount(2);
    }

    private sealed class ClearingGenerator(List<string> texts) : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            texts.Clear();
            throw new HttpRequestException(HttpRequestError.ConnectionError);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private static ChatResponse Ask(ChatWorld world, bool streamed, IEnumerable<ChatMessage> messages) => world.Time.Run(() => streamed
        ? world.Client.GetStreamingResponseAsync(messages).ToChatResponseAsync()
        : world.Client.GetResponseAsync(messages));
}
