namespace HaKit.Sample.Tests;

/// <summary>Whole drills on real sockets, short ones.</summary>
public sealed class DrillTests
{
    [Fact(Timeout = 60_000)]
    public async Task The_drill_loses_no_call()
    {
        var (exitCode, output, error) = await CommandsTests.RunAsync("drill", "--duration", "4", "--rate", "60");

        error.Should().BeEmpty();
        output.Should().Contain("alpha is killed").And.Contain("bravo takes 3 s longer").And.Contain("charlie refuses with 429").And.EndWith("wrong 0, lost 0" + Environment.NewLine);
        exitCode.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_failover_the_same_drill_loses_calls_and_exits_with_1()
    {
        var (exitCode, output, _) = await CommandsTests.RunAsync("drill", "--duration", "4", "--rate", "60", "--no-failover");

        output.Should().Contain("no failover").And.Contain("NoEndpointAvailableException").And.NotEndWith("lost 0" + Environment.NewLine);
        exitCode.Should().Be(1);
    }
}
