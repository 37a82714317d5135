using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>
/// Tests one piece of evidence for one state: which evidence changes the state, and which evidence is too late, too weak or from another epoch.
/// </summary>
public sealed class HealthReducerTests
{
    private static readonly TimeSpan s_now = At(1000);
    private static readonly HealthOptions s_options = new();
    private static readonly Fault s_error = new(FaultKind.ServerError), s_key = new(FaultKind.Unauthorized), s_named = new(FaultKind.Throttled) { RetryAfter = At(5) };
    private static readonly HealthEvidence s_traffic = new() { Source = EvidenceSource.Traffic, Epoch = 7, Began = At(990), Jitter = 0.5 };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static TimeSpan? MaybeAt(double seconds) => At(seconds);

    private static HealthState In(EndpointHealthStatus status) => new(At(900))
    {
        Status = status,
        Epoch = 7,
        TrialUntil = At(1010),
        Until = status == EndpointHealthStatus.Ejected ? At(1100) : null,
        Return = new SlowStart(At(990), At(status == EndpointHealthStatus.SlowStart ? 1020 : 995), 0.1),
    };

    private static HealthState Next(HealthState state, HealthEvidence evidence, HealthOptions? options = null) => HealthReducer.Next(state, evidence, s_now, options ?? s_options);

    private static HealthState Cooling(FaultKind kind) => In(EndpointHealthStatus.Healthy) with { Cooldown = Cooldown.UntilCleared(new Fault(kind), At(60), At(950)) };

    [Fact]
    public void A_new_credential_clears_the_cooldown_of_a_refused_key_and_of_an_exhausted_quota_unless_the_server_named_its_end()
    {
        var evidence = new HealthEvidence { Source = EvidenceSource.CredentialChanged };
        Next(Cooling(FaultKind.Unauthorized), evidence).Cooldown.Should().BeNull();
        Next(Cooling(FaultKind.QuotaExhausted), evidence).Cooldown.Should().BeNull();
        foreach (var kind in new[] { FaultKind.QuotaExhausted, FaultKind.Throttled })
        {
            var named = In(EndpointHealthStatus.Healthy) with { Cooldown = Cooldown.For(new Fault(kind), At(600), At(950), s_options) };
            Next(named, evidence).Should().BeSameAs(named);
        }
    }

    [Fact]
    public void After_a_new_credential_the_slow_start_lasts_no_longer_than_the_cooldown_did()
    {
        var evidence = new HealthEvidence { Source = EvidenceSource.CredentialChanged };
        var short_ = In(EndpointHealthStatus.Healthy) with { Return = default, Cooldown = Cooldown.UntilCleared(s_key, At(60), At(999)) };
        Next(short_, evidence).Return.Until.Should().Be(At(1001));
        Next(Cooling(FaultKind.Unauthorized), evidence).Return.Until.Should().Be(s_now + s_options.SlowStartDuration);
    }

    [Fact]
    public void A_silent_trial_has_failed_and_its_late_answer_brings_the_endpoint_back_also_after_the_next_silent_trial()
    {
        var silent = new HealthEvidence { Source = EvidenceSource.TrialSilent, IsTrial = true, Epoch = 7, Began = At(990), Jitter = 0.5 };
        var trial = In(EndpointHealthStatus.Trial) with { OutSince = At(900), Until = At(980) };
        Next(trial, silent with { Epoch = 6 }).Should().BeSameAs(trial);
        var failed = Next(trial, silent);
        failed.Status.Should().Be(EndpointHealthStatus.Ejected);
        var again = failed with { Status = EndpointHealthStatus.Trial, TrialUntil = At(1010) };
        again = Next(again, s_traffic with { IsTrial = true, Epoch = again.Epoch, Fault = new Fault(FaultKind.FirstContentTimeout) });
        again.Status.Should().Be(EndpointHealthStatus.Ejected);
        Next(again, s_traffic with { IsTrial = true }).Status.Should().Be(EndpointHealthStatus.SlowStart);
        Next(again with { Cause = s_error }, s_traffic with { IsTrial = true }).Status.Should().Be(EndpointHealthStatus.Ejected);
    }

