using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>
/// Tests the exact results of facts of other replicas. In all tables the time is 1000 s, and the endpoint left service at 900 s, so that the delay of one trial is 10 s.
/// </summary>
public sealed class PeerTransitionsTests
{
    private static readonly TimeSpan s_now = Seconds(1000);
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private static readonly HealthOptions s_options = new();
    private static readonly Fault s_refused = new(FaultKind.ConnectFailed);

    [Theory]
    [InlineData(0, 5)]
    [InlineData(50, 5)]
    [InlineData(51, 5.1)]
    [InlineData(100, 10)]
    [InlineData(299, 29.9)]
    [InlineData(300, 30)]
    [InlineData(301, 30)]
    [InlineData(86_400, 30)]
    public void Delay_of_a_trial_is_a_tenth_of_the_outage_from_5_s_to_30_s(double outage, double delay) =>
        PeerTransitions.Delay(Seconds(outage)).Should().Be(Seconds(delay));

    [Theory]
    [InlineData(1800, 1800)]
    [InlineData(3599, 3599)]
    [InlineData(3600, 3600)]
    [InlineData(3601, 3600)]
    [InlineData(1e6, 3600)]
    public void Cooldown_of_another_replica_lasts_as_long_as_it_says_but_at_most_an_hour(double length, double lasts)
    {
        var throttled = HealthBench.Throttled();
        var said = s_now - Seconds(3);
        var cooldown = Apply(new HealthState(default), PeerWord.Cooldown, said, throttled, Seconds(length)).Cooldown;
        cooldown.Should().Be(Cooldown.For(throttled, Seconds(lasts), s_now, s_options) with { Since = said });
        cooldown!.Until.Should().Be(s_now + Seconds(lasts));
    }

