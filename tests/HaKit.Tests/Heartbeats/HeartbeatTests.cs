using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;

namespace HaKit.Tests.Heartbeats;

public sealed class HeartbeatTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private static void NoJitter(EndpointPoolOptions options) => options.Heartbeat.Jitter = 0;

    [Fact]
    public async Task Beats_keep_to_their_grid_and_do_not_drift_however_long_answers_take()
    {
        await using var bench = new HeartbeatBench(1, NoJitter);
        bench.Answers["a"] = async cancellationToken =>
        {
            var later = new TaskCompletionSource();
            await using var timer = bench.Time.CreateTimer(_ => later.SetResult(), null, TimeSpan.FromSeconds(1.7), System.Threading.Timeout.InfiniteTimeSpan);
            await later.Task;
            return default;
        };
        bench.Advance(10_000);
        var at = bench.AskedAt("a").ToArray();
        at.Should().HaveCount(1000);
        at.Zip(at.Skip(1), (x, y) => y - x).Should().OnlyContain(gap => (gap - Interval).Duration() < TimeSpan.FromMilliseconds(2));
        (at[^1] - at[0] - 999 * Interval).Duration().Should().BeLessThan(TimeSpan.FromMilliseconds(2), "rounding to the timer's milliseconds must not add up");
    }

    [Fact]
    public async Task Intervals_vary_by_the_jitter_and_average_to_the_interval()
    {
        await using var bench = new HeartbeatBench();
        bench.Advance(20_000);
        var at = bench.AskedAt("a").ToArray();
        var gaps = at.Zip(at.Skip(1), (x, y) => (y - x).TotalSeconds).ToArray();
        gaps.Should().OnlyContain(gap => gap > 8.99 && gap < 11.01);
        gaps.Average().Should().BeApproximately(10, 0.1);
        gaps.Max().Should().BeGreaterThan(10.9);
        gaps.Min().Should().BeLessThan(9.1);
    }

    [Fact]
    public async Task First_beats_of_many_endpoints_are_spread_over_one_interval()
    {
        await using var bench = new HeartbeatBench(20, NoJitter);
        bench.Advance(10.001);
        bench.Asked.Select(a => a.Endpoint).Should().OnlyHaveUniqueItems().And.HaveCount(20);
        foreach (var quarter in Enumerable.Range(0, 4))
            bench.Asked.Should().Contain(a => a.At >= quarter * Interval / 4 && a.At < (quarter + 1) * Interval / 4);
    }

    [Fact]
    public async Task A_throwing_probe_does_not_end_the_heartbeat_loop()
    {
        await using var bench = new HeartbeatBench(1, NoJitter);
        bench.Answers["a"] = _ => throw new InvalidOperationException("a probe's bug");
        bench.Advance(35);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected, "an exception is a failed beat");
        bench.Answers["a"] = async _ => { await Task.CompletedTask; throw new FormatException("another"); };
        bench.Advance(100);
        var asked = bench.Asked.Count;
        bench.Answers.Clear();
        bench.Advance(25);
        bench.Asked.Count.Should().BeGreaterThan(asked);
        bench.Status("a").Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public async Task One_slow_probe_does_not_delay_the_verdict_on_others()
    {
        await using var bench = new HeartbeatBench(3, NoJitter);
        bench.Answers["a"] = HeartbeatBench.Hang;
        bench.Answers["b"] = HeartbeatBench.Down;
        bench.Advance(30.1);
        bench.Status("b").Should().Be(EndpointHealthStatus.Ejected, "three beats have failed, whatever a's probe does");
        bench.AskedAt("c").Should().HaveCount(3);
        bench.Advance(2);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected, "silence is a miss");
        bench.Health("a").Cause!.Kind.Should().Be(FaultKind.AttemptTimeout);
    }

    [Fact]
    public async Task Probes_that_hang_for_ever_do_not_pile_up_and_one_that_ends_is_asked_again()
    {
        var hanging = new List<TaskCompletionSource>();
        await using var bench = new HeartbeatBench(1, NoJitter);
        bench.Answers["a"] = async _ =>
        {
            var never = new TaskCompletionSource();
            hanging.Add(never);
            await never.Task;
            return default;
        };
        bench.Advance(1000);
        hanging.Should().HaveCount(3);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
        bench.Answers.Clear();
        bench.Time.Run(() => { hanging[0].SetResult(); return Task.CompletedTask; });
        bench.Advance(25);
        bench.Status("a").Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    public async Task A_silent_endpoint_is_found_within_k_intervals_and_one_timeout(double jitter)
    {
        var worst = TimeSpan.Zero;
        for (var seed = 0; seed < 100; seed++)
        {
            await using var bench = new HeartbeatBench(1, o => { o.Heartbeat.Jitter = jitter; o.Seed = seed; });
            bench.Advance(50 + seed * 0.1);
            var diedAt = bench.Time.Elapsed;
            bench.Answers["a"] = HeartbeatBench.Silent;
            while (bench.Status("a") != EndpointHealthStatus.Ejected)
                bench.Time.AdvanceToNextTimer();
            var took = bench.Time.Elapsed - diedAt;
            if (took > worst)
                worst = took;
        }
        worst.Should().BeLessThanOrEqualTo(3 * Interval * (1 + jitter) + Timeout + Interval / 200, "a waking is shared by the beats of half a percent of the interval");
        worst.Should().BeGreaterThan(2.5 * Interval, "a seed must have died soon after a beat, or this shows nothing");
    }

    [Fact]
    public async Task Recent_answers_of_traffic_make_beats_superfluous_and_silence_brings_them_back()
    {
        await using var bench = new HeartbeatBench(1, NoJitter);
        for (var second = 0; second < 100; second++)
        {
            await bench.CallAsync(static _ => ValueTask.FromResult("well"));
            bench.Advance(1);
        }
        bench.Asked.Should().BeEmpty();
        bench.Advance(9.1);
        bench.Asked.Should().HaveCount(1, "it is asked one interval after its last answer");
    }

    [Fact]
    public async Task Probes_that_report_more_than_a_verdict_are_asked_whatever_traffic_says()
    {
        await using var bench = new HeartbeatBench(1, NoJitter, wrap: probe => new DelegateProbe(probe.ProbeAsync) { Pace = ProbePace.Always });
        bench.Answers["a"] = _ => new(new ProbeResult { Load = new ReportedLoad(3, 5, 0.7) });
        for (var second = 0; second < 100; second++)
        {
            await bench.CallAsync(static _ => ValueTask.FromResult("well"));
            bench.Advance(1);
        }
        bench.Asked.Should().HaveCount(10);
        bench.Pool.Engine.Snapshot.Members[0].ReportedLoad.Should().BeEquivalentTo(new { Running = 3, Waiting = 5, CacheUsage = 0.7 });
        bench.Answers["a"] = HeartbeatBench.Down;
        bench.Advance(10);
        bench.Pool.Engine.Snapshot.Members[0].ReportedLoad.Should().BeNull("a load of the past misleads");
    }

    [Fact]
    public async Task A_probe_that_costs_is_asked_only_when_ejected_or_after_a_long_silence()
    {
        await using var bench = new HeartbeatBench(1, NoJitter, wrap: probe => new DelegateProbe(probe.ProbeAsync) { Pace = ProbePace.Sparingly, Level = ProbeLevel.Generating });
        bench.Advance(3600);
        bench.Asked.Count.Should().BeInRange(12, 13, "an idle endpoint is asked every five minutes");
        bench.Asked.Clear();
        bench.Answers["a"] = HeartbeatBench.Down;
        var profile = new RequestProfile { Deadline = TimeSpan.FromSeconds(1) };
        for (var i = 0; i < 2; i++)
        {
            var failed = bench.Pool.ExecuteAsync<int, string>(profile, 0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), TestContext.Current.CancellationToken).AsTask();
            bench.Advance(1);
            await failed.Awaiting(f => f).Should().ThrowAsync<EndpointPoolException>();
        }
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
        bench.Advance(100);
        bench.Asked.Count.Should().BeInRange(8, 12, "an ejected endpoint is asked at every beat, and in an outage no more often");
    }

    [Fact]
    public async Task An_endpoint_that_traffic_ejected_is_asked_at_once()
    {
        await using var bench = new HeartbeatBench(2, NoJitter);
        bench.Advance(30.5);
        for (var i = 0; i < 12 && bench.Status("a") != EndpointHealthStatus.Ejected; i++)
            await bench.CallAsync(static attempt => attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : ValueTask.FromResult("b"));
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
        bench.Asked.Clear();
        bench.Advance(0);
        bench.AskedAt("a").Should().HaveCount(1);
    }

    [Fact]
    public async Task While_nothing_serves_endpoints_are_asked_in_turn_at_the_outages_pace_and_the_first_answer_opens_the_gate()
    {
        await using var bench = new HeartbeatBench(2, NoJitter);
        bench.Answers["a"] = bench.Answers["b"] = HeartbeatBench.Down;
        bench.Advance(41);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
        bench.Status("b").Should().Be(EndpointHealthStatus.Ejected);
        bench.Asked.Clear();
        bench.Advance(60);
        bench.Asked.Count.Should().BeInRange(55, 100);
        bench.AskedAt("a").Count().Should().BeInRange(bench.AskedAt("b").Count() - 8, bench.AskedAt("b").Count() + 8);
        bench.Answers.Remove("b");
        bench.Advance(2.1);
        bench.Status("b").Should().Be(EndpointHealthStatus.SlowStart);
        bench.Asked.Clear();
        bench.Advance(20);
        bench.AskedAt("a").Count().Should().BeLessThan(4, "the outage is over");
    }

    [Fact]
    public async Task A_server_that_named_a_time_is_not_asked_for_work_before_it()
    {
        await using var bench = new HeartbeatBench(2, NoJitter, wrap: probe => new DelegateProbe(probe.ProbeAsync) { Level = ProbeLevel.Authorized });
        await bench.CallAsync(static attempt =>
        {
            if (attempt.Endpoint.Name == "a")
                attempt.ReportFault(new Fault(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(60) });
            return ValueTask.FromResult("");
        });
        bench.Health("a").CooldownUntil.Should().Be(TimeSpan.FromSeconds(60));
        bench.Advance(59.9);
        bench.AskedAt("a").Should().BeEmpty();
        bench.AskedAt("b").Should().NotBeEmpty();
        bench.Advance(10.2);
        bench.AskedAt("a").Should().NotBeEmpty();
    }

    [Fact]
    public async Task Members_are_added_and_removed_with_their_hearts()
    {
        await using var bench = new HeartbeatBench(2, NoJitter);
        bench.Advance(20.1);
        bench.Pool.Update(new EndpointPoolOptions
        {
            Heartbeat = { Jitter = 0 },
            Endpoints = [new EndpointOptions { Name = "b", Address = "http://10.0.0.2/v1" }, new EndpointOptions { Name = "c", Address = "http://10.0.0.3/v1" }],
        });
        bench.Asked.Clear();
        bench.Advance(30.1);
        bench.AskedAt("a").Should().BeEmpty();
        bench.AskedAt("b").Should().HaveCount(3);
        bench.AskedAt("c").Should().HaveCount(3);
        await bench.Pool.DisposeAsync();
        bench.Asked.Clear();
        bench.Advance(100);
        bench.Asked.Should().BeEmpty();
        bench.Time.ArmedTimers.Should().Be(0, "nothing of the pool may outlive it");
    }

    [Fact]
    public async Task A_pause_of_our_own_process_ejects_no_one()
    {
        // One miss is enough for an ejection, and some probes are in flight when the process is paused.
        await using var bench = new HeartbeatBench(20, o => o.CircuitBreaker.MissesToEject = 1);
        bench.Advance(9);
        foreach (var endpoint in bench.Pool.Endpoints)
            bench.Answers[endpoint.Name] = HeartbeatBench.Silent;
        bench.Asked.Clear();
        bench.Advance(1.5);
        bench.Asked.Should().NotBeEmpty();
        bench.Time.Pause(TimeSpan.FromSeconds(20));
        bench.Answers.Clear();
        bench.Advance(60);
        foreach (var endpoint in bench.Pool.Explain(RequestProfile.Default))
            endpoint.Health.Ejections.Should().Be(0);
    }

    [Fact]
    public async Task The_timeout_is_learned_from_the_endpoints_own_answers_and_explained()
    {
        await using var bench = new HeartbeatBench(1, NoJitter);
        bench.Answers["a"] = async _ =>
        {
            var later = new TaskCompletionSource();
            await using var timer = bench.Time.CreateTimer(_ => later.SetResult(), null, TimeSpan.FromMilliseconds(200), System.Threading.Timeout.InfiniteTimeSpan);
            await later.Task;
            return default;
        };
        bench.Advance(100.5);
        var before = bench.Pool.Explain(RequestProfile.Default)[0].Heartbeat!;
        before.IsTimeoutLearned.Should().BeFalse();
        before.NextTimeout.Should().Be(Timeout);
        bench.Advance(200);
        var after = bench.Pool.Explain(RequestProfile.Default)[0].Heartbeat!;
        after.IsTimeoutLearned.Should().BeTrue();
        after.Took.Should().BeCloseTo(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(2));
        after.NextTimeout.Should().BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(600)).And.BeLessThan(TimeSpan.FromMilliseconds(700));
    }

    [Fact]
    public async Task A_probes_400_is_a_miss_although_the_same_answer_to_a_call_would_be_neutral()
    {
        await using var bench = new HeartbeatBench(1, NoJitter);
        bench.Answers["a"] = static _ => new(new ProbeResult(new Fault(FaultKind.InvalidRequest) { StatusCode = 400 }));
        bench.Advance(30.1);
        bench.Status("a").Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public async Task Phi_accrual_ejects_by_the_endpoints_own_history()
    {
        await using var bench = new HeartbeatBench(1, o => o.Heartbeat.Detector = FailureDetection.PhiAccrual);
        bench.Advance(500);
        bench.Answers["a"] = HeartbeatBench.Down;
        var lastHit = bench.AskedAt("a").Last();
        while (bench.Status("a") != EndpointHealthStatus.Ejected)
            bench.Time.AdvanceToNextTimer();
        var silence = bench.Time.Elapsed - lastHit;
        silence.Should().BeGreaterThan(TimeSpan.FromSeconds(13)).And.BeLessThan(TimeSpan.FromSeconds(35));
        bench.Answers.Clear();
        bench.Advance(12);
        bench.Status("a").Should().Be(EndpointHealthStatus.SlowStart, "one answer is enough for it");
    }
}
