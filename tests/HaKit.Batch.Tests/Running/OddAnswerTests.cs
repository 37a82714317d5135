using System.Net;
using System.Net.Http.Headers;
using System.Text;
using HaKit.AI;
using HaKit.Batch.Formats;
using HaKit.Batch.Running;
using HaKit.Batch.Stores;
using HaKit.Batch.Journal;
using HaKit.Batch.Tests.Journal;
using HaKit.Testing;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Tests.Running;

/// <summary>Tests that an unusual answer or request is stored as it is, and neither ends the run nor makes the item run again.</summary>
public sealed class OddAnswerTests
{
    public static TheoryData<string> Bodies => ["half a character", "64 levels", "500 levels", "byte order mark", "line breaks"];

    private static string Text(string kind) => kind switch
    {
        "half a character" => "\"\\ud83d\"",
        "64 levels" => new string('[', 60) + new string(']', 60),
        "500 levels" => new string('[', 500) + new string(']', 500),
        "line breaks" => "{\n  \"a b\" : \" \\\" \\\\\" ,\r\n\t\"c\" : 1 }",
        _ => "\"x\"",
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Bodies))]
    public async Task An_answer_is_stored_once_and_written_as_one_line(string kind)
    {
        var body = $$"""{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"extra":{{Text(kind)}} }""";
        var world = new Server(Encoding.UTF8.GetBytes((kind == "byte order mark" ? "\uFEFF" : "") + body));
        var files = new MemoryFileSystem();
        using var pool = world.NewPool();
        for (var run = 0; run < 2; run++)
        {
            await using var batch = Open(files, world.Time);
            await AddAsync(batch, """{"custom_id":"r","url":"/v1/chat/completions","body":{"model":"m","messages":[]}}""");
            var results = world.Run(pool, batch);
            results.Should().ContainSingle().Which.State.Should().Be(BatchItemState.Succeeded);
            using var file = new MemoryStream();
            await OpenAIBatchFile.ExportAsync(file, batch.Store);
            var line = Encoding.UTF8.GetString(file.ToArray());
            line.TrimEnd('\n').Should().NotContain("\n").And.Contain(kind == "line breaks" ? """{"a b":" \" \\","c":1}""" : Text(kind));
        }
        world.Requests.Should().Be(1);
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Bodies))]
    public async Task A_request_is_posted_as_it_stands_in_the_file(string kind)
    {
        var world = new Server("""{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}"""u8.ToArray());
        await using var batch = Open(new MemoryFileSystem(), world.Time);
        var extra = Text(kind).ReplaceLineEndings(" ");
        await AddAsync(batch, $$$"""{"custom_id":"r","url":"/v1/chat/completions","body":{"model":"m","messages":[],"extra":{{{extra}}}}}""");
        using var pool = world.NewPool();
        world.Run(pool, batch).Should().ContainSingle().Which.State.Should().Be(BatchItemState.Succeeded);
        world.LastBody.Should().Contain(kind == "line breaks" ? """{"a b":" \" \\","c":1}""" : extra);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(null, null)]
    [InlineData(-1_000_000_000L, -5L)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(10L, null)]
    public void A_limit_on_cost_holds_if_the_usage_of_the_answers_is_not_known(long? input, long? output)
    {
        using var world = new BatchWorld(endpoint: static e => (e.InputTokenPrice, e.OutputTokenPrice) = (1_000_000, 2_000_000), around: c => new Usage(c, input, output));
        var batch = world.Open();
        world.Add(batch, BatchWorld.Reviews(100));
        var options = new ChatBatchOptions { MaxCost = 2000, Chat = new ChatOptions { MaxOutputTokens = 20 } };
        var run = () => world.Run(batch, options);
        run.Should().Throw<BatchStoppedException>().Which.Reason.Should().Be(BatchStopReason.MaxCost);
        world.Counts(batch).Spent.Should().BeInRange(1500, 2000);
        options.MaxCost = 100_000;
        world.Run(batch, options).Should().HaveCount(100, "no answer has made later calls too expensive");
    }

    private static Batch<OpenAIBatchRequest> Open(MemoryFileSystem files, ManualTimeProvider time) =>
        JournalOpener.Open(JournalScenario.Name, new JournalSettings(files, null, time, OwnThread: false), create: true).AsOpenAIBatch();

    private static async Task AddAsync(Batch<OpenAIBatchRequest> batch, string line)
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(line));
        await batch.AddAsync(await OpenAIBatchFile.ReadAsync(file).ToListAsync(), static r => r.CustomId);
    }

    private sealed class Server(byte[] answer) : HttpMessageHandler
    {
        public ManualTimeProvider Time { get; } = new();

        public int Requests { get; private set; }

        public string LastBody { get; private set; } = "";

        public EndpointPool NewPool() => new(
            "p", new EndpointPoolOptions { Seed = 1, Endpoints = { new EndpointOptions { Name = "a", Address = "http://fake.test/v1" } }, Heartbeat = { Enabled = false } }, new EndpointPoolParts { TimeProvider = Time });

        public List<BatchResult<OpenAIBatchRequest, OpenAIBatchAnswer>> Run(EndpointPool pool, Batch<OpenAIBatchRequest> batch) => Time.Run(async () =>
        {
            using var client = new HttpClient(new EndpointPoolHandler(pool) { InnerHandler = this }, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
            var results = new List<BatchResult<OpenAIBatchRequest, OpenAIBatchAnswer>>();
            await foreach (var result in new BatchRun<OpenAIBatchRequest, OpenAIBatchAnswer>(batch, new HttpWork(pool, client), new BatchRunOptions()).RunAsync().ConfigureAwait(false))
                results.Add(result);
            return results;
        });

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests++;
            LastBody = await request.Content!.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(answer) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
        }
    }

    private sealed class Usage(IChatClient inner, long? input, long? output) : DelegatingChatClient(inner)
    {
        public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var response = await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
            response.Usage = input is null && output is null ? null : new UsageDetails { InputTokenCount = input, OutputTokenCount = output };
            return response;
        }
    }
}
