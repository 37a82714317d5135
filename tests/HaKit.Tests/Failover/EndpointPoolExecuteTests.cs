using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class EndpointPoolExecuteTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    private EndpointPool Pool(int endpoints, Action<EndpointPoolOptions>? configure = null) => TestPool.Create(_time, endpoints, configure);

    [Fact]
    public async Task Healthy_endpoints_take_turns()
    {
        await using var pool = Pool(3);
        var served = "";
        for (var i = 0; i < 6; i++)
            served += await pool.ExecuteAsync(0, static (attempt, _, _) => ValueTask.FromResult(attempt.Endpoint.Name), Ct);
        served.Should().Be("abcabc");
    }

    [Fact]
    public async Task A_failing_endpoint_is_followed_at_once_by_the_next_one()
    {
        await using var pool = Pool(2);
        var tried = new List<string>();
        var answer = await pool.ExecuteAsync(tried, static (attempt, tried, _) =>
        {
            tried.Add(attempt.Endpoint.Name);
            return attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : ValueTask.FromResult(42);
        }, Ct);
        answer.Should().Be(42);
        tried.Should().Equal("a", "b");
    }

    [Theory]
    [InlineData("model", "it does not have the model 'large'")]
    [InlineData("tag", "it does not have the tag 'eu'")]
    [InlineData("window", "it does not have room for 9000 tokens in a context window")]
    [InlineData("name", "the request's profile names other endpoints")]
    public async Task A_call_that_ends_says_which_endpoints_its_profile_left_out_and_why(string requirement, string reason)
    {
        await using var pool = Pool(3, o =>
        {
            foreach (var endpoint in o.Endpoints)
                (endpoint.Model, endpoint.ContextWindow) = ("small", 1000);
            (o.Endpoints[0].Model, o.Endpoints[0].ContextWindow) = ("large", 100_000);
            o.Endpoints[0].Tags.Add("eu");
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5);
        });
        var profile = requirement switch
        {
            "model" => new RequestProfile { Model = "large" },
            "tag" => new RequestProfile { Tags = ["eu"] },
            "window" => new RequestProfile { InputTokens = 9000 },
            _ => new RequestProfile { Endpoints = ["a"] },
        };
        var call = pool.ExecuteAsync(profile, 0, static async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return 0;
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(6));
        var late = (await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>()).Which;
        late.Message.Should().Contain($"Not asked: 'b' ({reason}), 'c' ({reason}).");
        late.Endpoints.Select(e => e.NotAdmittedBy == "capability").Should().Equal(false, true, true);
        late.Endpoints[1].ToString().Should().Be($"Endpoint 'b' cannot serve this request: {reason}.");

        var failing = async () => await pool.ExecuteAsync<int, int>(profile with { MaxWait = TimeSpan.Zero }, 0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), Ct);
        (await failing.Should().ThrowAsync<NoEndpointAvailableException>()).Which.Message.Should().Contain($"Not asked: 'b' ({reason})");
    }

    [Fact]
    public async Task A_call_that_waited_says_in_words_for_which_reason()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        var call = pool.ExecuteAsync<int, int>(0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), Ct).AsTask();
        for (var i = 0; i < 60 && !call.IsCompleted; i++)
            _time.Advance(TimeSpan.FromSeconds(0.1));
        (await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which.Message.Should().Contain("Pace (in an outage, the pool makes one trial at a time)").And.NotContain("Not asked");
    }

    [Fact]
    public async Task An_adapter_s_exception_means_what_its_fault_says_however_it_is_wrapped()
    {
        await using var pool = Pool(2);
        var fault = new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromMinutes(1) };
        var served = await pool.ExecuteWithDetailAsync(RequestProfile.Default, fault, static (attempt, fault, _) => attempt.Endpoint.Name == "a"
            ? throw new InvalidOperationException("an SDK's", new EndpointFaultException("a", fault))
            : ValueTask.FromResult(42), Ct);
        served.Detail.Attempts[0].Fault.Should().BeSameAs(fault);
        pool.Explain(RequestProfile.Default)[0].AvailableIn.Should().Be(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_pool_that_serves_as_an_endpoint_is_left_alone_for_as_long_as_it_asks()
    {
        await using var inner = Pool(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        await using var outer = Pool(2);
        var served = await outer.ExecuteWithDetailAsync(RequestProfile.Default, inner, static (attempt, inner, token) => attempt.Endpoint.Name == "b"
            ? ValueTask.FromResult(42)
            : inner.ExecuteAsync<int, int>(0, static (_, _, _) => throw new EndpointFaultException("x", new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromMinutes(1) }), token), Ct);
        served.Result.Should().Be(42);
        served.Detail.Attempts[0].Fault.Should().Match<Fault>(f => f.Kind == FaultKind.Overloaded && f.RetryAfter == TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_fault_of_the_request_goes_back_at_once_and_counts_against_nobody()
    {
        await using var pool = Pool(2);
        var tried = 0;
        for (var i = 0; i < 20; i++)
        {
            var call = async () => await pool.ExecuteAsync<int, int>(0, (_, _, _) => { tried++; throw new ArgumentException("bad prompt"); }, Ct);
            await call.Should().ThrowAsync<ArgumentException>();
        }
        tried.Should().Be(20);
        pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.NotAdmittedBy == null);
    }

    [Fact]
    public async Task An_attempt_that_ignores_its_token_delays_nobody()
    {
        await using var pool = Pool(2, o => o.AttemptTimeout = new() { Timeout = TimeSpan.FromSeconds(3) });
        var never = new TaskCompletionSource<string>();
        var call = pool.ExecuteAsync(never, static (attempt, never, _) =>
            attempt.Endpoint.Name == "a" ? new ValueTask<string>(never.Task) : ValueTask.FromResult("b"), Ct).AsTask();
        call.IsCompleted.Should().BeFalse();
        _time.Advance(TimeSpan.FromSeconds(3));
        call.IsCompletedSuccessfully.Should().BeTrue();
        (await call).Should().Be("b");
    }

    [Fact]
    public async Task An_attempt_that_has_reported_content_is_no_longer_bounded_by_silence()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        var answer = new TaskCompletionSource<string>();
        var call = pool.ExecuteAsync(answer, static (attempt, answer, _) =>
        {
            attempt.ReportFirstContent();
            return new ValueTask<string>(answer.Task);
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(9));
        answer.SetResult("slow but whole");
        (await call).Should().Be("slow but whole");
    }

    [Theory]
    [InlineData("of another model")]
    [InlineData("forced down")]
    public async Task A_long_answer_is_not_cut_at_half_of_the_deadline_when_nobody_else_could_give_it(string other)
    {
        await using var pool = Pool(2, o => (o.Endpoints[0].Model, o.Endpoints[1].Model) = other == "forced down" ? (null, null) : ("mine", "other"));
        if (other == "forced down")
            await pool.ForceDownAsync("b");
        var answer = new TaskCompletionSource<string>();
        var attempts = 0;
        var call = pool.ExecuteAsync(new RequestProfile { Model = "mine" }, answer, (_, answer, _) => { attempts++; return new ValueTask<string>(answer.Task); }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(90));
        answer.SetResult("long");
        (await call).Should().Be("long");
        attempts.Should().Be(1);
    }

    [Fact]
    public async Task An_endpoint_that_usually_takes_more_than_half_of_the_deadline_is_given_its_time()
    {
        await using var pool = Pool(2);
        for (var i = 0; i < 60; i++)
            (await Answer()).Should().BeLessThanOrEqualTo(IsUnknown() ? 2 : 1, "until their times are known a second one may start beside it");

        async Task<int> Answer()
        {
            var attempts = 0;
            var call = pool.ExecuteAsync(new RequestProfile { Deadline = TimeSpan.FromSeconds(100) }, 0, async (_, _, _) =>
            {
                attempts++;
                await Task.Delay(TimeSpan.FromSeconds(60), _time, CancellationToken.None);
                return 0;
            }, Ct).AsTask();
            _time.Advance(TimeSpan.FromSeconds(60));
            await call;
            return attempts;
        }

        bool IsUnknown() => pool.Engine.Snapshot.Members.Sum(m => m.Successes) < 50;
    }

    [Fact]
    public async Task A_place_that_comes_free_while_a_call_decides_to_wait_is_not_missed()
    {
        await using var pool = Pool(1, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 1 });
        for (var i = 0; i < Effort.Of(2000); i++)
        {
            var release = new TaskCompletionSource<int>();
            var first = pool.ExecuteAsync(release, static (_, release, _) => new ValueTask<int>(release.Task), Ct).AsTask();
            var freeing = Task.Run(() => release.SetResult(1), Ct);
            var second = pool.ExecuteAsync(0, static (_, _, _) => ValueTask.FromResult(2), Ct).AsTask();
            await freeing;
            await first;
            (await second.WaitAsync(TimeSpan.FromSeconds(20), Ct)).Should().Be(2); // virtual time stands still: only a release can wake it
        }
    }

    [Fact]
    public async Task The_deadline_ends_a_call_whose_only_endpoint_is_silent()
    {
        await using var pool = Pool(1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        var never = new TaskCompletionSource<string>();
        var call = pool.ExecuteAsync(never, static (_, never, _) => new ValueTask<string>(never.Task), Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(9.9));
        call.IsCompleted.Should().BeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.2));
        var failure = await call.Awaiting(c => c).Should().ThrowAsync<DeadlineExceededException>();
        failure.Which.Attempts.Should().ContainSingle().Which.Endpoint.Should().Be("a");
    }

    [Fact]
    public async Task The_callers_cancellation_returns_at_once_and_counts_against_nobody()
    {
        await using var pool = Pool(1);
        for (var i = 0; i < 20; i++)
        {
            using var caller = new CancellationTokenSource();
            var never = new TaskCompletionSource<string>();
            var call = pool.ExecuteAsync(never, static (_, never, _) => new ValueTask<string>(never.Task), caller.Token).AsTask();
            caller.Cancel();
            call.IsCanceled.Should().BeTrue();
        }
        pool.Explain(RequestProfile.Default).Should().OnlyContain(e => e.NotAdmittedBy == null && e.InFlight == 0);
    }

    [Fact]
    public async Task When_all_have_failed_the_call_waits_and_succeeds_on_a_second_attempt_within_its_deadline()
    {
        await using var pool = Pool(2);
        var failing = true;
        var attempts = 0;
        var call = pool.ExecuteAsync(0, (_, _, _) =>
        {
            attempts++;
            return failing ? throw new HttpRequestException(HttpRequestError.ResponseEnded) : ValueTask.FromResult("well");
        }, Ct).AsTask();
        call.IsCompleted.Should().BeFalse();
        attempts.Should().Be(2);
        failing = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        (await call).Should().Be("well");
        attempts.Should().Be(3);
    }

    [Fact]
    public async Task A_pool_that_cannot_serve_says_what_was_tried_and_what_each_endpoint_answered()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5));
        var call = pool.ExecuteAsync<int, string>(0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(6));
        var failure = (await call.Awaiting(c => c).Should().ThrowAsync<EndpointPoolException>()).Which;
        failure.Attempts.Select(a => a.Endpoint).Distinct().Should().BeEquivalentTo("a", "b");
        failure.Attempts.Should().OnlyContain(a => a.Fault!.Kind == FaultKind.ConnectFailed);
        failure.InnerException.Should().BeOfType<HttpRequestException>();
    }
}
