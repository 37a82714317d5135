using BenchmarkDotNet.Attributes;
using HaKit.AI;
using Microsoft.Extensions.AI;

namespace HaKit.Benchmarks;

/// <summary>
/// A chat call through a pool of three beside one to the same in-memory client: the difference is what the pool adds. Of a stream of 1,001 updates the pool's costs are
/// those of opening it and of each update; the stream of one update tells the first.
/// </summary>
[MemoryDiagnoser, MinColumn]
#pragma warning disable CA1001 // The pool lives as long as the process.
public class AiBenchmarks
#pragma warning restore CA1001
{
    private const int Updates = 1000;

    private readonly InMemoryClient _client = new();
    private readonly EndpointPoolChatClient _pool;
    private readonly ChatMessage[] _messages = [new(ChatRole.System, "You are brief."), new(ChatRole.User, "What is a lease, and why does it end with the stream?")];
    private readonly ChatOptions _options = new() { MaxOutputTokens = 500, Temperature = 0.2f };

    public AiBenchmarks()
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b", "c"])
            options.AddEndpoint(name, _client, e => e.ContextWindow = 100_000);
        _pool = new EndpointPool("bench", options).AsChatClient();
    }

    [Benchmark(Baseline = true)]
    public Task<ChatResponse> Client_alone() => _client.GetResponseAsync(_messages, _options);

    [Benchmark]
    public Task<ChatResponse> Pool() => _pool.GetResponseAsync(_messages, _options);

    [Benchmark]
    public ValueTask<int> Client_alone_streaming() => Count(_client, Updates);

    [Benchmark]
    public ValueTask<int> Pool_streaming() => Count(_pool, Updates);

    [Benchmark]
    public ValueTask<int> Pool_streaming_one() => Count(_pool, 1);

    private async ValueTask<int> Count(IChatClient client, int updates)
    {
        _client.Updates = updates;
        var count = 0;
        await foreach (var update in client.GetStreamingResponseAsync(_messages, _options).ConfigureAwait(false))
            count += update.Contents.Count;
        return count;
    }

    /// <summary>Answers at once, the same each time.</summary>
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
            for (var i = 0; i < Updates; i++)
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
