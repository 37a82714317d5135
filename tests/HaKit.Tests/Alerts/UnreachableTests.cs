using HaKit.Alerts;
using HaKit.DependencyInjection;
using HaKit.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Alerts;

/// <summary>
/// No endpoint can be reached for a minute. No endpoint is ejected, because this machine's network may be at fault. The health check, the status, the log and
/// the alerts nevertheless report an outage.
/// </summary>
public sealed class UnreachableTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 2)]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(20, 3)]
    public void It_is_told_once_by_health_check_status_log_and_alert_and_resolved_once(int calls, int misses)
    {
        using var logs = new LogRecorder();
        using var test = TestPools.Create(2, o => (o.Heartbeat.Enabled, o.CircuitBreaker.MissesToEject) = (true, misses), parts => parts.LoggerFactory = logs.CreateFactory());
        var messages = new List<AlertMessage>();
        var options = new AlertOptions { RedundancyInterval = null };
        options.Add((message, _) =>
        {
            messages.Add(message);
            return default;
        });
        using var alerts = new AlertDispatcher(options, test.Time, logs.CreateFactory().CreateLogger("alerts"));
        test.Time.Run(() =>
        {
            alerts.Watch(test.Pool);
            return Task.CompletedTask;
        });
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(S(30), S(90), FakeFault.Refused, where: static _ => true);
        test.Call();
        CheckHealth(test).Status.Should().Be(HealthStatus.Healthy);

        test.Time.Advance(S(35) - test.Time.Elapsed);
        var waiting = Enumerable.Range(0, calls).Select(_ => test.CallAsync(new RequestProfile { Deadline = S(100) })).ToArray();
        test.Time.Advance(S(85) - test.Time.Elapsed);
        var health = CheckHealth(test);
        health.Status.Should().Be(HealthStatus.Unhealthy);
        health.Description.Should().Contain("No endpoint can be reached: the network of this machine may be down");
        (test.Pool.GetStatus().IsUnreachable, test.Pool.GetStatus().Serving).Should().Be((true, 0));
        Lines(LogLevel.Information, "back in service").Should().BeEmpty("no endpoint is back");

        test.Time.Advance(S(120));
        Array.TrueForAll(waiting, static c => c.IsCompletedSuccessfully).Should().BeTrue();
        CheckHealth(test).Status.Should().Be(HealthStatus.Healthy);
        logs.Entries.Where(static e => e.Level == LogLevel.Critical).Select(static e => e.Message).Should().Equal("Pool test: no endpoint can be reached. The network of this machine may be down.");
        logs.Entries.Should().NotContain(static e => e.Level > LogLevel.Debug && e.Message.Contains("SelfSuspicion", StringComparison.Ordinal));
        var outages = messages.SelectMany(static m => m.Notices).Where(static n => n.Kind == AlertKind.Outage).ToArray();
        outages.Select(static n => n.IsResolved).Should().Equal(false, true);

        IEnumerable<string> Lines(LogLevel level, string text) =>
            logs.Entries.Where(e => e.Level == level && e.Message.Contains(text, StringComparison.Ordinal)).Select(static e => e.Message);
    }

    [Theory]
    [InlineData(RuleMode.Off)]
    [InlineData(RuleMode.Report)]
    public void Missed_heartbeats_are_no_outage_if_they_eject_no_endpoint(RuleMode rule)
    {
        using var logs = new LogRecorder();
        using var test = TestPools.Create(2, o => (o.Heartbeat.Enabled, o.CircuitBreaker.HeartbeatsRule) = (true, rule), parts => parts.LoggerFactory = logs.CreateFactory());
        foreach (var endpoint in test.Endpoints)
            endpoint.Faults.During(S(10), S(200), FakeFault.Refused, where: static _ => true);
        test.Time.Advance(S(100) - test.Time.Elapsed);
        CheckHealth(test).Status.Should().Be(HealthStatus.Healthy, "the probes may be blocked although calls pass");
        logs.Entries.Should().NotContain(static e => e.Level == LogLevel.Critical);
    }

    private static HealthCheckResult CheckHealth(TestPool test)
    {
        var check = new EndpointPoolCheck(test.Pool, 2);
        return test.Time.Run(() => check.CheckHealthAsync(new() { Registration = new("test", check, HealthStatus.Unhealthy, null) }));
    }
}
