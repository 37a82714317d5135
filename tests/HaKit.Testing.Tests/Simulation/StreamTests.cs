using static HaKit.Testing.Tests.SimulationTests;

namespace HaKit.Testing.Tests;

/// <summary>Streams through the pool's own stream engine, in virtual time.</summary>
public sealed class StreamTests(ITestOutputHelper output)
{
    // The first content comes after half a second, and the whole answer takes two seconds.
    private static readonly ServiceModel Writer = ServiceModel.Fixed(S(2)).FirstContentAfter(0.25);

    private SimulationResult Run(Simulation simulation, double rate = 5)
    {
        var result = simulation.Streams(1).Run(Workload.Poisson(rate).OfTokens(100, 20), S(300));
        output.WriteLine(result.ToString());
        result.Unfinished.Should().Be(0);
        result.Failures.Should().NotContainKeys("Replayed", "LookedWhole");
        result.Endpoints.Should().OnlyContain(e => e.Attempts >= e.Answered);
        return result;
    }

    [Fact]
    public void Streams_of_well_endpoints_come_whole_and_in_their_time()
    {
        var result = Run(new Simulation().Endpoints(3, Writer));
        result.SuccessRate.Should().Be(1);
        result.FirstContent(0.5).Should().Be(S(0.5));
        result.Latency(0.5).Should().BeCloseTo(S(2), Ms(1));
        result.WastedTokens.Should().Be(0);
    }

    [Fact]
    public void A_stream_that_breaks_before_its_first_content_is_served_elsewhere()
    {
        var result = Run(new Simulation().Endpoints(3, Writer).Fault("e0", FakeFault.ErrorEventAfter(0), probability: 0.5).Fault("e1", FakeFault.EndAfter(0), probability: 0.5));
        result.SuccessRate.Should().Be(1);
    }

    [Fact]
    public void A_stream_that_is_cut_says_so_and_is_not_asked_for_again()
    {
        var result = Run(new Simulation().Endpoints(3, Writer).FaultOfAll(FakeFault.CutAfter(5), probability: 0.1));
        result.Failures.Keys.Should().Equal(nameof(PartialResponseException));
        result.Attempts.Should().Be(result.Calls, "what was delivered is never replayed");
        result.SuccessRate.Should().BeApproximately(0.9, 0.03);
        // A quarter of the answer was written in vain, and both endpoints read the prompt.
        var cut = result.Calls - result.Succeeded;
        result.Endpoints.Sum(e => e.WastedInputTokens).Should().Be(100 * cut);
        result.Endpoints.Sum(e => e.WastedOutputTokens).Should().Be(5 * cut);
    }

    [Fact]
    public void An_end_without_its_mark_does_not_look_whole()
    {
        var result = Run(new Simulation().Endpoints(2, Writer).FaultOfAll(FakeFault.EndAfter(3), probability: 0.2));
        result.Failures.Keys.Should().Equal(nameof(PartialResponseException));
    }

    [Fact]
    public void Keep_alives_do_not_hide_a_silence()
    {
        var result = Run(new Simulation().Endpoints(3, Writer).Fault("e0", FakeFault.KeepAlivesOnly(S(0.5)), from: S(60)));
        result.SuccessRate.Should().Be(1);
        result.FirstContent(0.99).Should().BeLessThan(S(1), "only trials wait longer");
    }

    [Fact]
    public void Silence_in_the_middle_ends_within_the_idle_timeout()
    {
        var result = Run(new Simulation().Endpoints(2, Writer).Options(o => o.Streaming.IdleTimeout = S(3)).Fault("e0", FakeFault.SilentAfter(10), probability: 0.3));
        result.Failures.Keys.Should().Equal(nameof(PartialResponseException));
        result["e0"].WastedOutputTokens.Should().BeGreaterThan(0);
    }

    [Fact]
    public void Streams_and_plain_calls_mix_and_repeat_to_the_byte()
    {
        SimulationResult Once() => new Simulation(4).Endpoints(3, ServiceModel.LogNormal(Ms(200), S(2)).FirstContentAfter(0.3)).Streams(0.5)
            .Options(o => { o.Hedging.Enabled = true; o.Heartbeat.Enabled = true; })
            .Fault("e1", FakeFault.CutAfter(2), probability: 0.1).Fault("e2", FakeFault.Hang, S(20), S(40)).Run(Workload.Poisson(20), S(60));
        Once().ToString().Should().Be(Once().ToString());
    }
}
