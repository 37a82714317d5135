using HaKit.Failover;

namespace HaKit.Tests.Failover;

public sealed class OutagePaceTests
{
    private readonly OutagePace _pace = new();

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(-1, 0.1)]
    [InlineData(0, 0.1)]
    [InlineData(5, 0.175)]
    [InlineData(10, 0.25)]
    [InlineData(15, 0.625)]
    [InlineData(20, 1)]
    [InlineData(3600, 1)]
    public void Pauses_grow_from_a_tenth_of_a_second_to_a_quarter_in_ten_seconds_and_to_one_in_another_ten(double age, double pause) =>
        OutagePace.PauseAfter(S(age)).Should().Be(S(pause));

    [Fact]
    public void One_at_a_time_may_ask_until_it_resigns_or_its_trial_is_over()
    {
        _pace.TryClaim(S(0)).Should().BeTrue();
        _pace.TryClaim(S(0)).Should().BeFalse();
        _pace.Resign();
        _pace.TryClaim(S(0)).Should().BeTrue();
        _pace.Began(S(1));
        _pace.TryClaim(S(1)).Should().BeFalse();
        _pace.Asked(S(2));
        _pace.TryClaim(S(2)).Should().BeTrue();
    }

    [Fact]
    public void A_trial_that_is_silent_for_more_than_two_seconds_lets_one_other_ask()
    {
        _pace.TryClaim(S(0)).Should().BeTrue();
        _pace.TryClaim(S(100)).Should().BeFalse("whoever asks next has not begun");
        _pace.Began(S(100));
        _pace.TryClaim(S(102)).Should().BeFalse();
        _pace.TryClaim(S(102.001)).Should().BeTrue();
        _pace.TryClaim(S(110)).Should().BeFalse("that other one has not begun");
    }

    [Fact]
    public void A_trial_that_is_over_does_not_let_another_ask_beside_the_next()
    {
        _pace.TryClaim(S(0));
        _pace.Began(S(0));
        _pace.Asked(S(1));
        _pace.TryClaim(S(1)).Should().BeTrue();
        _pace.TryClaim(S(60)).Should().BeFalse();
    }

    [Fact]
    public void The_pause_after_a_trial_counts_from_its_end_by_the_age_of_the_outage()
    {
        _pace.NextTrialAt.Should().Be(S(0));
        _pace.Began(S(40));
        _pace.Asked(S(40));
        _pace.NextTrialAt.Should().Be(S(40.1));
        _pace.Began(S(44));
        _pace.Asked(S(45));
        _pace.NextTrialAt.Should().Be(S(45.175), "the outage began at 40");
    }

    [Fact]
    public void Whatever_is_served_ends_the_outage_and_its_pauses()
    {
        _pace.Began(S(0));
        _pace.Asked(S(30));
        _pace.NextTrialAt.Should().Be(S(31));

        _pace.Served();
        _pace.NextTrialAt.Should().Be(S(0));
        _pace.Asked(S(31));
        _pace.NextTrialAt.Should().Be(S(0), "a trial that ends after the outage asks for no pause");

        _pace.Began(S(50));
        _pace.Asked(S(50));
        _pace.NextTrialAt.Should().Be(S(50.1), "the next outage is young again");
    }

    [Fact]
    public void One_trial_in_ten_seconds_is_free()
    {
        _pace.TryFree(S(0)).Should().BeTrue();
        _pace.TryFree(S(9.999)).Should().BeFalse();
        _pace.TryFree(S(10)).Should().BeTrue();
        _pace.TryFree(S(19)).Should().BeFalse();
        _pace.TryFree(S(20)).Should().BeTrue();
    }

    [Fact]
    public void Each_candidate_has_its_turn()
    {
        var turns = Enumerable.Range(0, 6).Select(_ => _pace.NextTurn(3)).ToArray();
        turns[..3].Should().BeEquivalentTo([0, 1, 2]);
        turns[3..].Should().Equal(turns[..3]);
        _pace.NextTurn(1).Should().Be(0);
    }
}
