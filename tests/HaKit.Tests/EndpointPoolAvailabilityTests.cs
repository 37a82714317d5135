using HaKit.Faults;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests;

public sealed class EndpointPoolAvailabilityTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task The_report_tells_each_endpoints_own_availability_beside_the_one_delivered()
    {
        await using var pool = TestPool.Create(_time, 2);
        var down = false;
        for (var second = 0; second < 1000; second++)
        {
            down = second is >= 100 and < 300;
            await pool.ExecuteAsync(down, static (attempt, down, _) =>
                down && attempt.Endpoint.Name == "a" ? throw new HttpRequestException(HttpRequestError.ConnectionError) : new ValueTask<int>(1), Ct);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        var report = pool.GetAvailabilityReport();
        report.Calls.Should().Be(new HaKit.Availability.OutcomeCount(1000, 0));
        report.Endpoints.Single(e => e.Name == "a").Observed!.Value.Value.Should().BeInRange(0.5, 0.8, "it was down for 200 of 1,000 s, and out until its next trial");
        report.Endpoints.Single(e => e.Name == "a").Uptime.Failures.Should().BeGreaterThan(0);
        report.Endpoints.Single(e => e.Name == "b").Observed!.Value.Value.Should().Be(1);
        report.Observed!.Value.Value.Should().Be(1);
        report.ErrorBudgetLeft.Should().Be(1);
    }

    [Fact]
    public async Task Faults_of_requests_and_callers_who_go_away_cost_no_budget_and_lost_calls_do()
    {
        await using var pool = TestPool.Create(_time, 1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(1));
        await pool.ExecuteAsync<int, int>(0, static (_, _, _) => throw new ArgumentException("prompt"), Ct).AsTask().Awaiting(t => t).Should().ThrowAsync<ArgumentException>();
        using var caller = new CancellationTokenSource();
        var left = pool.ExecuteAsync(0, static (_, _, _) => new ValueTask<int>(new TaskCompletionSource<int>().Task), caller.Token).AsTask();
        caller.Cancel();
        left.IsCanceled.Should().BeTrue();
        pool.GetAvailabilityReport().Calls.Total.Should().Be(0);
        var lost = pool.ExecuteAsync<int, int>(0, static (_, _, _) => throw new HttpRequestException(HttpRequestError.ConnectionError), Ct).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));
        await lost.Awaiting(t => t).Should().ThrowAsync<EndpointPoolException>();
        pool.GetAvailabilityReport().Calls.Should().Be(new HaKit.Availability.OutcomeCount(0, 1));
    }

    [Fact]
    public async Task A_burning_budget_is_an_event()
    {
        await using var pool = TestPool.Create(_time, 1, o =>
        {
            o.Objective = new ObjectiveOptions { TargetPercent = 99 };
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.5);
        });
        await using var events = pool.Events.Subscribe(10_000).GetAsyncEnumerator(Ct);
        for (var i = 0; i < 600; i++)
        {
            var call = pool.ExecuteAsync<int, int>(0, static (attempt, _, _) => { attempt.ReportFault(new Fault(FaultKind.Throttled)); return new(0); }, Ct).AsTask();
            _time.Advance(TimeSpan.FromSeconds(1));
            call.IsFaulted.Should().BeTrue();
        }
        await pool.DisposeAsync();
        var told = new List<PoolEvent>();
        while (await events.MoveNextAsync())
            told.Add(events.Current);
        told.OfType<BudgetAlert>().Should().Contain(alert => alert.Status.Firing);
    }

    [Fact]
    public async Task The_budget_s_alerts_follow_a_reload_of_the_objective()
    {
        await using var pool = TestPool.Create(_time, 1, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.5));
        var events = pool.Events.Subscribe(10_000);
        for (var i = 0; i < 20; i++)
        {
            var call = pool.ExecuteAsync<int, int>(0, static (attempt, _, _) => { attempt.ReportFault(new Fault(FaultKind.Throttled)); return new(0); }, Ct).AsTask();
            _time.Advance(TimeSpan.FromSeconds(1));
            call.IsFaulted.Should().BeTrue();
        }
        foreach (var objective in (ObjectiveOptions?[])[new() { TargetPercent = 99 }, new() { TargetPercent = 99.9m }, null])
        {
            var options = pool.Options.With(pool.Options.Endpoints);
            options.Objective = objective;
            pool.Update(options);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        await pool.DisposeAsync();
        var told = new List<(string Alert, bool Firing)>();
        await foreach (var happened in events.WithCancellation(Ct))
        {
            if (happened is BudgetAlert { Status: var status })
                told.Add((status.Alert.Name, status.Firing));
        }

        told.Should().Equal(("fast", true), ("slow", true), ("creeping", true), ("fast", false), ("slow", false), ("creeping", false));
    }
}