    [Fact]
    public void A_silence_that_the_caller_left_makes_only_an_endpoint_in_service_suspect_and_only_in_its_epoch()
    {
        var evidence = s_traffic with { Source = EvidenceSource.LeftInSilence, Fault = new Fault(FaultKind.FirstContentTimeout) };
        var healthy = In(EndpointHealthStatus.Healthy);
        Next(healthy, evidence).Status.Should().Be(EndpointHealthStatus.Suspect);
        Next(healthy, evidence with { Epoch = 6 }).Should().BeSameAs(healthy);
        var ejected = In(EndpointHealthStatus.Ejected);
        Next(ejected, evidence).Should().BeSameAs(ejected);
    }

    [Fact]
    public void A_success_beside_the_trial_and_a_success_during_an_ejection_change_nothing()
    {
        var trial = In(EndpointHealthStatus.Trial);
        Next(trial, s_traffic).Should().BeSameAs(trial);
        Next(trial, s_traffic with { IsTrial = true }).Status.Should().Be(EndpointHealthStatus.SlowStart);
        var ejected = In(EndpointHealthStatus.Ejected) with { Throttles = 2, ThrottledAt = At(950) };
        Next(ejected, s_traffic).Should().BeSameAs(ejected);
    }

    [Fact]
    public void Only_the_trial_itself_ends_the_trial()
    {
        var trial = In(EndpointHealthStatus.Trial);
        var neutral = s_traffic with { Fault = new Fault(FaultKind.InvalidRequest) };
        Next(trial, neutral).Should().BeSameAs(trial);
        Next(trial, neutral with { IsTrial = true, Epoch = 6 }).Should().BeSameAs(trial);
        Next(trial, neutral with { IsTrial = true }).Status.Should().Be(EndpointHealthStatus.Healthy);
    }

    [Theory]
    [InlineData(3, 900, 1)]
    [InlineData(3, 950, 1)]
    [InlineData(3, 899, 0)]
    [InlineData(7, 899, 0)]
    [InlineData(HealthTicket.NoEpoch, 950, 0)]
    public void A_fault_of_another_endpoint_is_compared_by_time_and_not_by_epoch(int epoch, double began, int failures)
    {
        var shared = s_traffic with { IsShared = true, Fault = s_error, Epoch = epoch, Began = At(began) };
        Next(In(EndpointHealthStatus.Healthy), shared).ConsecutiveFailures.Should().Be(failures);
    }

    [Fact]
    public void A_failure_that_a_pause_explains_makes_the_endpoint_suspect_only_in_its_epoch()
    {
        var held = s_traffic with { Fault = s_error, IsExcused = true };
        var healthy = In(EndpointHealthStatus.Healthy);
        Next(healthy, held).Status.Should().Be(EndpointHealthStatus.Suspect);
        Next(healthy, held with { Epoch = 6 }).Should().BeSameAs(healthy);
    }

