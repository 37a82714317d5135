using HaKit.Faults;

namespace HaKit.Testing.Tests;

/// <summary>The page's example of a test of one's own policy, word for word.</summary>
public sealed class OwnPolicyTests
{
    [Fact]
    public void The_standby_serves_while_the_main_quota_is_used_up()
    {
        using var test = TestPools.Create(["main", "standby"], options => options.Endpoints[1].Tier = 1);
        test["main"].Faults.Always(FakeFaults.OpenAI.QuotaExhausted());

        var answer = test.Call();

        answer.Endpoint.Should().Be("standby");
        answer.Attempts[0].Fault!.Kind.Should().Be(FaultKind.QuotaExhausted);
        test.Time.Advance(TimeSpan.FromSeconds(50));
        test.Call().Attempts.Should().HaveCount(1, "the main endpoint is left alone");
    }

    [Fact]
    public void No_call_is_lost_to_an_endpoint_that_hangs_for_a_minute()
    {
        var result = new Simulation().Endpoints(3, ServiceModel.LogNormal(TimeSpan.FromMilliseconds(80), TimeSpan.FromMilliseconds(200)))
            .Fault("e0", FakeFault.Hang, from: TimeSpan.FromSeconds(30), until: TimeSpan.FromSeconds(90))
            .Run(Workload.Poisson(perSecond: 40), TimeSpan.FromMinutes(2));

        result.SuccessRate.Should().Be(1);
        result.Latency(0.99).Should().BeLessThan(TimeSpan.FromMilliseconds(700));
    }

    [Fact]
    public async Task The_example_on_the_page_is_the_one_compiled_here()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "HaKit.sln")))
            root = root.Parent;
        var page = await File.ReadAllTextAsync(Path.Combine(root.FullName, "README.md"), TestContext.Current.CancellationToken);
        var source = await File.ReadAllTextAsync(
            Path.Combine(root.FullName, "tests", "HaKit.Testing.Tests", "Simulation", "OwnPolicyTests.cs"), TestContext.Current.CancellationToken);

        var start = page.IndexOf("```csharp\n[Fact]\n", StringComparison.Ordinal) + "```csharp\n".Length;
        var shown = page[start..page.IndexOf("\n```", start, StringComparison.Ordinal)].Split('\n');

        shown.Length.Should().BeLessThanOrEqualTo(15);
        source.Should().Contain(string.Join('\n', shown.Select(line => line.Length == 0 ? line : "    " + line)));
    }
}
