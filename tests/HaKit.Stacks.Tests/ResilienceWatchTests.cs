using System.ClientModel;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace HaKit.Tests;

/// <summary>The pool warns, by name, of an endpoint whose client object uses an HTTP client with a resilience handler.</summary>
public sealed class ResilienceWatchTests
{
    [Theory(Timeout = 30_000)]
    [InlineData(true, "answer")]
    [InlineData(true, "stream")]
    [InlineData(true, "embedding")]
    [InlineData(false, "answer")]
    public async Task A_handler_that_repeats_below_the_pool_is_named_once(bool hasHandler, string request)
    {
        var token = TestContext.Current.CancellationToken;
        await using var broken = await FakeAiServer.StartAsync(cancellationToken: token);
        await using var well = await FakeAiServer.StartAsync(cancellationToken: token);
        broken.Faults.Always(FakeFault.Status(503));
        using var logs = new LogRecorder { MinimumLevel = LogLevel.Warning };
        var services = new ServiceCollection().AddSingleton(logs.CreateFactory());
        foreach (var (name, server) in ((string, FakeAiServer)[])[("gpt", broken), ("other", well)])
        {
            var client = services.AddHttpClient(name);
            if (hasHandler)
                client.AddStandardResilienceHandler(o => (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (2, TimeSpan.FromMilliseconds(1)));
        }
        services.AddHaEndpointPool("chat", o => (o.Seed, o.Heartbeat.Enabled) = (1, false))
            .AddEndpoint("gpt", provider => Client(provider, "gpt", broken))
            .AddEndpoint("other", provider => Client(provider, "other", well), e => e.Tier = 1);
        services.AddHaEndpointPool("vectors", o => (o.Seed, o.Heartbeat.Enabled) = (1, false))
            .AddEndpoint("gpt", provider => Generator(provider, "gpt", broken))
            .AddEndpoint("other", provider => Generator(provider, "other", well), e => e.Tier = 1);
        services.AddHaChatClient("chat");
        services.AddHaEmbeddingGenerator("vectors");
        await using var provider = services.BuildServiceProvider();

        for (var i = 0; i < 2; i++)
        {
            var chat = provider.GetRequiredService<IChatClient>();
            if (request == "answer")
                (await chat.GetResponseAsync("hi", cancellationToken: token)).Text.Should().NotBeEmpty();
            else if (request == "stream")
                (await chat.GetStreamingResponseAsync("hi", cancellationToken: token).ToChatResponseAsync(token)).Text.Should().NotBeEmpty();
            else
                (await provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().GenerateAsync(["hi"], cancellationToken: token)).Should().ContainSingle();
        }

        var warnings = logs.Entries.Where(e => e.Category == "HaKit.AI").Select(e => e.Message).ToArray();
        if (hasHandler)
            warnings.Should().ContainSingle().Which.Should().Contain("endpoint gpt").And.Contain("gpt-standard").And.Contain("RemoveAllResilienceHandlers");
        else
            warnings.Should().BeEmpty();
    }

    private static IChatClient Client(IServiceProvider provider, string name, FakeAiServer server) =>
        new ChatClient("m", new ApiKeyCredential("k"), OptionsFor(provider, name, server)).AsIChatClient();

    private static IEmbeddingGenerator<string, Embedding<float>> Generator(IServiceProvider provider, string name, FakeAiServer server) =>
        new EmbeddingClient("m", new ApiKeyCredential("k"), OptionsFor(provider, name, server)).AsIEmbeddingGenerator();

    private static OpenAIClientOptions OptionsFor(IServiceProvider provider, string name, FakeAiServer server) =>
        new OpenAIClientOptions { Endpoint = server.OpenAIAddress }.UseHaEndpoint(name, provider.GetRequiredService<IHttpClientFactory>().CreateClient(name));
}
