using HaKit.Failover.Waiting;

namespace HaKit.Tests.Failover;

public sealed class OutagePaceTests
{
    private readonly OutagePace _pace = new();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(0, 0, 0.1)]
    [InlineData(1, 0.1, 0.2)]
    [InlineData(2, 0.3, 0.4)]
    [InlineData(3, 0.7, 0.5)]
    [InlineData(9, 5, 0.5)]
    [InlineData(20, 12, 1.2)]
    [InlineData(50, 20, 2)]
    [InlineData(500, 3600, 2)]
    public void Pauses_double_from_a_tenth_of_a_second_and_then_are_half_a_second_or_a_tenth_of_the_age_and_two_seconds_at_most(int trials, double age, double pause) =>
        OutagePace.PauseAfter(trials, S(age)).Should().Be(S(pause));

    [Fact]
    public void One_call_at_a_time_may_ask_until_it_resigns_or_its_trial_is_over()
    {
        _pace.TryClaim(S(0)).Should().BeTrue();
        (_pace.IsFree(S(0)), _pace.TryClaim(S(0))).Should().Be((false, false));
        _pace.ReleaseClaim();
        (_pace.IsFree(S(0)), _pace.TryClaim(S(0))).Should().Be((true, true));
        _pace.BeginTrial(S(1));
        _pace.TryClaim(S(1)).Should().BeFalse();
        _pace.EndTrial(S(2), 0);
        _pace.TryClaim(S(2)).Should().BeTrue();
    }

    [Fact]
    public void A_trial_that_is_silent_for_more_than_two_seconds_lets_one_other_call_ask()
    {
        _pace.TryClaim(S(0)).Should().BeTrue();
        (_pace.IsFree(S(100)), _pace.TryClaim(S(100))).Should().Be((false, false), "the call that asks next has not begun");
        _pace.BeginTrial(S(100));
        _pace.TryClaim(S(102)).Should().BeFalse();
        (_pace.IsFree(S(102.001)), _pace.TryClaim(S(102.001))).Should().Be((true, true));
        _pace.TryClaim(S(110)).Should().BeFalse("that other one has not begun");
    }

    [Fact]
    public void The_first_pause_counts_from_the_failure_and_each_other_from_the_end_of_the_last_trial()
    {
        _pace.NextTrialAt(S(0)).Should().Be(S(0), "there is no outage");
        _pace.BeginOutage(S(40.02), S(40));
        (_pace.Since, _pace.NextTrialAt(S(40))).Should().Be((S(40), S(40.1)));
        _pace.BeginTrial(S(40.1));
        _pace.EndTrial(S(40.5), 0);
        _pace.NextTrialAt(S(40)).Should().Be(S(40.7));
        _pace.EndTrial(S(40.7), 1);
        _pace.NextTrialAt(S(40)).Should().Be(S(40.7 + 0.38), "the jitter shortens by a twentieth at most");
    }

    [Fact]
    public void Within_a_round_of_the_endpoints_the_age_counts_up_to_shortly_after_the_endpoint_was_last_asked()
    {
        _pace.BeginOutage(S(0), S(0));
        for (var i = 0; i < 4; i++)
            _pace.EndTrial(S(20), 0);
        _pace.NextTrialAt(S(10)).Should().Be(S(20 + 1.3));
        _pace.NextTrialAt(S(20)).Should().Be(S(22));
    }

    [Fact]
    public void The_same_outage_goes_on_while_calls_ask_and_another_one_begins_ten_seconds_after_the_last_question()
    {
        _pace.BeginOutage(S(0), S(0));
        _pace.EndTrial(S(30), 0);
        _pace.BeginOutage(S(39.9), S(39));
        _pace.Since.Should().Be(S(0));
        _pace.BeginOutage(S(40), S(39));
        (_pace.Since, _pace.NextTrialAt(S(39))).Should().Be((S(39), S(39.1)), "it is young again");
    }

    [Fact]
    public void Whatever_is_served_ends_the_outage_unless_it_is_so_young_that_failures_and_successes_are_mixed()
    {
        _pace.EndOutage(S(1), isWaitedFor: false).Should().BeNull("there is none");
        _pace.BeginOutage(S(2), S(2));
        _pace.EndOutage(S(2.9), isWaitedFor: true).Should().BeNull();
        _pace.EndOutage(S(3), isWaitedFor: true).Should().Be(S(1));
        _pace.Since.Should().BeNull();
        _pace.BeginOutage(S(4), S(4));
        _pace.EndOutage(S(4.1), isWaitedFor: false).Should().Be(S(0.1), "no call waits");
    }

    [Fact]
    public void Without_a_budget_for_retries_one_trial_in_ten_seconds_stands_in_for_a_heartbeat()
    {
        var pace = new OutagePace { IsWithoutBudget = true };
        pace.BeginOutage(S(0), S(0));
        pace.NextTrialAt(S(0)).Should().Be(S(10));
        pace.EndTrial(S(12), 0);
        pace.NextTrialAt(S(12)).Should().Be(S(22));
    }

    [Fact]
    public void An_outage_allows_a_dozen_repeats_and_one_more_for_each_second()
    {
        _pace.BeginOutage(S(100), S(100));
        for (var i = 0; i < 12; i++)
        {
            _pace.NextTrialAt(S(100)).Should().BeLessThanOrEqualTo(S(100.5), "repeat {0}", i);
            _pace.CountRepeat(S(100.1));
        }

        _pace.NextTrialAt(S(100)).Should().Be(S(101));
        _pace.CountRepeat(S(101));
        _pace.NextTrialAt(S(100)).Should().Be(S(102));
    }

    [Theory]
    [InlineData(0, 4, true)]
    [InlineData(0, 5, false)]
    [InlineData(5, 13, true)]
    [InlineData(5, 14, false)]
    [InlineData(10, 22, true)]
    [InlineData(10, 23, false)]
    [InlineData(60, 72, true)]
    [InlineData(60, 73, false)]
    public void A_repeat_beside_the_pace_leaves_room_for_the_trials(double age, int repeats, bool hasRoom)
    {
        _pace.HasRoomBeside(S(100)).Should().BeTrue("no outage is known");
        _pace.BeginOutage(S(100), S(100));
        for (var i = 1; i < repeats; i++)
            _pace.CountRepeat(S(100));
        _pace.HasRoomBeside(S(100 + age)).Should().Be(hasRoom);
    }

    [Fact]
    public void A_success_that_began_in_the_outage_opens_the_account_anew_and_an_earlier_one_does_not()
    {
        _pace.BeginOutage(S(100), S(100));
        for (var i = 0; i < 12; i++)
            _pace.CountRepeat(S(100.1));
        _pace.RecordServed(began: S(99), now: S(100.5));
        _pace.HasRoomBeside(S(100.5)).Should().BeFalse();
        _pace.RecordServed(began: S(100.2), now: S(100.6));
        _pace.HasRoomBeside(S(100.6)).Should().BeTrue();
    }

    [Fact]
    public void An_outage_that_begins_soon_after_another_goes_on_with_its_account()
    {
        _pace.BeginOutage(S(100), S(100));
        for (var i = 0; i < 12; i++)
            _pace.CountRepeat(S(100.1));
        _pace.EndOutage(S(101), isWaitedFor: true).Should().NotBeNull();
        _pace.BeginOutage(S(101.2), S(101.2));
        _pace.HasRoomBeside(S(101.2)).Should().BeFalse();
        _pace.EndOutage(S(102.5), isWaitedFor: true);
        _pace.BeginOutage(S(104.6), S(104.6));
        _pace.HasRoomBeside(S(104.6)).Should().BeTrue("two seconds lie between them");
    }

    [Fact]
    public void An_outage_in_which_calls_are_repeated_beside_the_pace_is_not_forgotten()
    {
        _pace.BeginOutage(S(0), S(0));
        _pace.CountRepeat(S(9));
        _pace.BeginOutage(S(18), S(18));
        _pace.Since.Should().Be(S(0));
        _pace.BeginOutage(S(19), S(19));
        _pace.Since.Should().Be(S(19));
    }
}
