namespace HaKit.Testing.Tests;

/// <summary>Tests the promises of the simulator itself.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static Simulation Stormy(int seed) => new Simulation(seed)
        .Endpoints(3, ServiceModel.LogNormal(Ms(80), Ms(200)))
        .Endpoint("shared", ServiceModel.Tokens(5000, 200).Sharing(4))
        .Endpoint("queued", ServiceModel.Exponential(Ms(100)).FirstContentAfter(0.2).Queueing(4))
        .Options(o => { o.Heartbeat.Enabled = true; o.Hedging.Enabled = true; })
        .Fault("e0", FakeFault.Hang, from: S(10), until: S(25))
        .Fault("e1", FakeFault.Status(500), probability: 0.05)
        .Fault("shared", FakeFault.CutAfter(2), probability: 0.02)
        .Flap("e2", FakeFault.Refused, down: S(7), up: S(11))
        .Slow("queued", 5, from: S(40))
        .Pause(S(30), S(3))
        .JumpClock(S(35), TimeSpan.FromHours(-1));

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        var first = Stormy(7).Run(Workload.Poisson(60).OfTokens(500, 50), S(60));
        output.WriteLine(first.ToString());
        var second = Stormy(7).Run(Workload.Poisson(60).OfTokens(500, 50), S(60));
        second.ToString().Should().Be(first.ToString());
        second.Events.Select(e => e.ToString()).Should().Equal(first.Events.Select(e => e.ToString()));
        Stormy(8).Run(Workload.Poisson(60).OfTokens(500, 50), S(60)).Digest.Should().NotBe(first.Digest);
        first.Unfinished.Should().Be(0);
    }

    [Fact]
    public void A_scenario_may_be_run_again()
    {
        var scenario = Stormy(3);
        scenario.Run(Workload.Poisson(20), S(20)).Digest.Should().Be(scenario.Run(Workload.Poisson(20), S(20)).Digest);
    }

    [Fact]
    public async Task Other_threads_do_not_change_a_run()
    {
        var alone = Stormy(5).Run(Workload.Poisson(40), S(30)).Digest;
        var together = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Stormy(5).Run(Workload.Poisson(40), S(30)).Digest)));
        together.Should().OnlyContain(digest => digest == alone);
    }

    [Fact]
    public void Work_that_leaves_the_thread_fails_the_run()
    {
        var straying = new Simulation().Endpoints(1, ServiceModel.Fixed(Ms(10)))
            .At(S(1), test =>
            {
                var thread = new Thread(() => { try { test.Time.GetTimestamp(); } catch (InvalidOperationException) { } });
                thread.Start();
                thread.Join();
            });
        straying.Invoking(s => s.Run(Workload.Steady(10), S(2))).Should().Throw<InvalidOperationException>().WithMessage("*left the thread*");
    }

    [Fact]
    public void Work_stays_on_the_thread_that_runs_it_in_a_storm_of_faults()
    {
        var thread = Environment.CurrentManagedThreadId;
        var strayed = 0L;
        Stormy(9).Profile(_ => { if (Environment.CurrentManagedThreadId != thread) strayed++; return null; })
            .Run(Workload.Bursts(20, Ms(500)), S(60)).Unfinished.Should().Be(0);
        strayed.Should().Be(0);
    }

    [Fact]
    public void Evenly_spaced_calls_come_exactly_so()
    {
        var result = new Simulation().Endpoints(1, ServiceModel.Fixed(Ms(10))).Run(Workload.Steady(10), S(10));
        result.Calls.Should().Be(100);
        result["e0"].AttemptsPerInterval.Take(10).Should().OnlyContain(n => n == 10);
        result.Latency(0.5).Should().Be(Ms(10));
    }

    [Fact]
    public void A_trace_is_played_as_it_was_recorded()
    {
        var lines = new[] { "TIMESTAMP,ContextTokens,GeneratedTokens", "2023-11-16 18:15:46.0000000,1000,10", "2023-11-16 18:15:48.5000000,2000,20" };
        var result = new Simulation().Endpoints(1, ServiceModel.Tokens(prefillPerSecond: 1000, perSecond: 10)).Run(Workload.Trace(lines), S(60));
        result.Calls.Should().Be(2);
        result.Latency(1).Should().Be(S(4), "2,000 tokens in 2 s and 20 tokens in 2 s");
        result.FirstContent(1).Should().Be(S(2.1));
    }

    [Fact]
    public void A_shared_endpoint_is_as_slow_as_queueing_theory_says()
    {
        // M/M/1 with processor sharing: mean sojourn 1 / (mu - lambda) = 2 s at half load.
        var result = new Simulation(3).Endpoints(1, ServiceModel.Exponential(S(1)).Sharing()).Run(Workload.Poisson(0.5), S(200_000));
        output.WriteLine(result.ToString());
        result.Latency(0.5).TotalSeconds.Should().BeInRange(0.9, 1.2);
        var queued = new Simulation(3).Endpoints(1, ServiceModel.Exponential(S(1)).Queueing()).Run(Workload.Poisson(0.5), S(200_000));
        queued.Latency(0.5).TotalSeconds.Should().BeApproximately(2 * Math.Log(2), 0.07, "the sojourn of M/M/1 is exponential with mean 2 s");
        queued.Latency(0.99).TotalSeconds.Should().BeApproximately(2 * Math.Log(100), 0.7);
    }

    [Fact]
    public void Each_step_some_of_100_nodes_fail_and_every_failed_nodes_task_is_handed_over()
    {
        using var test = TestPools.Create(Enumerable.Range(0, 100).Select(i => $"n{i}"), o => o.Selection.Preset = HaKit.Selection.SelectionPreset.RoundRobin);
        var random = new Random(1);
        const int Steps = 1500;
        var stepsWithFailure = 0;
        var failures = 0;
        var handedOver = 0;
        foreach (var endpoint in test.Endpoints)
            endpoint.Service = ServiceModel.Fixed(Ms(1));
        for (var step = 0; step < Steps; step++)
        {
            var failed = test.Endpoints.Where(_ => random.NextDouble() < 0.01).ToArray();
            stepsWithFailure += failed.Length > 0 ? 1 : 0;
            failures += failed.Length;
            var lifts = failed.Select(e => e.Faults.Always(FakeFault.Refused)).ToArray();
            var waiting = failed.Select(e => e.Name).ToHashSet();
            // Tasks go round until each failed node was given one.
            for (var i = 0; i < 300 && waiting.Count > 0; i++)
            {
                foreach (var attempt in test.Call().Attempts)
                {
                    if (attempt.Fault is not null && waiting.Remove(attempt.Endpoint))
                        handedOver++;
                }
            }

            foreach (var lift in lifts)
                lift.Dispose();
        }
        var expected = 1 - Math.Pow(0.99, 100);
        output.WriteLine($"{stepsWithFailure / (double)Steps:0.000} of the steps with a failure (expected {expected:0.000}); {handedOver} of {failures} failures handed over");
        handedOver.Should().Be(failures);
        // 99.9 % interval of a binomial share.
        (stepsWithFailure / (double)Steps).Should().BeApproximately(expected, 3.29 * Math.Sqrt(expected * (1 - expected) / Steps));
    }

    internal static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    internal static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
