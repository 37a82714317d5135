using HaKit.Faults;
using HaKit.Selection;
using HaKit.Testing;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace HaKit.Tests.Failover;

/// <summary>Code of the application throws, blocks or never returns at a bad moment. The pool's counters nevertheless stay correct.</summary>
public sealed class HostileCodeTests : StreamBench
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static int InFlight(EndpointPool pool) => pool.Explain(RequestProfile.Default).Sum(e => e.InFlight);

    private sealed class Options : ResilienceStrategyOptions;

    private sealed class Throws : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) => throw new InvalidOperationException("mine");
    }

    private sealed class ThrowingSelector(Func<bool> now) : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => now() ? throw new InvalidOperationException("mine") : 0;
    }

    private sealed class ThrowingLog : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("disk full");
    }

    [Fact]
    public async Task A_strategy_around_the_attempt_that_throws_gives_the_place_back()
    {
        await using var pool = TestPool.Create(Time, 1, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 1 },
            parts => parts.ConfigureEndpointPipeline = (builder, _) => builder.AddStrategy(_ => new Throws(), new Options()));
        for (var i = 0; i < 3; i++)
        {
            var call = pool.ExecuteAsync(RequestProfile.Default with { Deadline = S(1) }, 0, static (_, _, _) => ValueTask.FromResult(0), Ct).AsTask();
            Time.Advance(S(2));
            await call.Awaiting(c => c).Should().ThrowAsync<Exception>();
            InFlight(pool).Should().Be(0);
        }
    }

    private sealed class Answers : ResilienceStrategy
    {
        protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) => Outcome.FromResultAsValueTask<TResult>(default!);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_strategy_that_answers_without_an_attempt_has_details_without_an_endpoint()
    {
        await using var pool = TestPool.Create(Time, 1, configure: null, parts => parts.ConfigurePipeline = builder => builder.AddStrategy(_ => new Answers(), new Options()));
        var (_, detail) = await pool.ExecuteWithDetailAsync(RequestProfile.Default, 0, static (_, _, _) => ValueTask.FromResult(1), Ct);
        (detail.Endpoint, detail.AttemptCount, detail.PerhapsBilled).Should().Be(("", 0, 0));
    }

    [Fact]
    public async Task A_timeout_outside_failover_ends_the_call()
    {
        await using var pool = TestPool.Create(Time, 2, configure: null, parts => parts.ConfigurePipeline = builder => builder.AddTimeout(S(5)));
        var call = pool.ExecuteAsync(0, static (_, _, _) => new ValueTask<int>(new TaskCompletionSource<int>().Task), Ct).AsTask();
        Time.Advance(S(5));
        call.IsCompleted.Should().BeTrue();
        await call.Awaiting(c => c).Should().ThrowAsync<TimeoutRejectedException>();
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_timeout_outside_failover_ends_a_call_that_waits()
    {
        await using var pool = TestPool.Create(Time, 1, configure: null, parts => parts.ConfigurePipeline = builder => builder.AddTimeout(S(5)));
        var call = pool.ExecuteAsync(0, static (attempt, _, _) => { attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(60) }); return ValueTask.FromResult(0); }, Ct).AsTask();
        call.IsCompleted.Should().BeFalse();
        Time.Advance(S(5));
        await call.Awaiting(c => c).Should().ThrowAsync<TimeoutRejectedException>();
    }

    [Fact]
    public async Task What_throws_when_the_attempts_token_is_cancelled_does_not_keep_the_call_from_moving_on()
    {
        await using var pool = TestPool.Create(Time, 2, o => o.AttemptTimeout = new() { Timeout = S(3) });
        var call = pool.ExecuteAsync(0, static (attempt, _, token) =>
        {
            if (attempt.Endpoint.Name == "b")
                return ValueTask.FromResult("b");
            token.Register(static () => throw new InvalidOperationException("mine"));
            return new(new TaskCompletionSource<string>().Task);
        }, Ct).AsTask();
        Time.Advance(S(3));
        (await call).Should().Be("b");
    }

    [Fact]
    public async Task A_selector_that_throws_fails_its_call_and_no_other()
    {
        var throws = true;
        await using var pool = TestPool.Create(Time, 2, configure: null, parts => parts.Selector = new ThrowingSelector(() => throws));
        var call = async () => await pool.ExecuteAsync(0, static (_, _, _) => ValueTask.FromResult(1), Ct);
        await call.Should().ThrowAsync<InvalidOperationException>().WithMessage("mine");
        throws = false;
        (await call()).Should().Be(1);
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_log_that_throws_changes_nothing()
    {
        await using var pool = TestPool.Create(Time, 2, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 1 }, parts => parts.LoggerFactory = new ThrowingLog());
        for (var i = 0; i < 20; i++)
        {
            (await pool.ExecuteAsync(0, static (attempt, _, _) =>
                attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : ValueTask.FromResult(attempt.Endpoint.Name), Ct)).Should().Be("b");
        }

        pool.Explain(RequestProfile.Default)[0].NotAdmittedBy.Should().Be("health");
        InFlight(pool).Should().Be(0);
    }

    [Fact]
    public async Task A_token_that_an_endpoints_strategy_lends_ends_the_opening_and_nothing_of_what_follows()
    {
        CancellationToken held = default;
        await using var pool = TestPool.Create(Time, 2, configure: null, parts => parts.ConfigureEndpointPipeline = (builder, _) => builder.AddTimeout(S(5)));
        Scripts["a"] = Says("role wait");
        Scripts["b"] = token => { held = token; return Play("one 20s two .", token); };
        var call = Open(pool).AsTask();
        Time.Advance(S(5));
        var reading = ReadAll(await call);
        for (var i = 0; i < 8; i++)
        {
            _ = pool.ExecuteAsync<int, int>(new RequestProfile { Deadline = S(6) }, 0, static (_, _, _) => new(new TaskCompletionSource<int>().Task), Ct).AsTask();
            Time.Advance(S(2.5));
        }
        held.IsCancellationRequested.Should().BeFalse();
        (await reading).Should().Be("one two .");
    }

    [Fact]
    public async Task The_end_of_a_stream_lets_a_waiting_call_in()
    {
        await using var pool = Pool(1, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 1 });
        Scripts["a"] = Says("one two .");
        var stream = await Open(pool);
        var waiting = Open(pool).AsTask();
        waiting.IsCompleted.Should().BeFalse();
        await ReadAll(stream);
        waiting.IsCompleted.Should().BeTrue("the place is free");
        await (await waiting).DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_disposal_of_a_stream_lets_a_waiting_call_in(bool cut)
    {
        await using var pool = Pool(1, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 1 });
        Scripts["a"] = Says(cut ? "one cut" : "one wait");
        var stream = await Open(pool);
        var waiting = Open(pool).AsTask();
        if (cut)
            await ReadAll(stream).Awaiting(t => t).Should().ThrowAsync<PartialResponseException>();
        else
            await stream.DisposeAsync();
        waiting.IsCompleted.Should().BeTrue();
        await (await waiting).DisposeAsync();
    }

    [Fact]
    public async Task A_call_that_waits_behind_others_for_another_endpoint_is_not_forgotten()
    {
        await using var pool = Pool(2, o =>
        {
            (o.Endpoints[0].Model, o.Endpoints[1].Model) = ("x", "y");
            o.Endpoints[0].Limits = new() { MaxConcurrency = 1 };
            o.Endpoints[1].Limits = new() { MaxConcurrency = 1 };
        });
        var (x, y) = (new TaskCompletionSource<int>(), new TaskCompletionSource<int>());
        var (onX, onY) = (Call("x", x), Call("y", y));
        var waitingForX = new[] { Call("x", x), Call("x", x), Call("x", x) };
        var waitingForY = Call("y", y);
        y.SetResult(1);
        await onY;
        Time.Advance(S(2));
        waitingForY.IsCompleted.Should().BeTrue("its endpoint is idle, although those before it in line wait for the other");
        x.SetResult(1);
        await Task.WhenAll([onX, .. waitingForX]);

        Task<int> Call(string model, TaskCompletionSource<int> answer) =>
            pool.ExecuteAsync(new RequestProfile { Model = model }, answer, static (_, answer, _) => new ValueTask<int>(answer.Task), Ct).AsTask();
    }

    [Fact]
    public async Task A_reader_that_stops_at_the_end_mark_has_had_a_whole_answer()
    {
        await using var pool = Pool(1);
        Scripts["a"] = Says("one . wait");
        await foreach (var item in await Open(pool))
        {
            if (item == ".")
                break;
        }

        pool.Engine.Snapshot.Members[0].Successes.Should().Be(1);
        pool.Engine.Snapshot.Members[0].Neutrals.Should().Be(0);
    }

    [Fact]
    public async Task After_a_cancelled_read_reading_on_is_no_end()
    {
        await using var pool = Pool(1);
        using var caller = new CancellationTokenSource();
        Scripts["a"] = Says("one wait");
        var stream = await Open(pool, ct: caller.Token);
        await stream.MoveNextAsync();
        var next = stream.MoveNextAsync().AsTask();
        caller.Cancel();
        await next.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        await stream.Awaiting(s => s.MoveNextAsync().AsTask()).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task Without_an_idle_timeout_a_silence_may_last()
    {
        await using var pool = Pool(1, o => o.Streaming.IdleTimeout = TimeSpan.FromDays(3650));
        Scripts["a"] = Says("one 36000s two .");
        var reading = ReadAll(await Open(pool));
        Time.Advance(S(36000));
        (await reading).Should().Be("one two .");
    }

    [Fact]
    public async Task The_late_end_of_a_source_that_was_left_does_not_touch_the_one_that_continues_it()
    {
        await using var pool = Pool(1);
        var left = new TaskCompletionSource();
        var closed = false;
        Scripts["a"] = _ => Slow();
        var stream = await Open(pool, continueWith: (_, token) => new(Play("more 5s end .", token)));
        (await stream.MoveNextAsync()).Should().BeTrue();
        var next = stream.MoveNextAsync().AsTask();
        Time.Advance(S(30)); // the idle timeout abandons the source, which ignores its token
        (await next).Should().BeTrue();
        stream.Current.Should().Be("more");
        next = stream.MoveNextAsync().AsTask();
        left.SetResult();
        closed.Should().BeTrue("the source that was left is closed once it has moved");
        next.IsCompleted.Should().BeFalse("the other is still silent");
        Time.Advance(S(5));
        (await next).Should().BeTrue();
        stream.Current.Should().Be("end");

        async IAsyncEnumerable<string> Slow()
        {
            try
            {
                yield return "one";
                await left.Task;
                yield return "late";
            }
            finally
            {
                closed = true;
            }
        }
    }

    [Fact]
    public async Task An_opener_that_reports_a_fault_and_returns_its_stream_all_the_same_cannot_reach_the_next_attempt()
    {
        await using var pool = Pool(2);
        Scripts["a"] = Says("one two .");
        Scripts["b"] = Says("three four .");
        await using var stream = await pool.StreamAsync(RequestProfile.Default, this, static (attempt, test, token) =>
        {
            if (attempt.Endpoint.Name == "a")
                attempt.ReportFault(new Fault(FaultKind.Overloaded));
            return ValueTask.FromResult(test.Scripts[attempt.Endpoint.Name](token));
        }, new Words(), Ct);
        (await ReadAll(stream)).Should().Be("three four .");
        InFlight(pool).Should().Be(0);
    }
}
