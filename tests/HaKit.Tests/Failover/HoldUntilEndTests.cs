using HaKit.Failover;
using HaKit.Faults;

namespace HaKit.Tests.Failover;

/// <summary>Tests streams that are held to their end: after any failure the call moves on, and the caller gets a whole answer or an exception.</summary>
public sealed class HoldUntilEndTests : StreamBench
{
    [Theory]
    [InlineData("Hello wor cut")]
    [InlineData("Hello wor !")]
    [InlineData("Hello wor")]
    [InlineData("role Hello ping wor cut")]
    public async Task A_held_stream_that_is_cut_after_content_fails_over_silently(string script)
    {
        await using var pool = Held(2);
        Scripts["a"] = Says(script);
        Scripts["b"] = Says("role Hello world .");
        var stream = await Open(pool);
        (await ReadAll(stream)).Should().Be("role Hello world .");
        Opened.Should().Equal("a", "b");
        Disposed.Should().Be(2);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task A_silence_within_a_held_stream_moves_on_after_the_idle_limit()
    {
        await using var pool = Held(2);
        Scripts["a"] = Says("Hello hang");
        Scripts["b"] = Says("Hello world .");
        var call = Open(pool).AsTask();
        Time.Advance(TimeSpan.FromSeconds(29));
        call.IsCompleted.Should().BeFalse();
        Time.Advance(TimeSpan.FromSeconds(2));
        call.IsCompleted.Should().BeTrue();
        (await ReadAll(await call)).Should().Be("Hello world .");
    }

    [Fact]
    public async Task Nothing_of_a_held_stream_is_delivered_before_its_end()
    {
        await using var pool = Held(1);
        Scripts["a"] = Says("one 10s two 10s three .");
        var call = Open(pool).AsTask();
        Time.Advance(TimeSpan.FromSeconds(15));
        call.IsCompleted.Should().BeFalse();
        Time.Advance(TimeSpan.FromSeconds(6));
        (await ReadAll(await call)).Should().Be("one two three .");
    }

    [Fact]
    public async Task The_deadline_bounds_the_whole_of_a_held_stream()
    {
        await using var pool = Held(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20));
        Scripts["a"] = Says(string.Concat(Enumerable.Repeat("more 5s ", 30)) + ".");
        var call = Open(pool).AsTask();
        Time.Advance(TimeSpan.FromSeconds(21));
        await call.Awaiting(t => t).Should().ThrowAsync<DeadlineExceededException>();
    }

    [Fact]
    public async Task A_held_stream_longer_than_the_bound_is_handed_over_and_a_later_cut_reaches_the_caller()
    {
        await using var pool = Held(2, o => o.Streaming.HoldBytes = 30);
        Scripts["a"] = Says("one two three four five cut");
        Scripts["b"] = Says("whole .");
        var stream = await pool.StreamAsync(RequestProfile.Default, this, static (attempt, test, token) =>
        {
            test.Opened.Add(attempt.Endpoint.Name);
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new TenBytes(), continueWith: null, Ct);
        (await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>()).Which.DeliveredItems.Should().Be(5);
        Opened.Should().Equal("a");
    }

    [Fact]
    public async Task A_call_that_must_not_be_repeated_fails_with_the_cut_of_its_held_stream()
    {
        await using var pool = Held(2);
        Scripts["a"] = Says("Hello wor cut");
        Scripts["b"] = Says("Hello world .");
        await Open(pool, new RequestProfile { MayRepeat = false }).AsTask().Awaiting(t => t).Should().ThrowAsync<Exception>();
        Opened.Should().Equal("a");
    }

    private EndpointPool Held(int endpoints, Action<EndpointPoolOptions>? configure = null) => Pool(endpoints, o =>
    {
        o.Streaming.HoldUntil = HoldUntil.End;
        configure?.Invoke(o);
    });

    private sealed class TenBytes : StreamItemReader<string>
    {
        private readonly Words _words = new();

        public override StreamSignal Read(string item) => _words.Read(item);

        public override Fault FaultOf(string item) => _words.FaultOf(item);

        public override int SizeOf(string item) => 10;
    }
}
