using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using OpenAI;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>
/// Streams come over real sockets from three servers. One server cuts 30 of 100 streams, one server goes down and comes back, and one server sends an error
/// event after three chunks. With continuation every text arrives whole; without it the cuts reach the callers.
/// </summary>
public sealed class CutStreamsOverSocketsTests
{
    private const int Calls = 792;
    private const int Length = 30;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("OpenAI SDK", true)]
    [InlineData("IChatClient", true)]
    [InlineData("plain HTTP", true)]
    [InlineData("Anthropic over plain HTTP", true)]
    [InlineData("OpenAI SDK", false)]
    [InlineData("IChatClient", false)]
    [InlineData("plain HTTP", false)]
    public async Task Texts_are_whole_and_exactly_right(string client, bool continues)
    {
        await using var world = await World.StartAsync(client == "IChatClient", continues);
        var lost = 0;
        var cutByAll = 0; // an answer is continued at most twice, and each of the three servers may cut it
        var wrong = 0;
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var call = Interlocked.Increment(ref next); call <= Calls; call = Interlocked.Increment(ref next))
            {
                var prompt = $"question {call}";
                try
                {
                    var text = await world.AskAsync(client, prompt);
                    if (text == FakeAnswers.AnswerTo(prompt, Length))
                        continue;
                    Interlocked.Increment(ref wrong);
                    TestContext.Current.TestOutputHelper!.WriteLine($"expected: {FakeAnswers.AnswerTo(prompt, Length)}\nbut got:  {text}");
                }
                catch (Exception exception) when (exception is PartialResponseException || exception.InnerException is PartialResponseException)
                {
                    if (continues && (exception as PartialResponseException ?? exception.InnerException as PartialResponseException) is { NotContinued: NotContinuedReason.TooManySeams })
                        Interlocked.Increment(ref cutByAll);
                    else
                        Interlocked.Increment(ref lost);
                    TestContext.Current.TestOutputHelper!.WriteLine(exception.Message);
                }
            }
        })));
        var seams = world.Seams;
        TestContext.Current.TestOutputHelper!.WriteLine($"{client}, continuation {(continues ? "on" : "off")}: {Calls - lost - cutByAll - wrong} of {Calls} whole, {lost} lost, {cutByAll} cut by all three servers, {wrong} wrong, {seams} seams");
        wrong.Should().Be(0);
        cutByAll.Should().BeLessThan(Calls / 100);
        if (continues)
            (lost, seams > 0).Should().Be((0, true));
        else
            lost.Should().BeGreaterThan(0);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly FakeAiServer[] _servers;
        private readonly EndpointPool _pool;
        private readonly HttpClient _http;
        private readonly IChatClient? _chat;
        private readonly PoolEventSubscription _events;
        private readonly CancellationTokenSource _end = new();
        private readonly Task _flapping;
        private readonly Task _counting;
        private int _seams;

        private World(FakeAiServer[] servers, bool isChat, bool continues)
        {
            _servers = servers;
            var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
            options.Streaming.Continuation = continues ? StreamContinuation.On : StreamContinuation.Off;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(60);
            for (var i = 0; i < servers.Length; i++)
            {
                var name = $"s{i}";
                if (isChat)
                    options.AddEndpoint(name, ClientOf(servers[i]), e => e.Continuation = Continuation.AssistantPrefix);
                else
                    options.Endpoints.Add(new EndpointOptions { Name = name, Address = servers[i].Address.ToString(), Continuation = Continuation.AssistantPrefix });
            }
            _pool = new EndpointPool("cuts", options);
            _http = isChat ? new HttpClient() : _pool.CreateHttpClient();
            _chat = isChat ? _pool.AsChatClient() : null;
            _events = _pool.Events.Subscribe(100_000);
            _flapping = FlapAsync(servers[1]);
            _counting = CountAsync();
        }

        public int Seams => Volatile.Read(ref _seams);

        public static async Task<World> StartAsync(bool isChat, bool continues)
        {
            FakeAiServer[] servers =
            [
                await FakeAiServer.StartAsync(new() { Name = "s0", Seed = 11 }, cancellationToken: Ct),
                await FakeAiServer.StartAsync(new() { Name = "s1", Seed = 12 }, cancellationToken: Ct),
                await FakeAiServer.StartAsync(new() { Name = "s2", Seed = 13 }, cancellationToken: Ct),
            ];
            servers[0].Faults.Add(new(FakeFault.TornAfter(9)) { Probability = 0.1 });
            servers[0].Faults.Add(new(FakeFault.CutAfter(5)) { Probability = 0.1 });
            servers[0].Faults.Add(new(FakeFault.EndAfter(20)) { Probability = 0.1 });
            servers[2].Faults.Always(FakeFault.ErrorEventAfter(3));
            return new World(servers, isChat, continues);
        }

        public Task<string> AskAsync(string client, string prompt) => client switch
        {
            "OpenAI SDK" => AskSdkAsync(prompt),
            "IChatClient" => AskChatAsync(prompt),
            "plain HTTP" => AskHttpAsync(prompt, "v1/chat/completions"),
            _ => AskHttpAsync(prompt, "v1/messages"),
        };

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _flapping;
            await _pool.DisposeAsync();
            await _counting;
            _http.Dispose();
            _end.Dispose();
            foreach (var server in _servers)
                await server.DisposeAsync();
        }

        private static IChatClient ClientOf(FakeAiServer server) => new OpenAIClient(
            new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = server.OpenAIAddress, RetryPolicy = new ClientRetryPolicy(0) }).GetChatClient("m").AsIChatClient();

        private async Task<string> AskSdkAsync(string prompt)
        {
            var client = new OpenAIClient(new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = new Uri(_pool.Origin, "v1") }.UseHaEndpointPool(_pool)).GetChatClient("m");
            var text = new StringBuilder();
            await foreach (var update in client.CompleteChatStreamingAsync([new OpenAI.Chat.UserChatMessage(prompt)], new() { MaxOutputTokenCount = Length }, Ct))
            {
                foreach (var part in update.ContentUpdate)
                    text.Append(part.Text);
            }
            return text.ToString();
        }

        private async Task<string> AskChatAsync(string prompt)
        {
            var text = new StringBuilder();
            await foreach (var update in _chat!.GetStreamingResponseAsync(prompt, new() { MaxOutputTokens = Length }, Ct))
                text.Append(update.Text);
            return text.ToString();
        }

        private async Task<string> AskHttpAsync(string prompt, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_pool.Origin, path))
            {
                Content = JsonContent.Create(new { model = "m", stream = true, max_tokens = Length, messages = new[] { new { role = "user", content = prompt } } }),
            };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
            var text = new StringBuilder();
            var ids = new HashSet<string>();
            while (await reader.ReadLineAsync(Ct) is { } line)
            {
                if (!line.StartsWith("data: {", StringComparison.Ordinal))
                    continue;
                using var data = JsonDocument.Parse(line[6..]);
                var root = data.RootElement;
                if (root.TryGetProperty("choices", out var choices))
                {
                    ids.Add(root.GetProperty("id").GetString()!);
                    foreach (var choice in choices.EnumerateArray())
                        text.Append(choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : "");
                }
                else if (root.TryGetProperty("delta", out var delta) && delta.TryGetProperty("text", out var piece))
                {
                    text.Append(piece.GetString());
                }
            }
            ids.Count.Should().BeLessThan(2);
            return text.ToString();
        }

        private async Task FlapAsync(FakeAiServer server)
        {
            while (!_end.IsCancellationRequested)
            {
                await Task.Delay(400);
                await server.KillAsync();
                await Task.Delay(200);
                await server.RestartAsync();
            }
        }

        private async Task CountAsync()
        {
            await foreach (var happened in _events)
            {
                if (happened is AnswerContinued)
                    Interlocked.Increment(ref _seams);
            }
        }
    }
}
