using HaKit.Testing;
using HaKit.Tests.Options;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests;

/// <summary>Each extreme number in the options of a client or a generator is refused by name, or calls are served with it. The numbers are found by reflection.</summary>
public sealed class NumberTests
{
    private static readonly string[] s_texts = [.. Enumerable.Range(0, 40).Select(static i => $"text {i}")];

    public static TheoryData<string> OfChat => NamesOf(NewChat());

    public static TheoryData<string> OfEmbeddings => NamesOf(NewEmbeddings());

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfChat))]
    public async Task A_chat_client_refuses_an_extreme_number_by_name_or_serves(string path)
    {
        await Task.CompletedTask;
        Check(path, NewChat, (pool, time, options) =>
        {
            var client = new EndpointPoolChatClient(pool, options);
            for (var i = 0; i < 3; i++)
            {
                time.Run(() => client.GetResponseAsync("hello", i == 0 ? null : new ChatOptions { ConversationId = $"c{i}" }.UseHaProfile(options.Profile with { Endpoints = ["a"] })));
                time.Run(async () =>
                {
                    await foreach (var _ in client.GetStreamingResponseAsync("hello").ConfigureAwait(false))
                    {
                    }
                });
            }
        });
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(OfEmbeddings))]
    public async Task An_embedding_generator_refuses_an_extreme_number_by_name_or_serves(string path)
    {
        await Task.CompletedTask;
        Check(path, NewEmbeddings, (pool, time, options) =>
        {
            var generator = new EndpointPoolEmbeddingGenerator(pool, options);
            // Vectors of another length than the one that the options name are not returned.
            if (options.Dimensions is not null and not 16)
                time.Invoking(t => t.Run(() => generator.GenerateAsync(s_texts))).Should().Throw<EmbeddingMismatchException>();
            else
                time.Run(() => generator.GenerateAsync(s_texts)).Should().HaveCount(s_texts.Length);
        });
    }

    // Reflection changes the profile in place, so it must not be the shared default.
    private static EndpointPoolChatClientOptions NewChat() => new() { Profile = new RequestProfile() };

    private static EndpointPoolEmbeddingOptions NewEmbeddings() => new() { Profile = new RequestProfile() };

    private static TheoryData<string> NamesOf(object options) => [.. NumberSetting.FindAll(options).Select(static s => s.Path)];

    private static void Check<T>(string path, Func<T> create, Action<EndpointPool, ManualTimeProvider, T> call)
        where T : class
    {
        var setting = NumberSetting.FindAll(create()).Single(s => s.Path == path);
        foreach (var value in setting.Extremes())
        {
            var options = create();
            setting.Set(options, value);
            var time = new ManualTimeProvider();
            using var chat = new FakeChatClient("a", time);
            using var embeddings = new FakeEmbeddingGenerator("b", time);
            var endpoints = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            if (options is EndpointPoolChatClientOptions)
                endpoints.AddEndpoint("a", chat);
            else
                endpoints.AddEndpoint("b", embeddings);
            using var pool = new EndpointPool("pool", endpoints, new EndpointPoolParts { TimeProvider = time });
            try
            {
                call(pool, time, options);
            }
            catch (ArgumentException refused) when (refused.Message.Contains(setting.Name, StringComparison.Ordinal))
            {
                // refused by name
            }
            catch (EndpointPoolException) when (path.StartsWith("Profile:", StringComparison.Ordinal))
            {
                // a deadline of a tick, more tokens than an endpoint has
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"{path} is {NumberSetting.Shown(value)}", exception);
            }
        }
    }
}
