using HaKit.Release.Tests.Start;
using HaKit.Testing;

namespace HaKit.Release.Tests;

/// <summary>The code of docs/evidence/first-use.md that docs/start.md does not have.</summary>
public sealed class FirstUseSnippets
{
    [Fact]
    public void Heartbeats_find_the_main_endpoint_dead_before_a_call_does()
    {
        using var test = TestPools.Create([], pool => { ChatPool.Describe(pool); pool.Heartbeat.Enabled = true; });
        test["main"].Faults.Always(FakeFault.Refused, where: _ => true);
        test.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, test.Pool.GetStatus().Serving);
        Assert.Equal("standby", test.Call().Endpoint);
    }

    [Fact]
    public void The_status_and_the_attempts_are_lines_to_read()
    {
        using var test = TestPools.Create([], ChatPool.Describe);
        var pool = test.Pool;
        var answer = test.Call();

        Console.WriteLine(pool.GetStatus());

        pool.GetStatus().ToString().Should().MatchRegex("^Pool 'test': 2 of 2 endpoints serve. main: Healthy, since [^;]+Z; standby: Healthy, since [^;]+Z\\.$");
        answer.Attempts.Should().ContainSingle().Which.ToString().Should().Be("main: no fault after 0.1 s");
    }
}
