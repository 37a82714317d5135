using HaKit.Attempts;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Selection;

namespace HaKit.Tests.Selection;

/// <summary>Tests numbers that no honest caller or server sends: negative tokens and enormous loads.</summary>
public sealed class OddNumbersTests
{
    public static TheoryData<int> Tokens => [-1, -999, -1000, -1001, -2000, int.MinValue, int.MaxValue];

    [Theory]
    [MemberData(nameof(Tokens))]
    public void Odd_number_of_tokens_in_one_call_does_not_change_the_estimates_of_other_calls(int tokens)
    {
        var bench = new SelectionBench("ab");
        for (var i = 0; i < 3; i++)
        {
            bench.Begin(bench["a"], inputTokens: tokens).Complete(null, bench.Now + TimeSpan.FromSeconds(1));
            bench.Begin(bench["a"], inputTokens: tokens).Complete(new Fault(FaultKind.FirstContentTimeout), bench.Now + TimeSpan.FromSeconds(1));
            bench.Now += TimeSpan.FromSeconds(20);
        }
        foreach (var name in new[] { "a", "b" })
        {
            bench.Begin(bench[name]);
            var seconds = bench[name].Latency.Expected(1, bench.Now);
            double.IsFinite(seconds).Should().BeTrue();
            seconds.Should().BeInRange(tokens > 0 ? 0 : 0.9, 1.1);
            bench[name].Silence.OverdueSeconds(bench.Now).Should().Be(0);
        }
        var profile = new RequestProfile { InputTokens = tokens, MaxOutputTokens = tokens };
        bench.Choose(profile).State.Should().NotBeNull();
        bench.Explain(profile).Should().OnlyContain(static e => e.Score.Total > 0 && double.IsFinite(e.Score.Total));
    }

    [Theory]
    [MemberData(nameof(Tokens))]
    public void Many_attempts_with_an_odd_number_of_tokens_are_counted_as_silent_without_overflow(int tokens)
    {
        var bench = new SelectionBench("a");
        bench.Answered("a", 500);
        var leases = Enumerable.Range(0, 1000).Select(_ => bench.Begin(bench["a"], inputTokens: tokens)).ToArray();
        bench["a"].Silence.OverdueSeconds(bench.Now).Should().Be(0);
        Array.ForEach(leases, lease => lease.Complete(null, bench.Now));
        bench["a"].Silence.OverdueSeconds(bench.Now + TimeSpan.FromDays(1)).Should().Be(0);
    }

    [Theory]
    [InlineData(int.MaxValue, 0)]
    [InlineData(2_000_000_000, 2_000_000_000)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Endpoint_with_an_enormous_load_gets_no_calls(int running, int waiting)
    {
        var bench = new SelectionBench("ab");
        bench["b"].ReportedLoad = new ReportedLoad(running, waiting, 0);
        bench.Load("b", 1);
        bench["b"].Load.Should().BePositive();
        bench.Shares(100)["b"].Should().Be(0);
    }

    [Fact]
    public void Negative_load_is_no_load()
    {
        var bench = new SelectionBench("ab");
        bench["b"].ReportedLoad = new ReportedLoad(int.MinValue, int.MinValue, 0);
        bench.Load("b", 1);
        bench["b"].Load.Should().Be(1);
    }

    [Fact]
    public async Task Enormous_load_is_a_large_utilization()
    {
        await using var bench = new Heartbeats.HeartbeatBench(1);
        bench.Answers["a"] = static _ => new(new ProbeResult { Load = new ReportedLoad(2_000_000_000, 2_000_000_000, 0) { Capacity = 1000 } });
        bench.Advance(11);
        bench.Pool.MeasureLoad().Utilization.Should().BeGreaterThan(1000);
    }
}
