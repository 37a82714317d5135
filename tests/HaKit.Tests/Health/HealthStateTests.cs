using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests the exact results of a state on both sides of each limit.</summary>
public sealed class HealthStateTests
{
    private static readonly TimeSpan s_now = TimeSpan.FromSeconds(1000);
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private static readonly HealthOptions s_options = new();
    private static readonly Fault s_refused = new(FaultKind.ConnectFailed);

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, false, false, "Healthy")]
    [InlineData(EndpointHealthStatus.Healthy, false, true, "Cooling down because of Throttled (429)")]
    [InlineData(EndpointHealthStatus.Suspect, true, false, "Suspect because of ConnectFailed")]
    [InlineData(EndpointHealthStatus.Suspect, true, true, "Cooling down because of Throttled (429)")]
    [InlineData(EndpointHealthStatus.SlowStart, true, false, "SlowStart because of ConnectFailed")]
    [InlineData(EndpointHealthStatus.SlowStart, false, true, "Cooling down because of Throttled (429)")]
    [InlineData(EndpointHealthStatus.Ejected, true, false, "Ejected because of ConnectFailed")]
    [InlineData(EndpointHealthStatus.Ejected, true, true, "Ejected because of ConnectFailed, and cooling down because of Throttled (429)")]
    [InlineData(EndpointHealthStatus.Trial, true, true, "Trial because of ConnectFailed, and cooling down because of Throttled (429)")]
    [InlineData(EndpointHealthStatus.Draining, false, false, "Draining")]
    [InlineData(EndpointHealthStatus.Draining, false, true, "Draining, and cooling down because of Throttled (429)")]
    public void State_is_described_by_its_status_its_cause_and_its_cooldown(EndpointHealthStatus status, bool hasCause, bool isCooling, string text) =>
        new HealthState(s_now) { Status = status, Cause = hasCause ? s_refused : null, Cooldown = isCooling ? Throttled(60, ago: 0) : null }
            .ToString().Should().Be(text);

    [Theory]
    [InlineData(EndpointHealthStatus.Suspect, false, 0, 0, false)]
    [InlineData(EndpointHealthStatus.Suspect, false, 1, 0, false)]
    [InlineData(EndpointHealthStatus.Suspect, false, 0, 1, false)]
    [InlineData(EndpointHealthStatus.Suspect, false, 1, 1, false)]
    [InlineData(EndpointHealthStatus.Suspect, false, 2, 0, true)]
    [InlineData(EndpointHealthStatus.Suspect, false, 0, 2, true)]
    [InlineData(EndpointHealthStatus.Suspect, true, 0, 0, true)]
    [InlineData(EndpointHealthStatus.Suspect, true, 1, 1, true)]
    [InlineData(EndpointHealthStatus.Healthy, false, 0, 0, false)]
    [InlineData(EndpointHealthStatus.SlowStart, false, 0, 0, false)]
    [InlineData(EndpointHealthStatus.SlowStart, true, 0, 0, true)]
    [InlineData(EndpointHealthStatus.SlowStart, false, 2, 0, true)]
    [InlineData(EndpointHealthStatus.SlowStart, false, 0, 2, true)]
    [InlineData(EndpointHealthStatus.Ejected, true, 0, 0, false)]
    [InlineData(EndpointHealthStatus.Ejected, true, 2, 2, false)]
    [InlineData(EndpointHealthStatus.Trial, true, 2, 2, false)]
    public void Endpoint_is_unreachable_if_connections_failed_twice_in_a_row_or_once_at_every_endpoint(EndpointHealthStatus status, bool connectsNowhere, int connects, int misses, bool isUnreachable)
    {
        var state = new HealthState(s_now) { Status = status, Cause = s_refused, ConsecutiveFailures = connects, ConnectFailures = connects, ProbeMisses = misses, ConnectsNowhere = connectsNowhere };
        state.IsUnreachable.Should().Be(isUnreachable);
        (state with { AreMissesOnlyCounted = true }).IsUnreachable.Should().Be(isUnreachable && (connectsNowhere || connects > 1));
        (state with { Cause = new Fault(FaultKind.ServerError) }).IsUnreachable.Should().BeFalse("the server answered");
        (state with { Cause = null }).IsUnreachable.Should().BeFalse();
    }

    [Fact]
    public void Cooldown_is_over_exactly_at_its_end()
    {
        var state = new HealthState(default) { Cooldown = Throttled(60, ago: 0) };
        var end = s_now + TimeSpan.FromSeconds(60);
        state.IsCooling(end - s_tick).Should().BeTrue();
        state.Admits(end - s_tick).Should().BeFalse();
        state.IsCooling(end).Should().BeFalse();
        state.Admits(end).Should().BeTrue();
    }

    [Fact]
    public void Call_waits_for_a_trial_only_in_a_cooldown_without_an_end_and_only_up_to_10_s()
    {
        var soon = TimeSpan.FromSeconds(10);
        var trialAt = s_now + TimeSpan.FromSeconds(60);
        var untilCleared = new HealthState(default) { Cooldown = Cooldown.UntilCleared(new Fault(FaultKind.QuotaExhausted), trialAt - s_now, s_now) };
        untilCleared.AskableAt(trialAt - soon).Should().Be(trialAt);
        untilCleared.AskableAt(trialAt - soon + s_tick).Should().Be(trialAt);
        untilCleared.AskableAt(trialAt - soon - s_tick).Should().Be(TimeSpan.MaxValue);

        var withEnd = new HealthState(default) { Cooldown = Throttled(7200, ago: 0) };
        withEnd.Cooldown!.TrialAt.Should().Be(s_now + TimeSpan.FromHours(1));
        withEnd.AskableAt(s_now + TimeSpan.FromHours(1) - s_tick).Should().Be(s_now + TimeSpan.FromHours(2));
        withEnd.AskableAt(s_now).Should().Be(s_now + TimeSpan.FromHours(2));

        new HealthState(default).AskableAt(s_now).Should().Be(s_now);
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, false, 1)]
    [InlineData(EndpointHealthStatus.Suspect, false, 1)]
    [InlineData(EndpointHealthStatus.SlowStart, false, 0.3625)]
    [InlineData(EndpointHealthStatus.Healthy, true, 0.55)]
    [InlineData(EndpointHealthStatus.Suspect, true, 0.55)]
    [InlineData(EndpointHealthStatus.SlowStart, true, 0.235)]
    [InlineData(EndpointHealthStatus.Ejected, true, 1)]
    public void Share_grows_from_the_end_of_the_cooldown_and_in_a_slow_start_until_the_later_of_both_ends(EndpointHealthStatus status, bool hadCooldown, double share)
    {
        // The slow start of the status began 17.5 s ago and ends in 42.5 s. The slow start of the cooldown began 7.5 s ago and ends in 7.5 s.
        var state = new HealthState(default)
        {
            Status = status,
            Return = new SlowStart(s_now - TimeSpan.FromSeconds(17.5), s_now + TimeSpan.FromSeconds(42.5), 0.1),
            Cooldown = hadCooldown ? Throttled(15, ago: 22.5) : null,
        };
        state.SlowStartShare(s_now).Should().BeApproximately(share, 1e-9);
    }

    private static Cooldown Throttled(double seconds, double ago) =>
        Cooldown.For(HealthBench.Throttled(), TimeSpan.FromSeconds(seconds), s_now - TimeSpan.FromSeconds(ago), s_options);
}
