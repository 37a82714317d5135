using HaKit.Faults;
using HaKit.Health;
using HaKit.Peers;

namespace HaKit.Tests.Peers;

/// <summary>Tests the decisions about the facts of other replicas, as tables.</summary>
public sealed class PeerDecisionTests
{
    private static readonly HealthOptions Options = new();

    [Theory(Timeout = 10_000)]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(2, 1, true)]
    [InlineData(2, 2, false)]
    [InlineData(3, 2, true)]
    [InlineData(2, 18, false)]
    [InlineData(10, 10, false)]
    [InlineData(11, 9, true)]
    public Task At_least_two_and_more_than_half_of_the_fresh_opinions_eject(int ejected, int serving, bool isEjection)
    {
        FreshOpinion[] opinions =
        [
            .. Enumerable.Repeat(new FreshOpinion(PeerOpinion.Ejected, ProbeLevel.Generating), ejected),
            .. Enumerable.Repeat(new FreshOpinion(PeerOpinion.Serves, ProbeLevel.Generating), serving),
            .. Enumerable.Repeat(new FreshOpinion(PeerOpinion.None, ProbeLevel.Generating), 5),
        ];
        PeerMajority.CountOpinions(opinions).IsEjection.Should().Be(isEjection);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(ProbeLevel.Reachable, ProbeLevel.Reachable, false)]
    [InlineData(ProbeLevel.Generating, ProbeLevel.Reachable, true)]
    [InlineData(ProbeLevel.Generating, ProbeLevel.Authorized, true)]
    [InlineData(ProbeLevel.Reachable, ProbeLevel.Generating, false)]
    public Task A_probe_speaks_for_an_endpoint_only_if_it_exercises_what_is_said_to_be_broken(ProbeLevel broken, ProbeLevel exercised, bool isEjection)
    {
        FreshOpinion[] opinions = [new(PeerOpinion.Ejected, broken), new(PeerOpinion.Ejected, broken), .. Enumerable.Repeat(new FreshOpinion(PeerOpinion.Serves, exercised), 3)];
        PeerMajority.CountOpinions(opinions).IsEjection.Should().Be(isEjection);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(ProbeLevel.Generating, ProbeLevel.Reachable)]
    [InlineData(ProbeLevel.Reachable, ProbeLevel.Generating)]
    public Task Of_several_ejections_the_one_of_the_lowest_level_says_which_successes_count(ProbeLevel first, ProbeLevel second)
    {
        PeerMajority.CountOpinions([new(PeerOpinion.Ejected, first), new(PeerOpinion.Ejected, second), new(PeerOpinion.Serves, ProbeLevel.Authorized)])
            .Should().Be(new OpinionCount(2, 1));
        return Task.CompletedTask;
    }

    // An endpoint is ejected at 100 s, and a probe misses at the given time; it is 135 s now.
    [Theory(Timeout = 10_000)]
    [InlineData(null, false, PeerOpinion.None)]
    [InlineData(120.0, false, PeerOpinion.Ejected)] // the probe renews the evidence
    [InlineData(120.0, true, PeerOpinion.None)] // a probe that succeeds does not
    [InlineData(99.0, false, PeerOpinion.None)]
    [InlineData(105.0, false, PeerOpinion.None)] // 30 s ago
    [InlineData(106.0, false, PeerOpinion.Ejected)]
    public Task A_probe_that_still_misses_renews_the_evidence_of_an_ejection(double? probed, bool isHit, PeerOpinion opinion)
    {
        var ejected = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Authorized, S(100), 0.5, Options);
        var evidence = new OwnEvidence { Health = ejected, Probe = probed is { } at ? (S(at), ProbeLevel.Reachable, isHit) : null, Now = S(135) };
        var expected = opinion == PeerOpinion.None ? default : new OwnOpinion(PeerOpinion.Ejected, ProbeLevel.Authorized, FaultKind.ServerError, S(probed!.Value));
        OwnOpinion.FromEvidence(evidence).Should().Be(expected);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task An_ejection_is_dated_by_its_beginning_if_the_last_miss_was_before_it()
    {
        var ejected = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(100), 0.5, Options);
        foreach (var missed in new[] { 95.0, 100.0 })
            OwnOpinion.FromEvidence(new OwnEvidence { Health = ejected, Probe = (S(missed), ProbeLevel.Reachable, false), Now = S(110) }).At.Should().Be(S(100));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Refusals_and_breakers_of_the_application_are_no_opinion_about_the_endpoint()
    {
        var refused = new HealthState(default).EjectForRefusals(new Fault(FaultKind.ModelNotFound), S(100), 0.5, Options);
        var broken = new HealthState(default).Eject(new Fault(FaultKind.BreakerOpen), ProbeLevel.Generating, S(100), 0.5, Options);
        Opinion(refused, S(99), S(101)).Should().Be(PeerOpinion.None);
        Opinion(broken, S(99), S(101)).Should().Be(PeerOpinion.None);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task While_a_trial_is_running_the_opinion_stays_as_it_was()
    {
        var trial = new HealthState(default) with { Status = EndpointHealthStatus.Trial };
        var before = new OwnOpinion(PeerOpinion.Ejected, ProbeLevel.Authorized, FaultKind.ServerError, S(100));
        OwnOpinion.FromEvidence(new OwnEvidence { Health = trial, AnsweredAt = S(119), Before = before, Now = S(120) }).Should().Be(before);
        OwnOpinion.FromEvidence(new OwnEvidence { Health = trial, AnsweredAt = S(119), Before = before, Now = S(130) }).Should().Be(default(OwnOpinion));
        return Task.CompletedTask;
    }

    // Counted are failures and misses since the last success; an answer came at 99 s, a probe at the given time; it is 101 s now.
    [Theory(Timeout = 10_000)]
    [InlineData(0, 0, PeerOpinion.Serves)]
    [InlineData(1, 0, PeerOpinion.None)]
    [InlineData(0, 1, PeerOpinion.None)]
    [InlineData(1, 1, PeerOpinion.None)]
    public Task An_endpoint_in_service_serves_if_nothing_failed_since(int failures, int misses, PeerOpinion opinion)
    {
        foreach (var status in new[] { EndpointHealthStatus.Healthy, EndpointHealthStatus.SlowStart, EndpointHealthStatus.Suspect })
            Opinion(new HealthState(default) with { Status = status, ConsecutiveFailures = failures, ProbeMisses = misses }, S(99), S(101)).Should().Be(opinion, status.ToString());
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_probe_counts_with_its_level_if_no_call_was_answered_lately()
    {
        var well = new HealthState(default);
        var probed = new OwnEvidence { Health = well, Probe = (S(99), ProbeLevel.Authorized, true), Now = S(101) };
        OwnOpinion.FromEvidence(probed).Should().Be(new OwnOpinion(PeerOpinion.Serves, ProbeLevel.Authorized, null, S(99)));
        OwnOpinion.FromEvidence(probed with { AnsweredAt = S(71) }).Level.Should().Be(ProbeLevel.Authorized, "the call was 30 s ago");
        OwnOpinion.FromEvidence(probed with { AnsweredAt = S(72) }).Should().Be(new OwnOpinion(PeerOpinion.Serves, ProbeLevel.Generating, null, S(72)));
        OwnOpinion.FromEvidence(probed with { Probe = (S(99), ProbeLevel.Authorized, false) }).Should().Be(default(OwnOpinion));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task An_opinion_is_the_latest_outcome_and_lasts_thirty_seconds()
    {
        var well = new HealthState(default);
        var ejected = well.Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(100), 0.5, Options);
        var byPeers = well.ApplyPeerFact(Said(PeerWord.Ejected), S(100), Options);
        var failing = well.Suspect(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(100)) with { ConsecutiveFailures = 1 };

        Opinion(well, null, S(100)).Should().Be(PeerOpinion.None, "it has not asked");
        Opinion(well, S(90), S(100)).Should().Be(PeerOpinion.Serves);
        Opinion(well, S(70), S(100)).Should().Be(PeerOpinion.None, "that was 30 s ago");
        Opinion(failing, S(99), S(100)).Should().Be(PeerOpinion.None, "it fails, but not for long enough");
        Opinion(ejected, S(99), S(101)).Should().Be(PeerOpinion.Ejected);
        Opinion(ejected, S(99), S(130)).Should().Be(PeerOpinion.None, "its own evidence is old");
        Opinion(byPeers, S(99), S(101)).Should().Be(PeerOpinion.Serves, "what other replicas say is not its own evidence");
        Opinion(byPeers, null, S(101)).Should().Be(PeerOpinion.None, "and does not echo");
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task The_majoritys_ejection_lasts_the_base_period_and_leaves_no_mark()
    {
        var state = new HealthState(default).ApplyPeerFact(Said(PeerWord.Ejected), S(100), Options);
        state.Status.Should().Be(EndpointHealthStatus.Ejected);
        (state.Until!.Value - S(100)).Should().BeCloseTo(Options.BreakDuration, Options.BreakDuration * Options.BreakJitter);
        state.Ejections.Should().Be(0);
        state.ApplyPeerFact(Said(PeerWord.Ejected), S(101), Options).Should().BeSameAs(state);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task Nothing_that_others_say_takes_the_last_endpoint()
    {
        var state = new HealthState(default);
        foreach (var word in new[] { PeerWord.Ejected, PeerWord.Cooldown })
            state.ApplyPeerFact(Said(word) with { IsLast = true, Length = S(60) }, S(100), Options).Should().BeSameAs(state);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_cooldown_lasts_as_long_as_told_and_at_most_an_hour()
    {
        var state = new HealthState(default);
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Length = S(60) }, S(100), Options).CooldownUntil.Should().Be(S(160));
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Length = TimeSpan.FromDays(365) }, S(100), Options).CooldownUntil.Should().Be(S(100) + TimeSpan.FromHours(1));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_later_longer_cooldown_replaces_an_earlier_one_and_a_shorter_one_does_not()
    {
        var state = new HealthState(default).ApplyPeerFact(Said(PeerWord.Cooldown) with { Length = S(60) }, S(100), Options);
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Length = S(10) }, S(101), Options).CooldownUntil.Should().Be(S(160));
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Length = S(100) }, S(101), Options).CooldownUntil.Should().Be(S(201));
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_cooldown_that_was_said_before_ours_was_cleared_does_not_bring_it_back()
    {
        var state = new HealthState(default) with { ClearedAt = S(99) };
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Began = S(98), Length = S(60) }, S(100), Options).Should().BeSameAs(state);
        state.ApplyPeerFact(Said(PeerWord.Cooldown) with { Began = S(99.5), Length = S(60) }, S(100), Options).Should().NotBeSameAs(state);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(10, 5)]
    [InlineData(50, 5)]
    [InlineData(200, 20)]
    [InlineData(3000, 30)]
    public Task A_failed_trial_of_another_puts_off_ours_by_a_tenth_of_the_outage(double outage, double most)
    {
        var due = S(1000 + outage);
        var state = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(1000), 0.5, Options) with { Until = due };
        state = state.ApplyPeerFact(Said(PeerWord.TrialFailed) with { Began = due, Jitter = 0 }, due, Options);
        (state.Until!.Value - due).Should().Be(S(most));
        return Task.CompletedTask;
    }

    [Theory(Timeout = 10_000)]
    [InlineData(false, false, 20)]
    [InlineData(true, true, 20)]
    [InlineData(true, false, 1)]
    public Task However_many_fail_they_put_it_off_by_a_bounded_time_and_less_where_this_replica_saw_nothing_wrong(bool isByPeers, bool isDoubted, int delays)
    {
        var due = S(1040);
        var state = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(1000), 0.5, Options) with { Until = due, IsByPeers = isByPeers, IsDoubted = isDoubted };
        for (var at = S(1035); at < S(1300); at += S(0.5))
            state = state.ApplyPeerFact(Said(PeerWord.TrialFailed) with { Began = at }, S(1040), Options);
        (state.Until!.Value - due).Should().Be(S(5) * delays);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_waiting_call_may_ask_however_much_others_put_off_the_trial()
    {
        var state = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(100), 0.5, Options)
            .ApplyPeerFact(Said(PeerWord.TrialFailed) with { Began = S(104) }, S(104), Options);
        state.IsTrialReady(S(105)).Should().BeFalse();
        state.IsTrialAllowedInOutage(S(104)).Should().BeTrue();
        return Task.CompletedTask;
    }

    [Fact(Timeout = 10_000)]
    public Task A_recovery_elsewhere_allows_our_trial_and_does_not_bring_the_endpoint_back()
    {
        var state = new HealthState(default).Eject(new Fault(FaultKind.ServerError), ProbeLevel.Generating, S(100), 0.5, Options);
        var told = state.ApplyPeerFact(Said(PeerWord.Recovered) with { Began = S(101) }, S(101), Options);
        told.Status.Should().Be(EndpointHealthStatus.Ejected);
        told.IsTrialReady(S(101)).Should().BeTrue();
        told.ApplyPeerFact(Said(PeerWord.TrialFailed) with { Began = S(102) }, S(102), Options).Should().BeSameAs(told, "a replica that cannot reach it does not put it off any more");
        state.ApplyPeerFact(Said(PeerWord.Recovered) with { Began = S(99) }, S(101), Options).Should().BeSameAs(state, "that was before it broke");
        return Task.CompletedTask;
    }

    private static HealthEvidence Said(PeerWord word) => new()
    {
        Source = EvidenceSource.Peer,
        Word = word,
        Fault = new Fault(FaultKind.Throttled),
        Began = S(100),
        Jitter = 0.5,
        Epoch = HealthTicket.NoEpoch,
    };

    private static PeerOpinion Opinion(HealthState health, TimeSpan? answered, TimeSpan now) =>
        OwnOpinion.FromEvidence(new OwnEvidence { Health = health, AnsweredAt = answered, Now = now }).Opinion;

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
