using HaKit.Faults;
using HaKit.Testing;

namespace HaKit.Tests.Failover;

public sealed class OutageTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();
    private bool _down = true;
    private FaultKind _kind = FaultKind.Overloaded;
    private int _attempts;
    private readonly List<double> _attemptTimes = [];
    private double _started;

    private double Now => _time.GetElapsedTime(0).TotalSeconds;

    private EndpointPool Pool(int endpoints, Action<EndpointPoolOptions>? configure = null) => TestPool.Create(_time, endpoints, configure);

    // Answers with 503 after 20 ms while the endpoint is down, and successfully after 100 ms otherwise.
    private Task<double> Call(EndpointPool pool, RequestProfile? profile = null) => pool.ExecuteAsync(profile ?? RequestProfile.Default, this, static async (attempt, test, _) =>
    {
        test._attempts++;
        test._attemptTimes.Add(test.Now - test._started);
        if (test._down)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.02), test._time, CancellationToken.None);
            attempt.ReportFault(new Fault(test._kind));
            return 0;
        }
        await Task.Delay(TimeSpan.FromSeconds(0.1), test._time, CancellationToken.None);
        return test.Now;
    }, Ct).AsTask();

    private async Task<List<Task<double>>> Traffic(EndpointPool pool, double seconds, double perSecond, double recoversAt)
    {
        _started = Now;
        var calls = new List<Task<double>>();
        for (var i = 0; i < seconds * perSecond; i++)
        {
            if (_down && Now - _started >= recoversAt)
                _down = false;
            calls.Add(Call(pool));
            _time.Advance(TimeSpan.FromSeconds(1 / perSecond));
        }
        await Task.CompletedTask;
        return calls;
    }

    [Theory]
    [InlineData(40, FaultKind.Overloaded)]
    [InlineData(5, FaultKind.Overloaded)]
    [InlineData(40, FaultKind.ConnectFailed)]
    public async Task Failure_35_after_a_total_outage_of_5_s_nobody_is_kept_out_and_every_call_succeeds(double perSecond, FaultKind kind)
    {
        _kind = kind;
        await using var pool = Pool(3, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        var calls = await Traffic(pool, seconds: 20, perSecond, recoversAt: 5);
        _time.Advance(TimeSpan.FromSeconds(15));
        calls.Where(c => !c.IsCompletedSuccessfully).Select(c => c.Exception?.InnerException?.Message ?? c.Status.ToString()).Should().BeEmpty();
        var first = calls.Min(c => c.Result) - _started;
        first.Should().BeLessThan(5 + 0.5 + 0.1 + 1 / perSecond, "an answer follows the recovery within the pace of an outage");
        (_attempts / (double)calls.Count).Should().BeLessThanOrEqualTo(
            kind == FaultKind.ConnectFailed ? 1.3 : perSecond >= 40 ? 1.1 : 2.2,
            "at few calls a second every call of the outage is a trial of it, and where connections are refused everywhere nobody is ejected, so every call tries once");
    }

    [Theory]
    [InlineData(FaultKind.Overloaded)]
    [InlineData(FaultKind.ConnectFailed)]
    public async Task A_total_outage_of_10000_calls_costs_at_most_one_attempt_in_ten_more_than_calls(FaultKind kind)
    {
        _kind = kind;
        await using var pool = Pool(3, o => { o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10); o.Retry.MaxRetryAttempts = 2; });
        var calls = await Traffic(pool, seconds: Effort.Of(100), perSecond: 100, recoversAt: double.MaxValue);
        _time.Advance(TimeSpan.FromSeconds(20));
        calls.Should().OnlyContain(c => c.IsFaulted);
        (_attempts / (double)calls.Count).Should().BeLessThanOrEqualTo(1.101);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_lone_call_is_served_soon_after_the_recovery(int endpoints)
    {
        await using var pool = Pool(endpoints, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        var call = Call(pool);
        _time.Advance(TimeSpan.FromSeconds(5));
        _down = false;
        _time.Advance(TimeSpan.FromSeconds(0.7));
        call.IsCompletedSuccessfully.Should().BeTrue();
        _attempts.Should().BeLessThanOrEqualTo(12 + endpoints);
    }

    [Fact]
    public async Task The_waiting_are_let_in_on_a_ramp_and_not_as_a_herd()
    {
        await using var pool = Pool(2, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(60));
        for (var i = 0; i < 20; i++)
            _ = Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(0.2) });
        _time.Advance(TimeSpan.FromSeconds(1));
        var calls = Enumerable.Range(0, 200).Select(_ => Call(pool)).ToArray();
        _time.Advance(TimeSpan.FromSeconds(5));
        _down = false;
        _started = Now;
        _attemptTimes.Clear();
        _time.Advance(TimeSpan.FromSeconds(50));
        calls.Should().OnlyContain(c => c.IsCompletedSuccessfully);
        _attemptTimes.GroupBy(t => Math.Round(t, 2)).Max(g => g.Count()).Should().BeLessThan(120, "each one that is served lets in two more, not all");
    }

    [Fact]
    public async Task Failure_3_a_long_retry_after_is_not_waited_for_in_line()
    {
        await using var pool = Pool(1);
        var call = pool.ExecuteAsync(0, static (attempt, _, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.Throttled) { StatusCode = 429, RetryAfter = TimeSpan.FromHours(24) });
            return ValueTask.FromResult(0);
        }, Ct).AsTask();
        call.IsCompleted.Should().BeTrue();
        var refusal = (await call.Awaiting(c => c).Should().ThrowAsync<NoEndpointAvailableException>()).Which;
        refusal.RetryAfter.Should().NotBeNull("failure 4: the error says when to come back");
        refusal.RetryAfter.Should().BeGreaterThan(TimeSpan.FromMinutes(50));
    }

    [Fact]
    public async Task Failure_4_a_retry_after_within_the_deadline_is_waited_for_and_never_undercut()
    {
        await using var pool = Pool(2);
        var sent = new List<double>();
        var call = pool.ExecuteAsync((Test: this, sent), static (attempt, s, _) =>
        {
            s.sent.Add(s.Test.Now);
            if (s.sent.Count > 2)
                return ValueTask.FromResult("well");
            attempt.ReportFault(new Fault(FaultKind.Throttled) { StatusCode = 429, RetryAfter = TimeSpan.FromSeconds(attempt.Endpoint.Name == "a" ? 7 : 9) });
            return ValueTask.FromResult("");
        }, Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(20));
        (await call).Should().Be("well");
        (sent[2] - sent[0]).Should().BeInRange(7, 7.5);
    }

    [Fact]
    public async Task The_end_of_a_retry_after_does_not_send_everyone_at_once()
    {
        await using var pool = Pool(1);
        _kind = FaultKind.Throttled;
        _ = pool.ExecuteAsync(new RequestProfile { Deadline = TimeSpan.FromSeconds(1) }, 0, static (attempt, _, _) =>
        {
            attempt.ReportFault(new Fault(FaultKind.Throttled) { StatusCode = 429, RetryAfter = TimeSpan.FromSeconds(10) });
            return ValueTask.FromResult(0);
        }, Ct).AsTask();
        _down = false;
        var calls = Enumerable.Range(0, 400).Select(_ => Call(pool)).ToArray();
        var most = 0;
        for (var i = 0; i < 6000; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.01));
            most = Math.Max(most, pool.Explain(RequestProfile.Default)[0].InFlight);
        }
        calls.Count(c => !c.IsCompletedSuccessfully).Should().Be(0, "of {0} attempts, {1} at once, {2} wait", _attempts, most, pool.Engine.Queue.Count);
        most.Should().BeLessThan(300, "each one served lets in two more; all at once would be 400");
    }

    [Fact]
    public async Task More_waiting_calls_than_allowed_are_refused()
    {
        await using var pool = Pool(1, o => o.MaxWaitingCalls = 3);
        for (var i = 0; i < 25; i++)
        {
            _ = Call(pool, new RequestProfile { Deadline = TimeSpan.FromSeconds(0.1) });
            _time.Advance(TimeSpan.FromSeconds(0.2));
        }
        var calls = Enumerable.Range(0, 8).Select(_ => Call(pool)).ToArray();
        calls.Count(c => c.IsFaulted).Should().BeGreaterThanOrEqualTo(4);
        calls.Where(c => c.IsFaulted).Should().OnlyContain(c => c.Exception!.InnerException is NoEndpointAvailableException);
    }
}
