using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class LimiterTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(7);

    [Fact]
    public void Unlimited_accepts_everything_and_remembers_nothing()
    {
        var limiter = Limiter.Unlimited;

        limiter.TryReserve(long.MaxValue, Start, out var reservation).Should().BeTrue();
        limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = TimeSpan.FromMinutes(1) }, Start);
        limiter.SettleTokens(reservation, 5, Start);

        limiter.HasRoom(long.MaxValue, Start).Should().BeTrue();
        limiter.AvailableAt(long.MaxValue, Start).Should().Be(Start);
        limiter.Utilization(Start).Should().Be(0);
        var change = () => limiter.UseOptions(new LimitOptions { MaxConcurrency = 1 });
        change.Should().Throw<InvalidOperationException>("all endpoints without limits share it");
    }

    [Fact]
    public void A_full_minute_has_no_burst_on_top()
    {
        var limiter = Rpm(10);
        for (var i = 0; i < 10; i++)
            limiter.TryReserve(0, Start + TimeSpan.FromSeconds(5.9 * i), out _).Should().BeTrue();

        limiter.TryReserve(0, Start + TimeSpan.FromSeconds(59.9), out _).Should().BeFalse();
        limiter.TryReserve(0, Start + TimeSpan.FromSeconds(60.25), out _).Should().BeTrue("the first has left");
        limiter.TryReserve(0, Start + TimeSpan.FromSeconds(60.25), out _).Should().BeFalse("the second has not");
    }

    [Fact]
    public void A_refused_reservation_takes_nothing_of_anything()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 1, RequestsPerMinute = 100, TokensPerMinute = 1000 });
        limiter.TryReserve(100, Start, out _).Should().BeTrue();
        var before = limiter.Levels(Start);

        limiter.TryReserve(100, Start, out var refused).Should().BeFalse();

        refused.Should().Be(default(LimitReservation));
        limiter.Levels(Start).Should().Be(before);
    }

    [Fact]
    public void What_other_replicas_hold_leaves_less_room_and_may_change_within_a_second()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 10, TokensPerMinute = 1000 });
        limiter.HoldForOthers(requests: 4, tokens: 300);
        for (var i = 0; i < 6; i++)
            limiter.TryReserve(100, Start, out _).Should().BeTrue();

        limiter.HasRoom(100, Start).Should().BeFalse("ten requests less the four of the others");
        limiter.TryReserve(100, Start, out _).Should().BeFalse();
        limiter.AvailableAt(100, Start).Should().Be(Start + TimeSpan.FromSeconds(1), "what the others hold changes once a second");
        limiter.HoldForOthers(requests: 3, tokens: 300);
        limiter.HasRoom(101, Start).Should().BeFalse("a thousand tokens less 300 and 600");
        limiter.HasRoom(100, Start).Should().BeTrue();
        limiter.TryReserve(100, Start, out _).Should().BeTrue();
        limiter.HoldForOthers(0, 0);
        limiter.TryReserve(300, Start, out _).Should().BeTrue("the others hold nothing any more");
        limiter.HasRoom(1, Start).Should().BeFalse();
        limiter.AvailableAt(1, Start).Should().Be(Start + TimeSpan.FromSeconds(60.25), "only time helps now");
    }

    [Fact]
    public void Concurrency_comes_back_only_with_a_settlement()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 1 });
        limiter.TryReserve(1, Start, out var reservation).Should().BeTrue();

        limiter.HasRoom(1, Start).Should().BeFalse();
        limiter.AvailableAt(1, Start).Should().Be(TimeSpan.MaxValue);
        limiter.SettleTokens(reservation, null, Start);

        limiter.AvailableAt(1, Start).Should().Be(Start);
    }

    [Fact]
    public void A_call_larger_than_the_quota_never_fits()
    {
        var limiter = Tpm(1000);

        limiter.TryReserve(1001, Start, out _).Should().BeFalse();
        limiter.AvailableAt(1001, Start).Should().Be(TimeSpan.MaxValue);
        limiter.TryReserve(long.MaxValue, Start, out _).Should().BeFalse();
        limiter.TryReserve(1000, Start, out _).Should().BeTrue();
    }

    [Fact]
    public void Usage_above_the_estimate_counts_from_the_time_of_acceptance()
    {
        var limiter = Tpm(1000);
        limiter.TryReserve(100, Start, out var reservation).Should().BeTrue();

        limiter.SettleTokens(reservation, 5000, Start + TimeSpan.FromSeconds(40));

        limiter.HasRoom(1, Start + TimeSpan.FromSeconds(59)).Should().BeFalse();
        limiter.Utilization(Start + TimeSpan.FromSeconds(59)).Should().Be(5);
        limiter.AvailableAt(1, Start + TimeSpan.FromSeconds(59)).Should().Be(Start + TimeSpan.FromSeconds(60.25));
        limiter.HasRoom(1000, Start + TimeSpan.FromSeconds(60.25)).Should().BeTrue();
    }

    [Fact]
    public void Usage_that_comes_to_light_after_its_minute_does_not_count()
    {
        var limiter = Tpm(1000);
        limiter.TryReserve(100, Start, out var reservation).Should().BeTrue();
        var later = Start + TimeSpan.FromSeconds(90);
        limiter.TryReserve(10, later, out _).Should().BeTrue();

        limiter.SettleTokens(reservation, 900, later);

        limiter.Levels(later).TokensSpent.Should().Be(10);
    }

    [Fact]
    public void An_estimate_that_was_too_high_is_given_back()
    {
        var limiter = Tpm(1000);
        limiter.TryReserve(900, Start, out var reservation).Should().BeTrue();
        limiter.TryReserve(200, Start, out _).Should().BeFalse();

        limiter.SettleTokens(reservation, 300, Start + TimeSpan.FromSeconds(2));

        limiter.TryReserve(700, Start + TimeSpan.FromSeconds(2), out _).Should().BeTrue();
    }

    [Fact]
    public void A_reservation_that_was_never_sent_gives_back_its_request_too()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 1, TokensPerMinute = 10, MaxConcurrency = 1 });
        limiter.Observe(new QuotaReading { RequestsRemaining = 1, RequestsReset = TimeSpan.FromSeconds(30) }, Start);
        limiter.TryReserve(10, Start, out var reservation).Should().BeTrue();

        limiter.Cancel(reservation);

        limiter.TryReserve(10, Start, out _).Should().BeTrue();
    }

    [Fact]
    public void An_absurd_usage_fills_the_window_and_leaves_with_it()
    {
        var limiter = Tpm(1000);
        for (var i = 0; i < 3; i++)
        {
            limiter.TryReserve(1, Start + TimeSpan.FromMinutes(2 * i), out var reservation).Should().BeTrue();
            limiter.SettleTokens(reservation, long.MaxValue, Start);
            limiter.HasRoom(0, Start + TimeSpan.FromMinutes(2 * i)).Should().BeFalse();
        }
    }

    [Fact]
    public void A_reload_keeps_what_was_spent_and_what_is_in_flight()
    {
        var limiter = new Limiter(new LimitOptions { TokensPerMinute = 1000, MaxConcurrency = 5 });
        limiter.TryReserve(600, Start, out var reservation).Should().BeTrue();

        limiter.UseOptions(new LimitOptions { TokensPerMinute = 500, MaxConcurrency = 1 });
        limiter.HasRoom(1, Start).Should().BeFalse();
        limiter.SettleTokens(reservation, null, Start);
        limiter.HasRoom(0, Start).Should().BeFalse("600 of 500 are spent");

        limiter.UseOptions(new LimitOptions { TokensPerMinute = 700 });
        limiter.HasRoom(100, Start).Should().BeTrue();
        limiter.HasRoom(101, Start).Should().BeFalse();

        limiter.UseOptions(new LimitOptions());
        limiter.HasRoom(1_000_000, Start).Should().BeTrue();
        limiter.Levels(Start).TokensLimit.Should().BeNull();

        limiter.UseOptions(new LimitOptions { TokensPerMinute = 700 });
        limiter.HasRoom(101, Start).Should().BeFalse("lifting a limit for a moment forgives nothing");
    }

    [Fact]
    public void An_instant_before_the_latest_one_is_taken_for_the_latest()
    {
        var limiter = Tpm(1000);
        limiter.TryReserve(1000, Start + TimeSpan.FromSeconds(30), out _).Should().BeTrue();

        limiter.TryReserve(1, Start, out _).Should().BeFalse();
        limiter.AvailableAt(1, Start).Should().Be(Start + TimeSpan.FromSeconds(90.25));
    }

    [Fact]
    public void Utilization_is_the_fullest_of_all_limits()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 10, RequestsPerMinute = 4, TokensPerMinute = 1000 });
        limiter.TryReserve(100, Start, out _);
        limiter.Utilization(Start).Should().Be(0.25);

        limiter.TryReserve(400, Start, out _);
        limiter.Utilization(Start).Should().Be(0.5);

        limiter.Observe(new QuotaReading { TokensLimit = 100, TokensRemaining = 20, TokensReset = TimeSpan.FromSeconds(9) }, Start);
        limiter.Utilization(Start).Should().Be(0.8);
        limiter.Utilization(Start + TimeSpan.FromSeconds(70)).Should().Be(0.2, "two calls are still in flight");
    }

    [Fact]
    public void The_latest_of_all_limits_says_when_a_call_fits()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 1, TokensPerMinute = 100 });
        limiter.TryReserve(40, Start, out _).Should().BeTrue();
        limiter.AvailableAt(50, Start).Should().Be(Start + TimeSpan.FromSeconds(60.25), "its request has to leave");

        limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = TimeSpan.FromSeconds(70), TokensRemaining = 0, TokensReset = TimeSpan.FromSeconds(80) }, Start);
        limiter.AvailableAt(50, Start).Should().Be(Start + TimeSpan.FromSeconds(80));

        limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = TimeSpan.FromSeconds(90) }, Start);
        limiter.AvailableAt(50, Start).Should().Be(Start + TimeSpan.FromSeconds(90));
    }

    [Fact]
    public void A_call_that_waits_for_a_place_cannot_wait_for_a_time()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 2 });
        limiter.TryReserve(1, Start, out _);
        limiter.AvailableAt(1, Start).Should().Be(Start);
        limiter.TryReserve(1, Start, out _);
        limiter.AvailableAt(1, Start).Should().Be(TimeSpan.MaxValue);
    }

    [Fact]
    public void Levels_tell_each_limit_what_is_spent_of_it_and_what_the_server_has_left()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 5, RequestsPerMinute = 10, TokensPerMinute = 1000 });
        limiter.Levels(Start).Should().Be(new LimitLevels(0, 5, 0, 10, 0, 1000, null, null));

        limiter.Observe(new QuotaReading { RequestsRemaining = 9, RequestsReset = TimeSpan.FromSeconds(5), TokensRemaining = 801, TokensReset = TimeSpan.FromSeconds(8) }, Start);
        limiter.TryReserve(0, Start, out var smallest).Should().BeTrue();
        limiter.TryReserve(300, Start, out _).Should().BeTrue();

        limiter.Levels(Start).Should().Be(new LimitLevels(2, 5, 2, 10, 301, 1000, 7, 500), "a call of unknown size counts as one token");
        limiter.Levels(Start + TimeSpan.FromSeconds(5)).Should().Be(new LimitLevels(2, 5, 2, 10, 301, 1000, null, 500));

        limiter.Cancel(smallest);
        limiter.Levels(Start).Should().Be(new LimitLevels(1, 5, 1, 10, 300, 1000, 8, 501));

        new Limiter(new LimitOptions()).Levels(Start).Should().Be(new LimitLevels(0, null, 0, null, 0, null, null, null));
    }

    [Theory]
    [InlineData(null, 300)]
    [InlineData(300L, 300)]
    [InlineData(301L, 301)]
    [InlineData(299L, 299)]
    [InlineData(0L, 0)]
    [InlineData(-7L, 0)]
    public void A_settlement_puts_usage_in_the_place_of_the_estimate_and_leaves_the_rest(long? actual, long spent)
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 5, RequestsPerMinute = 10, TokensPerMinute = 1000 });
        limiter.Observe(new QuotaReading { TokensRemaining = 801, TokensReset = TimeSpan.FromSeconds(8) }, Start);
        limiter.TryReserve(300, Start, out var reservation).Should().BeTrue();

        limiter.SettleTokens(reservation, actual, Start);

        limiter.Levels(Start).Should().Be(new LimitLevels(0, 5, 1, 10, spent, 1000, null, 501), "the server corrects itself");
    }

    [Fact]
    public void A_settlement_of_what_was_taken_before_there_was_a_limit_takes_nothing_of_it()
    {
        var limiter = new Limiter(new LimitOptions { RequestsPerMinute = 10 });
        limiter.TryReserve(300, TimeSpan.Zero, out var early).Should().BeTrue();
        limiter.UseOptions(new LimitOptions { RequestsPerMinute = 10, TokensPerMinute = 1000 });
        limiter.TryReserve(50, TimeSpan.Zero, out _).Should().BeTrue();

        limiter.SettleTokens(early, 400, TimeSpan.Zero);

        limiter.Levels(TimeSpan.Zero).TokensSpent.Should().Be(50);
    }

    [Fact]
    public void A_limit_that_is_lifted_goes_on_counting_for_the_next_one()
    {
        var limiter = Rpm(10);
        limiter.UseOptions(new LimitOptions());
        limiter.TryReserve(0, Start, out _).Should().BeTrue();

        limiter.UseOptions(new LimitOptions { RequestsPerMinute = 1 });

        limiter.HasRoom(0, Start).Should().BeFalse();
        limiter.Utilization(Start).Should().Be(1);
    }

    [Fact]
    public void Each_of_the_limits_alone_can_be_the_fullest()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 4, RequestsPerMinute = 100, TokensPerMinute = 1000 });
        limiter.Utilization(Start).Should().Be(0);
        limiter.TryReserve(1, Start, out _);
        limiter.Utilization(Start).Should().Be(0.25, "of the places");

        limiter.Observe(new QuotaReading { RequestsLimit = 10, RequestsRemaining = 4, RequestsReset = TimeSpan.FromSeconds(9) }, Start);
        limiter.Utilization(Start).Should().Be(0.6, "of the server's requests");

        limiter.TryReserve(799, Start, out _);
        limiter.Utilization(Start).Should().Be(0.8, "of the tokens");

        limiter.Observe(new QuotaReading { TokensRemaining = 5, TokensReset = TimeSpan.FromSeconds(9) }, Start);
        limiter.Utilization(Start).Should().Be(0.8, "how much five are of an unknown limit is unknown");
        limiter.Observe(new QuotaReading { TokensRemaining = 0, TokensReset = TimeSpan.FromSeconds(9) }, Start);
        limiter.Utilization(Start).Should().Be(1);
    }

    [Fact]
    public void Asking_allocates_nothing()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 10, RequestsPerMinute = 1000, TokensPerMinute = 100_000 });
        var now = Start;
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Round();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);

        void Round()
        {
            now += TimeSpan.FromMilliseconds(100);
            limiter.HasRoom(50, now);
            limiter.AvailableAt(50, now);
            if (limiter.TryReserve(50, now, out var reservation))
                limiter.SettleTokens(reservation, 70, now);
            limiter.Observe(new QuotaReading { TokensRemaining = 70_001, TokensReset = TimeSpan.FromSeconds(1) }, now);
        }
    }

    private static Limiter Rpm(int limit) => new(new LimitOptions { RequestsPerMinute = limit });

    private static Limiter Tpm(int limit) => new(new LimitOptions { TokensPerMinute = limit });
}
