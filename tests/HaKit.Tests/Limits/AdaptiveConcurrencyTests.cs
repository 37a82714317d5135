using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class AdaptiveConcurrencyTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(7);

    [Fact]
    public void A_throttle_lowers_the_bound_to_seven_tenths_of_what_was_in_flight()
    {
        var limiter = Adaptive(max: 100, inFlight: 20);

        limiter.RecordThrottle(Start);

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(14);
        limiter.HasRoom(0, Start).Should().BeFalse();
    }

    [Fact]
    public void A_success_with_half_of_the_bound_in_flight_raises_the_bound()
    {
        var learned = new AdaptiveConcurrency();
        learned.RecordThrottle(inFlight: 1, Start);
        learned.RecordSuccess(inFlight: 1); // 2
        learned.RecordSuccess(inFlight: 1); // 2.5
        learned.RecordSuccess(inFlight: 1); // less than half
        learned.RecordSuccess(inFlight: 2); // 2.9
        learned.Bound.Should().Be(2);
        learned.RecordSuccess(inFlight: 2); // 3.24
        learned.Bound.Should().Be(3);
    }

    [Fact]
    public void What_was_learned_does_not_count_once_the_setting_is_off()
    {
        var limiter = Adaptive(max: 100, inFlight: 20);
        limiter.RecordThrottle(Start);

        limiter.UseOptions(new LimitOptions { MaxConcurrency = 100 });

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(100);
        limiter.HasRoom(0, Start).Should().BeTrue();
    }

    [Fact]
    public void Throttles_of_the_same_second_are_one_congestion()
    {
        var limiter = Adaptive(max: null, inFlight: 20);

        for (var i = 0; i < 20; i++)
            limiter.RecordThrottle(Start + TimeSpan.FromMilliseconds(49 * i));
        limiter.Levels(Start).ConcurrencyLimit.Should().Be(14);

        limiter.RecordThrottle(Start + TimeSpan.FromSeconds(1));
        limiter.Levels(Start).ConcurrencyLimit.Should().Be(9);
    }

    [Fact]
    public void The_first_throttle_counts_however_soon_it_comes()
    {
        var limiter = new Limiter(new LimitOptions { AdaptiveConcurrency = true });
        for (var i = 0; i < 20; i++)
            limiter.TryReserve(0, TimeSpan.Zero, out _).Should().BeTrue();

        limiter.RecordThrottle(TimeSpan.Zero);

        limiter.Levels(TimeSpan.Zero).ConcurrencyLimit.Should().Be(14);
    }

    [Fact]
    public void The_bound_never_falls_below_one()
    {
        var limiter = Adaptive(max: null, inFlight: 0);

        for (var i = 0; i < 50; i++)
            limiter.RecordThrottle(Start + TimeSpan.FromSeconds(i));

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(1);
        limiter.HasRoom(0, Start).Should().BeTrue();
    }

    [Fact]
    public void A_round_of_successes_raises_the_bound_by_about_one_up_to_the_maximum()
    {
        var limiter = Adaptive(max: 20, inFlight: 20);
        limiter.RecordThrottle(Start);

        for (var i = 0; i < 15; i++)
            limiter.RecordSuccess();
        limiter.Levels(Start).ConcurrencyLimit.Should().Be(15);

        for (var i = 0; i < 1000; i++)
            limiter.RecordSuccess();
        limiter.Levels(Start).ConcurrencyLimit.Should().Be(20);
    }

    [Fact]
    public void Successes_that_do_not_use_the_bound_do_not_raise_it()
    {
        var limiter = new Limiter(new LimitOptions { AdaptiveConcurrency = true });
        var reservations = new LimitReservation[20];
        for (var i = 0; i < 20; i++)
            limiter.TryReserve(0, Start, out reservations[i]);
        limiter.RecordThrottle(Start);
        for (var i = 0; i < 15; i++)
            limiter.SettleTokens(reservations[i], null, Start);

        for (var i = 0; i < 100; i++)
            limiter.RecordSuccess();

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(14);
    }

    [Theory]
    [InlineData(8, 15)]
    [InlineData(6, 14)]
    public void More_than_half_of_the_bound_is_use_enough_to_raise_it(int inFlight, int bound)
    {
        var limiter = Adaptive(max: null, inFlight: 20, out var reservations);
        limiter.RecordThrottle(Start);
        foreach (var reservation in reservations[inFlight..])
            limiter.SettleTokens(reservation, null, Start);

        for (var i = 0; i < 15; i++)
            limiter.RecordSuccess();

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(bound);
    }

    [Fact]
    public void A_throttle_counts_what_is_in_flight_where_that_is_less_than_the_bound()
    {
        var limiter = Adaptive(max: null, inFlight: 20, out var reservations);
        limiter.RecordThrottle(Start);
        foreach (var reservation in reservations[10..])
            limiter.SettleTokens(reservation, null, Start);

        limiter.RecordThrottle(Start + TimeSpan.FromSeconds(1));

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(7);
    }

    [Fact]
    public void A_throttle_counts_no_more_than_a_maximum_that_was_lowered_meanwhile()
    {
        var limiter = Adaptive(max: 20, inFlight: 20);
        limiter.UseOptions(new LimitOptions { MaxConcurrency = 10, AdaptiveConcurrency = true });

        limiter.RecordThrottle(Start);

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(7);
    }

    [Fact]
    public void Successes_at_the_maximum_are_not_saved_up_for_a_higher_one()
    {
        var limiter = Adaptive(max: 20, inFlight: 20);
        limiter.RecordThrottle(Start);
        for (var i = 0; i < 1000; i++)
            limiter.RecordSuccess();

        limiter.UseOptions(new LimitOptions { MaxConcurrency = 100, AdaptiveConcurrency = true });

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(20);
    }

    [Fact]
    public void A_throttle_while_less_than_half_of_the_bound_is_in_flight_lowers_nothing()
    {
        var learned = new AdaptiveConcurrency();
        learned.RecordThrottle(inFlight: 20, Start); // 14
        learned.RecordThrottle(inFlight: 6, Start + TimeSpan.FromSeconds(1));
        learned.Bound.Should().Be(14);
        learned.RecordThrottle(inFlight: 7, Start + TimeSpan.FromSeconds(1));
        learned.Bound.Should().Be(4);
    }

    [Fact]
    public void Unasked_for_nothing_adapts()
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = 10 });

        limiter.RecordThrottle(Start);

        limiter.Levels(Start).ConcurrencyLimit.Should().Be(10);
    }

    private static Limiter Adaptive(int? max, int inFlight) => Adaptive(max, inFlight, out _);

    private static Limiter Adaptive(int? max, int inFlight, out LimitReservation[] reservations)
    {
        var limiter = new Limiter(new LimitOptions { MaxConcurrency = max, AdaptiveConcurrency = true });
        reservations = new LimitReservation[inFlight];
        for (var i = 0; i < inFlight; i++)
            limiter.TryReserve(0, Start, out reservations[i]).Should().BeTrue();
        return limiter;
    }
}
