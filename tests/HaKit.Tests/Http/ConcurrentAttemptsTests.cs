using System.Buffers;
using System.Net;
using System.Text;
using HaKit.Http;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Http;

/// <summary>The attempts of a hedged call run at the same time, and an attempt that lost may run on after its call. They share the state of the call.</summary>
public sealed class ConcurrentAttemptsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Of_attempts_that_are_redirected_elsewhere_at_the_same_time_none_is_forgotten()
    {
        await using var pool = TestPool.Create(new ManualTimeProvider(), 2);
        var attempts = new List<EndpointAttempt>();
        using var caller = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 2).Select(_ => pool.ExecuteAsync((attempt, _) =>
        {
            attempts.Add(attempt);
            return new ValueTask<int>(new TaskCompletionSource<int>().Task);
        }, caller.Token).AsTask()).ToArray();
        // The more rounds, the more likely a lost record is found. A busy machine makes fewer.
        var began = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < 20_000 && (round < 100 || TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(15)); round++)
        {
            var sent = 0;
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(pool.BaseAddress(), "models"));
            using var call = new HttpCall(pool, (_, _, _) =>
            {
                Interlocked.Increment(ref sent);
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.TemporaryRedirect) { Headers = { Location = new Uri("http://elsewhere.test/") } });
            }, request);
            await call.ReadBodyAsync(Ct);
            var arrived = 0;
            await Task.WhenAll(Task.Run(() => AskAsync(attempts[0]), Ct), Task.Run(() => AskAsync(attempts[1]), Ct));
            await FailAsync(attempts[0]);
            await FailAsync(attempts[1]);
            sent.Should().Be(2, "in round {0}, no endpoint is asked again", round);

            async Task AskAsync(EndpointAttempt attempt)
            {
                Interlocked.Increment(ref arrived);
                SpinWait.SpinUntil(() => Volatile.Read(ref arrived) == 2);
                await FailAsync(attempt);
            }

            async Task FailAsync(EndpointAttempt attempt) => await Record.ExceptionAsync(async () => await call.AttemptAsync(attempt, Ct));
        }
        await caller.CancelAsync();
        foreach (var running in calls)
            await Record.ExceptionAsync(() => running);
    }

    [Fact(Timeout = 60_000)]
    public async Task While_an_attempt_runs_on_after_its_call_no_other_request_gets_the_memory_of_the_body()
    {
        await using var pool = TestPool.Create(new ManualTimeProvider(), 1);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(pool.BaseAddress(), "chat/completions"))
        {
            Content = new ByteArrayContent("""{"model":"m","tools":[{"type":"function"}]}"""u8.ToArray()) { Headers = { { "Content-Type", "application/json" } } },
        };
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        var call = new HttpCall(pool, (_, _, _) => answer.Task, request);
        await call.ReadBodyAsync(Ct);
        call.Kinds.Names().Should().Equal("tools");
        var running = pool.ExecuteAsync(call, static (attempt, call, token) => call.AttemptAsync(attempt, token), Ct).AsTask();

        call.Dispose();
        var other = RentAndFill();

        call.Kinds.Names().Should().Equal(["tools"], "the attempt may still read the body");
        foreach (var array in other)
            ArrayPool<byte>.Shared.Return(array);
        answer.SetResult(new HttpResponseMessage { Content = new StringContent("""{"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}""", Encoding.UTF8, "application/json") });
        (await running).Dispose();
        RentAndFill();
        call.Kinds.Names().Should().NotContain("tools", "after the last attempt the memory is free");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_attempt_that_writes_its_body_after_its_call_writes_no_bytes_of_another_request(bool hasBegun)
    {
        var late = new LateHandler(hasBegun);
        await using var http = new HttpPool(1, inner: late);
        using var caller = new CancellationTokenSource();
        var call = http.SendAsync(HttpPool.Chat("mine"), ct: caller.Token);
        await caller.CancelAsync();
        await call.Awaiting(c => c).Should().ThrowAsync<OperationCanceledException>();
        var other = RentAndFill();

        var written = await late.WriteAsync();

        written.Should().Match(text => text.Length == 0 || text.Contains("mine", StringComparison.Ordinal)).And.NotContain("xx");
        foreach (var array in other)
            ArrayPool<byte>.Shared.Return(array);
    }

    // Does what another request does: takes arrays of the shared pool, and writes to them.
    private static byte[][] RentAndFill()
    {
        var arrays = Enumerable.Range(0, 8).Select(_ => ArrayPool<byte>.Shared.Rent(4096)).ToArray();
        foreach (var array in arrays)
            array.AsSpan().Fill((byte)'x');
        return arrays;
    }

    /// <summary>Ignores its token, and writes the body only when the test says so.</summary>
    private sealed class LateHandler(bool hasBegun) : HttpMessageHandler
    {
        private readonly TaskCompletionSource<HttpResponseMessage> _never = new();
        private readonly SlowStream _stream = new();
        private HttpContent? _content;
        private Task _writing = Task.CompletedTask;

        public async Task<string> WriteAsync()
        {
            if (!hasBegun)
                _writing = _content!.CopyToAsync(_stream, CancellationToken.None);
            _stream.Go.SetResult();
            await Record.ExceptionAsync(() => _writing);
            return Encoding.UTF8.GetString(_stream.Written.ToArray());
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            _content = request.Content;
            if (hasBegun)
                _writing = _content!.CopyToAsync(_stream, CancellationToken.None);
            return _never.Task;
        }
    }

    private sealed class SlowStream : MemoryStream
    {
        public TaskCompletionSource Go { get; } = new();

        public MemoryStream Written { get; } = new();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Go.Task;
            Written.Write(buffer.Span);
        }
    }
}
