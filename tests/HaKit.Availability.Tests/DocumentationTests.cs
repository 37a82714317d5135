using HaKit.Availability;
using HaKit.Availability.Tests;

// A user's namespace, so that the names are found as a user's code finds them.
namespace Acme.Shop;

public sealed class DocumentationTests
{
    private readonly List<string> _printed = [];

    /// <summary>Runs the code of docs/availability.md. Each line of the page must be in this file, and must print what the page says.</summary>
    [Fact]
    public void The_pages_code_prints_what_the_page_says()
    {
        One();
        Two();
        Three();
        Four();
        var page = RepositoryFile.Find("docs", "availability.md");
        var source = RepositoryFile.Find("tests", "HaKit.Availability.Tests", "DocumentationTests.cs");
        Assert.SkipUnless(page is not null && source is not null, "the tests run outside the repository");

        var compiled = File.ReadAllLines(source!).Select(line => line.Trim()).ToHashSet();
        var code = new List<string>();
        foreach (var block in File.ReadAllText(page!).Split("```csharp").Skip(1))
            code.AddRange(block[..block.IndexOf("```", StringComparison.Ordinal)].Split('\n'));
        var said = new List<string>();
        foreach (var line in code.Where(line => line.Trim().Length > 0))
        {
            var parts = line.Split(" // ", 2);
            compiled.Should().Contain(parts[0].Trim(), "every line of the page is compiled");
            if (parts[0].Contains("Console.WriteLine", StringComparison.Ordinal))
                said.Add(parts.Length == 2 ? parts[1] : "");
        }

        said.Should().HaveCount(_printed.Count);
        foreach (var (claim, printed) in said.Zip(_printed))
            claim.Should().StartWith(printed);
    }

    private void One()
    {
        var Console = this;
        var endpoint = AvailabilityRatio.FromMttfMttr(mttf: 500, mttr: 2);
        var three = AvailabilityRatio.Parallel(endpoint, endpoint, endpoint);
        Console.WriteLine($"{endpoint} {three} {three:W}");
        Console.WriteLine(three.Meets(AvailabilityRatio.Parse("99.9999%")));
    }

    private void Two()
    {
        var Console = this;
        var db = ReliabilityBlock.Component("db", mttf: 2000, mttr: 1);
        var site = ReliabilityBlock.Parallel(
            ReliabilityBlock.Series(ReliabilityBlock.Component("web 1", mttf: 500, mttr: 2), db),
            ReliabilityBlock.Series(ReliabilityBlock.Component("web 2", mttf: 500, mttr: 2), db));
        Console.WriteLine(site.Availability);
        Console.WriteLine(site.GetImportance()[0].Name);
        Console.WriteLine($"{site.GetTimes().MeanUpTime:0}");
    }

    private void Three()
    {
        var Console = this;
        var target = AvailabilityRatio.Parse("99.99%");
        var answer = Planner.EndpointsFor(AvailabilityRatio.Parse("99%"), target);
        Console.WriteLine(answer.Value);
        answer = Planner.EndpointsFor(AvailabilityRatio.Parse("99%"), target, beta: 0.1);
        Console.WriteLine($"{answer.IsReachable} {answer.Reached}");
    }

    private void Four()
    {
        var Console = this;
        var (openai, anthropic) = (new UptimeHistory(TimeSpan.Zero), new UptimeHistory(TimeSpan.Zero));
        var calls = new OutcomeCounters();
        openai.Record(TimeSpan.FromHours(10), up: false);
        openai.Record(TimeSpan.FromHours(12), up: true);
        calls.Record(TimeSpan.FromHours(13), success: true);
        var report = AvailabilityReport.Create(
            now: TimeSpan.FromHours(100), [new("openai", openai), new("anthropic", anthropic)], calls);
        Console.WriteLine($"{report.Observed} {report.Endpoints[0].Observed}");
    }

    private void WriteLine(object? value) => _printed.Add($"{value}");
}
