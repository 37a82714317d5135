using HaKit.Faults;

namespace HaKit.Tests.Situations;

/// <summary>Servers that throttle: without a time, with a time that is tiny, zero, negative or hours long.</summary>
public sealed class ThrottleTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("a", 5)]
    [InlineData("a", 20)]
    [InlineData("a", 64)]
    [InlineData("a", 80)]
    [InlineData("a b c", 20)]
    [InlineData("a b c", 80)]
    public Task A_call_is_served_soon_after_the_end_of_throttles_without_a_time(string endpoints, double ends)
    {
        using var bench = new TrafficBench(endpoints);
        bench.Let(() => bench.Now < ends ? bench.Refuse(FaultKind.Throttled, status: 429) : bench.Answer(0.1));
        var call = bench.Begin();
        bench.Advance(150);

        call.IsServed.Should().BeTrue();
        call.Took.Should().BeLessThan(ends + 3);
        bench.Sent.Count.Should().BeLessThan(70);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", 0.5)]
    [InlineData("a", 20)]
    [InlineData("a b c", 20)]
    public Task An_outage_of_throttles_without_a_time_costs_no_call_and_is_over_soon_after_its_end(string endpoints, double perSecond)
    {
        using var bench = new TrafficBench(endpoints);
        bench.Let(() => bench.Now is > 60 and < 100 ? bench.Refuse(FaultKind.Throttled, status: 429) : bench.Answer(0.5));
        bench.Traffic(60, perSecond);
        var during = bench.Traffic(40, perSecond);
        var after = bench.Traffic(60, perSecond);
        bench.Advance(150);

        during.Served().Should().Be(1);
        during.Longest().Should().BeLessThan(46);
        after.Served().Should().Be(1);
        after.Longest().Should().BeLessThan(6);
        bench.Sent.Count(static s => s.At is > 62 and < 100).Should().BeLessThan(110);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.001)]
    [InlineData(0.05)]
    [InlineData(0.3)]
    [InlineData(0)]
    [InlineData(-5)]
    public Task An_endpoint_that_names_a_tiny_time_again_and_again_does_not_get_every_call(double retryAfter)
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Refuse(FaultKind.Throttled, retryAfter, 429), "a");
        bench.Let(() => bench.Answer(0.5), "b");
        var calls = bench.Traffic(30, 20);
        bench.Advance(100);

        calls.Served().Should().Be(1);
        bench.Sent.Count(static s => s.Endpoint == "a").Should().BeLessThan(60);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task A_call_does_not_wait_for_hours_and_its_error_names_the_time()
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Refuse(FaultKind.Throttled, 7200, 429));
        var call = bench.Begin();
        bench.Advance(1);

        call.Error.Should().BeOfType<NoEndpointAvailableException>().Which.RetryAfter.Should().BeCloseTo(TimeSpan.FromHours(2), TimeSpan.FromMinutes(1));
        bench.Sent.Should().HaveCount(2);
        return Task.CompletedTask;
    }
}