    [Theory]
    [InlineData(0, ProbeLevel.Generating, FaultKind.ConnectFailed, ProbeLevel.Reachable)]
    [InlineData(1, ProbeLevel.Generating, FaultKind.ConnectFailed, ProbeLevel.Generating)]
    [InlineData(1, ProbeLevel.Reachable, FaultKind.ServerError, ProbeLevel.Generating)]
    public void The_level_is_the_highest_of_the_streak_and_not_of_an_earlier_cause(int failures, ProbeLevel level, FaultKind kind, ProbeLevel expected)
    {
        var before = In(EndpointHealthStatus.Suspect) with { ConsecutiveFailures = failures, CauseLevel = level, Cause = s_error };
        Next(before, s_traffic with { Fault = new Fault(kind) }).CauseLevel.Should().Be(expected);
        Next(before, new HealthEvidence { Source = EvidenceSource.Probe, Fault = new Fault(kind), Level = ProbeLevel.Generating }).CauseLevel.Should().Be(expected);
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, 1000)]
    [InlineData(EndpointHealthStatus.Suspect, 900)]
    [InlineData(EndpointHealthStatus.SlowStart, 900)]
    public void An_endpoint_is_suspect_since_its_first_failure(EndpointHealthStatus status, double since) =>
        Next(In(status), s_traffic with { Fault = s_error }).Since.Should().Be(At(since));

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    public void A_new_streak_begins_at_the_attempts_that_have_begun_by_now(int failures, long from)
    {
        var before = In(EndpointHealthStatus.Healthy) with { ConsecutiveFailures = failures, StreakFrom = 3 };
        Next(before, s_traffic with { Fault = s_error, Begun = 10 }).StreakFrom.Should().Be(from);
    }

    [Theory]
    [InlineData(true, EndpointHealthStatus.Ejected, 951, 2, 0)]
    [InlineData(true, EndpointHealthStatus.Ejected, 950, 1, 0)]
    [InlineData(true, EndpointHealthStatus.Ejected, 949, 1, 0)]
    [InlineData(false, EndpointHealthStatus.Ejected, 951, 1, 0)]
    [InlineData(true, EndpointHealthStatus.SlowStart, 951, 1, 1)]
    [InlineData(false, EndpointHealthStatus.Healthy, 951, 1, 1)]
    [InlineData(false, EndpointHealthStatus.Healthy, 900, 1, 1)]
    [InlineData(false, EndpointHealthStatus.Healthy, 899, 1, 0)]
    public void A_refusal_that_another_endpoint_served_ejects_again_or_counts_or_is_too_old(bool isOut, EndpointHealthStatus status, double began, int ejections, int refusals)
    {
        var before = In(status) with { IsOutForRefusals = isOut, JudgedAt = At(950), Ejections = 1 };
        var after = Next(before, s_traffic with { Source = EvidenceSource.ServedElsewhere, Fault = s_error, Began = At(began) });
        (after.Status, after.Ejections, after.Refusals).Should().Be((status, ejections, refusals));
    }

    [Theory]
    [InlineData(3, false, RuleMode.Enforce, EndpointHealthStatus.Healthy)]
    [InlineData(4, false, RuleMode.Enforce, EndpointHealthStatus.Ejected)]
    [InlineData(4, true, RuleMode.Enforce, EndpointHealthStatus.Healthy)]
    [InlineData(4, false, RuleMode.Report, EndpointHealthStatus.Healthy)]
    public void The_fifth_refusal_in_a_row_ejects_unless_the_endpoint_is_the_last(int refusals, bool isLast, RuleMode rule, EndpointHealthStatus expected)
    {
        var evidence = s_traffic with { Source = EvidenceSource.ServedElsewhere, Fault = s_error, IsLast = isLast };
        var after = Next(In(EndpointHealthStatus.Healthy) with { Refusals = refusals }, evidence, new HealthOptions { RefusalsRule = rule });
        after.Status.Should().Be(expected);
    }

    [Theory]
    [InlineData(979, false)]
    [InlineData(980, true)]
    [InlineData(981, true)]
    public void A_refused_key_is_old_if_its_attempt_began_before_the_last_clearing(double began, bool cools)
    {
        var after = Next(In(EndpointHealthStatus.Healthy) with { ClearedAt = At(980) }, s_traffic with { Fault = s_key, Began = At(began) });
        (after.Cooldown is not null).Should().Be(cools);
        after.ClearRefusals.Should().Be(cools ? 1 : 0);
    }

    [Theory]
    [InlineData(949, 2)]
    [InlineData(950, 2)]
    [InlineData(951, 3)]
    public void A_further_refusal_of_the_key_counts_if_its_attempt_began_after_the_last(double began, int refusals) =>
        Next(Cooling(FaultKind.Unauthorized) with { ClearRefusals = 2 }, s_traffic with { Fault = s_key, Began = At(began) }).ClearRefusals.Should().Be(refusals);

    [Theory]
    [InlineData(0, false, 1, 1000, 1005)]
    [InlineData(2, false, 3, 1000, 1005)]
    [InlineData(3, false, 4, 1000, 1010)]
    [InlineData(3, true, 3, 980, 1005)]
    [InlineData(4, true, 4, 980, 1010)]
    public void In_a_burst_of_refusals_that_name_a_time_only_the_first_counts(int before, bool isCooling, int times, double at, double until)
    {
        var cooldown = isCooling ? Cooldown.For(s_named, At(2), At(999), s_options) : null;
        var after = Next(In(EndpointHealthStatus.Healthy) with { NamedTimes = before, NamedAt = At(980), Cooldown = cooldown }, s_traffic with { Fault = s_named });
        (after.NamedTimes, after.NamedAt, after.CooldownUntil).Should().Be((times, MaybeAt(at), MaybeAt(until)));
    }

    [Fact]
    public void A_failed_probe_of_an_ejected_endpoint_ends_the_row_of_hits_and_nothing_else()
    {
        var miss = new HealthEvidence { Source = EvidenceSource.Probe, Fault = s_error, Level = ProbeLevel.Generating };
        var ejected = In(EndpointHealthStatus.Ejected);
        Next(ejected, miss).Should().BeSameAs(ejected);
        Next(ejected with { ProbeHits = 1 }, miss).Should().Be(ejected);
    }

    [Theory]
    [InlineData(989, EndpointHealthStatus.Ejected)]
    [InlineData(990, EndpointHealthStatus.Suspect)]
    [InlineData(991, EndpointHealthStatus.Suspect)]
    public void A_pause_undoes_the_ejections_that_were_decided_during_the_pause(double judged, EndpointHealthStatus expected)
    {
        var before = In(EndpointHealthStatus.Ejected) with { Cause = new Fault(FaultKind.ConnectFailed), JudgedAt = At(judged), Ejections = 1 };
        Next(before, new HealthEvidence { Source = EvidenceSource.SelfSuspicion, Length = At(10) }).Status.Should().Be(expected);
    }

    [Theory]
    [InlineData(false, true, 2)]
    [InlineData(false, false, 0)]
    [InlineData(true, true, 0)]
    public void A_postponed_ejection_keeps_all_failures_but_one_and_a_failed_trial_keeps_none(bool isFailedTrial, bool isDoubtful, int failures)
    {
        var before = In(EndpointHealthStatus.Ejected) with { Cause = new Fault(FaultKind.ConnectFailed), JudgedAt = At(999), Ejections = 1, FailedTrial = isFailedTrial ? In(EndpointHealthStatus.Trial) with { Until = At(1100) } : null };
        var after = Next(before, new HealthEvidence { Source = EvidenceSource.SelfSuspicion, Length = At(10), IsNetworkSuspect = isDoubtful });
        (after.ConsecutiveFailures, after.ConnectFailures).Should().Be((failures, failures));
    }

    [Theory]
    [InlineData(ProbeLevel.Reachable, 3)]
    [InlineData(ProbeLevel.Authorized, 3)]
    [InlineData(ProbeLevel.Generating, 0)]
    public void Only_a_probe_that_generates_clears_the_rows_of_throttles_named_times_and_refusals(ProbeLevel level, int left)
    {
        var hit = new HealthEvidence { Source = EvidenceSource.Probe, Level = level, Began = s_now, Epoch = HealthTicket.NoEpoch };
        var before = In(EndpointHealthStatus.Healthy) with { Throttles = 3, ThrottledAt = At(900), NamedTimes = 3, NamedAt = At(900), Refusals = 3 };
        var after = Next(before, hit);
        (after.Throttles, after.NamedTimes, after.Refusals).Should().Be((left, left, left));
        var suspect = Next(before with { Status = EndpointHealthStatus.Suspect, Cause = new Fault(FaultKind.ConnectFailed), ConsecutiveFailures = 2, ConnectFailures = 2, ProbeMisses = 1 }, hit);
        (suspect.Throttles, suspect.NamedTimes, suspect.Refusals).Should().Be((left, left, left));
        (suspect.Status, suspect.Cause, suspect.ConsecutiveFailures, suspect.ConnectFailures, suspect.ProbeMisses).Should().Be((EndpointHealthStatus.Healthy, null, 0, 0, 0));
    }

    [Fact]
    public void Hit_of_a_probe_ends_the_row_of_missed_heartbeats_even_if_it_does_not_disprove_the_failures_of_calls()
    {
        var before = In(EndpointHealthStatus.Suspect) with { Cause = s_error, CauseLevel = ProbeLevel.Generating, ConsecutiveFailures = 1, ProbeMisses = 2 };
        var after = Next(before, new HealthEvidence { Source = EvidenceSource.Probe, Level = ProbeLevel.Reachable, Began = s_now, Epoch = HealthTicket.NoEpoch });
        (after.Status, after.ConsecutiveFailures, after.ProbeMisses).Should().Be((EndpointHealthStatus.Suspect, 1, 0));
    }
}
