namespace HaKit.Testing.Tests.Waiting;

/// <summary>No call may be lost because of an endpoint that is out of service, if another endpoint can serve it.</summary>
public sealed class StandbyTests
{
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static FakeFault FaultOf(int kind) => kind switch
    {
        0 => FakeFault.Status(503),
        1 => FakeFault.Status(500),
        2 => FakeFault.Reset,
        _ => FakeFault.Refused,
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_hiccup_of_one_second_beside_an_ejected_standby_loses_no_call(int kind)
    {
        using var test = TestPools.Create(2, o => o.CircuitBreaker.BreakDuration = S(60));
        Eject(test, "b");
        test["a"].Faults.During(TimeSpan.Zero, S(1), FaultOf(kind));
        for (var i = 0; i < 8; i++)
            test.Call(new RequestProfile { Deadline = S(30) }).Endpoint.Should().Be("a");
    }

    /// <summary>
    /// Runs random pools, short faults and deadlines. With members that are ejected, drained or forced down, at least as many calls are served as without these
    /// members.
    /// </summary>
    [Fact]
    public void Members_that_are_out_of_service_never_cost_a_call()
    {
        var (with, without) = (0, 0);
        for (var seed = 1; seed <= 1500; seed++)
        {
            var alone = Served(seed, withStandbys: false);
            var beside = Served(seed, withStandbys: true);
            (with, without) = (with + beside, without + alone);
            beside.Should().BeGreaterThanOrEqualTo(alone, "seed {0}", seed);
        }
        without.Should().BeGreaterThan(1500);
        with.Should().BeGreaterThanOrEqualTo(without);
    }

    private static int Served(int seed, bool withStandbys)
    {
        var random = new Random(seed);
        var well = random.Next(1, 4);
        var standbys = random.Next(1, 4);
        var how = random.Next(3);
        var kind = random.Next(4);
        var deadline = S(10 + random.Next(3) * 20);
        // The deadline must be longer than the fault, plus the time in which the pool notices the recovery.
        var hiccup = deadline * (0.05 + 0.6 * random.NextDouble());
        var tiered = random.Next(2) == 0;
        var names = Enumerable.Range(0, well + (withStandbys ? standbys : 0)).Select(static i => $"e{i}");
        using var test = TestPools.Create(names, o =>
        {
            o.CircuitBreaker.BreakDuration = S(60);
            for (var i = well; i < o.Endpoints.Count; i++)
                o.Endpoints[i].Tier = tiered ? 1 : 0;
        }, seed: seed);
        for (var i = well; withStandbys && i < well + standbys; i++)
            TakeOut(test, $"e{i}", how);
        for (var i = 0; i < well; i++)
            test[$"e{i}"].Faults.During(TimeSpan.Zero, hiccup, FaultOf(kind));
        var served = 0;
        for (var call = 0; call < 3; call++)
        {
            try
            {
                test.Call(new RequestProfile { Deadline = deadline });
                served++;
            }
            catch (EndpointPoolException)
            {
            }
        }

        return served;
    }

    private static void TakeOut(TestPool test, string name, int how)
    {
        if (how == 0)
        {
            Eject(test, name);
        }
        else
        {
            test[name].Faults.Always(FakeFault.Status(503));
            if (how == 1)
                test.Time.Run(() => test.Pool.ForceDownAsync(name).AsTask());
            else
                test.Time.Run(() => test.Pool.DrainAsync(name).AsTask());
        }
    }

    // Makes many calls that may use only this endpoint, until their failures have ejected it.
    private static void Eject(TestPool test, string name)
    {
        test[name].Faults.Always(FakeFault.Status(503));
        var only = new RequestProfile { Endpoints = [name], Deadline = S(0.01), MayRepeat = false };
        for (var i = 0; i < 40 && test.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == name).Health.Admits(test.Time.Elapsed); i++)
        {
            try
            {
                test.Call(only);
            }
            catch (Exception e) when (e is EndpointPoolException or HttpRequestException)
            {
            }
        }

        test.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == name).Health.Status.Should().Be(Health.EndpointHealthStatus.Ejected);
    }
}
