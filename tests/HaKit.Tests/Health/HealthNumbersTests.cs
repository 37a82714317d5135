using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Tests.Health;

/// <summary>Compares how often and how soon endpoints are ejected, in a seeded simulation of the real reducer, with closed formulas.</summary>
public sealed class HealthNumbersTests
{
    private static readonly HealthOptions Options = new();

    /// <summary>Gets the mean number of trials until k in a row succeed, each with probability p (Feller, volume 1, XIII.7).</summary>
    private static double MeanUntilRun(double p, int k) => (1 - Math.Pow(p, k)) / ((1 - p) * Math.Pow(p, k));

    /// <summary>Gets a geometric random number. The first success after a failure cleans the state, and more successes do not change a clean state.</summary>
    private static long SuccessesUntilFailure(Random random, double failureRate) =>
        (long)Math.Floor(Math.Log(1 - random.NextDouble()) / Math.Log(1 - failureRate));

    [Theory]
    [InlineData(0.10, 5, FaultKind.ServerError, 111_110)]
    [InlineData(0.05, 3, FaultKind.ConnectFailed, 8_420)]
    public void Requests_until_a_false_ejection_are_as_the_theory_says(double errorRate, int inARow, FaultKind kind, double target)
    {
        MeanUntilRun(errorRate, inARow).Should().BeApproximately(target, 0.5);
        const int runs = 400;
        var random = new Random(11);
        var success = new HealthEvidence { Source = EvidenceSource.Traffic };
        var failure = success with { Fault = new Fault(kind), Jitter = 0.5 };
        long requests = 0;
        for (var run = 0; run < runs; run++)
        {
            var state = new HealthState(default);
            while (state.Status != EndpointHealthStatus.Ejected)
            {
                var successes = SuccessesUntilFailure(random, errorRate);
                requests += successes + 1;
                if (successes > 0)
                    state = HealthReducer.Next(state, success, default, Options);
                state = HealthReducer.Next(state, failure, default, Options);
            }
        }

        // The time to a rare run is nearly exponential, so its deviation equals its mean. The tolerance is four standard errors.
        var mean = (double)requests / runs;
        mean.Should().BeInRange(target * (1 - 4 / Math.Sqrt(runs)), target * (1 + 4 / Math.Sqrt(runs)));
    }

    [Theory]
    [InlineData(3, 116.9 * 24, 400)]
    [InlineData(2, 28.06, 2000)]
    public void Heartbeats_with_one_percent_loss_err_as_rarely_as_the_theory_says(int misses, double hours, int runs)
    {
        (MeanUntilRun(0.01, misses) * 10 / 3600).Should().BeApproximately(hours, hours * 1e-3);
        var random = new Random(12);
        var bench = new HealthBench(new HealthOptions { MissesToEject = misses });
        var lost = new Fault(FaultKind.FirstContentTimeout);
        long beats = 0;
        for (var run = 0; run < runs; run++)
        {
            var endpoint = bench.Add("a");
            while (endpoint.State.Status != EndpointHealthStatus.Ejected)
            {
                var hits = SuccessesUntilFailure(random, 0.01);
                beats += hits + 1;
                if (hits > 0)
                    endpoint.Probe(ProbeLevel.Reachable, null, bench.Now);
                endpoint.Probe(ProbeLevel.Reachable, lost, bench.Now);
            }

            bench.Changes.Clear();
            bench.Tracker.Remove(endpoint);
        }

        var mean = (double)beats / runs * 10 / 3600;
        mean.Should().BeInRange(hours * (1 - 4 / Math.Sqrt(runs)), hours * (1 + 4 / Math.Sqrt(runs)));
    }

