using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using HaKit.Testing;
using HaKit.Tests.Failover;
using Microsoft.Extensions.AI;

namespace HaKit.AI.Tests;

/// <summary>
/// The pool cancels the attempt of a client that hangs. The caller must get the documented exception, whatever the client does about its cancelled token, and at
/// which moment.
/// </summary>
public sealed class CancelledAttemptTests : IDisposable
{
    private static readonly Reaction[] s_reactions = [.. Enum.GetValues<Reaction>().Except([Reaction.ReturnsInside])];
    private readonly ManualTimeProvider _time = new();
    private readonly Meters _meters = new();
    private readonly MetricRecorder _metrics;

    public CancelledAttemptTests() => _metrics = new(i => ReferenceEquals(i.Meter, _meters.Made));

    public enum Way
    {
        Chat,
        ChatStream,
        Embeddings,
        EmbeddingBatches,
    }

    public static TheoryData<Way, string> Table => [.. from way in Enum.GetValues<Way>() from reason in (string[])["attempt timeout", "short attempt timeout", "deadline", "without retries", "caller"] select (way, reason)];

    [Theory]
    [MemberData(nameof(Table))]
    public void A_cancelled_attempt_ends_the_call_with_the_documented_exception_whenever_and_however_it_ends(Way way, string reason)
    {
        foreach (var reaction in s_reactions)
        {
            using var pool = Pool(reason, reaction, way);
            using var caller = new CancellationTokenSource();
            using var cancels = reason == "caller" ? _time.CreateTimer(_ => caller.Cancel(), null, S(1), Timeout.InfiniteTimeSpan) : null;
            var profile = new RequestProfile { MayRepeat = reason == "without retries", Deadline = reason == "deadline" ? S(3) : null };
            var failure = Record.Exception(() => _time.Run(() => CallAsync(pool, way, profile, caller.Token)));
            _ = reason switch
            {
                "caller" => failure.Should().BeAssignableTo<OperationCanceledException>("{0} is the reaction", reaction),
                "deadline" => failure.Should().BeOfType<DeadlineExceededException>("{0} is the reaction", reaction),
                "without retries" => failure.Should().BeOfType<NoEndpointAvailableException>("{0} is the reaction", reaction),
                _ => (object)failure.Should().BeOfType<TimeoutException>("{0} is the reaction", reaction),
            };
            // The parts of a call that is split end together: the first that fails cancels the others.
            _metrics.Measurements.First(m => m.Instrument == "hakit.call.duration").Tags["hakit.outcome"].Should().Be(reason == "caller" ? "caller" : "failed");
            pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
        }
    }

    [Fact]
    public void A_chat_stream_that_becomes_silent_after_its_first_text_is_a_cut_whatever_its_client_does()
    {
        foreach (var reaction in Enum.GetValues<Reaction>())
        {
            using var pool = Pool("", reaction, Way.ChatStream, before: "Hello");
            var failure = Record.Exception(() => _time.Run(() => CallAsync(pool, Way.ChatStream, RequestProfile.Default, CancellationToken.None)));
            failure.Should().BeOfType<PartialResponseException>("{0} is the reaction", reaction).Which.Fault.Kind.Should().Be(FaultKind.IdleTimeout);
        }
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _meters.Dispose();
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Task CallAsync(EndpointPool pool, Way way, RequestProfile profile, CancellationToken token) => way switch
    {
        Way.Chat => pool.AsChatClient(o => o.Profile = profile).GetResponseAsync("hi", null, token),
        Way.ChatStream => pool.AsChatClient(o => o.Profile = profile).GetStreamingResponseAsync("hi", null, token).ToChatResponseAsync(token),
        Way.Embeddings => pool.AsEmbeddingGenerator(o => o.Profile = profile).GenerateAsync(["hi"], null, token),
        _ => pool.AsEmbeddingGenerator(o => (o.Profile, o.MaxBatchSize, o.MaxParallelBatches) = (profile, 1, 2)).GenerateAsync(["one", "two", "three"], null, token),
    };

    private EndpointPool Pool(string reason, Reaction reaction, Way way, string before = "")
    {
        _meters.Renew();
        _metrics.Clear();
        var options = new EndpointPoolOptions { Seed = 1, Heartbeat = { Enabled = false } };
        foreach (var name in (string[])["a", "b"])
        {
            var client = new Hangs(reaction, _time, before);
            if (way is Way.Chat or Way.ChatStream)
                options.AddEndpoint(name, (IChatClient)client);
            else
                options.AddEndpoint(name, (IEmbeddingGenerator<string, Embedding<float>>)client);
        }
        if (reason is "attempt timeout" or "without retries")
            options.AttemptTimeout = new() { Timeout = S(5) };
        if (reason == "short attempt timeout")
            options.AttemptTimeout = new() { Timeout = S(0.5) };
        if (reason == "without retries")
            options.Retry.MaxRetryAttempts = 0;
        return new EndpointPool("pool", options, new EndpointPoolParts { TimeProvider = _time, MeterFactory = _meters });
    }

    private sealed class Hangs(Reaction reaction, TimeProvider time, string before) : IChatClient, IEmbeddingGenerator<string, Embedding<float>>
    {
        public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            await reaction.HangAsync(time, cancellationToken);
            return new();
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            if (before.Length > 0)
                yield return new(ChatRole.Assistant, before);
            await reaction.HangAsync(time, cancellationToken);
        }

        public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            await reaction.HangAsync(time, cancellationToken);
            return [];
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter? Made { get; private set; }

        public Meter Create(MeterOptions options) => Made ??= new Meter(options);

        public void Renew() => Made = null;

        public void Dispose() => Made?.Dispose();
    }
}
