using HaKit.Failover;

namespace HaKit.Tests.Failover;

public sealed class FailoverOptionsTests
{
    private static FailoverSettings Settings(RetryOptions retry) => new()
    {
        Pool = "p", Deadline = TimeSpan.FromSeconds(100), Retry = retry, FirstContent = new(), Streaming = new(), Hedging = new(),
    };

    [Theory]
    [InlineData(0, 6)]
    [InlineData(1, 6)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(100, 2)]
    public void Six_attempts_are_shared_out_and_each_endpoint_has_two_at_least(int endpoints, int attempts)
    {
        Settings(new RetryOptions()).MaxAttempts.Should().Be(6);
        Settings(new RetryOptions()).MaxAttemptsOn(endpoints).Should().Be(attempts);
        Settings(new RetryOptions { MaxAttemptsPerEndpoint = 1 }).MaxAttemptsOn(endpoints).Should().Be(1);
    }

    [Fact]
    public void Each_wrong_number_of_hedging_is_named_with_its_value()
    {
        foreach (var share in (double[])[0.001, 0.5])
            new HedgingOptions { MaxShare = share }.Validate("Hedging").Should().BeEmpty();
        foreach (var share in (double[])[0, -0.1, 0.51, double.NaN])
            new HedgingOptions { MaxShare = share }.Validate("Hedging").Should().Equal($"Hedging:MaxShare is {share}: above 0 and at most 0.5 is needed.");
        new HedgingOptions { MinimumDelay = TimeSpan.FromSeconds(-1) }.Validate("Hedging").Should().Equal("Hedging:MinimumDelay is -00:00:01: at least 0 is needed.");
    }
}
