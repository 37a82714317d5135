using HaKit.AI;
using HaKit.Batch.Journal;
using HaKit.Batch.Stores;
using HaKit.Batch.Tests.Journal;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Tests.Running;

internal sealed record Review(string Id, string Text);

/// <summary>Holds a pool of fake chat clients, a journal in memory and one virtual clock.</summary>
internal sealed class BatchWorld : IDisposable
{
    public BatchWorld(int endpoints = 3, Action<EndpointPoolOptions>? configure = null, Action<EndpointOptions>? endpoint = null, Func<FakeChatClient, IChatClient>? around = null)
    {
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        Clients = [.. Enumerable.Range(0, endpoints).Select(i => new FakeChatClient("endpoint-" + i, Time, i))];
        foreach (var client in Clients)
        {
            options.AddEndpoint(client.Name, around?.Invoke(client) ?? client, endpoint);
            client.Faults.Always(FakeFault.Latency(toFirstToken: TimeSpan.FromMilliseconds(100)));
        }
        configure?.Invoke(options);
        Pool = new EndpointPool("pool", options, new EndpointPoolParts { TimeProvider = Time });
        Chat = Pool.AsChatClient();
    }

    public ManualTimeProvider Time { get; } = new();

    public FakeChatClient[] Clients { get; }

    public EndpointPool Pool { get; }

    public EndpointPoolChatClient Chat { get; }

    public MemoryFileSystem Files { get; set; } = new();

    public int Calls => Clients.Sum(static c => c.Requests.Count);

    public static Review[] Reviews(int count, string text = "review") => [.. Enumerable.Range(0, count).Select(i => new Review($"r-{i}", $"{text} {i}"))];

    public static IEnumerable<ChatMessage> Prompt(Review review) => [new(ChatRole.User, review.Text)];

    public Batch<Review> Open() =>
        new(JournalOpener.Open(JournalScenario.Name, new JournalSettings(Files, null, Time, OwnThread: false), create: true));

    /// <summary>Runs the batch to its end. Returns the results in the order in which they came.</summary>
    public List<BatchResult<Review, ChatResponse>> Run(Batch<Review> batch, ChatBatchOptions? options = null, Func<Review, IEnumerable<ChatMessage>>? prompt = null, TimeSpan? within = null) =>
        Time.Run(() => RunAsync(batch, options, prompt), within);

    public async Task<List<BatchResult<Review, ChatResponse>>> RunAsync(
        Batch<Review> batch, ChatBatchOptions? options = null, Func<Review, IEnumerable<ChatMessage>>? prompt = null, List<BatchResult<Review, ChatResponse>>? into = null)
    {
        var results = into ?? [];
        await foreach (var result in Chat.RunBatchAsync(batch, prompt ?? Prompt, options).ConfigureAwait(false))
            results.Add(result);
        return results;
    }

    public void Add(Batch<Review> batch, Review[] reviews, OnChanged onChanged = OnChanged.Refuse) => Time.Run(() => batch.AddAsync(reviews, static r => r.Id, onChanged));

    public BatchCounts Counts(Batch<Review> batch) => Time.Run(() => batch.Store.CountAsync().AsTask());

    public void Dispose() => Pool.Dispose();
}
