using HaKit.Limits;

namespace HaKit.Tests.Limits;

public sealed class ServerQuotaTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(7);

    private readonly Limiter _limiter = new(new LimitOptions());

    [Fact]
    public void Nothing_is_accepted_until_the_reset_of_an_exhausted_quota()
    {
        _limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = TimeSpan.FromSeconds(6) }, Start);

        _limiter.TryReserve(0, Start + TimeSpan.FromSeconds(5.999), out _).Should().BeFalse();
        _limiter.HasRoom(0, Start).Should().BeFalse();
        _limiter.AvailableAt(0, Start).Should().Be(Start + TimeSpan.FromSeconds(6));
        _limiter.TryReserve(0, Start + TimeSpan.FromSeconds(6), out _).Should().BeTrue();
    }

    [Fact]
    public void What_the_server_has_left_is_accepted_and_no_more()
    {
        _limiter.Observe(new QuotaReading { RequestsRemaining = 2, RequestsReset = TimeSpan.FromSeconds(6) }, Start);

        _limiter.TryReserve(0, Start, out _).Should().BeTrue();
        _limiter.TryReserve(0, Start, out _).Should().BeTrue();
        _limiter.TryReserve(0, Start, out _).Should().BeFalse();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1000, 500)] // the server may have rounded
    [InlineData(1001, 1001)]
    [InlineData(5000, 5000)] // a full quota is not rounded
    public void What_is_left_of_the_tokens_is_counted_at_its_least(long told, long left)
    {
        _limiter.Observe(new QuotaReading { TokensRemaining = told, TokensLimit = 5000, TokensReset = TimeSpan.FromSeconds(6) }, Start);

        _limiter.Levels(Start).ServerTokensRemaining.Should().Be(left);
    }

    [Fact]
    public void More_than_is_left_is_not_taken_and_nothing_of_it()
    {
        var quota = new ServerQuota();
        quota.Observe(5, 10, TimeSpan.FromSeconds(6), Start);

        quota.TryTake(6, Start, out var taken).Should().BeFalse();
        taken.Should().BeFalse();
        quota.Remaining(Start).Should().Be(5);
        quota.TryTake(5, Start, out taken).Should().BeTrue();
        taken.Should().BeTrue();
        quota.TryTake(6, Start + TimeSpan.FromSeconds(6), out taken).Should().BeTrue("the reading is over");
        taken.Should().BeFalse();
    }

    [Fact]
    public void The_newest_reading_replaces_the_one_before()
    {
        _limiter.Observe(new QuotaReading { TokensRemaining = 10, TokensReset = TimeSpan.FromSeconds(6) }, Start);
        _limiter.Observe(new QuotaReading { TokensRemaining = 777, TokensReset = TimeSpan.FromSeconds(2) }, Start);

        _limiter.HasRoom(777, Start).Should().BeTrue();
        _limiter.HasRoom(778, Start).Should().BeFalse();
        _limiter.AvailableAt(778, Start).Should().Be(Start + TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void A_server_with_more_left_does_not_lift_our_own_limit()
    {
        var limiter = new Limiter(new LimitOptions { TokensPerMinute = 100 });
        limiter.TryReserve(100, Start, out _).Should().BeTrue();

        limiter.Observe(new QuotaReading { TokensLimit = 50_000, TokensRemaining = 40_000, TokensReset = TimeSpan.FromSeconds(9) }, Start);

        limiter.HasRoom(1, Start).Should().BeFalse();
    }

    [Theory]
    [InlineData(2000L, 50_000L, 1500L)]
    [InlineData(2001L, 50_000L, 2001L)]
    [InlineData(50_000L, 50_000L, 50_000L)]
    [InlineData(0L, 50_000L, 0L)]
    public void Remaining_tokens_that_may_be_rounded_are_taken_for_the_least_they_can_be(long said, long limit, long least)
    {
        _limiter.Observe(new QuotaReading { TokensLimit = limit, TokensRemaining = said, TokensReset = TimeSpan.FromSeconds(9) }, Start);

        _limiter.HasRoom(least, Start).Should().Be(least > 0, "with nothing left not even a call of unknown size goes");
        _limiter.HasRoom(least + 1, Start).Should().BeFalse();
    }

    [Fact]
    public void Negative_and_absent_numbers_say_nothing()
    {
        _limiter.Observe(new QuotaReading { RequestsRemaining = -1, TokensRemaining = -1, RequestsReset = TimeSpan.FromSeconds(9) }, Start);
        _limiter.Observe(new QuotaReading { RequestsLimit = 5, TokensLimit = 5 }, Start);

        _limiter.HasRoom(long.MaxValue, Start).Should().BeTrue();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0d)]
    [InlineData(-3d)]
    public void Without_a_reset_an_exhausted_quota_holds_for_a_second(double? seconds)
    {
        var reset = seconds is { } known ? TimeSpan.FromSeconds(known) : (TimeSpan?)null;
        _limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = reset }, Start);

        _limiter.AvailableAt(0, Start).Should().Be(Start + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void No_reset_holds_longer_than_an_hour()
    {
        _limiter.Observe(new QuotaReading { RequestsRemaining = 0, RequestsReset = TimeSpan.MaxValue }, Start);

        _limiter.AvailableAt(0, Start).Should().Be(Start + TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_reading_says_when_it_ends_and_no_more_after_that()
    {
        _limiter.Observe(new QuotaReading { TokensLimit = 100, TokensRemaining = 60, TokensReset = TimeSpan.FromSeconds(6) }, Start);
        _limiter.TryReserve(20, Start, out var reservation).Should().BeTrue();
        _limiter.Levels(Start).ServerTokensRemaining.Should().Be(40);
        _limiter.Utilization(Start).Should().Be(0.6);
        var end = Start + TimeSpan.FromSeconds(6);
        _limiter.AvailableAt(41, Start).Should().Be(end);

        _limiter.Levels(end).ServerTokensRemaining.Should().BeNull();
        _limiter.Utilization(end).Should().Be(0);
        _limiter.AvailableAt(41, end).Should().Be(end);
        _limiter.TryReserve(1000, end, out var later).Should().BeTrue();

        _limiter.Cancel(later);
        _limiter.Levels(Start).ServerTokensRemaining.Should().Be(40, "what took nothing gives nothing back");
        _limiter.Cancel(reservation);
        _limiter.Levels(Start).ServerTokensRemaining.Should().Be(60);
    }

    [Fact]
    public void A_server_with_more_left_than_its_own_limit_is_idle()
    {
        _limiter.Observe(new QuotaReading { TokensLimit = 100, TokensRemaining = 150, TokensReset = TimeSpan.FromSeconds(6) }, Start);

        _limiter.Utilization(Start).Should().Be(0);
    }

    [Fact]
    public void The_last_call_that_fits_is_accepted()
    {
        _limiter.Observe(new QuotaReading { TokensRemaining = 60, TokensReset = TimeSpan.FromSeconds(6) }, Start);

        _limiter.TryReserve(61, Start, out _).Should().BeFalse();
        _limiter.TryReserve(60, Start, out _).Should().BeTrue();
        _limiter.Utilization(Start).Should().Be(1);
    }

    [Fact]
    public void A_call_that_is_refused_by_one_quota_gives_the_other_back()
    {
        _limiter.Observe(new QuotaReading { TokensRemaining = 101, RequestsRemaining = 0, TokensReset = TimeSpan.FromSeconds(60), RequestsReset = TimeSpan.FromSeconds(3) }, Start);

        _limiter.TryReserve(101, Start, out _).Should().BeFalse();

        _limiter.TryReserve(101, Start + TimeSpan.FromSeconds(3), out _).Should().BeTrue();
    }
}
