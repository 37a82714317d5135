using BenchmarkDotNet.Attributes;
using HaKit.AI;
using Microsoft.Extensions.AI;

namespace HaKit.Benchmarks;

/// <summary>
/// Compares a chat call through a pool of three endpoints with a call to the same in-memory client. Does the same for one further update of an endless stream.
/// The differences are the cost of the pool.
/// </summary>
[MemoryDiagnoser, MinColumn]
#pragma warning disable CA1001 // The pool lives as long as the process.
public class AiBenchmarks
#pragma warning restore CA1001
{
    private readonly InMemoryClient _client = new();
    private readonly EndpointPoolChatClient _pool;
    private readonly ChatMessage[] _messages = [new(ChatRole.System, "You are brief."), new(ChatRole.User, "What is a lease, and why does it end with the stream?")];
    private readonly ChatOptions _options = new() { MaxOutputTokens = 500, Temperature = 0.2f };
    private readonly IAsyncEnumerator<ChatResponseUpdate> _aloneEndless;
    private readonly IAsyncEnumerator<ChatResponseUpdate> _poolEndless;

    public AiBenchmarks()
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b", "c"])
            options.AddEndpoint(name, _client, e => e.ContextWindow = 100_000);
        _pool = new EndpointPool("bench", options).AsChatClient();
        _client.Updates = int.MaxValue;
        _aloneEndless = _client.GetStreamingResponseAsync(_messages, _options).GetAsyncEnumerator();
        _poolEndless = _pool.GetStreamingResponseAsync(_messages, _options).GetAsyncEnumerator();
        if (!Client_alone_update().AsTask().Result || !Pool_update().AsTask().Result)
            throw new InvalidOperationException("The streams are not open.");
        _client.Updates = 1;
    }

    [Benchmark(Baseline = true)]
    public Task<ChatResponse> Client_alone() => _client.GetResponseAsync(_messages, _options);

    [Benchmark]
    public Task<ChatResponse> Pool() => _pool.GetResponseAsync(_messages, _options);

    [Benchmark]
    public async ValueTask<int> Pool_stream_of_one()
    {
        var count = 0;
        await foreach (var update in _pool.GetStreamingResponseAsync(_messages, _options).ConfigureAwait(false))
            count += update.Contents.Count;
        return count;
    }

    [Benchmark]
    public ValueTask<bool> Client_alone_update() => _aloneEndless.MoveNextAsync();

    [Benchmark]
    public ValueTask<bool> Pool_update() => _poolEndless.MoveNextAsync();

    /// <summary>Answers at once, with the same answer each time.</summary>
    private sealed class InMemoryClient : IChatClient
    {
        private static readonly ChatResponseUpdate Text = new(ChatRole.Assistant, "word");
        private static readonly ChatResponseUpdate End = new(ChatRole.Assistant, [new UsageContent(new() { InputTokenCount = 20, OutputTokenCount = 100 })]) { FinishReason = ChatFinishReason.Stop };

        public int Updates { get; set; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "yes")) { FinishReason = ChatFinishReason.Stop, Usage = new() { InputTokenCount = 20, OutputTokenCount = 1 } });

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var updates = Updates;
            for (var i = 0; i < updates; i++)
                yield return Text;
            yield return End;
            await Task.CompletedTask.ConfigureAwait(false);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
