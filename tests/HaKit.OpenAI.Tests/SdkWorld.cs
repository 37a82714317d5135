using System.ClientModel;
using System.Text;
using Anthropic;
using Anthropic.Models.Messages;
using HaKit.Testing;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>The SDK that makes the calls.</summary>
public enum Sdk
{
    OpenAI,
    Anthropic,
}

/// <summary>
/// Runs two servers on real sockets, and a pool over them whose clock the test advances. The first server is preferred. The official SDKs make the calls.
/// </summary>
internal sealed class SdkWorld : IAsyncDisposable
{
    private readonly List<HttpClient> _clients = [];

    private readonly ManualTimeProvider _time = new();
    private bool _ownsServers;

    private SdkWorld(FakeAiServer[] servers, Action<EndpointPoolOptions>? configure, TimeProvider? time = null)
    {
        Servers = servers;
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        for (var i = 0; i < servers.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"s{i}", Address = servers[i].Address.ToString(), Tier = i });
        configure?.Invoke(options);
        Pool = new EndpointPool("sdk", options, new EndpointPoolParts { TimeProvider = time ?? _time });
    }

    public FakeAiServer[] Servers { get; }

    public EndpointPool Pool { get; }

    /// <summary>Creates the world with its own servers.</summary>
    public static async Task<SdkWorld> StartAsync()
    {
        var token = TestContext.Current.CancellationToken;
        return new([await FakeAiServer.StartAsync(cancellationToken: token), await FakeAiServer.StartAsync(cancellationToken: token)], null) { _ownsServers = true };
    }

    public static SdkWorld Over(FakeAiServer[] servers, Action<EndpointPoolOptions>? configure = null, TimeProvider? time = null) => new(servers, configure, time);

    public OpenAIClient Client() => new(new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = new Uri(Pool.Origin, "v1") }.UseHaEndpointPool(Pool));

    public ChatClient OpenAI() => Client().GetChatClient("m");

    public AnthropicClient Anthropic()
    {
        var http = Pool.CreateHttpClient();
        _clients.Add(http);
        return new() { ApiKey = "k", BaseUrl = Pool.Origin.ToString(), HttpClient = http, MaxRetries = 0 };
    }

    /// <summary>Sends "hi" with a limit of 20 tokens, and returns the whole text of the answer.</summary>
    public Task<string> AskAsync(Sdk sdk, bool streamed) => sdk == Sdk.OpenAI ? AskOpenAI(streamed) : AskAnthropic(streamed);

    public static string Answer { get; } = FakeAnswers.AnswerTo("hi", 20);

    /// <summary>
    /// Gets whether the second server is idle. While the second server works, the time must not advance; otherwise the result would depend on the load of the
    /// machine.
    /// </summary>
    public bool IsStandbyIdle => Pool.Explain(RequestProfile.Default)[1].InFlight == 0;

    /// <summary>Advances the pool's time while <paramref name="mayPass"/> returns true, until the call has ended. So no silence takes real time.</summary>
    public async Task<T> PassTimeAsync<T>(Task<T> call, Func<bool> mayPass)
    {
        while (!call.IsCompleted)
        {
            if (mayPass())
                _time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(call, Task.Delay(2, TestContext.Current.CancellationToken));
        }
        return await call;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await Pool.DisposeAsync();
        if (_ownsServers)
        {
            foreach (var server in Servers)
                await server.DisposeAsync();
        }
    }

    private async Task<string> AskOpenAI(bool streamed)
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 20 };
        if (!streamed)
            return (await OpenAI().CompleteChatAsync([new UserChatMessage("hi")], options, TestContext.Current.CancellationToken)).Value.Content[0].Text;
        var text = new StringBuilder();
        await foreach (var update in OpenAI().CompleteChatStreamingAsync([new UserChatMessage("hi")], options, TestContext.Current.CancellationToken))
        {
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
        }

        return text.ToString();
    }

    private async Task<string> AskAnthropic(bool streamed)
    {
        var ask = new MessageCreateParams { Model = "m", MaxTokens = 20, Messages = [new UserMessageParam("hi")] };
        if (!streamed)
            return string.Concat((await Anthropic().Messages.Create(ask, TestContext.Current.CancellationToken)).Content.Select(b => b.TryPickText(out var text) ? text.Text : ""));
        var text = new StringBuilder();
        await foreach (var update in Anthropic().Messages.CreateStreaming(ask, TestContext.Current.CancellationToken))
        {
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
                text.Append(piece.Text);
        }

        return text.ToString();
    }
}

/// <summary>Two servers for a whole class of tests.</summary>
public sealed class TwoServers : IAsyncLifetime
{
    public FakeAiServer[] Servers { get; private set; } = [];

    public async ValueTask InitializeAsync() => Servers = [await FakeAiServer.StartAsync(), await FakeAiServer.StartAsync()];

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
            await server.DisposeAsync();
    }
}
