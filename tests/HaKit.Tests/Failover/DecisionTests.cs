using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Limits;
using HaKit.Telemetry;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

/// <summary>Tests the engine's decisions about one call, step by step, without the loop that executes them.</summary>
public sealed class DecisionTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Fault ServerError = new(FaultKind.ServerError);
    private readonly ManualTimeProvider _time = new();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private EndpointPool Pool(int endpoints, Action<EndpointPoolOptions>? configure = null, Func<Fault, RequestProfile, FaultAction?>? policy = null) =>
        TestPool.Create(_time, endpoints, options =>
        {
            options.OnFault = policy;
            configure?.Invoke(options);
        });

    private static FailoverCall Begin(EndpointPool pool, double deadline = 100, bool isStream = false, RequestProfile? profile = null) =>
        pool.Engine.BeginCall((profile ?? RequestProfile.Default) with { Deadline = deadline == double.PositiveInfinity ? TimeSpan.MaxValue : S(deadline) }, isStream, pool.Engine.Clock.Now, Ct);

    private Step Next(EndpointPool pool, FailoverCall call) => pool.Engine.Next(call, pool.Engine.Clock.Now);

    private static void Fail(EndpointPool pool, FailoverCall call, Lease lease, Fault? fault = null)
    {
        var now = pool.Engine.Clock.Now;
        lease.Complete(fault ?? ServerError, now);
        pool.Engine.Results.RecordEnd(call, lease, fault ?? ServerError, now);
    }

    // Makes 60 calls that are answered after the given time, so that this time becomes the endpoint's usual time.
    private static void Learn(EndpointPool pool, double seconds, bool isStream = false)
    {
        foreach (var member in pool.Engine.Snapshot.Members)
        {
            for (var i = 0; i < 60; i++)
                member.Times.Record(isStream, S(seconds));
        }
    }

    // The time limit of an attempt

    [Fact]
    public async Task While_another_could_serve_an_attempt_may_be_silent_for_half_of_what_is_left()
    {
        await using var pool = Pool(2);
        var lease = Next(pool, Begin(pool, deadline: 20)).Lease!;
        (lease.SilentUntil, lease.EndsAt, lease.Deadline).Should().Be((S(10), S(20), S(20)));

        _time.Advance(S(5));
        lease = Next(pool, Begin(pool, deadline: 20)).Lease!;
        (lease.SilentUntil, lease.EndsAt).Should().Be((S(15), S(25)));
    }

    [Fact]
    public async Task An_attempt_that_nobody_else_could_make_may_be_silent_to_the_end()
    {
        await using var pool = Pool(1);
        var lease = Next(pool, Begin(pool, deadline: 20)).Lease!;
        (lease.SilentUntil, lease.EndsAt).Should().Be((S(20), S(20)));
    }

    [Fact]
    public async Task An_endpoint_whose_answers_usually_take_more_than_half_has_its_usual_time()
    {
        await using var pool = Pool(2);
        Learn(pool, 12);
        var usual = pool.Engine.Snapshot.Members[0].Times.Quantile(false, 0.99)!.Value;
        usual.Should().BeGreaterThan(S(10));
        Next(pool, Begin(pool, deadline: 20)).Lease!.SilentUntil.Should().Be(usual);
    }

    [Theory]
    [InlineData(true, 30)]
    [InlineData(false, 30)]
    public async Task What_nothing_is_known_of_may_be_silent_for_thirty_seconds(bool isStream, double seconds)
    {
        await using var pool = Pool(2);
        var lease = Next(pool, Begin(pool, deadline: 100, isStream)).Lease!;
        (lease.SilentUntil, lease.EndsAt).Should().Be((S(seconds), S(100)));
    }

    [Fact]
    public async Task What_was_learned_bounds_a_silence_and_an_attempts_own_limit_bounds_all_of_it()
    {
        await using var pool = Pool(2, o => { o.AttemptTimeout = new() { Timeout = S(8) }; o.Endpoints[1].AttemptTimeout = new() { Timeout = S(2) }; });
        Learn(pool, 1);
        var limit = pool.Engine.Snapshot.Members[0].Times.Limit(isStream: false)!.Value;
        limit.Should().BeGreaterThan(S(3)).And.BeLessThan(S(4));
        var first = Next(pool, Begin(pool)).Lease!;
        (first.State.Endpoint.Name, first.SilentUntil, first.EndsAt).Should().Be(("a", limit, S(8)));
        var second = Next(pool, Begin(pool)).Lease!;
        (second.State.Endpoint.Name, second.SilentUntil, second.EndsAt).Should().Be(("b", S(2), S(2)));
    }

    [Fact]
    public async Task A_limit_that_is_given_and_not_learned_is_for_streams_alone()
    {
        await using var pool = Pool(1, o => o.FirstContent = new() { Learned = false, Timeout = S(5) });
        Learn(pool, 0.1);
        Learn(pool, 0.1, isStream: true);
        Next(pool, Begin(pool, isStream: true)).Lease!.SilentUntil.Should().Be(S(5));
        Next(pool, Begin(pool)).Lease!.SilentUntil.Should().Be(S(100));
    }

    [Fact]
    public async Task A_call_without_a_deadline_lasts_for_ever_and_its_silences_do_not()
    {
        await using var pool = Pool(2);
        var plain = Next(pool, Begin(pool, double.PositiveInfinity)).Lease!;
        (plain.SilentUntil, plain.IsLimitKnown, plain.EndsAt).Should().Be((S(30), false, TimeSpan.MaxValue));
        var stream = Next(pool, Begin(pool, double.PositiveInfinity, isStream: true)).Lease!;
        (stream.SilentUntil, stream.EndsAt).Should().Be((S(30), TimeSpan.MaxValue));
    }

    // The fault of a silent attempt

    [Fact]
    public async Task An_attempt_is_silent_once_it_has_said_nothing_for_its_limit()
    {
        await using var pool = Pool(1);
        var call = Begin(pool, isStream: true);
        var lease = Next(pool, call).Lease!;
        pool.Engine.Silence.IsSilent(call, lease, S(29.999)).Should().BeFalse();
        pool.Engine.Silence.IsSilent(call, lease, S(30)).Should().BeTrue();
        lease.RecordFirstContent(S(30));
        pool.Engine.Silence.IsSilent(call, lease, S(60)).Should().BeFalse();

        var plain = Begin(pool);
        pool.Engine.Silence.IsSilent(plain, Next(pool, plain).Lease!, S(99)).Should().BeFalse("of plain answers nothing is known");
    }

    [Fact]
    public async Task An_attempt_given_up_before_its_endpoints_usual_time_says_nothing_about_it()
    {
        await using var pool = Pool(1);
        var call = Begin(pool);
        var lease = Next(pool, call).Lease!;
        pool.Engine.Silence.WasCutShort(call, lease, S(0.999)).Should().BeTrue("nothing is known, and a second is the least");
        pool.Engine.Silence.WasCutShort(call, lease, S(1)).Should().BeFalse();
        Learn(pool, 4);
        var usual = lease.State.Times.Quantile(false, 0.95)!.Value;
        pool.Engine.Silence.WasCutShort(call, lease, usual - S(0.001)).Should().BeTrue();
        pool.Engine.Silence.WasCutShort(call, lease, usual).Should().BeFalse();
    }

    [Fact]
    public async Task A_loser_was_unusually_silent_from_the_time_at_which_it_would_be_given_company()
    {
        await using var pool = Pool(1);
        var plain = Begin(pool);
        pool.Engine.Silence.WasUnusuallySilent(plain, Next(pool, plain).Lease!, S(99)).Should().BeFalse("nothing is known");
        var call = Begin(pool, isStream: true);
        var lease = Next(pool, call).Lease!;
        pool.Engine.Silence.WasUnusuallySilent(call, lease, S(29.999)).Should().BeFalse();
        pool.Engine.Silence.WasUnusuallySilent(call, lease, S(30)).Should().BeTrue("streams have a limit before anything is known");
        Learn(pool, 4, isStream: true);
        var usual = lease.State.Times.Quantile(true, 0.95)!.Value;
        pool.Engine.Silence.WasUnusuallySilent(call, lease, usual - S(0.001)).Should().BeFalse();
        pool.Engine.Silence.WasUnusuallySilent(call, lease, usual).Should().BeTrue();
        lease.RecordFirstContent(usual);
        pool.Engine.Silence.WasUnusuallySilent(call, lease, S(60)).Should().BeFalse();
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.5)]
    public async Task The_price_of_hedges_moves_neither_what_is_silent_nor_what_was_cut_short(double maxShare)
    {
        await using var pool = Pool(2, o => o.Hedging.MaxShare = maxShare);
        Learn(pool, 2, isStream: true);
        var call = Begin(pool, isStream: true);
        var lease = Next(pool, call).Lease!;
        var usual = lease.State.Times.Quantile(true, 0.95)!.Value;
        pool.Engine.Silence.WasUnusuallySilent(call, lease, usual - S(0.001)).Should().BeFalse();
        pool.Engine.Silence.WasUnusuallySilent(call, lease, usual).Should().BeTrue();
        pool.Engine.Silence.WasCutShort(call, lease, usual - S(0.001)).Should().BeTrue();
        pool.Engine.Silence.WasCutShort(call, lease, usual).Should().BeFalse();
    }

    // A second attempt beside a slow attempt

    [Fact]
    public async Task Company_comes_after_the_endpoints_slow_time_and_never_before_the_least_delay()
    {
        await using var pool = Pool(2, o => o.Hedging.Enabled = true);
        _time.Advance(S(1));
        var call = Begin(pool);
        var lease = Next(pool, call).Lease!;
        pool.Engine.Hedges.HedgeAt(call, lease).Should().Be(TimeSpan.MaxValue, "nobody knows what is slow");
        Learn(pool, 2);
        var slow = lease.State.Times.Quantile(false, 0.95)!.Value;
        pool.Engine.Hedges.HedgeAt(call, lease).Should().Be(S(1) + slow);
        pool.Engine.Settings = pool.Engine.Settings with { Hedging = new() { Enabled = true, MinimumDelay = S(7) } };
        pool.Engine.Hedges.HedgeAt(call, lease).Should().Be(S(8));
        lease.RecordFirstContent(S(2));
        pool.Engine.Hedges.HedgeAt(call, lease).Should().Be(TimeSpan.MaxValue);
    }

    [Theory]
    [InlineData(null, 95)]
    [InlineData(0.1, 90)]
    [InlineData(0.5, 50)]
    public async Task A_hedge_starts_after_the_time_that_only_its_share_of_the_answers_exceeds(double? maxShare, double seconds)
    {
        await using var pool = Pool(2, o => (o.Hedging.Enabled, o.Hedging.MaxShare) = (true, maxShare ?? o.Hedging.MaxShare));
        for (var second = 1; second <= 100; second++)
        {
            foreach (var member in pool.Engine.Snapshot.Members)
                member.Times.Record(false, S(second));
        }
        var call = Begin(pool);
        var lease = Next(pool, call).Lease!;
        pool.Engine.Hedges.HedgeAt(call, lease).Should().BeGreaterThanOrEqualTo(S(seconds)).And.BeLessThan(S(1.1 * seconds), "the times are known to a tenth");
    }

    [Theory]
    [InlineData(false, null, true, false)]
    [InlineData(false, true, true, true)]
    [InlineData(true, null, true, true)]
    [InlineData(true, false, true, false)]
    [InlineData(true, null, false, false)]
    [InlineData(true, true, false, false)]
    public async Task A_request_may_ask_for_company_or_refuse_it_and_one_that_must_not_be_repeated_has_none(bool enabled, bool? mayHedge, bool mayRepeat, bool expected)
    {
        await using var pool = Pool(2, o => o.Hedging.Enabled = enabled);
        Learn(pool, 2);
        var call = Begin(pool, profile: new RequestProfile { MayHedge = mayHedge, MayRepeat = mayRepeat });
        (pool.Engine.Hedges.HedgeAt(call, Next(pool, call).Lease!) < TimeSpan.MaxValue).Should().Be(expected);
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(1, 3, true)]
    [InlineData(1, 4, false)]
    public async Task Company_goes_to_another_endpoint_unless_that_is_burdened(int own, int others, bool expected)
    {
        await using var pool = Pool(2, o => o.RetryBudget.HedgesPerCall = 1);
        var call = Begin(pool);
        var lease = Next(pool, call).Lease!;
        var members = pool.Engine.Snapshot.Members;
        for (var i = 1; i < own; i++)
            members[0].RecordStart(0, S(0));
        for (var i = 0; i < others; i++)
            members[1].RecordStart(0, S(0));

        var hedge = pool.Engine.Hedges.TryHedge(call, S(1));

        (hedge?.State.Endpoint.Name, call.Hedged, call.History.Begun).Should().Be(expected ? ("b", true, 2) : (null, false, 1));
        lease.Number.Should().Be(1);
        (hedge?.Number ?? 2).Should().Be(2);
    }

    [Fact]
    public async Task The_budget_pays_for_a_retry_and_has_it_back_when_it_is_served()
    {
        await using var pool = Pool(1);
        foreach (var (isServed, level) in new[] { (true, 10), (false, 9) })
        {
            var call = Begin(pool);
            Fail(pool, call, Next(pool, call).Lease!);
            _time.Advance(S(1));
            pool.Engine.Snapshot.Members[0].RecordAnswer(pool.Engine.Clock.Now, TimeSpan.Zero); // the endpoint serves other calls
            var retry = Next(pool, call).Lease!;
            (retry.IsPaid, call.HasPaid, pool.Engine.Budget.Level).Should().Be((true, false, 9));
            if (isServed)
            {
                retry.Complete(null, pool.Engine.Clock.Now);
                pool.Engine.Results.RecordServed(call, retry, pool.Engine.Clock.Now);
            }
            else
            {
                Fail(pool, call, retry);
            }

            pool.Engine.Budget.Level.Should().Be(level);
        }
    }

    [Fact]
    public async Task A_call_that_ends_before_the_retry_it_has_paid_for_has_its_price_back()
    {
        await using var pool = Pool(1);
        var call = Begin(pool);
        Fail(pool, call, Next(pool, call).Lease!);
        pool.Engine.Budget.TryRetry().Should().BeTrue();
        call.HasPaid = true;
        pool.Engine.EndCall(call, CallOutcome.Failed, null);
        (call.HasPaid, pool.Engine.Budget.Level).Should().Be((false, 10));
    }

    [Fact]
    public async Task Company_needs_an_attempt_left_and_room_in_the_budget()
    {
        await using var pool = Pool(2, o => { o.RetryBudget.HedgesPerCall = 1; o.Retry.MaxRetryAttempts = 0; });
        var call = Begin(pool);
        Next(pool, call);
        pool.Engine.Hedges.TryHedge(call, S(1)).Should().BeNull("the call has had its only attempt");
        await using var poor = Pool(2, o => { o.RetryBudget.HedgesPerCall = 1; o.RetryBudget.Cap = 0; });
        var other = Begin(poor);
        Next(poor, other);
        poor.Engine.Hedges.TryHedge(other, S(1)).Should().BeNull("nothing is saved up");
        other.Hedged.Should().BeFalse();
    }

    // Backoff

    [Fact]
    public async Task Backoff_is_drawn_below_a_ceiling_that_doubles_up_to_the_longest_one()
    {
        await using var pool = Pool(1, policy: (_, _) => FaultAction.Wait);
        var longest = new double[9];
        for (var run = 0; run < 60; run++)
        {
            var call = Begin(pool, 100_000);
            for (var n = 0; n < longest.Length; n++)
            {
                call.BackoffUntil = null;
                call.LastFailure = S(10);
                pool.Engine.ActionFor(call, ServerError).Should().Be(FaultAction.Wait);
                var ceiling = Math.Min(8, 0.25 * Math.Pow(2, n));
                (call.HoldUntil - S(10)).TotalSeconds.Should().BeInRange(0, ceiling);
                longest[n] = Math.Max(longest[n], (call.HoldUntil - S(10)).TotalSeconds / ceiling);
            }
            call.Backoffs.Should().Be(longest.Length);
        }
        longest.Should().OnlyContain(share => share > 0.8, "full jitter uses all of it");
    }

    [Fact]
    public async Task Backoff_is_drawn_once_for_each_failure_and_leaves_a_quarter_of_the_deadline()
    {
        await using var pool = Pool(1, o => o.Retry.Delay = o.Retry.MaxDelay = S(1000), policy: (_, _) => FaultAction.Wait);
        var atBound = 0;
        for (var run = 0; run < 50; run++)
        {
            var call = Begin(pool, 10);
            call.LastFailure = S(2);
            pool.Engine.ActionFor(call, ServerError);
            var until = call.HoldUntil;
            pool.Engine.ActionFor(call, ServerError);
            call.HoldUntil.Should().Be(until, "looking again does not draw again");
            until.Should().BeLessThanOrEqualTo(S(8));
            atBound += until == S(8) ? 1 : 0;
        }
        atBound.Should().BeGreaterThan(45);
    }

    [Fact]
    public async Task A_call_that_is_held_begins_nothing_before_its_time()
    {
        await using var pool = Pool(2);
        var call = Begin(pool);
        call.HoldUntil = S(3);
        Next(pool, call).Should().Be(Step.Wait(S(3)));
        _time.Advance(S(3));
        Next(pool, call).Kind.Should().Be(StepKind.Start);
    }

    // The end of a call without an answer

    [Fact]
    public async Task When_all_attempts_are_spent_the_call_is_given_up()
    {
        await using var pool = Pool(2, o => o.Retry.MaxRetryAttempts = 1);
        var call = Begin(pool);
        Fail(pool, call, Next(pool, call).Lease!);
        Fail(pool, call, Next(pool, call).Lease!);
        Next(pool, call).Should().Be(Step.EndCall("all 2 attempts failed."));
    }

    [Fact]
    public async Task A_call_that_no_endpoint_wants_again_is_told_so()
    {
        await using var pool = Pool(2);
        var call = Begin(pool);
        Fail(pool, call, Next(pool, call).Lease!, new Fault(FaultKind.ServerError) { MayAskAgain = false });
        Fail(pool, call, Next(pool, call).Lease!, new Fault(FaultKind.ServerError) { MayAskAgain = false });
        Next(pool, call).Why.Should().Be("no further endpoint may be asked: an endpoint answered that the request must not be sent to it again (x-should-retry), and no other endpoint can serve the request.");
    }

    [Fact]
    public async Task A_call_that_nobody_could_serve_is_told_why()
    {
        await using var pool = Pool(2, o => { o.Endpoints[0].Model = o.Endpoints[1].Model = "m"; o.Retry.MaxAttemptsPerEndpoint = 1; });
        Next(pool, Begin(pool, profile: new RequestProfile { Model = "other" })).Why.Should().Be("no endpoint has the capabilities that the request needs: the model 'other'. Correct the settings of an endpoint (Model, Residency, Tags, Tools, Vision, ContextWindow), or the request's profile.");

        var tried = Begin(pool);
        Fail(pool, tried, Next(pool, tried).Lease!);
        Fail(pool, tried, Next(pool, tried).Lease!);
        Next(pool, tried).Why.Should().Be("each endpoint that may serve the request was tried as often as the settings allow.");

        await pool.ForceDownAsync("a");
        await pool.ForceDownAsync("b");
        Next(pool, Begin(pool)).Why.Should().Be("no endpoint can serve the request, and waiting does not help.");
    }

    [Theory]
    [InlineData(FaultKind.ContextLength, 0, "an endpoint has refused the prompt as too long, and no other endpoint that meets the requirements of the request has a larger context window.")]
    [InlineData(FaultKind.ContextLength, 10, "an endpoint has refused the prompt as too long, and no other endpoint that meets the requirements of the request has a larger context window.")]
    [InlineData(FaultKind.InvalidRequest, 0, "the request was refused, and no other endpoint can be asked now.")]
    public async Task An_endpoint_that_has_refused_the_request_is_not_said_to_lack_room_for_its_tokens(FaultKind refusal, int tokens, string why)
    {
        await using var pool = Pool(2, o =>
        {
            o.Endpoints[0].ContextWindow = 1000;
            (o.Endpoints[1].ContextWindow, o.Endpoints[1].Tier) = (2000, 1);
        });
        var call = Begin(pool, profile: new RequestProfile { InputTokens = tokens });
        Fail(pool, call, Next(pool, call).Lease!, new Fault(refusal) { SecondOpinion = refusal == FaultKind.InvalidRequest ? SecondOpinion.Each : SecondOpinion.None });
        pool.RemoveEndpoint("b");
        Next(pool, call).Why.Should().Be(why);
    }

    [Fact]
    public async Task A_return_after_the_deadline_is_not_waited_for_and_the_soonest_is_told()
    {
        await using var pool = Pool(3, o => { o.Endpoints[2].Model = "other"; o.Endpoints[0].Model = o.Endpoints[1].Model = "m"; });
        var call = Begin(pool, 100, profile: new RequestProfile { Model = "m" });
        pool.Engine.Failures.RetryAfter(call, S(0)).Should().Be(TimeSpan.Zero);
        Fail(pool, call, Next(pool, call).Lease!, new Fault(FaultKind.Throttled) { RetryAfter = S(900) });
        Fail(pool, call, Next(pool, call).Lease!, new Fault(FaultKind.Throttled) { RetryAfter = S(700) });

        Next(pool, call).Why.Should().Be("no endpoint can serve the request before its deadline.");
        pool.Engine.Failures.RetryAfter(call, S(0)).Should().Be(S(700));
        _time.Advance(S(50));
        pool.Engine.Failures.RetryAfter(call, S(50)).Should().Be(S(650));
        await pool.ForceDownAsync("a");
        await pool.ForceDownAsync("b");
        pool.Engine.Failures.RetryAfter(call, S(50)).Should().BeNull();
    }

    // The calls that are released when an attempt ends

    [Fact]
    public async Task Each_one_served_lets_two_in_and_each_failure_one()
    {
        await using var pool = Pool(1);
        var waits = Waiting(pool, 9);
        var abandoned = new[] { Next(pool, Begin(pool)).Lease!, Next(pool, Begin(pool)).Lease! };
        var call = Begin(pool);
        var lease = Next(pool, call).Lease!;
        lease.Complete(null, S(0));
        pool.Engine.Results.RecordServed(call, lease, pool.Engine.Clock.Now);
        waits.Count(w => w.IsCompleted).Should().Be(2);

        var failing = Begin(pool);
        Fail(pool, failing, Next(pool, failing).Lease!);
        waits.Count(w => w.IsCompleted).Should().Be(3);

        pool.Engine.Results.ReleaseWaiter();
        waits.Count(w => w.IsCompleted).Should().Be(4);

        pool.Engine.Results.CompleteLater(abandoned[0], null);
        waits.Count(w => w.IsCompleted).Should().Be(4, "the thread that says so must not run what the waiting call does next");
        _time.Advance(TimeSpan.Zero);
        waits.Count(w => w.IsCompleted).Should().Be(5);
        pool.Engine.Results.CompleteLater(abandoned[1], new Fault(FaultKind.CallerCancelled));
        _time.Advance(TimeSpan.Zero);
        waits.Count(w => w.IsCompleted).Should().Be(6);
    }

    private static List<Task<WaitResult>> Waiting(EndpointPool pool, int count)
    {
        var waits = new List<Task<WaitResult>>();
        for (var i = 0; i < count; i++)
        {
            pool.Engine.Queue.TryEnter(0, out var waiter).Should().BeTrue();
            waits.Add(Leave(waiter!));
        }
        return waits;

        static async Task<WaitResult> Leave(Waiter waiter)
        {
            var result = await waiter.WaitAsync(null, Ct);
            waiter.LeaveQueue();
            return result;
        }
    }

    // The recorded end of a call

    [Fact]
    public async Task How_a_call_ended_is_told_in_one_word()
    {
        await using var pool = Pool(1);
        var call = Begin(pool);
        pool.Engine.Outcomes.FindOutcome(call, null).Should().Be((CallOutcome.Served, null), "it never needed an endpoint");
        pool.Engine.Outcomes.FindOutcome(call, new DeadlineExceededException("p", S(1), [], null, null)).Should().Be((CallOutcome.Failed, "DeadlineExceeded"));
        pool.Engine.Outcomes.FindOutcome(call, new NoEndpointAvailableException("p", "why", [], [], null, null)).Should().Be((CallOutcome.Failed, "NoEndpointAvailable"));
        pool.Engine.Outcomes.FindOutcome(call, new OperationCanceledException()).Should().Be((CallOutcome.Failed, "AttemptTimeout"), "the caller has not cancelled");
        var cancelled = pool.Engine.BeginCall(RequestProfile.Default, isStream: false, pool.Engine.Clock.Now, new CancellationToken(canceled: true));
        pool.Engine.Outcomes.FindOutcome(cancelled, new OperationCanceledException()).Should().Be((CallOutcome.Caller, "CallerCancelled"));
        pool.Engine.Outcomes.FindOutcome(call, new EndpointFaultException("a", ServerError)).Should().Be((CallOutcome.Failed, "ServerError"));
        pool.Engine.Outcomes.FindOutcome(call, new EndpointFaultException("a", new Fault(FaultKind.InvalidRequest))).Should().Be((CallOutcome.Request, "InvalidRequest"));
        pool.Engine.Outcomes.FindOutcome(call, new EndpointFaultException("a", new Fault(FaultKind.CallerCancelled))).Should().Be((CallOutcome.Caller, "CallerCancelled"));

        Fail(pool, call, Next(pool, call).Lease!, new Fault(FaultKind.InvalidRequest));
        pool.Engine.Outcomes.FindOutcome(call, null).Should().Be((CallOutcome.Request, "InvalidRequest"), "a refusal can be a result");
    }

    [Fact]
    public async Task A_call_that_is_over_leaves_nothing_to_the_next_that_uses_its_memory()
    {
        await using var pool = Pool(2);
        var call = Begin(pool, profile: new RequestProfile { Priority = 3 });
        var number = call.Number;
        Fail(pool, call, Next(pool, call).Lease!);
        call.Hedged = true;
        call.Waited = call.HoldUntil = S(9);
        call.Backoffs = 3;
        call.BackoffUntil = S(9);
        var lease = Next(pool, call);
        pool.Engine.EndCall(call, CallOutcome.Failed, "x");

        var next = pool.Engine.BeginCall(RequestProfile.Default, isStream: true, pool.Engine.Clock.Now, callerToken: new CancellationToken());

        next.Should().BeSameAs(call);
        (next.Profile, next.History.Begun, next.Hedged, next.Waited, next.HoldUntil, next.LastFailure, next.Backoffs, next.BackoffUntil, next.IsServed, next.IsStream)
            .Should().Be((RequestProfile.Default, 0, false, default, default, default, 0, null, false, true));
        next.Number.Should().Be(number + 1);
        next.CallerToken.CanBeCanceled.Should().BeFalse();
        lease.Kind.Should().Be(StepKind.Wait);
    }
}
