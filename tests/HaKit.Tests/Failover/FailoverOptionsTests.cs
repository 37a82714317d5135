using HaKit.Failover;

namespace HaKit.Tests.Failover;

public sealed class FailoverOptionsTests
{
    private static FailoverSettings Settings(RetryOptions retry) => new()
    {
        Pool = "p",
        Deadline = TimeSpan.FromSeconds(100),
        Retry = retry,
        FirstContent = new(),
        Streaming = new(),
        Hedging = new(),
    };

    [Theory]
    [InlineData(null, null, 5)]
    [InlineData(0, 1, 0)]
    [InlineData(3, 4, 3)]
    public void A_number_bounds_all_attempts_and_without_one_five_retries_are_made_in_ordinary_service(int? retries, int? most, int ordinary)
    {
        var settings = Settings(new RetryOptions { MaxRetryAttempts = retries });
        (settings.MostAttempts, settings.OrdinaryRetries).Should().Be((most, ordinary));
    }

    [Fact]
    public void Each_wrong_number_of_hedging_is_named_with_its_value()
    {
        foreach (var share in (double[])[0.001, 0.5])
            new HedgingOptions { MaxShare = share }.Validate("Hedging").Should().BeEmpty();
        foreach (var share in (double[])[0, -0.1, 0.51, double.NaN])
            new HedgingOptions { MaxShare = share }.Validate("Hedging").Should().Equal($"Hedging:MaxShare is {share}: above 0 and at most 0.5 is needed.");
        new HedgingOptions { MinimumDelay = TimeSpan.FromSeconds(-1) }.Validate("Hedging").Should().Equal("Hedging:MinimumDelay is -1 s: 0 to 10 years is needed.");
    }
}
