using System.ClientModel;
using System.Collections.Concurrent;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace HaKit.Tests;

/// <summary>Tests the official SDK over a pool, on real sockets.</summary>
public sealed class EndpointPoolClientPipelineTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_connection_is_answered_by_the_next_endpoint()
    {
        await using var dead = await FakeAiServer.StartAsync(cancellationToken: Token);
        await using var alive = await FakeAiServer.StartAsync(cancellationToken: Token);
        await using var pool = Pool(dead, alive);
        await dead.StopAsync();

        for (var i = 0; i < 4; i++)
        {
            ChatCompletion answer = await Chat(pool).CompleteChatAsync([new UserChatMessage($"question {i}")], cancellationToken: Token);
            answer.Content[0].Text.Should().Be(FakeAnswers.AnswerTo($"question {i}"));
        }
        alive.Counts.Received.Should().Be(4);
    }

    [Fact]
    public async Task The_SDKs_own_retries_do_not_multiply_ours()
    {
        await using var first = await FakeAiServer.StartAsync(cancellationToken: Token);
        await using var second = await FakeAiServer.StartAsync(cancellationToken: Token);
        first.Faults.Always(FakeFaults.OpenAI.ServerError());
        second.Faults.Always(FakeFaults.OpenAI.ServerError());
        await using var pool = Pool(first, second, o => o.Retry = new RetryOptions { MaxRetryAttempts = 1 });

        var call = async () => await Chat(pool).CompleteChatAsync([new UserChatMessage("no")], cancellationToken: Token);

        var refused = (await call.Should().ThrowAsync<NoEndpointAvailableException>("what the pool refuses reaches the caller as it is")).Which;
        refused.Attempts.Should().HaveCount(2).And.OnlyContain(a => a.Fault!.Kind == FaultKind.ServerError);
        (first.Counts.Received, second.Counts.Received).Should().Be((1, 1));
    }

    [Fact]
    public async Task The_SDKs_key_and_path_reach_the_endpoint_unless_it_has_its_own()
    {
        var seen = new ConcurrentQueue<FakeRequest>();
        await using var server = await FakeAiServer.StartAsync(new FakeAiOptions { Observe = seen.Enqueue }, cancellationToken: Token);
        var options = new EndpointPoolOptions
        {
            Origin = "https://api.example/openai/v1",
            Endpoints = [new EndpointOptions { Name = "a", Address = server.OpenAIAddress + "/", ForwardCallerCredential = true }],
            Heartbeat = new HeartbeatOptions { Enabled = false },
        };
        await using var callers = new EndpointPool("callers", options);
        options.Endpoints[0].Headers["Authorization"] = "Bearer own";
        await using var own = new EndpointPool("own", options);

        foreach (var pool in new[] { callers, own })
        {
            var vector = await new EmbeddingClient("m", new ApiKeyCredential("callers"), new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool))
                .GenerateEmbeddingAsync("text", cancellationToken: Token);
            vector.Value.ToFloats().ToArray().Should().Equal(FakeAnswers.EmbeddingOf("text", "m"));
        }

        seen.Select(r => r.Path).Should().Equal("/v1/embeddings", "/v1/embeddings");
        seen.Select(r => r.ApiKey).Should().Equal("callers", "own");
    }

    [Fact]
    public async Task The_SDKs_network_timeout_is_out_of_the_way()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: Token);
        await using var pool = Pool(server, server);

        var options = new OpenAIClientOptions { Endpoint = pool.Origin, NetworkTimeout = TimeSpan.FromMilliseconds(1) }.UseHaEndpointPool(pool);
        server.Faults.Always(FakeFault.Latency(TimeSpan.FromMilliseconds(50)));
        ChatCompletion answer = await new ChatClient("m", new ApiKeyCredential("x"), options).CompleteChatAsync([new UserChatMessage("slow")], cancellationToken: Token);

        options.NetworkTimeout.Should().Be(Timeout.InfiniteTimeSpan);
        answer.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("slow"));
    }

    private static ChatClient Chat(EndpointPool pool) =>
        new("m", new ApiKeyCredential("x"), new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));

    private static EndpointPool Pool(FakeAiServer first, FakeAiServer second, Action<EndpointPoolOptions>? configure = null)
    {
        var options = new EndpointPoolOptions
        {
            Seed = 1,
            Endpoints =
            [
                new EndpointOptions { Name = "first", Address = first.OpenAIAddress.AbsoluteUri },
                new EndpointOptions { Name = "second", Address = second.OpenAIAddress.AbsoluteUri },
            ],
            Heartbeat = new HeartbeatOptions { Enabled = false },
        };
        configure?.Invoke(options);
        return new EndpointPool("sdk", options);
    }
}
