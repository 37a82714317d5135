using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Chat;

/// <summary>A chat client over a real pool of fake chat clients, in virtual time.</summary>
internal sealed class ChatWorld
{
    private readonly Dictionary<string, FakeChatClient> _clients = [];

    public ChatWorld(
        int endpoints = 2, Action<EndpointPoolOptions>? configure = null, Action<EndpointPoolChatClientOptions>? chat = null,
        Action<string, EndpointOptions>? endpoint = null, Action<string, ChatEndpointOptions>? chatEndpoint = null)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in Enumerable.Range(0, endpoints).Select(i => ((char)('a' + i)).ToString()))
        {
            _clients[name] = new FakeChatClient(name, Time);
            // The endpoints are in different tiers, so that a test knows which endpoint is tried first.
            options.AddEndpoint(name, _clients[name], e => { e.Tier = e.Name[0] - 'a'; endpoint?.Invoke(name, e); }, c => chatEndpoint?.Invoke(name, c));
        }
        configure?.Invoke(options);
        Pool = new EndpointPool("chat", options, new EndpointPoolParts { TimeProvider = Time });
        Client = Pool.AsChatClient(chat);
    }

    public static IReadOnlyList<ChatMessage> Hi { get; } = [new(ChatRole.User, "hi")];

    public static string AnswerToHi => FakeAnswers.AnswerTo("hi");

    public ManualTimeProvider Time { get; } = new();

    public EndpointPool Pool { get; }

    public EndpointPoolChatClient Client { get; }

    /// <summary>Gets or sets the token of the caller.</summary>
    public CancellationToken Caller { get; set; } = TestContext.Current.CancellationToken;

    public FakeChatClient this[string name] => _clients[name];

    /// <summary>Makes a call, streamed or not, and advances the time until the call ends.</summary>
    public ChatResponse Ask(bool streamed = false, ChatOptions? options = null, IReadOnlyList<ChatMessage>? messages = null) =>
        Time.Run(() => streamed ? Client.GetStreamingResponseAsync(messages ?? Hi, options, Caller).ToChatResponseAsync(Caller) : Client.GetResponseAsync(messages ?? Hi, options, Caller));

    public Exception? Failure(bool streamed = false, ChatOptions? options = null, IReadOnlyList<ChatMessage>? messages = null) =>
        Record.Exception(() => Ask(streamed, options, messages));

    /// <summary>Reads a stream until it ends, with or without an exception.</summary>
    public (List<ChatResponseUpdate> Updates, Exception? Failure) Read(ChatOptions? options = null)
    {
        var updates = new List<ChatResponseUpdate>();
        var failure = Record.Exception(() => Time.Run(async () =>
        {
            await foreach (var update in Client.GetStreamingResponseAsync(Hi, options, Caller))
                updates.Add(update);
        }));
        return (updates, failure);
    }
}
