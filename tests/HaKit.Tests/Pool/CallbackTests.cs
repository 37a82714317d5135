using System.Diagnostics.Metrics;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Telemetry;
using HaKit.Testing;
using TestPool = HaKit.Tests.Failover.TestPool;

namespace HaKit.Tests.Pool;

/// <summary>Tests the callbacks that the pool has besides its events.</summary>
public sealed class CallbackTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Each_attempt_that_failed_is_told_with_its_fault_and_a_callback_that_throws_changes_nothing()
    {
        var told = new List<AttemptFailure>();
        using var log = new LogRecorder();
        await using var pool = TestPool.Create(_time, 3, parts: p =>
        {
            p.LoggerFactory = log.CreateFactory();
            p.OnAttemptFailed.Add(_ => throw new InvalidOperationException("mine"));
            p.OnAttemptFailed.Add(told.Add);
        });
        var served = await pool.ExecuteAsync(0, static (attempt, _, _) => attempt.Endpoint.Name == "c" ? ValueTask.FromResult(1) : throw new HttpRequestException(HttpRequestError.ConnectionError), Ct);
        served.Should().Be(1);
        told.Select(f => (f.Pool, f.Endpoint, f.Fault.Kind, f.Number)).Should().Equal(("test", "a", FaultKind.ConnectFailed, 1), ("test", "b", FaultKind.ConnectFailed, 2));
        log.Entries.Count(e => e.Id.Id == 33).Should().Be(2);
    }

    [Fact]
    public async Task What_the_caller_ended_is_no_failure()
    {
        var told = new List<AttemptFailure>();
        await using var pool = TestPool.Create(_time, 1, parts: p => p.OnAttemptFailed.Add(told.Add));
        using var mine = new CancellationTokenSource();
        var call = pool.ExecuteAsync(0, static async (_, _, token) => { await Task.Delay(Timeout.Infinite, token); return 0; }, mine.Token);
        await mine.CancelAsync();
        await FluentActions.Awaiting(() => call.AsTask()).Should().ThrowAsync<OperationCanceledException>();
        told.Should().BeEmpty();
    }

    [Fact]
    public async Task An_endpoint_that_is_back_is_told()
    {
        var told = new List<EndpointRecovered>();
        await using var pool = TestPool.Create(_time, 2, parts: p => p.OnRecovered.Add(told.Add));
        await pool.ForceDownAsync("a");
        told.Should().BeEmpty();
        await pool.BringUpAsync("a");
        told.Should().ContainSingle().Which.Should().Match<EndpointRecovered>(e => e.Endpoint == "a" && e.After.Status == EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public async Task Every_gauge_is_read_and_an_unknown_one_is_an_error()
    {
        await using var pool = TestPool.Create(_time, 2, o => o.Endpoints[0].Limits = new() { MaxConcurrency = 3 });
        var gauges = pool.Owners.Gauges;
        foreach (var gauge in Enum.GetValues<Gauge>())
            gauges.Invoking(g => g.Measure(gauge, [])).Should().NotThrow(gauge.ToString());
        var into = new List<Measurement<double>>();
        gauges.Invoking(g => g.Measure((Gauge)999, into)).Should().Throw<ArgumentOutOfRangeException>();
        into.Should().BeEmpty();
    }
}
