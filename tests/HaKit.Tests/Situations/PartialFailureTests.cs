using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Situations;

/// <summary>Endpoints that serve only a part of the calls: some servers behind a load balancer are dead, a region comes back slowly, most of many endpoints die.</summary>
public sealed class PartialFailureTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("a", 0.3334, 5)]
    [InlineData("a", 0.3334, 200)]
    [InlineData("a", 0.5, 0.02)]
    [InlineData("a", 0.5, 5)]
    [InlineData("a", 0.5, 200)]
    [InlineData("a b", 0.5, 20)]
    public Task Load_balancers_with_dead_servers_serve_every_call(string endpoints, double dead, double perSecond)
    {
        using var bench = new TrafficBench(endpoints);
        var random = new Random(5);
        bench.Let(() => random.NextDouble() < dead ? bench.Refuse(FaultKind.Overloaded, status: 502) : bench.Answer(1));
        var calls = bench.Traffic(Math.Max(20, 4000 / perSecond), perSecond);
        bench.Advance(110);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(30);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.5)]
    [InlineData(10)]
    public Task A_region_that_comes_back_slowly_costs_no_call_and_gets_its_traffic_again(double perSecond)
    {
        using var bench = new TrafficBench("a b standby", static o => o.Endpoints[2].Tier = 1);
        var random = new Random(4);
        bench.Let(() =>
        {
            if (bench.Now is < 120 or > 480)
                return bench.Answer(1);
            // From 240 s on, the share of good answers grows, and the answers get faster.
            var share = (bench.Now - 240) / 240;
            if (share < 0)
                return bench.Refuse(FaultKind.ConnectFailed);
            return random.NextDouble() < share ? bench.Answer(1 + 8 * (1 - share)) : bench.Refuse(FaultKind.ServerError);
        }, "a", "b");
        bench.Let(() => bench.Answer(1.5), "standby");
        var calls = bench.Traffic(480, perSecond);
        bench.Traffic(320, perSecond);
        var after = bench.Traffic(100, perSecond);
        bench.Advance(100);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(10);
        after.Should().OnlyContain(static c => c.Endpoint != "standby");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(FaultKind.ConnectFailed, 1)]
    [InlineData(FaultKind.ConnectFailed, 1000)]
    [InlineData(FaultKind.Overloaded, 1)]
    [InlineData(FaultKind.Overloaded, 50)]
    public Task If_thirty_of_fifty_endpoints_die_each_call_finds_one_of_the_others_within_two_seconds(FaultKind kind, double perSecond)
    {
        var names = string.Join(' ', Enumerable.Range(0, 50).Select(static i => $"e{i:00}"));
        using var bench = new TrafficBench(names);
        bench.Let(() => bench.Answer(1));
        bench.Traffic(perSecond > 100 ? 3 : 30, perSecond);
        bench.Let(() => bench.Refuse(kind), names.Split(' ')[..30]);
        var calls = bench.Traffic(perSecond > 100 ? 5 : 60, perSecond);
        bench.Advance(110);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(3);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0.1)]
    [InlineData(5)]
    public Task Good_probes_bring_no_calls_to_an_endpoint_that_fails_them(double perSecond)
    {
        using var bench = new TrafficBench("a b", probe: static _ => null);
        bench.Let(() => bench.Answer(0.5));
        bench.Traffic(60, 2);
        bench.Let(bench.Hang, "a");
        var calls = bench.Traffic(200, perSecond);

        calls.Count(static c => c.IsServed && c.Took < 1).Should().BeGreaterThan((int)(0.95 * calls.Length) - 1);
        bench.Advance(20);
        calls.Served().Should().Be(1);
        bench.Sent.Count(s => s.Endpoint == "a" && s.At > 60).Should().BeLessThan(15, "a probe must not bring back an endpoint whose calls fail");
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a", 0.1)]
    [InlineData("a b", 5)]
    public Task Bad_probes_of_all_endpoints_cost_no_call_while_the_endpoints_answer_calls(string endpoints, double perSecond)
    {
        using var bench = new TrafficBench(endpoints, probe: static _ => new Fault(FaultKind.ServerError) { StatusCode = 404 });
        bench.Let(() => bench.Answer(0.5));
        var calls = bench.Traffic(300, perSecond);
        bench.Advance(30);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(2);
        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public Task The_outage_of_one_model_leaves_the_calls_of_another_model_in_the_same_pool_alone()
    {
        using var bench = new TrafficBench("a b", static o => (o.Endpoints[0].Model, o.Endpoints[1].Model) = ("x", "y"));
        bench.Let(() => bench.Now is > 30 and < 60 ? bench.Refuse(FaultKind.Overloaded) : bench.Answer(0.5), "a");
        bench.Let(() => bench.Answer(0.2), "b");
        var (first, second) = (new List<TrafficBench.Row>(), new List<TrafficBench.Row>());
        for (var i = 0; i < 100 * 20; i++)
        {
            if (i % 4 == 0)
                first.Add(bench.Begin(profile: new RequestProfile { Model = "x" }));
            second.Add(bench.Begin(profile: new RequestProfile { Model = "y" }));
            bench.Advance(0.05);
        }

        bench.Advance(100);
        second.Served().Should().Be(1);
        second.Longest().Should().BeLessThan(0.3);
        first.Served().Should().Be(1);
        bench.Sent.Count(static s => s.Endpoint == "a" && s.At is > 31 and < 60).Should().BeLessThan(50);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a")]
    [InlineData("a b c")]
    public Task One_good_answer_in_an_outage_does_not_send_all_waiting_calls(string endpoints)
    {
        using var bench = new TrafficBench(endpoints, static o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(200));
        var good = 0;
        bench.Let(() => bench.Now > 60 || bench.Now > 15 && good++ == 0 ? bench.Answer(0.5) : bench.Refuse(FaultKind.Overloaded));
        var calls = Enumerable.Range(0, 500).Select(_ => bench.Begin()).ToArray();
        bench.Advance(14);
        var before = bench.Sent.Count;
        bench.Advance(46);

        calls.Count(static c => c.IsServed).Should().Be(1);
        (bench.Sent.Count - before).Should().BeLessThan(60);
        bench.Advance(140);
        calls.Served().Should().Be(1);
        return Task.CompletedTask;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(1.2)]
    [InlineData(1.5)]
    [InlineData(1.9)]
    [InlineData(2.5)]
    public Task A_pause_of_the_process_ejects_no_endpoint_although_its_answers_are_read_too_late(double seconds)
    {
        using var bench = new TrafficBench("a b");
        bench.Let(() => bench.Answer(0.2));
        bench.Traffic(30, 10);
        var arrives = new TaskCompletionSource();
        bench.Let(() => async token =>
        {
            await arrives.Task.WaitAsync(token).ConfigureAwait(false);
            return null;
        });
        var calls = Enumerable.Range(0, 30).Select(_ => bench.Begin()).ToArray();
        bench.Advance(0.1);
        bench.Time.Pause(TimeSpan.FromSeconds(seconds));
        bench.Time.Run(() =>
        {
            arrives.SetResult();
            return Task.CompletedTask;
        });
        bench.Let(() => bench.Answer(0.2));
        bench.Advance(30);

        calls.Served().Should().Be(1);
        calls.Longest().Should().BeLessThan(seconds + 0.2);
        (bench["a"].Ejections + bench["b"].Ejections).Should().Be(0);
        bench["a"].Status.Should().Be(EndpointHealthStatus.Healthy);
        return Task.CompletedTask;
    }
}
