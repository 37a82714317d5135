using System.Net;
using System.Text;
using HaKit.AI;
using HaKit.Batch.Formats;
using HaKit.Batch.Journal;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Batch.Tests.Journal;
using HaKit.Faults;
using HaKit.Http;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Tests.Running;

/// <summary>Tests that every kind of work obeys the profile of its calls, and reports what a call took.</summary>
public sealed class WorkTests
{
    public static TheoryData<string> Kinds => ["chat", "wrapped chat", "embeddings", "wrapped embeddings", "callback", "http"];

    private static readonly Fault Reset = new(FaultKind.ConnectionReset) { Applied = FaultApplied.Ambiguous };
    private static readonly Fault Refused = new(FaultKind.ConnectFailed) { Applied = FaultApplied.NotSent };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Kinds))]
    public void A_call_that_must_not_be_repeated_is_made_once(string kind)
    {
        using var world = new WorkWorld(kind) { FaultAt = static name => name == "a" ? Reset : null };
        var result = world.Run(1, new BatchRunOptions { MayRepeat = false }).Single();
        (result.State, result.Attempts, string.Join(",", world.Calls)).Should().Be((BatchItemState.Unknown, 1, "a"));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Kinds))]
    public void A_repeated_call_counts_its_attempts_and_what_may_have_been_billed(string kind)
    {
        using var usual = new WorkWorld(kind);
        var cost = usual.Run(1).Single().Cost;
        using var world = new WorkWorld(kind) { FaultAt = static name => name == "a" ? Reset : null };
        var result = world.Run(1).Single();
        (result.State, result.Attempts, result.Endpoint, string.Join(",", world.Calls)).Should().Be((BatchItemState.Succeeded, 2, "b", "a,b"));
        result.Cost.Should().BeGreaterThan(cost, "the first attempt may have been billed too");
        cost.Should().BeGreaterThan(0);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Kinds))]
    public void The_profile_says_which_endpoints_may_be_used(string kind)
    {
        using var world = new WorkWorld(kind);
        world.Run(3, new BatchRunOptions { Profile = new RequestProfile { Priority = -1, Endpoints = ["b"] } }).Should().OnlyContain(static r => r.State == BatchItemState.Succeeded);
        world.Calls.Should().Equal("b", "b", "b");
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Kinds))]
    public void Only_one_call_waits_while_no_endpoint_serves(string kind)
    {
        using var world = new WorkWorld(kind);
        world.FaultAt = _ => world.Time.Elapsed < TimeSpan.FromSeconds(60) ? Refused : null;
        var most = 0;
        using (world.Time.CreateTimer(_ => most = Math.Max(most, world.Pool.GetStatus().Waiting), null, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(0.5)))
            world.Run(50).Should().HaveCount(50).And.OnlyContain(static r => r.State == BatchItemState.Succeeded);
        most.Should().Be(1);
    }

    private sealed record Outcome(BatchItemState State, int Attempts, string? Endpoint, double Cost);

    /// <summary>Holds a pool with the endpoints a (tier 0) and b (tier 1), and the work of one kind over it.</summary>
    private sealed class WorkWorld : IDisposable
    {
        private readonly string _kind;

        public WorkWorld(string kind)
        {
            _kind = kind;
            var options = new EndpointPoolOptions { Seed = 1 };
            options.Heartbeat.Enabled = false;
            foreach (var name in (string[])["a", "b"])
                Add(options, name);
            Pool = new EndpointPool(kind, options, new EndpointPoolParts { TimeProvider = Time });
        }

        public ManualTimeProvider Time { get; } = new();

        public EndpointPool Pool { get; }

        public List<string> Calls { get; } = [];

        public Func<string, Fault?> FaultAt { get; set; } = static _ => null;

        public List<Outcome> Run(int items, BatchRunOptions? options = null)
        {
            options ??= new();
            return _kind switch
            {
                "chat" => Collect(b => Pool.AsChatClient().RunBatchAsync(b, BatchWorld.Prompt, With(new ChatBatchOptions(), options)), items),
                "wrapped chat" => Collect(b => new WrappedChat(Pool.AsChatClient()).RunBatchAsync(b, BatchWorld.Prompt, With(new ChatBatchOptions(), options)), items),
                "embeddings" => Collect(b => Pool.AsEmbeddingGenerator().RunBatchAsync(b, static r => r.Text, With(new EmbeddingBatchOptions { GroupSize = 1 }, options)), items),
                "wrapped embeddings" => Collect(b => new WrappedGenerator(Pool.AsEmbeddingGenerator()).RunBatchAsync(b, static r => r.Text, With(new EmbeddingBatchOptions { GroupSize = 1 }, options)), items),
                "callback" => Collect(b => Pool.RunBatchAsync(b, CallbackAsync, options), items),
                _ => RunHttp(items, options),
            };
        }

        public void Dispose() => Pool.Dispose();

        private JournalStore OpenStore() => JournalOpener.Open(JournalScenario.Name, new JournalSettings(new MemoryFileSystem(), null, Time, OwnThread: false), create: true);

        private static T With<T>(T to, BatchRunOptions from) where T : BatchRunOptions
        {
            (to.MayRepeat, to.Profile) = (from.MayRepeat, from.Profile);
            return to;
        }

        private List<Outcome> RunHttp(int items, BatchRunOptions options)
        {
            var requests = new Batch<OpenAIBatchRequest>(OpenStore(), OpenAIBatchJson.Default.OpenAIBatchRequest);
            using var body = System.Text.Json.JsonDocument.Parse("""{"model":"m","messages":[]}""");
            Time.Run(() => requests.AddAsync(Enumerable.Range(0, items).Select(i => new OpenAIBatchRequest($"r-{i}", "/v1/chat/completions", body.RootElement)), static r => r.CustomId));
            using var client = new HttpClient(new EndpointPoolHandler(Pool) { InnerHandler = new Server(this) });
            return Read(() => new BatchRun<OpenAIBatchRequest, OpenAIBatchAnswer>(requests, new HttpWork(Pool, client), options).RunAsync());
        }

        private List<Outcome> Collect<TResult>(Func<Batch<Review>, IAsyncEnumerable<BatchResult<Review, TResult>>> run, int items)
        {
            var batch = new Batch<Review>(OpenStore());
            Time.Run(() => batch.AddAsync(BatchWorld.Reviews(items), static r => r.Id));
            return Read(() => run(batch));
        }

        private List<Outcome> Read<TItem, TResult>(Func<IAsyncEnumerable<BatchResult<TItem, TResult>>> run) => Time.Run(async () =>
        {
            var outcomes = new List<Outcome>();
            await foreach (var result in run().ConfigureAwait(false))
                outcomes.Add(new Outcome(result.State, result.Attempts, result.Endpoint, result.Cost));
            return outcomes;
        });

        private void Add(EndpointPoolOptions options, string name)
        {
            void Configure(EndpointOptions endpoint) => (endpoint.Tier, endpoint.InputTokenPrice, endpoint.OutputTokenPrice) = (name == "a" ? 0 : 1, 1_000, 1_000);
            switch (_kind)
            {
                case "chat" or "wrapped chat":
                    options.AddEndpoint(name, new Chat(this, new FakeChatClient(name, Time)), Configure);
                    break;
                case "embeddings" or "wrapped embeddings":
                    options.AddEndpoint(name, new Generator(this, name, new FakeEmbeddingGenerator(name, Time)), Configure);
                    break;
                default:
                    var endpoint = new EndpointOptions { Name = name, Address = $"http://{name}.test/v1" };
                    Configure(endpoint);
                    options.Endpoints.Add(endpoint);
                    break;
            }
        }

        private ValueTask<int> CallbackAsync(EndpointAttempt attempt, Review review, CancellationToken cancellationToken)
        {
            Note(attempt.Endpoint.Name);
            attempt.ReportUsage(10, 10);
            return new(1);
        }

        private void Note(string name)
        {
            var fault = FaultAt(name);
            if (fault?.Kind != FaultKind.ConnectFailed)
                Calls.Add(name);
            if (fault is not null)
                throw new EndpointFaultException(name, fault);
        }

        private sealed class Chat(WorkWorld world, FakeChatClient inner) : DelegatingChatClient(inner)
        {
            public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
            {
                world.Note(inner.Name);
                return base.GetResponseAsync(messages, options, cancellationToken);
            }
        }

        private sealed class Generator(WorkWorld world, string name, FakeEmbeddingGenerator inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
        {
            public override Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
            {
                (options?.AdditionalProperties ?? []).Should().BeEmpty("the profile is for the pool only");
                world.Note(name);
                return base.GenerateAsync(values, options, cancellationToken);
            }
        }

        private sealed class WrappedChat(IChatClient inner) : DelegatingChatClient(inner);

        private sealed class WrappedGenerator(IEmbeddingGenerator<string, Embedding<float>> inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner);

        private sealed class Server(WorkWorld world) : HttpMessageHandler
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                world.Note(request.RequestUri!.Host[..1]);
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
                {
                    Content = new StringContent("""{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":10} }""", Encoding.UTF8, "application/json"),
                });
            }
        }
    }
}
