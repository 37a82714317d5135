using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class HedgingTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _tried = [];
    private readonly List<Answer> _answers = [];

    private sealed class Answer : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private EndpointPool Pool(Action<EndpointPoolOptions>? configure = null) => TestPool.Create(_time, 2, o =>
    {
        o.Hedging.Enabled = true;
        configure?.Invoke(o);
    });

    // Returns after the given time, even if the attempt is cancelled.
    private ValueTask<Answer> Call(EndpointPool pool, Func<string, double> seconds, RequestProfile? profile = null) =>
        pool.ExecuteAsync(profile ?? RequestProfile.Default, (Test: this, seconds), static async (attempt, s, _) =>
        {
            s.Test._tried.Add(attempt.Endpoint.Name);
            await Task.Delay(TimeSpan.FromSeconds(s.seconds(attempt.Endpoint.Name)), s.Test._time, CancellationToken.None);
            var answer = new Answer();
            s.Test._answers.Add(answer);
            return answer;
        }, Ct);

    private async Task Learn(EndpointPool pool)
    {
        for (var i = 0; i < 60; i++)
        {
            var call = Call(pool, _ => 0.1).AsTask();
            _time.Advance(TimeSpan.FromSeconds(0.1));
            await call;
        }
        _tried.Clear();
        _answers.Clear();
    }

    [Fact]
    public async Task A_slow_first_attempt_gets_company_and_the_first_content_wins()
    {
        await using var pool = Pool();
        await Learn(pool);
        var call = Call(pool, _ => _tried.Count == 1 ? 0.9 : 0.1).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.25));
        call.IsCompleted.Should().BeTrue("the second attempt has answered, and the loser that ignores its token delays nobody");
        _tried.Should().HaveCount(2);
        (await call).IsDisposed.Should().BeFalse();
    }

    [Fact]
    public async Task Failure_33_the_losers_result_is_disposed_when_it_comes()
    {
        await using var pool = Pool();
        await Learn(pool);
        var call = Call(pool, _ => _tried.Count == 1 ? 0.9 : 0.1).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));
        var winner = await call;
        _answers.Should().HaveCount(2);
        _answers.Should().ContainSingle(a => a.IsDisposed).Which.Should().NotBeSameAs(winner);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task If_both_attempts_answer_the_details_name_the_one_whose_answer_the_caller_got(bool whenCancelled)
    {
        await using var pool = Pool();
        await Learn(pool);
        var first = new TaskCompletionSource<string>();
        var call = pool.ExecuteWithDetailAsync(RequestProfile.Default, 0, (attempt, _, token) =>
        {
            _tried.Add(attempt.Endpoint.Name);
            if (_tried.Count == 1)
            {
                if (whenCancelled)
                    token.UnsafeRegister(_ => first.SetResult(_tried[0]), null);
                return new ValueTask<string>(first.Task);
            }
            if (!whenCancelled)
                first.SetResult(_tried[0]);
            return new ValueTask<string>(attempt.Endpoint.Name);
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        var (answer, detail) = await call;
        _tried.Should().HaveCount(2);
        detail.Endpoint.Should().Be(answer);
        detail.Attempts.Should().ContainSingle(a => a.Fault == null).Which.Endpoint.Should().Be(answer);
        detail.PerhapsBilled.Should().Be(1, "the other endpoint has answered too");
    }

    private sealed class ThrowsOnDisposal : IDisposable
    {
        public void Dispose() => throw new InvalidOperationException("mine");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_loser_whose_result_throws_on_its_disposal_does_not_take_the_answer_from_the_caller()
    {
        await using var pool = Pool();
        await Learn(pool);
        var first = new TaskCompletionSource<ThrowsOnDisposal>();
        var call = pool.ExecuteAsync(RequestProfile.Default, 0, (_, _, _) =>
        {
            _tried.Add("");
            if (_tried.Count == 1)
                return new ValueTask<ThrowsOnDisposal>(first.Task);
            first.SetResult(new ThrowsOnDisposal());
            return new ValueTask<ThrowsOnDisposal>(new ThrowsOnDisposal());
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await call).Should().BeSameAs(await first.Task);
        pool.Explain(RequestProfile.Default).Sum(e => e.InFlight).Should().Be(0);
    }

    [Fact]
    public async Task A_call_that_must_not_be_repeated_is_never_hedged()
    {
        await using var pool = Pool();
        await Learn(pool);
        var call = Call(pool, _ => 0.25, new RequestProfile { MayRepeat = false }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        await call;
        _tried.Should().HaveCount(1);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(20, 2)]
    public async Task A_hedge_begins_only_if_its_endpoint_can_answer_before_the_deadline(double deadline, int attempts)
    {
        await using var pool = Pool(o => o.Endpoints[1].Tier = 1);
        foreach (var name in new[] { "a", "b" })
        {
            for (var i = 0; i < 30; i++)
            {
                var learning = Call(pool, _ => name == "a" ? 0.1 : 5, new RequestProfile { Endpoints = [name] }).AsTask();
                _time.Advance(TimeSpan.FromSeconds(5));
                await learning;
            }
        }

        _tried.Clear();
        var call = Call(pool, name => name == "a" ? 0.9 : 5, new RequestProfile { Deadline = TimeSpan.FromSeconds(deadline) }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.9));
        await call;
        _tried.Should().HaveCount(attempts, "an answer of b takes five seconds");
    }

    [Fact]
    public async Task Hedges_stay_within_their_share_of_the_calls()
    {
        await using var pool = Pool(o => o.RetryBudget.Cap = 1000);
        await Learn(pool);
        for (var i = 0; i < 400; i++)
        {
            var first = _tried.Count;
            var call = Call(pool, _ => _tried.Count == first + 1 ? 0.25 : 0.2).AsTask();
            _time.Advance(TimeSpan.FromSeconds(1));
            await call;
        }
        (_tried.Count - 400).Should().BeInRange(1, 23, "at most 5 % of 460 calls may have company");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hedge_that_cannot_start_yet_starts_when_its_endpoint_or_the_budget_has_capacity(bool isBudget)
    {
        await using var pool = Pool(o => o.RetryBudget.HedgesPerCall = isBudget ? 0.05 : 1);
        await Learn(pool);
        while (isBudget && pool.Engine.Budget.TryHedge())
            continue;
        var others = Enumerable.Range(0, isBudget ? 0 : 8).Select(_ => Call(pool, static _ => 0.5, new RequestProfile { Endpoints = ["b"], MayHedge = false }).AsTask()).ToArray();
        _tried.Clear();
        var call = Call(pool, static name => name == "a" ? 0.9 : 0.1, RequestProfile.Default).AsTask();
        _tried.Should().Equal("a");
        _time.Advance(TimeSpan.FromSeconds(0.4));
        _tried.Should().Equal("a");
        for (var i = 0; isBudget && i < 20; i++)
            await Call(pool, static _ => 0, new RequestProfile { Endpoints = ["a"], MayHedge = false });
        _tried.Clear();
        _time.Advance(TimeSpan.FromSeconds(0.3));
        await Task.WhenAll(others);
        _tried.Should().Equal("b");
        _time.Advance(TimeSpan.FromSeconds(0.1));
        call.IsCompletedSuccessfully.Should().BeTrue();
    }

    [Fact]
    public async Task A_fast_endpoint_is_not_hedged()
    {
        await using var pool = Pool();
        await Learn(pool);
        await Learn(pool);
        for (var i = 0; i < 20; i++)
        {
            var call = Call(pool, _ => 0.09).AsTask();
            _time.Advance(TimeSpan.FromSeconds(0.1));
            await call;
        }
        _tried.Should().HaveCount(20);
    }

    [Fact]
    public async Task Failure_37_a_loser_that_was_silent_too_long_counts_as_silent()
    {
        await using var pool = Pool(o => { o.RetryBudget.Cap = 1000; o.RetryBudget.HedgesPerCall = 1; });
        await Learn(pool);
        for (var i = 0; i < 12; i++)
        {
            var call = Call(pool, name => name == "a" ? 1000 : 0.1).AsTask();
            _time.Advance(TimeSpan.FromSeconds(5));
            await call;
        }
        pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == "a").NotAdmittedBy.Should().Be("health");
    }
}
