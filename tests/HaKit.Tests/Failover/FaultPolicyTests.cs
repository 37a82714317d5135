using HaKit.Failover;
using HaKit.Faults;
using HaKit.Testing;
using Polly;

namespace HaKit.Tests.Failover;

/// <summary>Tests the action after a fault, and the parts of it that the application may change.</summary>
public sealed class FaultPolicyTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private readonly List<(string Endpoint, double At)> _attempts = [];

    private double Now => _time.GetElapsedTime(0).TotalSeconds;

    private EndpointPool Pool(int endpoints, Func<Fault, RequestProfile, FaultAction?>? policy, Action<EndpointPoolOptions>? configure = null) =>
        TestPool.Create(_time, endpoints, options =>
        {
            options.OnFault = policy;
            configure?.Invoke(options);
        });

    // Every endpoint fails with this fault until the call has made the given number of attempts.
    private Task<string> Call(EndpointPool pool, Fault fault, int failures = 1, RequestProfile? profile = null) =>
        pool.ExecuteAsync(profile ?? RequestProfile.Default, (this, fault, failures), static (attempt, s, _) =>
        {
            var (test, fault, failures) = s;
            test._attempts.Add((attempt.Endpoint.Name, test.Now));
            if (attempt.Number <= failures)
                attempt.ReportFault(fault);
            return ValueTask.FromResult(attempt.Endpoint.Name);
        }, Ct).AsTask();

    [Fact]
    public async Task A_fault_that_usually_moves_on_can_be_returned()
    {
        await using var pool = Pool(2, (fault, _) => fault.Kind == FaultKind.ServerError ? FaultAction.Return : null);
        (await Call(pool, new Fault(FaultKind.ServerError))).Should().Be("a", "the answer goes back as it is");
        (await Call(pool, new Fault(FaultKind.Overloaded))).Should().NotBe(_attempts[^2].Endpoint, "what the policy says nothing about is as usual");
    }

    [Fact]
    public async Task A_fault_that_usually_returns_can_move_on()
    {
        await using var pool = Pool(2, (fault, _) => fault.Kind == FaultKind.InvalidRequest ? FaultAction.MoveOn : null);
        (await Call(pool, new Fault(FaultKind.InvalidRequest))).Should().Be("b");
    }

    [Fact]
    public async Task A_fault_can_be_waited_for_although_another_endpoint_is_untried()
    {
        await using var pool = Pool(2, (_, _) => FaultAction.Wait, o => o.Retry.Delay = o.Retry.MaxDelay = TimeSpan.FromSeconds(4));
        var call = Call(pool, new Fault(FaultKind.Overloaded));
        _attempts.Should().ContainSingle();
        call.IsCompleted.Should().BeFalse();
        _time.Advance(TimeSpan.FromSeconds(4));
        (await call).Should().Be("b");
        _attempts[1].At.Should().BeGreaterThan(_attempts[0].At);
    }

    [Fact]
    public async Task A_wait_leaves_time_for_the_attempt_after_it()
    {
        await using var pool = Pool(2, (_, _) => FaultAction.Wait, o => o.Retry.Delay = o.Retry.MaxDelay = TimeSpan.FromHours(1));
        var call = Call(pool, new Fault(FaultKind.Overloaded), profile: new RequestProfile { Deadline = TimeSpan.FromSeconds(10) });
        _time.Advance(TimeSpan.FromSeconds(7.5));
        (await call).Should().Be("b");
    }

    [Fact]
    public async Task What_may_have_been_done_is_not_repeated_against_the_callers_word_whatever_the_policy_says()
    {
        await using var pool = Pool(2, (_, _) => FaultAction.MoveOn);
        await Call(pool, new Fault(FaultKind.ServerError), profile: new RequestProfile { MayRepeat = false });
        _attempts.Should().ContainSingle();
    }

    [Fact]
    public async Task A_policy_that_throws_is_passed_over_and_leaves_nothing_open()
    {
        await using var pool = Pool(2, (_, _) => throw new InvalidOperationException("mine"));
        (await Call(pool, new Fault(FaultKind.Overloaded))).Should().Be("b");
        pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.InFlight == 0);
    }

    [Fact]
    public async Task No_attempt_begins_that_hardly_any_answer_would_be_in_time_for()
    {
        await using var pool = Pool(2, policy: null);
        for (var i = 0; i < 60; i++)
            await Answer(after: 2, new RequestProfile());
        _attempts.Clear();
        var call = Answer(after: 2, new RequestProfile { Deadline = TimeSpan.FromSeconds(3) }, failFirstAfter: 1.5);
        await call.Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>("a second and a half are left, and all answers took two");
        _attempts.Should().ContainSingle();

        async Task<string> Answer(double after, RequestProfile profile, double failFirstAfter = 0)
        {
            var answer = pool.ExecuteAsync(profile, 0, async (attempt, _, _) =>
            {
                _attempts.Add((attempt.Endpoint.Name, Now));
                var fails = failFirstAfter > 0 && attempt.Number == 1;
                await Task.Delay(TimeSpan.FromSeconds(fails ? failFirstAfter : after), _time, CancellationToken.None);
                if (fails)
                    attempt.ReportFault(new Fault(FaultKind.Overloaded));
                return attempt.Endpoint.Name;
            }, Ct).AsTask();
            _time.Advance(TimeSpan.FromSeconds(2));
            return await answer;
        }
    }

    [Fact]
    public async Task The_bound_on_hopeless_attempts_can_be_switched_off()
    {
        await using var pool = Pool(2, policy: null, o => o.Retry.MinimumChance = 0);
        for (var i = 0; i < 60; i++)
        {
            var usual = pool.ExecuteAsync(0, async (_, _, _) => { await Task.Delay(TimeSpan.FromSeconds(2), _time, CancellationToken.None); return 0; }, Ct).AsTask();
            _time.Advance(TimeSpan.FromSeconds(2));
            await usual;
        }
        (await Call(pool, new Fault(FaultKind.Overloaded), profile: new RequestProfile { Deadline = TimeSpan.FromSeconds(1) })).Should().NotBeNull();
        _attempts.Should().HaveCount(2);
    }

    [Fact]
    public async Task An_only_endpoint_may_have_all_attempts_of_a_call_and_is_asked_again_soon()
    {
        await using var pool = Pool(1, policy: null);
        var call = Call(pool, new Fault(FaultKind.ServerError), failures: 3);
        _time.Advance(TimeSpan.FromSeconds(2));
        (await call).Should().Be("a");
        _attempts.Should().HaveCount(4);
    }

    [Fact]
    public async Task A_cap_on_the_attempts_per_endpoint_that_was_given_is_kept()
    {
        await using var pool = Pool(1, policy: null, o => o.Retry.MaxAttemptsPerEndpoint = 1);
        var call = Call(pool, new Fault(FaultKind.ServerError));
        await call.Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>();
        _attempts.Should().ContainSingle();
    }

    [Fact]
    public async Task Failure_2_backoff_counts_from_the_last_failure_and_not_from_the_first()
    {
        await using var pool = Pool(1, policy: null, o => o.Retry.Delay = o.Retry.MaxDelay = TimeSpan.FromSeconds(1));
        var failures = new List<double>();
        var call = pool.ExecuteAsync(0, async (attempt, _, _) =>
        {
            _attempts.Add((attempt.Endpoint.Name, Now));
            await Task.Delay(TimeSpan.FromSeconds(5), _time, CancellationToken.None); // longer than any backoff
            if (attempt.Number == 4)
                return 0;
            failures.Add(Now);
            attempt.ReportFault(new Fault(FaultKind.ServerError));
            return 0;
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(40));
        await call;
        for (var i = 0; i < failures.Count; i++)
            (_attempts[i + 1].At - failures[i]).Should().BeInRange(0.000001, 1, "full jitter within one second of the last failure");
    }

    [Fact]
    public async Task Failure_11_a_fallback_does_not_reset_the_number_of_attempts()
    {
        await using var pool = Pool(4, policy: null, o => o.Retry.MaxRetryAttempts = 5);
        var call = Call(pool, new Fault(FaultKind.ServerError), failures: int.MaxValue);
        _time.Advance(TimeSpan.FromSeconds(101));
        var failure = (await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which;
        _attempts.Should().HaveCount(6);
        failure.Attempts.Should().HaveCount(6);
    }

    [Fact]
    public async Task Failure_11_a_strategy_outside_failover_that_runs_the_call_again_does_not_reset_it_either()
    {
        await using var pool = TestPool.Create(_time, 4, o => o.Retry.MaxRetryAttempts = 5, parts => parts.ConfigurePipeline = builder => builder.AddStrategy(_ => new Again(), new AgainOptions()));
        var call = Call(pool, new Fault(FaultKind.ServerError), failures: int.MaxValue);
        _time.Advance(TimeSpan.FromSeconds(101));
        await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>();
        _attempts.Should().HaveCount(6);
    }

    [Fact]
    public async Task Failure_12_the_attempts_are_not_spent_on_one_accounts_keys_while_another_account_is_well()
    {
        await using var pool = Pool(6, policy: null, o =>
        {
            for (var i = 0; i < 6; i++)
                o.Endpoints[i].Account = i < 5 ? "first" : "second";
        });
        (await Call(pool, new Fault(FaultKind.ServerError))).Should().Be("f");
        _attempts.Should().HaveCount(2);
    }

    [Fact]
    public async Task Failure_22_exhausted_quota_of_an_account_is_not_answered_by_asking_its_siblings()
    {
        await using var pool = Pool(4, policy: null, o =>
        {
            for (var i = 0; i < 4; i++)
                o.Endpoints[i].Account = i < 3 ? "spent" : "funded";
        });
        (await Call(pool, new Fault(FaultKind.QuotaExhausted))).Should().Be("d");
        _attempts.Should().HaveCount(2);
        (await Call(pool, new Fault(FaultKind.ServerError), failures: 0)).Should().Be("d");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Failure_38_the_next_attempt_goes_to_a_healthy_endpoint_at_once_and_not_to_the_same_one_after_a_second(int endpoints)
    {
        await using var pool = Pool(endpoints, policy: null);
        await Call(pool, new Fault(FaultKind.ServerError));
        _attempts.Should().HaveCount(2);
        _attempts[1].Endpoint.Should().NotBe(_attempts[0].Endpoint);
        _attempts[1].At.Should().Be(_attempts[0].At);
    }

    private sealed class AgainOptions : ResilienceStrategyOptions;

    private sealed class Again : ResilienceStrategy
    {
        protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
        {
            await callback(context, state);
            return await callback(context, state);
        }
    }
}