    [Fact]
    public void A_dead_endpoint_is_detected_within_three_intervals_and_one_timeout()
    {
        const double interval = 10, timeout = 2;
        for (var phase = 0.0; phase < interval; phase += 0.5)
        {
            var bench = new HealthBench();
            var endpoint = bench.Add("a");
            bench.Add("b");
            var died = bench.Now;
            bench.Pass(interval - phase);
            while (endpoint.State.Status != EndpointHealthStatus.Ejected)
            {
                bench.Pass(timeout);
                endpoint.Probe(ProbeLevel.Reachable, new Fault(FaultKind.ConnectTimeout), bench.Now);
                if (endpoint.State.Status != EndpointHealthStatus.Ejected)
                    bench.Pass(interval - timeout);
            }

            (bench.Now - died).TotalSeconds.Should().BeLessThanOrEqualTo(3 * interval + timeout);
        }
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(60, 60)]
    [InlineData(5, 120)]
    [InlineData(120, 5)]
    public void A_flapping_endpoint_gets_at_most_one_trial_per_period_and_the_period_doubles(double up, double down)
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        var start = bench.Now;
        var periods = new List<double>();
        int trials = 0, ejectionsSeen = 0;
        for (var tick = 0; tick < 2 * 3600 * 10; tick++)
        {
            bench.Pass(0.1);
            var isUp = (bench.Now - start).TotalSeconds % (up + down) < up;
            if (!endpoint.TryBegin(BeginMode.Normal, bench.Now, out var ticket))
            {
                if (!endpoint.TryBegin(BeginMode.Trial, bench.Now, out ticket))
                    continue;
                trials++;
            }

            var before = endpoint.State.Ejections;
            endpoint.Complete(ticket, isUp ? null : new Fault(FaultKind.ServerError), bench.Now);
            if (endpoint.State.Status != EndpointHealthStatus.Ejected || endpoint.State.Since != bench.Now)
                continue;
            ejectionsSeen++;
            if (endpoint.State.Ejections > before)
                periods.Add((endpoint.State.Until!.Value - bench.Now).TotalSeconds);
        }

        trials.Should().BeLessThanOrEqualTo(ejectionsSeen);
        periods.Should().HaveCountGreaterThanOrEqualTo(7);
        for (var n = 0; n < 7; n++)
            periods[n].Should().BeInRange(0.8 * Math.Min(5 << n, 300), 1.2 * Math.Min(5 << n, 300));
        periods.Skip(7).Should().OnlyContain(p => p >= 0.8 * 160);
    }

    [Fact]
    public void Earlier_ejections_are_forgotten_one_by_one_and_only_after_a_full_recovery()
    {
        var bench = new HealthBench();
        var endpoint = bench.AddEjected("a");
        for (var i = 0; i < 3; i++)
        {
            bench.PassTo(endpoint.State.Until!.Value);
            endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), new Fault(FaultKind.ServerError), bench.Now);
        }

        int EjectionsAfter(double seconds)
        {
            bench.PassTo(endpoint.State.Until!.Value);
            endpoint.Complete(bench.Begin(endpoint, BeginMode.Trial), null, bench.Now);
            bench.Pass(30);
            bench.Pass(seconds);
            bench.Fail(endpoint, FaultKind.ServerError, 5);
            return endpoint.State.Ejections;
        }

        endpoint.State.Ejections.Should().Be(4);
        EjectionsAfter(299).Should().Be(5);
        EjectionsAfter(300).Should().Be(5);
        EjectionsAfter(600).Should().Be(4);
        EjectionsAfter(86_400).Should().Be(1);
    }

    [Fact]
    public void A_partial_failure_of_streams_after_their_first_content_is_found()
    {
        var bench = new HealthBench();
        var endpoint = bench.Add("a");
        var random = new Random(13);
        var streams = 0;
        while (endpoint.State.Status != EndpointHealthStatus.Ejected)
        {
            streams++;
            bench.Pass(0.1);
            var ticket = bench.Begin(endpoint);
            endpoint.RecordFirstContent(ticket, bench.Now);
            endpoint.Complete(ticket, random.NextDouble() < 0.3 ? new Fault(FaultKind.PartialResponse) : null, bench.Now);
        }

        // Five failures in a row alone take (1−0.3⁵)/(0.7·0.3⁵) = 586 streams on average.
        streams.Should().BeLessThan(3000);
    }
}
