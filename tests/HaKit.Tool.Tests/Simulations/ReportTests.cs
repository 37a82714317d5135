using HaKit.Tool.Simulations;

namespace HaKit.Tool.Tests.Simulations;

public sealed class ReportTests
{
    [Fact]
    public void The_committed_report_is_what_the_scenarios_give_today()
    {
        var docs = Path.Combine(Repository.Root, "docs", "evidence");
        var stale = new List<string>();
        foreach (var (name, content) in ScenarioReport.Write(_ => TestContext.Current.CancellationToken.ThrowIfCancellationRequested()))
        {
            var file = Path.Combine(docs, name);
            var committed = File.Exists(file) ? File.ReadAllText(file) : "";
            if (committed == content)
                continue;
            var (old, now) = (committed.Split('\n'), content.Split('\n'));
            var line = Enumerable.Range(0, Math.Min(old.Length, now.Length)).FirstOrDefault(i => old[i] != now[i], Math.Min(old.Length, now.Length) - 1);
            stale.Add($"{name}, line {line + 1}:\n  committed {old[line]}\n  now       {now[line]}");
        }
        stale.Should().BeEmpty("a change in behaviour is to be seen in the committed page: write it anew with 'dotnet run --project src/HaKit.Tool -- report --out docs/evidence'");
    }
}
