using System.ClientModel;
using HaKit.Faults;
using HaKit.Testing;
using HaKit.Tests.Http;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>Tests answers of real servers, through the official SDK over real sockets.</summary>
public sealed class SdkWireTests
{
    private const string Whole = """{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}]}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("?key=planted", "")]
    [InlineData("?api-version=1", "?api-version=2")]
    [InlineData("/?code=planted", "/")]
    public async Task The_query_of_one_endpoint_goes_to_no_other(string first, string second)
    {
        using var refusing = new RawServer(new RawAnswer(503, "application/json", "{}"));
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        await using var pool = Pool(null, refusing.Address + first, well.Address + second);
        (await AskAsync(pool)).Should().Be("served");
        refusing.Seen.Single().Target.Should().Be("/v1/chat/completions" + first.TrimStart('/'));
        well.Seen.Single().Target.Should().Be("/v1/chat/completions" + second.TrimStart('/'));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(401)]
    [InlineData(502)]
    public async Task A_refusal_whose_body_does_not_come_moves_on_after_a_second(int status)
    {
        using var refusing = new RawServer(new RawAnswer(status, "application/json", "{"u8.ToArray()) { Announced = 500 });
        using var well = new RawServer(new RawAnswer(200, "application/json", Whole));
        var time = new ManualTimeProvider();
        var classified = new Classified();
        await using var pool = Pool(new EndpointPoolParts { TimeProvider = time, Classifiers = { classified } }, refusing.Address.AbsoluteUri, well.Address.AbsoluteUri);
        var call = AskAsync(pool);
        while (refusing.Seen.IsEmpty)
            await Task.Delay(2, Ct);
        while (!call.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.WhenAny(call, Task.Delay(50, Ct));
        }
        (await call).Should().Be("served");
        classified.First.Should().Be(status, "the attempt is not given up for its silence");
    }

    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_is_cancelled_around_the_answers_arrival_ends_as_cancelled_and_with_nothing_else(bool stream)
    {
        const string Chunk = """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}""" + "\n\n";
        byte[][] pieces = stream ? [.. Enumerable.Repeat(System.Text.Encoding.UTF8.GetBytes(Chunk), 30), "data: [DONE]\n\n"u8.ToArray()] : [System.Text.Encoding.UTF8.GetBytes(Whole)];
        var arrived = new SemaphoreSlim(0);
        using var server = new RawServer(_ =>
        {
            arrived.Release();
            return new RawAnswer(200, stream ? "text/event-stream" : "application/json", pieces);
        });
        await using var pool = Pool(null, server.Address.AbsoluteUri);
        var chat = new ChatClient("m", new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));
        var random = new Random(1);
        var others = new List<string>();
        for (var i = 0; i < 300; i++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var call = ReadAsync(cancel.Token);
            await arrived.WaitAsync(Ct);
            Thread.SpinWait(random.Next(60_000));
            await cancel.CancelAsync();
            if (await Record.ExceptionAsync(() => call) is { } exception and not OperationCanceledException)
                others.Add(exception.ToString());
        }
        others.Should().BeEmpty();
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);

        async Task ReadAsync(CancellationToken token)
        {
            if (!stream)
            {
                await chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: token);
                return;
            }
            await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("hi")], cancellationToken: token))
                _ = update;
        }
    }

    private static EndpointPool Pool(EndpointPoolParts? parts, params string[] addresses)
    {
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        for (var i = 0; i < addresses.Length; i++)
            options.Endpoints.Add(new EndpointOptions { Name = $"e{i}", Address = addresses[i], Tier = i });
        return new EndpointPool("sdk", options, parts);
    }

    private static async Task<string> AskAsync(EndpointPool pool)
    {
        var chat = new ChatClient("m", new ApiKeyCredential("k"), new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));
        return (await chat.CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Ct)).Value.Content[0].Text;
    }

    private sealed class Classified : IFaultClassifier
    {
        public int First { get; private set; } = -1;

        public Fault? Classify(in FaultEvidence evidence)
        {
            if (First < 0)
                First = evidence.StatusCode;
            return null;
        }
    }
}
