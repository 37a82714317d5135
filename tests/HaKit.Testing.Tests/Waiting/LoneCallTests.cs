namespace HaKit.Testing.Tests.Waiting;

/// <summary>
/// One call, one outage, no other traffic and no heartbeats: the call is served soon after the first endpoint is back, for every length of the outage.
/// </summary>
public sealed class LoneCallTests
{
    private static readonly TimeSpan Refusal = TimeSpan.FromMilliseconds(20);

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static FakeFault FaultOf(int kind) => (kind switch
    {
        0 => FakeFault.Status(503),
        1 => FakeFault.Status(500),
        2 => FakeFault.Reset,
        _ => FakeFault.Refused,
    }).And(FakeFault.Latency(Refusal));

    // Gets the time at which the served attempt began. Its answer takes 100 ms.
    private static TimeSpan BeganAt(TestPool test) => test.Time.Elapsed - S(0.1);

    private static TimeSpan Lateness(TimeSpan outage) => (outage / 10 > S(0.5) ? outage / 10 : S(0.5)) + Refusal + S(0.002);

    [Fact]
    public void It_is_served_soon_after_all_endpoints_are_back()
    {
        var random = new Random(1);
        for (var i = 0; i < Effort.Of(4000); i++)
        {
            var (endpoints, kind) = (new[] { 1, 3, 5 }[i % 3], i / 3 % 4);
            var outage = S(0.3 * Math.Pow(200, random.NextDouble()));
            using var test = TestPools.Create(endpoints, seed: i + 1);
            foreach (var endpoint in test.Endpoints)
                endpoint.Faults.During(TimeSpan.Zero, outage, FaultOf(kind));
            var detail = test.Call();
            var story = $"{endpoints} endpoints, kind {kind}, outage of {outage.TotalSeconds:0.000} s, seed {i + 1}: served at {BeganAt(test).TotalSeconds:0.000} s by attempt {detail.AttemptCount}";
            BeganAt(test).Should().BeLessThanOrEqualTo(outage + Lateness(outage), story);
            detail.AttemptCount.Should().BeLessThanOrEqualTo((int)(12 + outage.TotalSeconds + endpoints), story);
        }
    }

    [Fact]
    public void When_only_the_last_endpoint_comes_back_it_is_served_within_so_many_times_the_lateness()
    {
        var random = new Random(2);
        for (var i = 0; i < Effort.Of(900); i++)
        {
            var (endpoints, kind) = (new[] { 3, 5, 10 }[i % 3], i / 3 % 4);
            var outage = S(0.3 * Math.Pow(200, random.NextDouble()));
            using var test = TestPools.Create(endpoints, seed: i + 1);
            foreach (var endpoint in test.Endpoints)
                endpoint.Faults.During(TimeSpan.Zero, endpoint == test.Endpoints.Last() ? outage : TimeSpan.FromHours(1), FaultOf(kind));
            test.Call();
            BeganAt(test).Should().BeLessThanOrEqualTo(
                outage + endpoints * Lateness(outage), "{0} endpoints, kind {1}, outage of {2} s, seed {3}", endpoints, kind, outage.TotalSeconds, i + 1);
        }
    }

    [Theory]
    [InlineData(1, 1.8)]
    [InlineData(1, 3.5)]
    [InlineData(3, 1.8)]
    [InlineData(3, 3.5)]
    public void A_request_that_takes_longer_than_its_endpoints_have_ever_taken_is_served(int endpoints, double seconds)
    {
        using var test = TestPools.Create(endpoints);
        for (var i = 0; i < 100; i++)
            test.Call(); // 100 ms each; from then on, an attempt times out after 1 s of silence
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.Always(FakeFault.Latency(toHeaders: S(seconds)));

        var detail = test.Call();

        detail.Attempts.Should().ContainSingle(static a => a.Fault == null);
        detail.AttemptCount.Should().BeLessThanOrEqualTo(endpoints + 3, "after one silence of each endpoint, the trial is kept until it is answered");
    }

