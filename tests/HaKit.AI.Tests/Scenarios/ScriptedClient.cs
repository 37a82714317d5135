using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests.Scenarios;

/// <summary>A chat client whose behaviour is given by two functions.</summary>
internal sealed class ScriptedClient : IChatClient
{
    public Func<ChatOptions?, CancellationToken, Task<ChatResponse>> Respond { get; set; } = static (_, _) => Task.FromResult(Ok());

    public Func<ChatOptions?, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> Stream { get; set; } = static (_, _) => Updates(Text("ok"), End());

    public int Calls { get; private set; }

    public bool IsDisposed { get; private set; }

    public static ChatResponse Ok(string text = "ok") => new(new ChatMessage(ChatRole.Assistant, text)) { FinishReason = ChatFinishReason.Stop };

    public static ChatResponseUpdate Text(string text) => new(ChatRole.Assistant, text);

    public static ChatResponseUpdate End() => new() { FinishReason = ChatFinishReason.Stop };

    public static ScriptedClient Failing(Exception? failure = null)
    {
        failure ??= new InvalidOperationException("failed");
        return new() { Respond = (_, _) => throw failure, Stream = (_, _) => Throwing(failure) };
    }

    public static async IAsyncEnumerable<ChatResponseUpdate> Updates(params ChatResponseUpdate[] updates)
    {
        await Task.CompletedTask;
        foreach (var update in updates)
            yield return update;
    }

    public static async IAsyncEnumerable<ChatResponseUpdate> Throwing(Exception failure, params ChatResponseUpdate[] first)
    {
        await Task.CompletedTask;
        foreach (var update in first)
            yield return update;
        throw failure;
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Calls++;
        return Respond(options, cancellationToken);
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Calls++;
        return Stream(options, cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() => IsDisposed = true;
}

/// <summary>A stream that fails at a given place, and counts how often it is disposed.</summary>
internal sealed class OddStream(string where, Exception failure, params ChatResponseUpdate[] updates) : IAsyncEnumerable<ChatResponseUpdate>, IAsyncEnumerator<ChatResponseUpdate>
{
    private int _at = -1;

    public int Disposed { get; private set; }

    public ChatResponseUpdate Current => where == "current" ? throw failure : updates[_at];

    public IAsyncEnumerator<ChatResponseUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default) => where == "enumerator" ? throw failure : this;

    public ValueTask<bool> MoveNextAsync() =>
        ++_at < updates.Length ? new(true)
        : where == "move" ? ValueTask.FromException<bool>(failure)
        : new(where == "current" && _at == 0);

    public ValueTask DisposeAsync()
    {
        Disposed++;
        return where == "dispose" ? ValueTask.FromException(failure) : default;
    }
}

/// <summary>A chat client over a pool of scripted clients, which are used in order, in virtual time.</summary>
internal sealed class Line
{
    public HaKit.Testing.ManualTimeProvider Time { get; } = new();

    public Line(params IChatClient[] clients) : this(null, null, clients)
    {
    }

    public Line(Action<EndpointPoolOptions>? configure, Action<EndpointPoolParts>? parts, params IChatClient[] clients)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false }, Selection = { StrictTiers = true } };
        for (var i = 0; i < clients.Length; i++)
            options.AddEndpoint($"{i}", clients[i], e => e.Tier = i);
        configure?.Invoke(options);
        var made = new EndpointPoolParts { TimeProvider = Time };
        parts?.Invoke(made);
        Options = options;
        Pool = new EndpointPool("line", options, made);
        Chat = Pool.AsChatClient();
    }

    public EndpointPoolOptions Options { get; }

    public EndpointPool Pool { get; }

    public EndpointPoolChatClient Chat { get; }

    public CancellationToken Caller { get; set; } = TestContext.Current.CancellationToken;

    public ChatResponse Ask(bool streamed, ChatOptions? options = null) => Time.Run(() =>
        streamed ? Chat.GetStreamingResponseAsync([new(ChatRole.User, "hi")], options, Caller).ToChatResponseAsync(CancellationToken.None) : Chat.GetResponseAsync([new(ChatRole.User, "hi")], options, Caller));

    public Exception? Failure(bool streamed, ChatOptions? options = null) => Record.Exception(() => Ask(streamed, options));

    public void Run(Func<Task> work) => Time.Run(work);

    public int InFlight => Pool.Explain(RequestProfile.Default).Sum(e => e.InFlight);
}
