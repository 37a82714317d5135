using HaKit.Failover.Waiting;

namespace HaKit.Tests.Failover;

/// <summary>Tests the decisions of a call that has tried every endpoint, as a table. The clock is at 10 s and the deadline at 100 s.</summary>
public sealed class WaitDecisionTests
{
    private static readonly TimeSpan Never = TimeSpan.MaxValue;

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static readonly Prospects AllDown = new()
    {
        Able = 3,
        AnyAllowed = true,
        AnyHeals = true,
        AnyCanAnswer = true,
        CameBackAt = Never,
        RetryAt = Never,
        RoomAt = Never,
        TrialAt = S(10),
    };

    private static readonly WaitFacts Waiting = new()
    {
        Now = S(10),
        Deadline = S(100),
        MayWaitUntil = S(100),
        Attempts = 3,
        MostAttempts = null,
        HasRetryLeft = true,
        BackoffEnds = S(10),
        CanPay = true,
        HasRoomBesidePace = true,
        MayAsk = true,
        NextTrialAt = S(10),
    };

    private static void Decide(Prospects prospects, WaitFacts facts, WaitAction action, WaitRule rule, double until = 0) =>
        WaitDecision.Decide(in prospects, in facts).Should().Be(new WaitDecision(action, rule, S(until)));

    // Cases that end the call at once

    [Fact]
    public void No_endpoint_has_what_the_request_needs() =>
        Decide(AllDown with { Able = 0 }, Waiting, WaitAction.GiveUp, WaitRule.NotCapable);

    [Theory]
    [InlineData(3, 3, WaitRule.AttemptsUsedUp)]
    [InlineData(3, 4, WaitRule.Pace)]
    [InlineData(300, null, WaitRule.Pace)]
    public void A_number_bounds_all_attempts_and_without_one_the_deadline_does(int attempts, int? most, WaitRule rule) =>
        WaitDecision.Decide(AllDown, Waiting with { Attempts = attempts, MostAttempts = most }).Rule.Should().Be(rule);

    [Fact]
    public void Every_endpoint_was_tried_as_often_as_allowed() =>
        Decide(AllDown with { AnyAllowed = false }, Waiting, WaitAction.GiveUp, WaitRule.AttemptsUsedUp);

    [Fact]
    public void A_call_that_fails_alone_ends() =>
        Decide(AllDown with { FailsAlone = true }, Waiting, WaitAction.GiveUp, WaitRule.AttemptsUsedUp);

    [Fact]
    public void Time_does_not_heal_what_is_wrong() =>
        Decide(AllDown with { AnyHeals = false }, Waiting, WaitAction.GiveUp, WaitRule.TimeDoesNotHeal);

    [Fact]
    public void What_is_left_of_the_deadline_is_shorter_than_any_answer() =>
        Decide(AllDown with { AnyCanAnswer = false }, Waiting, WaitAction.GiveUp, WaitRule.NoTimeToAnswer);

    [Theory]
    [InlineData(99.9, WaitRule.NamedTime)]
    [InlineData(100, WaitRule.BackTooLate)]
    [InlineData(900, WaitRule.BackTooLate)]
    public void A_return_at_the_deadline_or_later_is_not_waited_for(double at, WaitRule rule) =>
        WaitDecision.Decide(AllDown with { TrialAt = S(at), IsTrialTimeNamed = true }, Waiting).Rule.Should().Be(rule);

    // Attempts that may start now

    [Fact]
    public void An_endpoint_that_has_come_back_is_asked_at_once_and_nothing_is_paid() =>
        Decide(AllDown with { CameBackAt = S(10), RetryAt = S(10) }, Waiting with { MayAsk = false, CanPay = false }, WaitAction.AskReturned, WaitRule.CameBack);

    [Fact]
    public void An_endpoint_that_serves_others_is_asked_again_when_the_backoff_is_over_and_the_budget_pays() =>
        Decide(AllDown with { RetryAt = S(10) }, Waiting, WaitAction.Retry, WaitRule.Retry);

    [Fact]
    public void What_the_budget_cannot_pay_goes_by_the_pace()
    {
        Decide(AllDown with { RetryAt = S(10) }, Waiting with { CanPay = false }, WaitAction.Trial, WaitRule.Pace);
        Decide(AllDown with { RetryAt = S(10) }, Waiting with { HasRetryLeft = false }, WaitAction.Trial, WaitRule.Pace);
        Decide(AllDown with { RetryAt = S(10) }, Waiting with { HasRoomBesidePace = false }, WaitAction.Trial, WaitRule.Pace);
        Decide(AllDown with { RetryAt = S(10) }, Waiting with { BackoffEnds = S(11) }, WaitAction.Trial, WaitRule.Pace);
    }

    [Fact]
    public void An_outage_is_asked_when_the_pace_allows_it() =>
        Decide(AllDown, Waiting, WaitAction.Trial, WaitRule.Pace);

    // Times for which a call waits

    [Fact]
    public void Until_the_pace_allows_the_next_trial_the_call_waits_with_the_right_to_ask() =>
        Decide(AllDown, Waiting with { NextTrialAt = S(10.4) }, WaitAction.WaitToAsk, WaitRule.Pace, 10.4);