    [Fact]
    public void Any_request_that_takes_up_to_seven_times_the_learned_limit_is_served_before_its_deadline()
    {
        var random = new Random(4);
        for (var i = 0; i < Effort.Of(200); i++)
        {
            var (endpoints, seconds) = (new[] { 1, 2, 3, 5 }[i % 4], 0.8 + 6.2 * random.NextDouble());
            using var test = TestPools.Create(endpoints, seed: i + 1);
            for (var call = 0; call < 40 * endpoints; call++)
                test.Call();
            foreach (var endpoint in test.Endpoints)
                endpoint.Faults.Always(FakeFault.Latency(toHeaders: S(seconds)));
            var began = test.Time.Elapsed;

            var act = () => test.Call();

            act.Should().NotThrow("{0} endpoints, {1} s, seed {2}", endpoints, seconds, i + 1);
            (test.Time.Elapsed - began).Should().BeLessThan(S(100));
        }
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 7)]
    [InlineData(3, 10)]
    [InlineData(4, 16)]
    [InlineData(5, 22)]
    [InlineData(6, 28)]
    [InlineData(7, 34)]
    [InlineData(8, 40)]
    public void Endpoints_that_name_a_time_are_asked_when_it_has_passed_and_never_before(int refusals, double servedWithin)
    {
        using var test = TestPools.Create(3);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.Next(refusals, FakeFault.Status(429).WithHeader("Retry-After", "3").And(FakeFault.Latency(Refusal)));
        var detail = test.Call();
        BeganAt(test).Should().BeLessThanOrEqualTo(S(servedWithin));
        test.Endpoints.Sum(e => e.EarlySends).Should().Be(0);
        detail.WaitRules.Should().Contain(WaitRule.NamedTime);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Endpoints_that_refuse_a_few_times_serve_it_soon(int refusals)
    {
        using var test = TestPools.Create(3);
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.Next(refusals, FakeFault.Status(503));
        test.Call().AttemptCount.Should().BeLessThanOrEqualTo(3 * refusals + 1);
        BeganAt(test).Should().BeLessThanOrEqualTo(S(1.6 * refusals));
    }

    [Theory]
    [InlineData(35, false)]
    [InlineData(35, true)]
    [InlineData(60, false)]
    [InlineData(60, true)]
    [InlineData(90, false)]
    [InlineData(90, true)]
    public void The_only_endpoint_may_think_for_long_before_its_first_token(double seconds, bool keepAlives)
    {
        using var test = TestPools.Create(1);
        var fault = FakeFault.Latency(toFirstToken: S(seconds));
        test["a"].Faults.Always(keepAlives ? fault.And(FakeFault.KeepAlives(S(5))) : fault);
        var detail = test.Call();
        detail.AttemptCount.Should().BeLessThanOrEqualTo(2);
        detail.Attempts[0].Fault.Should().BeNull("the first attempt serves");
        test.Time.Elapsed.Should().BeCloseTo(S(seconds), S(0.2));
    }

    /// <summary>Tests the same for a stream, which an unlearned limit of 30 s must not cut.</summary>
    [Theory]
    [InlineData(35, false)]
    [InlineData(35, true)]
    [InlineData(60, false)]
    [InlineData(60, true)]
    [InlineData(90, false)]
    [InlineData(90, true)]
    public void A_stream_of_the_only_endpoint_may_begin_late(double seconds, bool keepAlives)
    {
        using var test = TestPools.Create(1);
        var fault = FakeFault.Latency(toFirstToken: S(seconds));
        test["a"].Faults.Always(keepAlives ? fault.And(FakeFault.KeepAlives(S(5))) : fault);
        var attempts = new List<int>();
        var servedBy = test.Time.Run(async () =>
        {
            var call = new SimulatedCall();
            call.Begin(10, 10, test.Time.Elapsed);
            var answer = await test.Pool.StreamAsync(
                RequestProfile.Default,
                (test, call, attempts),
                static (attempt, s, token) =>
                {
                    s.attempts.Add(attempt.Number);
                    return new(s.test["a"].Streams.StreamAsync(attempt, s.call, attempt.Number, 0, token));
                },
                SimulatedItemReader.Instance);
            await using var _ = ((IAsyncDisposable)answer).ConfigureAwait(false);
            var first = 0L;
            var last = StreamSignal.None;
            while (await answer.MoveNextAsync())
            {
                last = answer.Current.Signal;
                if (first == 0 && answer.Current.Index >= 0)
                    first = answer.Current.Attempt;
            }

            last.Should().HaveFlag(StreamSignal.End);
            return first;
        });
        servedBy.Should().Be(1, "the first attempt serves");
        attempts.Count.Should().BeLessThanOrEqualTo(2);
        test.Time.Elapsed.Should().BeCloseTo(S(seconds), S(0.5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_hiccup_of_one_second_beside_an_endpoint_that_is_forced_down_costs_two_seconds(int kind)
    {
        using var test = TestPools.Create(2);
        test.Time.Run(() => test.Pool.ForceDownAsync("b").AsTask());
        test["a"].Faults.During(TimeSpan.Zero, S(1), FaultOf(kind));
        test.Call().Endpoint.Should().Be("a");
        BeganAt(test).Should().BeLessThanOrEqualTo(S(2));
    }

    [Fact]
    public void An_endpoint_that_never_answers_costs_a_plain_call_no_more_than_its_first_limit()
    {
        using var test = TestPools.Create(3);
        test["a"].Faults.Always(FakeFault.Hang);
        for (var i = 0; i < 20; i++)
        {
            var began = test.Time.Elapsed;
            test.Call();
            (test.Time.Elapsed - began).Should().BeLessThanOrEqualTo(S(31));
        }
    }
}
