using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;

namespace HaKit.Tests.Heartbeats;

/// <summary>
/// Tests how often lost probes alone eject a healthy endpoint: once in (1−pᵏ)/((1−p)pᵏ) heartbeats on average, where p is the share of lost probes and k the
/// number of misses that eject.
/// </summary>
public sealed class MistakeTests
{
    private const double Day = 86_400;
    private const double Interval = 10;

    private static double Expected(double loss, int misses) => (1 - Math.Pow(loss, misses)) / ((1 - loss) * Math.Pow(loss, misses));

    [Fact]
    public void The_formula_gives_the_published_intervals()
    {
        (Expected(0.01, 3) * Interval / Day).Should().BeApproximately(117, 0.5);
        (Expected(0.01, 2) * Interval / 3600).Should().BeApproximately(28, 0.1);
        Expected(0.05, 3).Should().BeApproximately(8420, 1);
    }

    [Theory]
    [InlineData(0.05, 2, 200, 0.2)]
    [InlineData(0.05, 3, 30, 0.5)]
    public async Task The_loop_mistakes_a_healthy_endpoint_for_a_dead_one_as_seldom_as_theory_says(double loss, int misses, int mistakes, double tolerance)
    {
        var chance = new Random(42);
        long beats = 0;
        HeartbeatBench? made = null;
        var lost = new ProbeResult(new Fault(FaultKind.ConnectionReset));
        // The interval is only a scale, because the test counts heartbeats.
        await using var bench = made = new HeartbeatBench(
            2,
            o => { o.Heartbeat.Interval = TimeSpan.FromSeconds(0.5); o.Heartbeat.Timeout = TimeSpan.FromSeconds(0.5); o.CircuitBreaker.MissesToEject = misses; },
            wrap: _ => new DelegateProbe((context, _) =>
            {
                if (context.Endpoint.Name == "b")
                    return default;
                if (!made!.Pool.Engine.Snapshot.Members[0].Health.State.IsInService)
                    return default;
                beats++;
                return new(chance.NextDouble() < loss ? lost : default);
            }));
        var found = 0;
        var health = bench.Pool.Engine.Snapshot.Members[0].Health;
        while (found < mistakes)
        {
            while (health.State.Status != EndpointHealthStatus.Ejected)
                bench.Time.AdvanceToNextTimer();
            found++;
            while (health.State.Status == EndpointHealthStatus.Ejected)
                bench.Time.AdvanceToNextTimer();
        }
        var mean = (double)beats / mistakes;
        TestContext.Current.TestOutputHelper?.WriteLine($"loss {loss}, {misses} misses: a mistake every {mean:0} beats (theory {Expected(loss, misses):0}), at 10 s every {mean * Interval / Day:0.0} days");
        // The times between mistakes are exponentially distributed. The mean of n times is off by more than 1/√n in one of three runs. The tolerance is about
        // three times 1/√n.
        mean.Should().BeApproximately(Expected(loss, misses), tolerance * Expected(loss, misses));
    }

    [Fact]
    public void Three_misses_in_a_row_at_one_percent_loss_come_every_hundred_seventeen_days()
    {
        const int Mistakes = 400;
        var chance = new Random(1);
        var detector = new ConsecutiveMisses(3, 2);
        var beats = 0.0;
        for (var found = 0; found < Mistakes;)
        {
            // The number of hits before the next loss. For the detector, many hits have the same effect as one hit.
            var hits = Math.Floor(Math.Log(1 - chance.NextDouble()) / Math.Log(0.99));
            beats += hits + 1;
            if (hits > 0)
                detector.Observe(true, TimeSpan.Zero);
            if (detector.Observe(false, TimeSpan.Zero) != DetectorVerdict.Down)
                continue;
            found++;
            detector.Observe(true, TimeSpan.Zero);
        }
        var days = beats / Mistakes * Interval / Day;
        TestContext.Current.TestOutputHelper?.WriteLine($"a mistake every {days:0} days");
        days.Should().BeApproximately(117, 0.15 * 117);
    }
}
