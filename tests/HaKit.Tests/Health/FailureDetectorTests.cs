using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

public sealed class FailureDetectorTests
{
    private static TimeSpan Ms(double value) => TimeSpan.FromMilliseconds(value);

    [Theory]
    [InlineData(1200, 1.643)]
    [InlineData(1500, 6.543)]
    public void Phi_is_the_exact_normal_tail_and_not_the_logistic_approximation(double silence, double phi) =>
        PhiAccrual.Phi(Ms(silence), Ms(1000), Ms(100)).Should().BeApproximately(phi, 5e-4);

    [Fact]
    public void Phi_reaches_8_at_5_612_deviations() => NormalTail.Quantile(8).Should().BeApproximately(5.612, 5e-4);

    // −log10 of the upper normal tail, by the complementary error function in 40 digits.
    [Theory]
    [InlineData(-5, 1.24491213738829175e-7)]
    [InlineData(-1, 0.0750260129578180232)]
    [InlineData(0, 0.301029995663981195)]
    [InlineData(1, 0.7995455414919705)]
    [InlineData(2, 1.64301608014093705)]
    [InlineData(3, 2.86969903592936908)]
    [InlineData(10, 23.1180534054860759)]
    [InlineData(40, 349.437006459345842)]
    public void Phi_keeps_its_digits_from_the_body_to_the_far_tail(double deviations, double phi) =>
        NormalTail.Phi(deviations).Should().BeApproximately(phi, 1e-12 * phi);

    [Fact]
    public void Phi_never_falls_and_its_quantile_inverts_it()
    {
        var last = 0.0;
        for (var z = -10.0; z <= 60; z += 0.01)
        {
            var phi = NormalTail.Phi(z);
            phi.Should().BeGreaterThan(last);
            last = phi;
        }

        for (var phi = 0.5; phi < 1000; phi *= 1.5)
            NormalTail.Phi(NormalTail.Quantile(phi)).Should().BeApproximately(phi, 1e-9 * phi);
    }

    [Fact]
    public void Phi_accrual_learns_its_timeout_from_the_history_of_hits()
    {
        var random = new Random(7);
        var calm = new PhiAccrual(8, TimeSpan.FromSeconds(10), Ms(50));
        var nervous = new PhiAccrual(8, TimeSpan.FromSeconds(10), Ms(50));
        TimeSpan a = default, b = default;
        calm.Observe(true, a);
        nervous.Observe(true, b);
        for (var i = 0; i < 500; i++)
        {
            calm.Observe(true, a += TimeSpan.FromSeconds(10 + random.NextDouble() * 0.2)).Should().Be(DetectorVerdict.Up);
            nervous.Observe(true, b += TimeSpan.FromSeconds(9 + random.NextDouble() * 2)).Should().Be(DetectorVerdict.Up);
        }

        // Uniform jitter of width w has deviation w/√12: 10.1 s + 5.612·0.0577 s and 10 s + 5.612·0.577 s.
        (calm.DownAt!.Value - a).TotalSeconds.Should().BeApproximately(10.42, 0.05);
        (nervous.DownAt!.Value - b).TotalSeconds.Should().BeApproximately(13.24, 0.5);
        calm.Observe(false, calm.DownAt.Value - Ms(1)).Should().Be(DetectorVerdict.Undecided);
        calm.Observe(false, calm.DownAt.Value + Ms(1)).Should().Be(DetectorVerdict.Down);
    }

    [Fact]
    public void Phi_accrual_does_not_take_the_time_it_was_down_for_an_interval()
    {
        var detector = new PhiAccrual(8, TimeSpan.FromSeconds(1), Ms(100));
        var now = TimeSpan.Zero;
        for (var i = 0; i < 20; i++)
            detector.Observe(true, now += TimeSpan.FromSeconds(1));
        now += TimeSpan.FromHours(1);
        detector.Observe(true, now).Should().Be(DetectorVerdict.Up);
        (detector.DownAt!.Value - now).TotalSeconds.Should().BeLessThan(2);
    }

