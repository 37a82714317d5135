using HaKit.Failover;
using HaKit.Faults;
using HaKit.Selection;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>An exception that no attempt threw ends a call. The call then holds neither a running attempt nor the result of an ended attempt.</summary>
public sealed class ThrowingCallTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private sealed class Answer : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class ThrowingSelector(Func<bool> throws) : IEndpointSelector
    {
        public int Choose(RequestProfile profile, ReadOnlySpan<EndpointCandidate> candidates) => throws() ? throw new InvalidOperationException("mine") : 0;
    }

    /// <summary>A clock of the application that neither creates nor sets the timer of a call while <see cref="Throws"/> is true.</summary>
    private sealed class ThrowingClock(TimeProvider inner) : TimeProvider
    {
        public bool Throws { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (state is not AsyncSignal)
                return inner.CreateTimer(callback, state, dueTime, period);
            return Throws ? throw new InvalidOperationException("no timer") : new Timer(this, inner.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Timer(ThrowingClock clock, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => clock.Throws ? throw new InvalidOperationException("no timer") : inner.Change(dueTime, period);

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    private static int InFlight(EndpointPool pool) => pool.Explain(RequestProfile.Default).Sum(e => e.InFlight);

    [Fact(Timeout = 60_000)]
    public async Task An_attempt_that_runs_when_its_call_ends_with_an_exception_is_cancelled_and_gives_its_place_back()
    {
        var clock = new ThrowingClock(_time);
        await using var pool = TestPool.Create(_time, 2, configure: null, parts => parts.TimeProvider = clock);
        var answer = new TaskCompletionSource<Answer>();
        CancellationToken token = default;
        var call = async () => await pool.ExecuteAsync(0, (_, _, attemptToken) =>
        {
            (clock.Throws, token) = (true, attemptToken);
            return new ValueTask<Answer>(answer.Task);
        }, Ct);
        await call.Should().ThrowAsync<InvalidOperationException>().WithMessage("no timer");
        clock.Throws = false;
        token.IsCancellationRequested.Should().BeTrue();
        InFlight(pool).Should().Be(0);
        var late = new Answer();
        answer.SetResult(late);
        late.IsDisposed.Should().BeTrue("no caller gets it");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_attempt_that_runs_when_its_call_ends_later_with_an_exception_gives_its_place_back_too()
    {
        var clock = new ThrowingClock(_time);
        await using var pool = TestPool.Create(_time, 2, configure: null, parts => parts.TimeProvider = clock);
        var answer = new TaskCompletionSource<Answer>();
        CancellationToken token = default;
        var call = pool.ExecuteAsync(0, (_, _, attemptToken) =>
        {
            token = attemptToken;
            return new ValueTask<Answer>(answer.Task);
        }, Ct).AsTask();
        call.IsCompleted.Should().BeFalse();
        clock.Throws = true;
        _time.Advance(TimeSpan.FromSeconds(101)); // up to the deadline, the timer of the call is set anew at least once
        clock.Throws = false;
        await call.Awaiting(c => c).Should().ThrowAsync<InvalidOperationException>().WithMessage("no timer");
        token.IsCancellationRequested.Should().BeTrue();
        InFlight(pool).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_answer_of_an_endpoint_that_refused_is_disposed_if_the_selector_throws_then()
    {
        var throws = false;
        await using var pool = TestPool.Create(_time, 3, configure: null, parts => parts.Selector = new ThrowingSelector(() => throws));
        var refusal = new Answer();
        var call = async () => await pool.ExecuteAsync(0, (attempt, _, _) =>
        {
            throws = true;
            attempt.ReportFault(new Fault(FaultKind.NotServed) { SecondOpinion = SecondOpinion.Each });
            return new ValueTask<Answer>(refusal);
        }, Ct);
        await call.Should().ThrowAsync<InvalidOperationException>().WithMessage("mine");
        refusal.IsDisposed.Should().BeTrue();
        InFlight(pool).Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_selector_that_throws_beside_a_silent_attempt_is_logged_and_the_attempt_goes_on()
    {
        var lines = new Http.Lines();
        var throws = false;
        await using var pool = TestPool.Create(_time, 3, configure: null, parts => (parts.Selector, parts.LoggerFactory) = (new ThrowingSelector(() => throws), lines));
        var answer = new TaskCompletionSource<int>();
        var call = pool.ExecuteAsync(0, (_, _, _) => { throws = true; return new ValueTask<int>(answer.Task); }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(40));
        call.IsCompleted.Should().BeFalse();
        InFlight(pool).Should().Be(1);
        lines.All.Should().Contain(line => line.Contains("IEndpointSelector", StringComparison.Ordinal));
        answer.SetResult(1);
        (await call).Should().Be(1);
        InFlight(pool).Should().Be(0);
    }
}
