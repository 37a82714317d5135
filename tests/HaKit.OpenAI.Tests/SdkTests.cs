using System.ClientModel;
using System.Text;
using Anthropic;
using Anthropic.Models.Messages;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>The official SDKs, unchanged, over a pool of two servers, one of which is in trouble.</summary>
public sealed class SdkTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly Dictionary<string, FakeFault> Early = new()
    {
        ["reset"] = FakeFault.Reset,
        ["empty"] = FakeFault.EmptyBody,
        ["500"] = FakeFault.Status(500),
        ["429"] = FakeFaults.OpenAI.RateLimited(),
        ["quota"] = FakeFaults.OpenAI.QuotaExhausted(),
        ["529"] = FakeFaults.Anthropic.Overloaded(),
        ["error in 200"] = FakeFault.ErrorIn200(),
        ["cut"] = FakeFault.CutAfter(0),
        ["end"] = FakeFault.EndAfter(0),
    };

    public static TheoryData<string> Faults() => [.. Early.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Every_fault_of_one_endpoint_is_unseen_through_both_sdks_streamed_or_not(string fault)
    {
        await using var world = await World.StartAsync();
        world.Servers[0].Faults.Always(Early[fault]);
        for (var i = 0; i < 2; i++)
        {
            (await world.OpenAI().CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Ct)).Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("hi"));
            (await Streamed(world.OpenAI())).Should().Be(FakeAnswers.AnswerTo("hi"));
            var message = await world.Anthropic().Messages.Create(Ask(), Ct);
            string.Concat(message.Content.Select(b => b.TryPickText(out var text) ? text.Text : "")).Should().Be(FakeAnswers.AnswerTo("hi", 20));
            (await Streamed(world.Anthropic())).Should().Be(FakeAnswers.AnswerTo("hi", 20));
        }
        world.Servers[1].Counts.AnsweredWhole.Should().BeGreaterThan(0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("end")]
    [InlineData("error")]
    public async Task Failure_13_half_a_stream_is_an_exception_through_both_sdks(string how)
    {
        await using var world = await World.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Always(how == "cut" ? FakeFault.CutAfter(3) : how == "end" ? FakeFault.EndAfter(3) : FakeFault.ErrorEventAfter(3));
        await Streamed(world.OpenAI()).Awaiting(s => s).Should().ThrowAsync<PartialResponseException>();
        await Streamed(world.Anthropic()).Awaiting(s => s).Should().ThrowAsync<PartialResponseException>();
    }

    [Fact]
    public async Task Failure_31_one_call_of_the_sdk_is_one_call_of_the_pool()
    {
        await using var world = await World.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFault.Status(400));
        await world.OpenAI().CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Ct).Awaiting(c => c).Should().ThrowAsync<ClientResultException>();
        world.Servers.Sum(s => s.Counts.Received).Should().Be(1);
    }

    [Fact]
    public async Task Embeddings_uploads_tools_and_synchronous_calls_fail_over_too()
    {
        await using var world = await World.StartAsync();
        world.Servers[0].Faults.Always(FakeFault.Status(503));
        for (var i = 0; i < 2; i++)
        {
            (await world.Client().GetEmbeddingClient("e").GenerateEmbeddingAsync("one", cancellationToken: Ct)).Value.ToFloats().ToArray().Should().Equal(FakeAnswers.EmbeddingOf("one", "e"));
            var content = Enumerable.Range(0, 100_000).Select(b => (byte)(b * 7)).ToArray();
            var file = await world.Client().GetOpenAIFileClient().UploadFileAsync(new MemoryStream(content), "a.bin", global::OpenAI.Files.FileUploadPurpose.Assistants, Ct);
            file.Value.Id.Should().Be(FakeAnswers.FileIdOf(content));
            var tools = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather", "w", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}""")) } };
            (await world.OpenAI().CompleteChatAsync([new UserChatMessage("Paris")], tools, Ct)).Value.ToolCalls.Should().ContainSingle();
            world.OpenAI().CompleteChat([new UserChatMessage("hi")], cancellationToken: Ct).Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("hi"));
        }
    }

    [Fact]
    public async Task Cancelling_a_stream_closes_it_at_the_server()
    {
        await using var world = await World.StartAsync();
        foreach (var server in world.Servers)
            server.Faults.Always(FakeFault.SilentAfter(2));
        using var caller = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            await foreach (var _ in world.OpenAI().CompleteChatStreamingAsync([new UserChatMessage("hi")], cancellationToken: caller.Token))
                caller.Cancel();
        }, Ct);
        await reading.Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
        while (world.Servers.Sum(s => s.Counts.InFlight) > 0)
            await Task.Delay(1, Ct);
        world.Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    private static MessageCreateParams Ask() => new() { Model = "m", MaxTokens = 20, Messages = [new UserMessageParam("hi")] };

    private static async Task<string> Streamed(ChatClient client)
    {
        var text = new StringBuilder();
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage("hi")], cancellationToken: Ct))
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
        return text.ToString();
    }

    private static async Task<string> Streamed(AnthropicClient client)
    {
        var text = new StringBuilder();
        await foreach (var update in client.Messages.CreateStreaming(Ask(), Ct))
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
                text.Append(piece.Text);
        return text.ToString();
    }

    private sealed class World : IAsyncDisposable
    {
        private HttpClient? _http;

        public required FakeAiServer[] Servers { get; init; }

        public required EndpointPool Pool { get; init; }

        public static async Task<World> StartAsync()
        {
            FakeAiServer[] servers = [await FakeAiServer.StartAsync(cancellationToken: Ct), await FakeAiServer.StartAsync(cancellationToken: Ct)];
            var options = new EndpointPoolOptions { Seed = 1 };
            options.Heartbeat.Enabled = false;
            for (var i = 0; i < servers.Length; i++)
                options.Endpoints.Add(new EndpointOptions { Name = $"s{i}", Address = servers[i].Address.ToString() });
            return new World { Servers = servers, Pool = new EndpointPool("sdk", options) };
        }

        public OpenAIClient Client() => new(new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = new Uri(Pool.Origin, "v1") }.UseHaEndpointPool(Pool));

        public ChatClient OpenAI() => Client().GetChatClient("m");

        public AnthropicClient Anthropic() => new() { ApiKey = "k", BaseUrl = Pool.Origin.ToString(), HttpClient = _http ??= Pool.CreateHttpClient(), MaxRetries = 0 };

        public async ValueTask DisposeAsync()
        {
            _http?.Dispose();
            await Pool.DisposeAsync();
            foreach (var server in Servers)
                await server.DisposeAsync();
        }
    }
}
