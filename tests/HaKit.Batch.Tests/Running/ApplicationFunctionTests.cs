using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using HaKit.AI;
using HaKit.Batch.Formats;
using HaKit.Batch.Journal;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Batch.Tests.Journal;
using HaKit.Faults;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using static HaKit.Batch.Tests.Running.BatchWorld;

namespace HaKit.Batch.Tests.Running;

/// <summary>
/// Tests that an exception of a function of the application ends the run with that exception: the run neither hangs nor fails an item, and the next run
/// processes all remaining items.
/// </summary>
public sealed class ApplicationFunctionTests
{
    private static readonly Exception Broken = new InvalidOperationException("The application's function is broken.");

    // The function gets the number of times that the application's function was called for the item, this time included.
    public static TheoryData<string, Func<int, bool>> Moments => new()
    {
        { "when an item is claimed", static asked => asked == 1 },
        { "when a call is prepared", static asked => asked == 2 },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Moments))]
    public void The_exception_of_a_function_for_prompts_ends_the_run(string moment, Func<int, bool> isNow)
    {
        using var world = new BatchWorld();
        Check(world, moment, (batch, broken) => Drain(world.Chat.RunBatchAsync(batch, r => broken(r, isNow) ? throw Broken : Prompt(r))));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Moments))]
    public void The_exception_of_a_prompt_that_is_enumerated_ends_the_run(string moment, Func<int, bool> isNow)
    {
        using var world = new BatchWorld();
        Check(world, moment, (batch, broken) => Drain(world.Chat.RunBatchAsync(batch, r => Prompt(r).Select(m => broken(r, isNow) ? throw Broken : m))));
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Moments))]
    public void The_exception_of_a_function_for_texts_ends_the_run(string moment, Func<int, bool> isNow)
    {
        using var world = new BatchWorld();
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        options.AddEndpoint("main", new FakeEmbeddingGenerator("main", world.Time));
        using var pool = new EndpointPool("embeddings", options, new EndpointPoolParts { TimeProvider = world.Time });
        Check(world, moment, (batch, broken) => Drain(
            pool.AsEmbeddingGenerator().RunBatchAsync(batch, r => broken(r, isNow) ? throw Broken : r.Text, new EmbeddingBatchOptions { GroupSize = 4 })));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public void The_exception_of_the_JSON_contract_of_results_ends_the_run_and_the_call_is_paid_for(bool mayRepeat)
    {
        using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000, 1_000));
        var converter = new BreakingConverter<int>();
        var json = new JsonSerializerOptions(JsonSerializerOptions.Web) { Converters = { converter } };
        var batch = world.Open();
        world.Add(batch, Reviews(10));
        var calls = 0;
        converter.BreaksAt = static value => value == 5;

        var run = () => Run();
        run.Should().Throw<InvalidOperationException>().Which.Should().BeSameAs(Broken);

        var counts = world.Counts(batch);
        (counts.Failed, counts.UnderWay, counts.Unknown).Should().Be((0, 0, mayRepeat ? 0 : 1));
        converter.BreaksAt = null;
        Run().Count(static r => r.State == BatchItemState.Succeeded).Should().Be(mayRepeat ? 10 : 9);
        calls.Should().Be(mayRepeat ? 11 : 10, "only the call whose result could not be written is repeated, if it may be");
        converter.BreaksAt = static value => value == 6;
        run.Should().Throw<InvalidOperationException>("the result of an earlier run cannot be read").Which.Should().BeSameAs(Broken);
        converter.BreaksAt = null;
        Run().Should().HaveCount(10);

        List<BatchResult<Review, int>> Run() => world.Time.Run(() => DrainAsync(world.Pool.RunBatchAsync(
            batch, CallAsync, (JsonTypeInfo<int>)json.GetTypeInfo(typeof(int)), new BatchRunOptions { MayRepeat = mayRepeat })));

        ValueTask<int> CallAsync(EndpointAttempt attempt, Review review, CancellationToken token)
        {
            calls++;
            return new ValueTask<int>(int.Parse(review.Id[2..], CultureInfo.InvariantCulture));
        }
    }

    [Fact(Timeout = 60_000)]
    public void The_exception_of_the_JSON_contract_of_items_ends_the_run()
    {
        using var world = new BatchWorld();
        var converter = new BreakingConverter<Review>();
        var json = new JsonSerializerOptions(JsonSerializerOptions.Web) { Converters = { converter } };
        var batch = new Batch<Review>(world.Open().Store, (JsonTypeInfo<Review>)json.GetTypeInfo(typeof(Review)));
        world.Add(batch, Reviews(20));
        converter.BreaksAt = static r => r.Id == "r-13";
        var run = () => world.Run(batch);
        run.Should().Throw<InvalidOperationException>().Which.Should().BeSameAs(Broken);
        world.Counts(batch).UnderWay.Should().Be(0);
        converter.BreaksAt = null;
        world.Run(batch).Should().HaveCount(20);
    }

    [Fact(Timeout = 60_000)]
    public void The_exception_of_a_function_for_prompts_ends_the_run_when_a_served_request_is_repeated()
    {
        using var world = new BatchWorld(around: static client => new Refusing(client));
        var batch = world.Open();
        world.Add(batch, Reviews(6));
        var isBroken = true;
        Func<Review, IEnumerable<ChatMessage>> prompt = r => isBroken && world.Calls >= 5 && r.Id != "r-5" ? throw Broken : Prompt(r);
        var run = () => world.Run(batch, prompt: prompt);
        run.Should().Throw<InvalidOperationException>().Which.Should().BeSameAs(Broken);
        world.Counts(batch).UnderWay.Should().Be(0);
        isBroken = false;
        world.Run(batch, prompt: prompt).Should().HaveCount(6).And.ContainSingle(static r => r.State == BatchItemState.Failed);
    }

    [Fact(Timeout = 60_000)]
    public void The_exception_of_a_listener_of_the_metrics_ends_the_run()
    {
        using var world = new BatchWorld();
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var thread = Environment.CurrentManagedThreadId;
        var measured = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "hakit.batch.items")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            if (Environment.CurrentManagedThreadId == thread && ++measured == 5)
                throw Broken;
        });
        listener.Start();
        var run = () => world.Run(batch);
        run.Should().Throw<InvalidOperationException>().Which.Should().BeSameAs(Broken);
        world.Counts(batch).UnderWay.Should().Be(0);
        world.Run(batch).Should().HaveCount(20);
        world.Calls.Should().Be(20);
    }

    [Fact(Timeout = 60_000)]
    public void The_exception_of_a_listener_of_the_metrics_leaves_no_item_of_a_group_claimed()
    {
        using var world = new BatchWorld();
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        var generator = new FakeEmbeddingGenerator("main", world.Time);
        generator.Faults.Always(FakeFault.Reset);
        options.AddEndpoint("main", generator);
        using var pool = new EndpointPool("embeddings", options, new EndpointPoolParts { TimeProvider = world.Time });
        var batch = world.Open();
        world.Add(batch, Reviews(4));
        var thread = Environment.CurrentManagedThreadId;
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "hakit.batch.items")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            if (Environment.CurrentManagedThreadId == thread)
                throw Broken;
        });
        listener.Start();

        var run = () => world.Time.Run(() => DrainAsync(pool.AsEmbeddingGenerator().RunBatchAsync(batch, static r => r.Text, new EmbeddingBatchOptions { GroupSize = 4, MayRepeat = false })));

        run.Should().Throw<InvalidOperationException>().Which.Should().BeSameAs(Broken);
        var counts = world.Counts(batch);
        (counts.Unknown, counts.UnderWay).Should().Be((4, 0));
    }

    [Fact(Timeout = 60_000)]
    public void The_estimate_for_a_pool_without_endpoints_is_0_so_that_its_calls_wait_for_an_endpoint()
    {
        var time = new ManualTimeProvider();
        var options = new EndpointPoolOptions { Seed = 1, AllowEmpty = true };
        options.Heartbeat.Enabled = false;
        using var pool = new EndpointPool("empty", options, new EndpointPoolParts { TimeProvider = time });
        new PriceBook(pool).Estimate(1, 1).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public void A_request_whose_body_is_no_object_is_sent_and_an_answer_without_counts_is_stored()
    {
        var time = new ManualTimeProvider();
        var calls = 0;
        var options = new EndpointPoolOptions { Seed = 1 };
        options.Heartbeat.Enabled = false;
        options.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://a.test" });
        using var pool = new EndpointPool("http", options, new EndpointPoolParts { TimeProvider = time });
        using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = new NullUsage(() => calls++) }) { Timeout = Timeout.InfiniteTimeSpan };
        var batch = new Batch<OpenAIBatchRequest>(
            JournalOpener.Open(JournalScenario.Name, new JournalSettings(new MemoryFileSystem(), null, time, OwnThread: false), create: true), OpenAIBatchJson.Default.OpenAIBatchRequest);
        using var body = JsonDocument.Parse("""["no object"]""");
        time.Run(() => batch.AddAsync([new OpenAIBatchRequest("r-0", "/v1/chat/completions", body.RootElement)], static r => r.CustomId));
        var run = new BatchRun<OpenAIBatchRequest, OpenAIBatchAnswer>(batch, new HttpWork(pool, client), new BatchRunOptions());
        time.Run(() => DrainAsync(run.RunAsync())).Single().State.Should().Be(BatchItemState.Succeeded);
        calls.Should().Be(1);
    }

    // Runs a batch of 20 items whose function fails once for the sixth item. Then it runs the batch again.
    private static void Check(BatchWorld world, string moment, Func<Batch<Review>, Func<Review, Func<int, bool>, bool>, Func<Task<int>>> run)
    {
        var batch = world.Open();
        world.Add(batch, Reviews(20));
        var asked = 0;
        var began = world.Time.Elapsed;
        var first = () => world.Time.Run(run(batch, (r, isNow) => r.Id == "r-5" && isNow(++asked)));
        first.Should().Throw<InvalidOperationException>(moment).Which.Should().BeSameAs(Broken);
        (world.Time.Elapsed - began).Should().BeLessThan(TimeSpan.FromMinutes(1));
        var counts = world.Counts(batch);
        (counts.Failed, counts.Unknown, counts.UnderWay).Should().Be((0, 0, 0));
        world.Time.Run(run(batch, static (_, _) => false)).Should().Be(20, moment);
        world.Counts(batch).Succeeded.Should().Be(20);
    }

    private static Func<Task<int>> Drain<TResult>(IAsyncEnumerable<BatchResult<Review, TResult>> results) => async () => (await DrainAsync(results)).Count;

    private static async Task<List<T>> DrainAsync<T>(IAsyncEnumerable<T> results)
    {
        var all = new List<T>();
        await foreach (var result in results.ConfigureAwait(false))
            all.Add(result);
        return all;
    }

    private sealed class BreakingConverter<T> : JsonConverter<T>
    {
        public Func<T, bool>? BreaksAt { get; set; }

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var value = JsonSerializer.Deserialize<T>(ref reader, JsonSerializerOptions.Web)!;
            return BreaksAt?.Invoke(value) == true ? throw Broken : value;
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            if (BreaksAt?.Invoke(value) == true)
                throw Broken;
            JsonSerializer.Serialize(writer, value, JsonSerializerOptions.Web);
        }
    }

    /// <summary>Refuses the prompt of the sixth item.</summary>
    private sealed class Refusing(FakeChatClient inner) : DelegatingChatClient(inner)
    {
        public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            messages.Last().Text == "review 5" ? throw new EndpointFaultException(inner.Name, new Fault(FaultKind.Overloaded) { StatusCode = 503 }) : base.GetResponseAsync(messages, options, cancellationToken);
    }

    /// <summary>Answers without counts of tokens, as some servers do.</summary>
    private sealed class NullUsage(Action called) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            called();
            return Task.FromResult(new HttpResponseMessage
            {
                Content = new StringContent("""{"choices":[{"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":null,"completion_tokens":"7"}}""", System.Text.Encoding.UTF8, "application/json"),
            });
        }
    }
}