    [Fact]
    public void Consecutive_misses_decide_at_three_and_hits_at_two()
    {
        var detector = new ConsecutiveMisses(3, 2);
        var answers = new[] { true, true, false, false, true, false, false, false, true, true };
        answers.Select(hit => detector.Observe(hit, default)).Should().Equal(
            DetectorVerdict.Undecided, DetectorVerdict.Up,
            DetectorVerdict.Undecided, DetectorVerdict.Undecided,
            DetectorVerdict.Undecided, DetectorVerdict.Undecided, DetectorVerdict.Undecided, DetectorVerdict.Down,
            DetectorVerdict.Undecided, DetectorVerdict.Up);
    }

    [Fact]
    public void Three_missed_heartbeats_eject_and_two_of_the_same_level_bring_back()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        for (var i = 0; i < 3; i++)
        {
            endpoint.State.Admits(bench.Now).Should().BeTrue();
            bench.Pass(10);
            endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ConnectTimeout), bench.Now);
        }

        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Probe(ProbeLevel.Reachable, null, bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Probe(ProbeLevel.Reachable, null, bench.Now);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void A_detectors_own_verdict_needs_no_further_probes()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ConnectTimeout), bench.Now, isDecisive: true);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.Ejected);
        endpoint.Probe(ProbeLevel.Reachable, null, bench.Now, isDecisive: true);
        endpoint.State.Status.Should().Be(EndpointHealthStatus.SlowStart);
    }

    [Fact]
    public void Before_the_first_hit_phi_suspects_nobody_however_long_it_takes()
    {
        var detector = new PhiAccrual(8, TimeSpan.FromSeconds(10), Ms(50));
        detector.DownAt.Should().BeNull();
        detector.Phi(TimeSpan.FromDays(1)).Should().Be(0);
        detector.Observe(false, TimeSpan.FromDays(1)).Should().Be(DetectorVerdict.Undecided);
    }

    [Fact]
    public void Before_there_is_a_history_phi_expects_the_first_interval_within_a_quarter_of_it()
    {
        var detector = new PhiAccrual(8, TimeSpan.FromSeconds(10), Ms(50));
        detector.Observe(true, TimeSpan.FromSeconds(100));
        detector.DownAt!.Value.TotalSeconds.Should().BeApproximately(100 + 10 + 5.612 * 2.5, 0.005);
        detector.Observe(true, TimeSpan.FromSeconds(108));
        detector.DownAt!.Value.TotalSeconds.Should().BeApproximately(108 + 8 + 5.612 * 2, 0.005, "one interval has no deviation yet");
        detector.Phi(detector.DownAt.Value).Should().BeApproximately(8, 1e-3);
    }

    [Fact]
    public void A_perfectly_regular_history_keeps_the_least_deviation()
    {
        var detector = new PhiAccrual(8, TimeSpan.FromSeconds(1), Ms(100));
        for (var second = 0; second <= 10; second++)
            detector.Observe(true, TimeSpan.FromSeconds(second));
        detector.DownAt!.Value.TotalSeconds.Should().BeApproximately(11 + 0.5612, 1e-3);
    }

    [Fact]
    public void Phi_remembers_as_many_intervals_as_its_window_and_the_deviation_is_that_of_a_sample()
    {
        var detector = new PhiAccrual(8, TimeSpan.FromSeconds(1), Ms(1), window: 4);
        var now = TimeSpan.Zero;
        detector.Observe(true, now);
        foreach (var seconds in new[] { 3.0, 3, 3, 1, 2, 1, 2 })
            detector.Observe(true, now += TimeSpan.FromSeconds(seconds));
        // The window holds the last four times: 1, 2, 1, 2. Their mean is 1.5 and their deviation √(4·0.25/3).
        (detector.DownAt!.Value - now).TotalSeconds.Should().BeApproximately(1.5 + 5.612 * Math.Sqrt(1 / 3.0), 1e-3);
    }

    [Theory]
    [InlineData(double.NaN, double.NaN)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    public void Phi_of_no_number_is_none(double deviations, double phi) => NormalTail.Phi(deviations).Should().Be(phi);
}
