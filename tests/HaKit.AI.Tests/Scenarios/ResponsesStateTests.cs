#pragma warning disable OPENAI001 // The SDK marks the Responses API as experimental.
using System.ClientModel;
using System.Collections.Concurrent;
using HaKit.Tests.Http;
using Microsoft.Extensions.AI;
using OpenAI;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>The Responses API over real sockets, three endpoints, the OpenAI SDK over the pool's HTTP client, and M.E.AI's function invocation on top.</summary>
public sealed class ResponsesStateTests
{
    private const int ToolRounds = 5;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // The calls are not streamed, because M.E.AI's adapter does not find the streaming method in the referenced version of the SDK. The tests over plain HTTP also
    // test streams.
    [Fact(Timeout = 300_000)]
    public async Task A_hundred_conversations_of_five_tool_rounds_lose_none_while_all_endpoints_are_healthy()
    {
        await using var world = new World(isShared: false);
        for (var i = 0; i < 100; i++)
            (await world.AskAsync()).Should().Be($"rounds: {ToolRounds}");
        world.Servers.Sum(s => s.Refused).Should().Be(0);
        world.Servers.Should().OnlyContain(s => s.Asked > 0);
    }

    [Theory(Timeout = 300_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_the_maker_killed_in_the_middle_the_conversation_ends_with_the_typed_exception_or_is_served_where_stores_are_shared(bool isShared)
    {
        await using var world = new World(isShared);
        world.AtRound = round =>
        {
            if (round == 2)
                world.Servers.MaxBy(s => s.Asked)!.Dispose();
        };
        if (isShared)
            (await world.AskAsync()).Should().Be($"rounds: {ToolRounds}");
        else
            (await world.Awaiting(w => w.AskAsync()).Should().ThrowAsync<StateNotPortableException>()).Which.Kind.Should().Be(StateKind.Conversation);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly EndpointPool _pool;
        private readonly IChatClient _chat;
        private readonly AIFunction _tool;
        private int _round;

        public World(bool isShared)
        {
            var store = isShared ? new ConcurrentDictionary<string, int>() : null;
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, TotalRequestTimeout = { Timeout = TimeSpan.FromSeconds(5) } };
            options.Selection.Preset = HaKit.Selection.SelectionPreset.RoundRobin;
            for (var i = 0; i < 3; i++)
            {
                Servers.Add(new ResponsesServer($"e{i}", ToolRounds, store));
                options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = Servers[i].Address.AbsoluteUri, Account = isShared ? "one" : $"account {i}" });
            }
            _pool = new EndpointPool("p", options);
            var client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = _pool.Origin }.UseHaEndpointPool(_pool));
            _chat = client.GetResponsesClient().AsIChatClient("m").AsBuilder().UseFunctionInvocation().Build();
            _tool = AIFunctionFactory.Create(() =>
            {
                AtRound?.Invoke(++_round);
                return "done";
            }, "work");
        }

        public List<ResponsesServer> Servers { get; } = [];

        public Action<int>? AtRound { get; set; }

        public async Task<string> AskAsync()
        {
            _round = 0;
            return (await _chat.GetResponseAsync("hi", new ChatOptions { Tools = [_tool] }, Ct)).Text;
        }

        public async ValueTask DisposeAsync()
        {
            _chat.Dispose();
            foreach (var server in Servers)
                server.Dispose();
            await _pool.DisposeAsync();
        }
    }
}
