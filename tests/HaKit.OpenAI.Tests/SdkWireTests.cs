using System.ClientModel;
using HaKit.Faults;
using HaKit.Testing;
using HaKit.Tests.Http;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>What servers really send, through the official SDK over real sockets.</summary>
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
