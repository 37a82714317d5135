using HaKit.Faults;
using HaKit.Heartbeats;
using Microsoft.Extensions.Logging;

namespace HaKit.Tests.Telemetry;

public sealed class LogTests
{
    [Fact]
    public async Task A_change_of_state_is_one_line_and_calls_are_none()
    {
        await using var bench = new TelemetryBench();
        for (var i = 0; i < 100; i++)
            bench.Call();
        bench.Logs.Entries.Should().BeEmpty("all is well");
        bench.Down["a"] = FaultKind.ConnectFailed;
        for (var i = 0; i < 4; i++)
            bench.Call();
        bench.Logs.Entries.Where(e => e.Level >= LogLevel.Information).Should().ContainSingle()
            .Which.Message.Should().Match($"Pool {bench.Name}: endpoint a was ejected for * s because of ConnectFailed, seen by Traffic.");
        bench.Down.Clear();
        bench.Logs.Clear();
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 5; i++)
            bench.Call();
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        bench.Call();
        bench.Logs.Entries.Where(e => e.Level >= LogLevel.Information).Select(e => e.Message).Should().Equal(
            $"Pool {bench.Name}: failed attempts on endpoint a in the last minute: 3 (ConnectFailed 3). Later attempts served their calls.",
            $"Pool {bench.Name}: endpoint a is back in service (SlowStart), seen by Traffic.",
            $"Pool {bench.Name}: endpoint a changed from SlowStart to Healthy, seen by Time.");
    }

    [Fact]
    public async Task A_heartbeat_whose_path_the_server_does_not_have_is_told_with_the_setting()
    {
        var missing = new DelegateProbe((_, _) => new(new ProbeResult(new Fault(FaultKind.NotServed) { StatusCode = 404 })));
        var well = new DelegateProbe((_, _) => new(default(ProbeResult)));
        await using var bench = new TelemetryBench(2, o => o.Heartbeat.Enabled = true, p => p.Probe = e => e.Name == "b" ? missing : well);

        bench.Time.Advance(TimeSpan.FromMinutes(2));

        bench.Logs.Entries.Where(e => e.Level == LogLevel.Warning).Select(e => e.Message).Should().NotBeEmpty()
            .And.OnlyContain(m => m.StartsWith($"Pool {bench.Name}: endpoint b was ejected for ", StringComparison.Ordinal) && m.EndsWith("because its heartbeats get NotServed (404). Its HealthPath (or Heartbeat:Path) may be wrong: set a path that the server has, or none.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_somebody_must_put_right_is_told_of_an_endpoint_that_cools_down_already()
    {
        await using var bench = new TelemetryBench(1);
        Fault[] faults = [new(FaultKind.Throttled) { RetryAfter = TimeSpan.FromSeconds(20) }, new(FaultKind.QuotaExhausted), new(FaultKind.QuotaExhausted)];
        var gates = Array.ConvertAll(faults, static _ => new TaskCompletionSource());
        var calls = faults.Zip(gates, (fault, gate) => bench.Pool.ExecuteAsync(new RequestProfile { MayRepeat = false }, (fault, gate), static async (attempt, s, _) =>
        {
            await s.gate.Task;
            attempt.ReportFault(s.fault);
            return 0;
        }).AsTask()).ToArray();
        foreach (var gate in gates)
            gate.SetResult();
        calls.Should().OnlyContain(c => c.IsCompleted);
        bench.Logs.Entries.Select(e => e.Message).Where(m => m.Contains("cools down", StringComparison.Ordinal) || m.Contains("gets no calls", StringComparison.Ordinal)).Should().Equal(
            $"Pool {bench.Name}: endpoint a cools down for 20 s because of Throttled.",
            $"Pool {bench.Name}: endpoint a gets no calls until a person repairs this: QuotaExhausted.");
    }

    [Fact]
    public async Task Orders_cooldowns_and_outages_have_their_lines()
    {
        await using var bench = new TelemetryBench(1, o => o.Heartbeat.Enabled = true, p => p.Probe = _ => null);
        await bench.Pool.ForceDownAsync("a");
        await bench.Pool.BringUpAsync("a");
        await bench.Pool.PromoteAsync(0);
        bench.Down["a"] = FaultKind.QuotaExhausted;
        bench.Call(new RequestProfile { Deadline = TimeSpan.FromSeconds(5) });
        var lines = bench.Logs.Entries.Where(e => e.Level >= LogLevel.Information).Select(e => e.Message);
        lines.Should().ContainInOrder(
            $"Pool {bench.Name}: an operator ordered ForceDown of a.",
            $"Pool {bench.Name}: endpoint a changed from Healthy to ForcedDown, seen by Order.",
            $"Pool {bench.Name}: an operator ordered BringUp of a.",
            $"Pool {bench.Name}: endpoint a is back in service (SlowStart), seen by Order.",
            $"Pool {bench.Name}: an operator ordered Promote of tier 0.");
        lines.Should().Contain(l => l.StartsWith($"Pool {bench.Name}: endpoint a gets no calls", StringComparison.Ordinal));
    }
}