    [Fact]
    public void Until_its_endpoint_can_take_the_trial_the_call_leaves_the_right_to_ask_to_another_call()
    {
        Decide(AllDown with { TrialAt = S(50) }, Waiting, WaitAction.Wait, WaitRule.Pace, 50);
        Decide(AllDown with { TrialAt = S(10.2) }, Waiting with { NextTrialAt = S(10.4) }, WaitAction.Wait, WaitRule.Pace, 10.4);
    }

    [Fact]
    public void While_another_call_asks_it_waits_to_be_let_in() =>
        Decide(AllDown, Waiting with { MayAsk = false }, WaitAction.WaitForRelease, WaitRule.AnotherAsks, 100);

    [Fact]
    public void A_named_time_is_waited_for_without_the_right_to_ask_and_never_undercut()
    {
        var named = AllDown with { TrialAt = S(13), IsTrialTimeNamed = true };
        Decide(named, Waiting, WaitAction.Wait, WaitRule.NamedTime, 13);
        Decide(named, Waiting with { MayAsk = false }, WaitAction.Wait, WaitRule.NamedTime, 13);
        Decide(named, Waiting with { NextTrialAt = S(13.3) }, WaitAction.Wait, WaitRule.NamedTime, 13.3);
    }

    [Fact]
    public void The_sooner_of_backoff_and_pace_is_waited_for()
    {
        var serving = AllDown with { RetryAt = S(10) };
        Decide(serving, Waiting with { BackoffEnds = S(10.1), NextTrialAt = S(10.4) }, WaitAction.Wait, WaitRule.Retry, 10.1);
        Decide(serving, Waiting with { BackoffEnds = S(14), NextTrialAt = S(10.4) }, WaitAction.WaitToAsk, WaitRule.Pace, 10.4);
        Decide(serving, Waiting with { BackoffEnds = S(14), MayAsk = false }, WaitAction.Wait, WaitRule.Retry, 14);
    }

    [Fact]
    public void A_place_is_waited_for_by_its_own_time_or_until_one_comes_free()
    {
        var full = AllDown with { TrialAt = Never };
        Decide(full with { RoomAt = S(12) }, Waiting, WaitAction.Wait, WaitRule.Place, 12);
        Decide(full with { MayComeFree = true }, Waiting, WaitAction.WaitForRelease, WaitRule.Place, 100);
        Decide(full with { MayComeFree = true, AnyHeals = false }, Waiting, WaitAction.WaitForRelease, WaitRule.Place, 100);
        Decide(full, Waiting, WaitAction.GiveUp, WaitRule.BackTooLate);
    }

    // The limit on the wait

    [Fact]
    public void A_call_that_may_not_wait_fails_at_once_but_makes_what_attempt_it_can()
    {
        Decide(AllDown, Waiting with { MayWaitUntil = S(10), NextTrialAt = S(11) }, WaitAction.GiveUp, WaitRule.MaxWait);
        Decide(AllDown, Waiting with { MayWaitUntil = S(10) }, WaitAction.Trial, WaitRule.Pace);
    }

    [Fact]
    public void A_wait_ends_when_the_call_may_wait_no_longer() =>
        Decide(AllDown, Waiting with { MayWaitUntil = S(10.2), NextTrialAt = S(11) }, WaitAction.WaitToAsk, WaitRule.Pace, 10.2);

    // Two times that are equal

    [Fact]
    public void What_comes_exactly_at_the_deadline_is_too_late()
    {
        var none = AllDown with { TrialAt = Never };
        Decide(none with { RoomAt = S(100) }, Waiting, WaitAction.GiveUp, WaitRule.BackTooLate);
        Decide(none with { RetryAt = S(100) }, Waiting, WaitAction.GiveUp, WaitRule.BackTooLate);
        Decide(none with { CameBackAt = S(100) }, Waiting, WaitAction.GiveUp, WaitRule.BackTooLate);
        Decide(none with { RoomAt = S(100), RetryAt = S(100), MayComeFree = true }, Waiting, WaitAction.WaitForRelease, WaitRule.Place, 100);
        Decide(none with { RetryAt = S(100), CameBackAt = S(100), MayComeFree = true }, Waiting with { MayAsk = false }, WaitAction.WaitForRelease, WaitRule.Place, 100);
        Decide(AllDown with { TrialAt = S(100), IsTrialTimeNamed = true, MayComeFree = true }, Waiting, WaitAction.WaitForRelease, WaitRule.Place, 100);
    }

    [Fact]
    public void A_place_goes_before_a_trial_and_a_retry_of_the_same_instant_and_a_trial_before_a_retry()
    {
        Decide(AllDown with { RoomAt = S(12), TrialAt = S(12) }, Waiting, WaitAction.Wait, WaitRule.Place, 12);
        Decide(AllDown with { RoomAt = S(12), TrialAt = S(50), RetryAt = S(12) }, Waiting, WaitAction.Wait, WaitRule.Place, 12);
        Decide(AllDown with { TrialAt = S(12), RetryAt = S(12) }, Waiting, WaitAction.Wait, WaitRule.Pace, 12);
        Decide(AllDown with { TrialAt = S(12), RetryAt = S(12), IsTrialTimeNamed = true }, Waiting with { MayAsk = false }, WaitAction.Wait, WaitRule.NamedTime, 12);
    }

    [Fact]
    public void A_place_whose_time_has_come_brings_nothing_more_by_time() =>
        Decide(AllDown with { RoomAt = S(10), TrialAt = S(12) }, Waiting, WaitAction.Wait, WaitRule.Pace, 12);
}
