using HaKit.Faults;
using HaKit.Health;
using HaKit.Peers;

namespace HaKit.Tests.Health;

/// <summary>
/// Tests each transition from a state in which every field is set: the fields that the transition must keep, and the fields that it must clear.
/// </summary>
public sealed class HealthTransitionTests
{
    private static readonly TimeSpan s_now = At(1000);
    private static readonly HealthOptions s_options = new();
    private static readonly Fault s_error = new(FaultKind.ServerError), s_refused = new(FaultKind.ConnectFailed), s_throttled = new(FaultKind.Throttled);
    private static readonly Fault s_provisional = new(FaultKind.ServerError) { IsProvisional = true };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static TimeSpan? MaybeAt(double seconds) => At(seconds);

    private static HealthState In(EndpointHealthStatus status) => new(At(900)) { Status = status, Epoch = 7, OutSince = At(800) };

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, EndpointHealthStatus.Suspect, 1000)]
    [InlineData(EndpointHealthStatus.Suspect, EndpointHealthStatus.Suspect, 900)]
    [InlineData(EndpointHealthStatus.SlowStart, EndpointHealthStatus.SlowStart, 900)]
    public void Only_a_healthy_endpoint_becomes_suspect(EndpointHealthStatus status, EndpointHealthStatus expected, double since)
    {
        var after = In(status).Suspect(s_error, ProbeLevel.Generating, s_now);
        (after.Status, after.Since, after.Cause, after.CauseLevel).Should().Be((expected, At(since), s_error, ProbeLevel.Generating));
    }

    [Theory]
    [InlineData(499, 3, 4)]
    [InlineData(500, 3, 4)]
    [InlineData(501, 0, 4)]
    [InlineData(600, 0, 4)]
    [InlineData(601, 0, 0)]
    public void A_success_ends_a_row_of_throttles_only_if_its_attempt_began_after_the_last_throttle(double began, int throttles, int named)
    {
        var before = In(EndpointHealthStatus.Healthy) with { Throttles = 3, ThrottledAt = At(500), NamedTimes = 4, NamedAt = At(600) };
        var after = before.ClearFailures(At(began), s_now);
        (after.Throttles, after.NamedTimes).Should().Be((throttles, named));
        if (began <= 500)
            after.Should().BeSameAs(before);
    }

    [Fact]
    public void A_success_ends_a_row_of_named_times_without_a_throttle()
    {
        var before = In(EndpointHealthStatus.Healthy) with { NamedTimes = 4, NamedAt = At(600) };
        before.ClearFailures(At(600), s_now).Should().BeSameAs(before);
        before.ClearFailures(At(601), s_now).NamedTimes.Should().Be(0);
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, 1000)]
    [InlineData(EndpointHealthStatus.SlowStart, 1000)]
    [InlineData(EndpointHealthStatus.Trial, 800)]
    [InlineData(EndpointHealthStatus.Ejected, 800)]
    public void An_endpoint_is_out_since_it_left_service_and_not_since_its_last_trial(EndpointHealthStatus status, double outSince)
    {
        var after = (In(status) with { IsOutForRefusals = true }).Eject(s_error, ProbeLevel.Generating, s_now, 0.5, s_options);
        (after.OutSince, after.IsOutForRefusals, after.Epoch).Should().Be((At(outSince), false, 8));
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, 1000)]
    [InlineData(EndpointHealthStatus.Suspect, 1000)]
    [InlineData(EndpointHealthStatus.SlowStart, 1000)]
    [InlineData(EndpointHealthStatus.Trial, 800)]
    [InlineData(EndpointHealthStatus.Ejected, 800)]
    public void An_endpoint_whose_own_breaker_refuses_is_out_since_it_left_service(EndpointHealthStatus status, double outSince) =>
        In(status).RejectUntil(new Fault(FaultKind.BreakerOpen) { RetryAfter = At(3) }, s_now, s_options).OutSince.Should().Be(At(outSince));

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, 1000)]
    [InlineData(EndpointHealthStatus.SlowStart, 1000)]
    [InlineData(EndpointHealthStatus.Ejected, 800)]
    public void An_endpoint_that_was_only_cooling_is_out_since_its_failed_trial_began(EndpointHealthStatus status, double outSince)
    {
        var trial = In(status).BeginTrial(isOutage: false, s_now, s_options);
        trial.FailTrial(s_error, At(1010), 0.5, s_options).OutSince.Should().Be(At(outSince));
    }

    [Fact]
    public void A_slow_start_after_a_cooldown_does_not_bring_forgotten_ejections_back()
    {
        var recovered = In(EndpointHealthStatus.Healthy) with { Ejections = 3, RecoveredAt = At(900) };
        var cooled = recovered.Cool(Cooldown.For(new Fault(FaultKind.Throttled) { RetryAfter = At(5) }, At(5), At(2000), s_options));
        var back = cooled.ApplyElapsedTime(At(2006), 0, s_options);
        back.Status.Should().Be(EndpointHealthStatus.SlowStart);
        var well = back.ApplyElapsedTime(At(2100), 0, s_options);
        (well.Status, well.RecoveredAt).Should().Be((EndpointHealthStatus.Healthy, MaybeAt(900)));
        well.Eject(s_error, ProbeLevel.Generating, At(2101), 0, s_options).Ejections.Should().Be(1, "of three ejections, one is forgotten each 300 s");
    }

    [Theory]
    [InlineData(5, 1005)]
    [InlineData(29, 1029)]
    [InlineData(60, 1030)]
    public void An_ejection_for_refusals_lasts_at_most_thirty_seconds(double period, double until)
    {
        var after = In(EndpointHealthStatus.Healthy).EjectForRefusals(s_error, s_now, 0.5, new HealthOptions { BreakDuration = At(period) });
        (after.Until, after.IsOutForRefusals).Should().Be((MaybeAt(until), true));
    }

    [Theory]
    [InlineData(5, 900, 1005)]
    [InlineData(5, 1000, 1005)]
    [InlineData(5, 1001, 1001)]
    [InlineData(29, 900, 1029)]
    [InlineData(60, 900, 1030)]
    public void After_a_trial_that_was_refused_the_next_trial_comes_one_period_later(double period, double until, double next)
    {
        var before = In(EndpointHealthStatus.Trial) with { Until = At(until), Ejections = 1 };
        var after = before.EndUndecidedTrial(s_provisional, s_now, 0.5, new HealthOptions { BreakDuration = At(period) });
        (after.Status, after.Until, after.Ejections).Should().Be((EndpointHealthStatus.Ejected, MaybeAt(next), 1));
    }

    [Fact]
    public void After_a_trial_whose_request_was_invalid_the_next_trial_may_begin()
    {
        var after = (In(EndpointHealthStatus.Trial) with { Until = At(900) }).EndUndecidedTrial(new Fault(FaultKind.InvalidRequest), s_now, 0.5, s_options);
        (after.Status, after.Until).Should().Be((EndpointHealthStatus.Ejected, MaybeAt(900)));
    }

    [Fact]
    public void A_trial_of_a_cooling_endpoint_that_was_refused_ends_in_service() =>
        In(EndpointHealthStatus.Trial).EndUndecidedTrial(s_provisional, s_now, 0.5, s_options).Status.Should().Be(EndpointHealthStatus.Healthy);

    [Fact]
    public void Each_way_out_of_service_and_out_of_a_trial_begins_the_next_epoch()
    {
        var trial = In(EndpointHealthStatus.Trial);
        var outage = trial with { IsOutageTrial = true, Until = At(1100) };
        foreach (var after in new[]
        {
            In(EndpointHealthStatus.Healthy).RejectUntil(new Fault(FaultKind.BreakerOpen) { RetryAfter = At(3) }, s_now, s_options),
            trial.CancelTrial(s_now),
            (trial with { Until = At(1100) }).CancelTrial(s_now),
            outage.FailTrial(s_error, s_now, 0.5, s_options),
        })
        {
            (after.Epoch, after.EpochSince).Should().Be((8, s_now));
        }
    }

    [Fact]
    public void A_failed_trial_in_an_outage_clears_the_facts_of_other_replicas()
    {
        var before = In(EndpointHealthStatus.Trial) with { IsOutageTrial = true, Until = At(1100), IsByPeers = true, HasRecoveredAtPeer = true };
        var after = before.FailTrial(s_error, s_now, 0.5, s_options);
        (after.Status, after.Until, after.IsByPeers, after.HasRecoveredAtPeer).Should().Be((EndpointHealthStatus.Ejected, MaybeAt(1100), false, false));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_trial_that_failed_makes_an_ejection_for_refusals_an_ordinary_ejection_that_other_replicas_hear_of(bool isOutageTrial)
    {
        var before = In(EndpointHealthStatus.Trial) with { IsOutageTrial = isOutageTrial, Until = At(1100), IsOutForRefusals = true, Ejections = 1 };
        var after = before.FailTrial(s_refused, s_now, 0.5, s_options);
        after.IsOutForRefusals.Should().BeFalse();
        OwnOpinion.FromEvidence(new OwnEvidence { Health = after, Now = s_now }).Opinion.Should().Be(PeerOpinion.Ejected);
    }

    [Theory(Timeout = 10_000)]
    [InlineData(999, null)]
    [InlineData(1000, null)]
    [InlineData(1001, 950.0)]
    public Task A_new_time_of_the_trial_is_not_a_delayed_one(double until, double? ownUntil)
    {
        var before = In(EndpointHealthStatus.Trial) with { IsOutageTrial = true, Until = At(until), OwnUntil = At(950), Ejections = 1 };
        TimeSpan? expected = ownUntil is { } at ? At(at) : null;
        before.FailTrial(s_error, s_now, 0.5, s_options).OwnUntil.Should().Be(expected);
        before.EndUndecidedTrial(s_provisional, s_now, 0.5, s_options).OwnUntil.Should().Be(expected);
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(1029, 1030)]
    [InlineData(1030, 1030)]
    [InlineData(1031, 1031)]
    public void The_end_of_a_trial_is_only_moved_to_a_later_time(double to, double until)
    {
        var before = In(EndpointHealthStatus.Trial) with { TrialUntil = At(1030) };
        var after = before.ExtendTrial(At(to));
        after.TrialUntil.Should().Be(At(until));
        if (to <= 1030)
            after.Should().BeSameAs(before, "nothing has changed");
    }

    [Fact]
    public void A_recovery_clears_the_mark_of_the_probe_and_all_counts()
    {
        var counted = In(EndpointHealthStatus.Trial) with
        {
            IsBackByProbe = true,
            ConsecutiveFailures = 2,
            ConnectFailures = 2,
            UnansweredFailures = 2,
            ProbeMisses = 2,
            ProbeHits = 1,
            Refusals = 3,
            IsSpared = true,
            IsByPeers = true,
            HasRecoveredAtPeer = true,
            OwnUntil = At(1100),
        };
        counted.Recover(s_now, s_options).Should().Be(In(EndpointHealthStatus.SlowStart) with { Since = s_now, Return = new SlowStart(s_now, At(1030), 0.1) });
    }

    [Theory]
    [InlineData(3, 2)]
    [InlineData(1, 0)]
    [InlineData(0, 0)]
    public void An_undone_ejection_no_longer_counts(int ejections, int expected)
    {
        var before = In(EndpointHealthStatus.Ejected) with { Ejections = ejections, Until = At(1100), Cause = s_refused, JudgedAt = At(999) };
        var after = before.UndoEjection(s_now);
        (after.Status, after.Ejections, after.Until, after.JudgedAt).Should().Be((EndpointHealthStatus.Suspect, expected, null, null));
    }

    [Theory]
    [InlineData(true, 990)]
    [InlineData(true, 1100)]
    [InlineData(false, 990)]
    public void An_undone_failure_of_a_trial_leaves_the_state_from_before_the_trial_and_the_latest_cooldown(bool isOutageTrial, double until)
    {
        var ejected = In(EndpointHealthStatus.Ejected) with { Ejections = 2, Until = At(until), OwnUntil = At(950), Cause = s_refused, ProbeHits = 1, IsOutForRefusals = true, RecoveredAt = At(900), JudgedAt = At(980) };
        var failed = ejected.BeginTrial(isOutageTrial, At(991), s_options).FailTrial(s_error, s_now, 0.5, s_options);
        failed.JudgedAt.Should().Be(s_now);
        var cooling = failed.Cool(Cooldown.For(s_throttled, At(60), s_now, s_options)) with { Throttles = 1, ThrottledAt = s_now, ClearedAt = At(5), ClearRefusals = 2, NamedTimes = 3, NamedAt = At(6), Return = new SlowStart(At(7), At(8), 0.1) };
        cooling.UndoEjection(s_now).Should().Be(cooling with
        {
            Ejections = 2,
            Until = At(until),
            OwnUntil = At(950),
            Cause = s_refused,
            CauseLevel = ejected.CauseLevel,
            ProbeHits = 1,
            IsOutForRefusals = true,
            RecoveredAt = At(900),
            JudgedAt = null,
            FailedTrial = null,
            Epoch = cooling.Epoch + 1,
        });
    }

    [Fact]
    public void A_state_keeps_at_most_one_failed_trial()
    {
        var state = In(EndpointHealthStatus.Ejected) with { Until = At(990), Ejections = 1 };
        for (var trial = 0; trial < 3; trial++)
        {
            state = state.BeginTrial(isOutage: trial == 1, s_now, s_options).FailTrial(s_error, s_now, 0.5, s_options);
            state.FailedTrial!.FailedTrial.Should().BeNull();
        }
    }

    [Fact]
    public void An_undone_ejection_during_a_slow_start_continues_the_slow_start()
    {
        var before = In(EndpointHealthStatus.Ejected) with { Ejections = 1, Until = At(1100), Cause = s_refused, Return = new SlowStart(At(990), At(1020), 0.1) };
        before.UndoEjection(s_now).Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_second_cooldown_that_changes_nothing_keeps_the_state()
    {
        var before = In(EndpointHealthStatus.Healthy) with { Cooldown = Cooldown.For(s_throttled, At(60), At(990), s_options) };
        before.Cool(Cooldown.For(s_throttled, At(50), s_now, s_options)).Should().BeSameAs(before);
        before.Cool(Cooldown.For(s_throttled, At(51), s_now, s_options)).CooldownUntil.Should().Be(At(1051));
    }

    [Theory]
    [InlineData(1029, 1029)]
    [InlineData(1050, 1050)]
    [InlineData(1080, 1050)]
    public void A_trial_is_postponed_at_most_to_the_end_of_its_cooldown(double to, double trialAt)
    {
        var before = In(EndpointHealthStatus.Healthy) with { Cooldown = Cooldown.For(s_throttled, At(60), At(990), new HealthOptions { CooldownCap = At(20) }) };
        before.Postpone(At(to)).Cooldown!.TrialAt.Should().Be(At(trialAt));
    }

    [Theory]
    [InlineData(0, 0, FaultKind.Throttled, EndpointHealthStatus.Healthy)]
    [InlineData(1, 0, FaultKind.ConnectFailed, EndpointHealthStatus.Suspect)]
    [InlineData(0, 1, FaultKind.ConnectFailed, EndpointHealthStatus.Suspect)]
    [InlineData(1, 1, FaultKind.ConnectFailed, EndpointHealthStatus.Suspect)]
    [InlineData(1, 2, FaultKind.ConnectFailed, EndpointHealthStatus.Suspect)]
    public void Failures_and_missed_probes_both_outlive_a_cooldown_and_a_trial_without_a_result(int failures, int misses, FaultKind cause, EndpointHealthStatus status)
    {
        var counted = In(EndpointHealthStatus.Trial) with { ConsecutiveFailures = failures, ProbeMisses = misses, Cause = s_refused, TrialUntil = At(1100) };
        counted.CancelTrial(s_now).Status.Should().Be(status);
        var cooling = counted with { Status = EndpointHealthStatus.Suspect, Cooldown = Cooldown.For(s_throttled, At(60), At(940), s_options) };
        var after = cooling.ApplyElapsedTime(s_now, 0.5, s_options);
        (after.Status, after.Cause!.Kind).Should().Be((EndpointHealthStatus.SlowStart, cause));
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(0.25, 9)]
    [InlineData(0.5, 10)]
    [InlineData(1, 12)]
    public void Jitter_makes_a_period_at_most_a_fifth_shorter_or_longer(double jitter, double length) =>
        HealthTransitions.Jittered(At(10), jitter, s_options).Should().BeCloseTo(At(length), TimeSpan.FromTicks(2));
}
