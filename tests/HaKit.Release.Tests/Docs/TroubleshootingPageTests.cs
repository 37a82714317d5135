using System.Text.RegularExpressions;
using HaKit.Alerts;

namespace HaKit.Release.Tests;

/// <summary>The page on troubleshooting has every line by which the log of a pool reports a problem, and every alert.</summary>
public sealed partial class TroubleshootingPageTests
{
    [Theory]
    [InlineData("src/HaKit/Telemetry/PoolLog.cs")]
    [InlineData("src/HaKit/DependencyInjection/EndpointPoolFactory.cs")]
    public void Every_warning_in_the_log_is_on_the_page_by_its_text_and_its_event_id(string source)
    {
        var rows = Page.Table("docs/troubleshooting.md", "In the log");
        var lines = LogLine().Matches(Page.Text(source));
        lines.Should().NotBeEmpty();
        foreach (Match line in lines)
        {
            var (id, text) = (line.Groups[1].Value, line.Groups[2].Value);
            rows.Should().Contain(row => row[1].Split(", ", StringSplitOptions.None).Contains(id) && Quoted().Matches(row[0]).Any(q => text.Contains(q.Groups[1].Value, StringComparison.Ordinal)), "event {0} is: {1}", id, text);
        }
    }

    [Fact]
    public void Every_alert_is_on_the_page() =>
        Page.Table("docs/troubleshooting.md", "After an alert").SelectMany(static row => row[0].Split(", ")).Should().BeEquivalentTo(
            Alert().Matches(Page.Text("docs/grafana/alerts.yaml")).Select(static m => m.Groups[1].Value).Concat(Enum.GetNames<AlertKind>()));

    [Fact]
    public void The_alerts_that_wake_a_person_are_on_the_page()
    {
        var line = Page.Section("docs/troubleshooting.md", "After an alert").Single(static text => text.StartsWith("**Alerts at night.**", StringComparison.Ordinal));
        RuleName().Matches(line).Select(static m => m.Groups[1].Value).Should().BeEquivalentTo(
            Severity().Matches(Page.Text("docs/grafana/alerts.yaml")).Where(static m => m.Groups[2].Value == "page").Select(static m => m.Groups[1].Value));
    }

    [Fact]
    public void Every_reason_of_a_refused_call_is_on_the_page()
    {
        var source = Page.Text("src/HaKit/Failover/Waiting/ServiceWait.cs") + Page.Text("src/HaKit/Failover/AttemptRace.cs");
        var reasons = Reason().Matches(source).Select(static m => m.Groups[1].Value).ToArray();
        reasons.Should().HaveCountGreaterThan(9);
        var fragments = Page.Table("docs/troubleshooting.md", "No call succeeds").SelectMany(static row => Quoted().Matches(row[0])).Select(static m => m.Groups[1].Value.Split(" … ")[^1]).ToArray();
        reasons.Where(reason => !fragments.Any(f => reason.Contains(f, StringComparison.Ordinal))).Should().BeEmpty();
    }

    // A text of at least three words that does not begin with a capital letter.
    [GeneratedRegex("\"([a-z][^\" ]* [^\"]* [^\"]*)\"")]
    private static partial Regex Reason();

    [GeneratedRegex(@"alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"alert: (\w+)(?:(?!alert:).)*?severity: (\w+)", RegexOptions.Singleline)]
    private static partial Regex Severity();

    [GeneratedRegex(@"`(HaKit\w+)`")]
    private static partial Regex RuleName();

    [GeneratedRegex(@"LoggerMessage\((\d+), LogLevel\.(?:Critical|Error|Warning), ""([^""]*)""")]
    private static partial Regex LogLine();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
