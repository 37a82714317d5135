using HaKit.Faults;
using HaKit.Limits;

namespace HaKit.Tests.Situations;

/// <summary>Endpoints that need long for an answer are slow and not dead: their answers are awaited, also if the times are learned and all endpoints are slow.</summary>
public sealed class SlowEndpointTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("a", 35)]
    [InlineData("a", 60)]
    [InlineData("a b", 35)]
    [InlineData("a b", 60)]
    [InlineData("a b c", 45)]
    public Task Streams_whose_first_content_always_comes_after_the_longest_learned_limit_are_all_served(string endpoints, double seconds)
    {
        using var bench = new TrafficBench(endpoints);
        bench.Let(() => bench.Answer(seconds));
        for (var i = 0; i < 60; i++)
        {
            bench.Begin(stream: true);
            bench.Advance(150);
        }

        bench.Rows.Served().Should().Be(1, "the deadline of 100 s allows answers after {0} s", seconds);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", true)]
    [InlineData("a b", true)]
    [InlineData("a", false)]
    [InlineData("a b", false)]
    public Task Answers_without_a_byte_for_ten_minutes_are_served_if_the_deadline_allows_them(string endpoints, bool stream)
    {
        using var bench = new TrafficBench(endpoints, static o => o.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(30));
        bench.Let(() => bench.Answer(600));
        var calls = bench.Traffic(7200, 1 / 60.0, stream: stream);
        bench.Advance(2000);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(640);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.2, 10, false)]
    [InlineData(2, 10, true)]
    [InlineData(2, 25, false)]
    [InlineData(20, 5, false)]
    [InlineData(20, 10, true)]
    [InlineData(20, 25, false)]
    public Task Endpoints_that_all_become_slow_for_two_minutes_serve_every_call_and_are_fast_again_afterwards(double perSecond, double seconds, bool stream)
    {
        using var bench = new TrafficBench("a b c");
        bench.Let(() => bench.Answer(bench.Now is > 300 and < 420 ? seconds : 1));
        bench.Traffic(300, perSecond, stream: stream);
        var slow = bench.Traffic(120, perSecond, stream: stream);
        var after = bench.Traffic(300, perSecond, stream: stream);
        bench.Advance(150);

        slow.Served().Should().Be(1);
        slow.Longest().Should().BeLessThan(80);
        after.Served().Should().Be(1);
        after.Longest().Should().BeLessThan(2);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task Limited_endpoints_that_all_become_slow_serve_every_call_too()
    {
        using var bench = new TrafficBench("a b c", static o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Limits = new LimitOptions { MaxConcurrency = 10 };
        });
        bench.Let(() => bench.Answer(bench.Now is > 300 and < 420 ? 10 : 1));
        bench.Traffic(300, 2);
        var slow = bench.Traffic(120, 2);
        var after = bench.Traffic(300, 2);
        bench.Advance(150);

        slow.Served().Should().Be(1);
        after.Served().Should().Be(1);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", 0.05)]
    [InlineData("a", 1)]
    [InlineData("a b c", 0.05)]
    [InlineData("a b c", 1)]
    public Task One_request_that_needs_twenty_times_as_long_as_the_others_is_served_by_the_first_attempts(string endpoints, double perSecond)
    {
        using var bench = new TrafficBench(endpoints);
        bench.Let(() => bench.Answer(1));
        bench.Traffic(100 / perSecond, perSecond);
        var longer = bench.Begin(special: bench.Answer(20));
        var others = bench.Traffic(120, perSecond);
        bench.Advance(120);

        longer.IsServed.Should().BeTrue();
        longer.Took.Should().BeLessThan(40);
        others.Served().Should().Be(1);
        bench.Sent.Count(static s => s.IsSpecial).Should().BeLessThan(10);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", 2)]
    [InlineData("a", 20)]
    [InlineData("a b c", 20)]
    public Task Connections_that_hang_for_twenty_seconds_cost_no_call(string endpoints, double perSecond)
    {
        using var bench = new TrafficBench(endpoints);
        bench.Let(() => bench.Now is > 300 and < 320 ? bench.Hang() : bench.Answer(1));
        var calls = bench.Traffic(400, perSecond);
        bench.Advance(150);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(40);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task After_a_silence_for_longer_than_the_deadline_the_backlog_is_served_as_soon_as_the_endpoint_answers()
    {
        using var bench = new TrafficBench("a");
        var isSilent = false;
        bench.Let(() => isSilent ? bench.Hang() : bench.Answer(0.5));
        bench.Traffic(60, 2);
        bench.Advance(20);
        isSilent = true;
        bench.Traffic(200, 5);
        isSilent = false;
        var after = bench.Traffic(100, 5);
        bench.Advance(150);

        after.Served().Should().Be(1, "calls near their deadline must not take every trial");
        after.Longest().Should().BeLessThan(15);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", 1, 60)]
    [InlineData("a", 4, 60)]
    [InlineData("a", 4, 20)]
    [InlineData("a b c", 2, 60)]
    public Task Silent_trials_do_not_keep_the_last_places_of_a_limited_endpoint(string endpoints, int places, double seconds)
    {
        using var bench = new TrafficBench(endpoints, o =>
        {
            foreach (var endpoint in o.Endpoints)
                endpoint.Limits = new LimitOptions { MaxConcurrency = places };
        });
        var isSilent = false;
        bench.Let(() => isSilent ? bench.Hang() : bench.Answer(0.2));
        bench.Traffic(200, 2);
        isSilent = true;
        var during = bench.Traffic(seconds, 1);
        isSilent = false;
        var after = bench.Traffic(60, 1);
        bench.Advance(150);

        during.Served().Should().Be(1);
        during.Longest().Should().BeLessThan(seconds + 35);
        after.Served().Should().Be(1);
        after.Longest().Should().BeLessThan(30);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.ServerError)]
    [InlineData(FaultKind.ConnectionReset)]
    public Task A_request_that_fails_everywhere_while_the_endpoints_serve_others_ends_after_a_few_seconds(FaultKind kind)
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Answer(0.5));
        bench.Traffic(20, 10);
        var poison = bench.Begin(special: bench.Refuse(kind));
        var others = bench.Traffic(110, 10);

        poison.Took.Should().BeLessThan(15);
        poison.Error.Should().BeOfType<NoEndpointAvailableException>().Which.Message.Should().Contain("it is probably the reason");
        bench.Sent.Count(static s => s.IsSpecial).Should().BeLessThan(25);
        others.Served().Should().BeGreaterThan(0.99);
        others.Longest().Should().BeLessThan(1);
        bench["a"].Ejections.Should().Be(0);
        return Task.CompletedTask;
    }
}