    [Theory]
    [InlineData(1, 1, false, true)]
    [InlineData(0, 1, false, false)]
    [InlineData(-1, 1, false, false)]
    [InlineData(1, 0, false, false)]
    [InlineData(1, -1, false, false)]
    [InlineData(1, 1, true, false)]
    public void Cooldown_of_another_replica_needs_a_fact_after_the_last_clearing_some_length_and_another_endpoint(int ticksAfterClearing, int ticksLong, bool isLast, bool cools)
    {
        var state = new HealthState(default) { ClearedAt = Seconds(990) };
        var next = Apply(state, PeerWord.Cooldown, Seconds(990) + ticksAfterClearing * s_tick, HealthBench.Throttled(), ticksLong * s_tick, isLast: isLast);
        ReferenceEquals(next, state).Should().Be(!cools);
        next.IsCooling(s_now).Should().Be(cools);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(0.25, 4.5)]
    [InlineData(0.5, 5)]
    [InlineData(0.75, 5.5)]
    public void Ejection_by_other_replicas_lasts_the_base_ejection_with_jitter_and_clears_the_data_of_an_earlier_ejection(double jitter, double length)
    {
        var before = new HealthState(default)
        {
            Status = EndpointHealthStatus.Suspect,
            Ejections = 3,
            Epoch = 7,
            JudgedAt = Seconds(1),
            FailedTrial = new HealthState(default),
            IsOutForRefusals = true,
            RecoveredAt = Seconds(2),
        };
        Apply(before, PeerWord.Ejected, s_now, s_refused, jitter: jitter).Should().Be(new HealthState(s_now)
        {
            Status = EndpointHealthStatus.Ejected,
            Cause = s_refused,
            CauseLevel = ProbeLevel.Reachable,
            Until = s_now + Seconds(length),
            IsByPeers = true,
            OutSince = s_now,
            Ejections = 3,
            Epoch = 8,
            RecoveredAt = Seconds(2),
        });
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(0, 1, true)]
    [InlineData(1, 2, true)]
    public void Ejection_by_other_replicas_is_confirmed_by_any_failure_or_missed_probe_of_this_replica(int failures, int misses, bool isDoubted)
    {
        var state = new HealthState(default) { Status = EndpointHealthStatus.Suspect, ConsecutiveFailures = failures, ProbeMisses = misses };
        Apply(state, PeerWord.Ejected, s_now, s_refused).IsDoubted.Should().Be(isDoubted);
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Healthy, true, false)]
    [InlineData(EndpointHealthStatus.Ejected, false, false)]
    [InlineData(EndpointHealthStatus.Trial, false, false)]
    [InlineData(EndpointHealthStatus.Draining, false, false)]
    [InlineData(EndpointHealthStatus.Healthy, false, true)]
    [InlineData(EndpointHealthStatus.SlowStart, false, true)]
    public void Only_an_endpoint_in_service_that_is_not_the_last_one_is_ejected_by_other_replicas(EndpointHealthStatus status, bool isLast, bool isEjected)
    {
        var state = new HealthState(default) { Status = status };
        var next = Apply(state, PeerWord.Ejected, s_now, s_refused, isLast: isLast);
        ReferenceEquals(next, state).Should().Be(!isEjected);
        next.IsByPeers.Should().Be(isEjected);
    }

    [Theory]
    [InlineData(1000, 1005)]
    [InlineData(997, 1002)]
    [InlineData(995.1, 1000.1)]
    public void Trial_waits_half_a_delay_for_the_trial_of_another_replica(double asked, double until)
    {
        var state = Ejected(until: 1000);
        Apply(state, PeerWord.TrialBegun, Seconds(asked)).Should().Be(state with { Until = Seconds(until), OwnUntil = Seconds(1000) });
    }

    [Theory]
    [InlineData(0, 1010)]
    [InlineData(0.25, 1009.5)]
    [InlineData(0.5, 1009)]
    [InlineData(1, 1008)]
    public void Trial_waits_four_to_five_fifths_of_a_delay_after_a_failed_trial_of_another_replica(double jitter, double until)
    {
        var state = Ejected(until: 1000);
        Apply(state, PeerWord.TrialFailed, s_now, jitter: jitter).Should().Be(state with { Until = Seconds(until), OwnUntil = Seconds(1000) });
    }

    [Theory]
    [InlineData(995)]
    [InlineData(994)]
    [InlineData(900)]
    public void Trial_that_is_due_late_enough_is_not_delayed(double asked)
    {
        var state = Ejected(until: 1000);
        Apply(state, PeerWord.TrialBegun, Seconds(asked)).Should().BeSameAs(state);
    }

    [Theory]
    [InlineData(false, false, 1195, 1200)]
    [InlineData(false, false, 1194, 1199)]
    [InlineData(false, false, 1198, 1200)]
    [InlineData(false, true, 1198, 1200)]
    [InlineData(true, true, 1198, 1200)]
    [InlineData(true, false, 1004, 1009)]
    [InlineData(true, false, 1005, 1010)]
    [InlineData(true, false, 1006, 1010)]
    [InlineData(true, false, 1198, 1010)]
    public void All_trials_of_other_replicas_delay_by_20_delays_or_by_one_if_only_other_replicas_saw_failures(bool isByPeers, bool isDoubted, double asked, double until)
    {
        var state = Ejected(until: 1003) with { OwnUntil = Seconds(1000), IsByPeers = isByPeers, IsDoubted = isDoubted };
        Apply(state, PeerWord.TrialBegun, Seconds(asked)).Should().Be(state with { Until = Seconds(until) });
    }

    [Fact]
    public void Delay_needs_an_ejection_with_an_end_and_no_success_of_another_replica()
    {
        HealthState[] states =
        [
            Ejected(until: 1000) with { Status = EndpointHealthStatus.Trial },
            Ejected(until: 1000) with { Until = null },
            Ejected(until: 1000) with { HasRecoveredAtPeer = true },
        ];
        foreach (var state in states)
        {
            Apply(state, PeerWord.TrialBegun, s_now).Should().BeSameAs(state);
            Apply(state, PeerWord.TrialFailed, s_now).Should().BeSameAs(state);
        }
    }

    [Theory]
    [InlineData(1020, 1000, false)]
    [InlineData(1020, 1000, true)]
    [InlineData(1000, 1000, false)]
    [InlineData(990, 990, false)]
    public void Success_of_another_replica_makes_the_trial_due_now_or_leaves_it_due(double until, double due, bool isSecond)
    {
        var state = Ejected(until) with { OwnUntil = Seconds(980), HasRecoveredAtPeer = isSecond };
        foreach (var succeeded in new[] { state.Since, state.Since + s_tick, s_now })
            Apply(state, PeerWord.Recovered, succeeded).Should().Be(state with { Until = Seconds(due), OwnUntil = null, HasRecoveredAtPeer = true });
    }

    [Fact]
    public void Success_of_another_replica_changes_nothing_if_it_is_older_than_the_ejection_or_the_trial_is_already_due()
    {
        var state = Ejected(until: 1020);
        Apply(state, PeerWord.Recovered, state.Since - s_tick).Should().BeSameAs(state);
        foreach (var other in new[] { state with { Status = EndpointHealthStatus.Trial }, Ejected(1000) with { HasRecoveredAtPeer = true }, Ejected(990) with { HasRecoveredAtPeer = true } })
            Apply(other, PeerWord.Recovered, s_now).Should().BeSameAs(other);
    }

    private static HealthState Ejected(double until) => new(Seconds(950))
    {
        Status = EndpointHealthStatus.Ejected,
        Cause = s_refused,
        Until = Seconds(until),
        OutSince = Seconds(900),
    };

    private static HealthState Apply(HealthState state, PeerWord word, TimeSpan began, Fault? fault = null, TimeSpan length = default, double jitter = 0.5, bool isLast = false)
    {
        var evidence = new HealthEvidence { Source = EvidenceSource.Peer, Word = word, Began = began, Fault = fault, Length = length, Jitter = jitter, IsLast = isLast };
        return state.ApplyPeerFact(evidence, s_now, s_options);
    }

    private static TimeSpan Seconds(double value) => TimeSpan.FromSeconds(value);
}
