using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Tests the lengths of cooldowns and the shares of slow starts, on both sides of each limit.</summary>
public sealed class CooldownTableTests
{
    private static readonly HealthOptions Options = new();
    private static readonly Fault Refused = new(FaultKind.Unauthorized) { StatusCode = 401 }, Throttled = new(FaultKind.Throttled) { StatusCode = 429 };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(5, 1, 5)]
    [InlineData(5, 3, 5)]
    [InlineData(5, 4, 10)]
    [InlineData(5, 9, 10)]
    [InlineData(14, 4, 28)]
    [InlineData(20, 4, 30)]
    [InlineData(30, 4, 30)]
    [InlineData(35, 4, 35)]
    public void A_named_time_is_doubled_from_the_fourth_refusal_in_a_row_but_only_up_to_thirty_seconds(double named, int timesInARow, double wait) =>
        Cooldown.Stretched(At(named), timesInARow).Should().Be(At(wait));

    [Theory]
    [InlineData(0.001, 3, 0.001)]
    [InlineData(0.001, 4, 1)]
    [InlineData(0.6, 4, 1.2)]
    [InlineData(20, 4, 30)]
    public void From_the_fourth_refusal_in_a_row_on_the_wait_has_a_lower_bound(double named, int timesInARow, double wait) =>
        Cooldown.Stretched(At(named), timesInARow, At(1)).Should().Be(At(wait));

    [Fact]
    public void In_an_outage_only_a_cooldown_of_the_pool_itself_allows_an_early_trial()
    {
        var own = Cooldown.OwnFor(Throttled, At(32), At(100), Options);
        (own.OutageTrialAt, own.TrialAt, own.Until).Should().Be((At(101), At(132), At(132)));
        Cooldown.OwnFor(Throttled, At(0.9), At(100), Options).OutageTrialAt.Should().Be(At(100.9));
        var named = Cooldown.For(Throttled, At(32), At(100), Options);
        named.OutageTrialAt.Should().Be(At(132));

        own.CombineWith(Cooldown.OwnFor(Throttled, At(2), At(110), Options)).OutageTrialAt.Should().Be(At(111));
        own.CombineWith(Cooldown.For(Throttled, At(5), At(110), Options)).OutageTrialAt.Should().Be(At(132), "a server has named a time");
        named.CombineWith(own).OutageTrialAt.Should().Be(At(132));
    }

    [Theory]
    [InlineData(EndpointHealthStatus.Ejected, 159.9, false)]
    [InlineData(EndpointHealthStatus.Ejected, 160, true)]
    [InlineData(EndpointHealthStatus.Healthy, 159.9, false)]
    [InlineData(EndpointHealthStatus.Healthy, 160, true)]
    [InlineData(EndpointHealthStatus.Trial, 160, false)]
    [InlineData(EndpointHealthStatus.Draining, 160, false)]
    public void A_cooldown_that_has_no_end_allows_a_trial_in_an_outage_only_when_its_own_trial_is_due(EndpointHealthStatus status, double now, bool isAllowed)
    {
        var state = new HealthState(At(0)) { Status = status, Until = status == EndpointHealthStatus.Ejected ? At(300) : null, TrialUntil = At(400), Cooldown = Cooldown.UntilCleared(Refused, At(60), At(100)) };
        state.IsTrialAllowedInOutage(At(now)).Should().Be(isAllowed);
    }

    [Fact]
    public void Of_two_cooldowns_that_end_together_the_earlier_one_stays()
    {
        var earlier = Cooldown.For(Throttled, At(10), At(100), Options);
        earlier.CombineWith(Cooldown.For(new Fault(FaultKind.Overloaded), At(5), At(105), Options)).Should().BeSameAs(earlier);
    }

    [Fact]
    public void Of_two_refusals_that_need_the_same_probe_the_later_one_is_the_cause()
    {
        var later = new Fault(FaultKind.Unauthorized) { StatusCode = 403 };
        var both = Cooldown.UntilCleared(Refused, At(5), At(100)).CombineWith(Cooldown.UntilCleared(later, At(5), At(101)));
        both.Cause.Should().BeSameAs(later);
        both.Since.Should().Be(At(101));
    }

    [Theory]
    [InlineData(90, 0.2)]
    [InlineData(100, 0.2)]
    [InlineData(110, 0.4)]
    [InlineData(130, 0.8)]
    [InlineData(140, 1)]
    [InlineData(150, 1)]
    public void A_slow_start_grows_evenly_from_its_first_share_to_one(double now, double share) =>
        new SlowStart(At(100), At(140), 0.2).Factor(At(now)).Should().BeApproximately(share, 1e-9);
}
