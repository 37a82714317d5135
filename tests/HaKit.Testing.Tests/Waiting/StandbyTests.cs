namespace HaKit.Testing.Tests.Waiting;

/// <summary>An endpoint that is out of service must not cost a call what the others would have served.</summary>
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

    // Many callers that may ask no other endpoint, until their failures have ejected it.
    private static void Eject(TestPool test, string name)
    {
        test[name].Faults.Always(FakeFault.Status(503));
        var only = new RequestProfile { Endpoints = [name], Deadline = S(0.01), MayRepeat = false };
        for (var i = 0; i < 40 && test.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == name).Health.Admits(test.Time.Elapsed); i++)
            try
            {
                test.Call(only);
            }
            catch (Exception e) when (e is EndpointPoolException or HttpRequestException)
            {
            }
        test.Pool.Explain(RequestProfile.Default).Single(e => e.Endpoint == name).Health.Status.Should().Be(Health.EndpointHealthStatus.Ejected);
    }
}
