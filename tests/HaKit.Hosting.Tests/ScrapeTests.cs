using System.Text.Json;
using System.Text.RegularExpressions;

namespace HaKit.Hosting.Tests;

/// <summary>The dashboard and the alerts find their series on the page of OpenTelemetry's Prometheus exporter after a drill.</summary>
public sealed partial class ScrapeTests(DrilledApp app) : IClassFixture<DrilledApp>
{
    public static TheoryData<string, string> Queries =>
        [.. Dashboard().Select((q, i) => new TheoryDataRow<string, string>($"panel query {i}", q)), .. Rules().Select(r => new TheoryDataRow<string, string>(r.Name, r.Expression))];

    [Theory]
    [MemberData(nameof(Queries))]
    public void Every_query_and_every_alert_finds_series_with_the_labels_it_groups_by(string name, string expression) => FindsSeries(app.Scraped, name, expression);

    [Theory]
    [MemberData(nameof(Queries))]
    public void Every_query_and_every_alert_finds_series_behind_an_OTLP_collector_too(string name, string expression) => FindsSeries(app.Collected, name, expression);

    [Fact]
    public void A_collector_shows_the_same_series_as_the_exporter() =>
        Names(app.Collected).Should().Equal(Names(app.Scraped));

    // Both exporters also get the data of pools in tests that run at the same time.
    private static string[] Names(IReadOnlyList<Series> series) =>
        [.. series.Where(s => s.Labels.GetValueOrDefault("hakit_pool") == DrilledApp.Pool).Select(Identity).Distinct().Order(StringComparer.Ordinal)];

    private static void FindsSeries(IReadOnlyList<Series> all, string name, string expression)
    {
        var recorded = Rules().Where(r => r.Name.StartsWith("hakit:", StringComparison.Ordinal)).Select(r => r.Name).ToHashSet();
        var groups = Grouping().Matches(expression).SelectMany(m => m.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)).Distinct().Except(["instance"]).ToArray();
        var bare = Grouping().Replace(expression, " ");
        var selectors = Selector().Matches(bare).ToArray();
        selectors.Should().NotBeEmpty(name);
        var found = new List<Series>();
        foreach (var selector in selectors)
        {
            var metric = selector.Groups[1].Value;
            if (metric.StartsWith("hakit:", StringComparison.Ordinal))
            {
                recorded.Should().Contain(metric);
                continue;
            }
            var series = all.Where(s => s.Metric == metric && Matchers(selector.Groups[2].Value).All(m => m(s))).ToArray();
            series.Should().NotBeEmpty("{0} asks for {1}", name, selector.Value);
            found.AddRange(series);
        }
        foreach (var label in groups.Where(g => found.Count > 0 && g != "le"))
            found.Should().Contain(s => s.Labels.ContainsKey(label), "{0} groups by {1}", name, label);
    }

    [Fact]
    public void There_are_as_many_queries_and_alerts_as_the_files_have()
    {
        Dashboard().Should().HaveCountGreaterThanOrEqualTo(32);
        Rules().Count(r => r.Name.StartsWith("HaKit", StringComparison.Ordinal)).Should().BeGreaterThanOrEqualTo(8);
    }

    [Fact]
    public void Every_metric_of_ours_has_a_name_without_a_suffix_that_depends_on_the_exporter() =>
        app.Scraped.Select(s => s.Metric).Distinct().Should().NotContain(m => m.EndsWith("_ratio", StringComparison.Ordinal));

    // The exporter beside it adds the scope's name and version.
    private static string Identity(Series series) =>
        $"{series.Metric}{{{string.Join(',', series.Labels.Where(l => !l.Key.StartsWith("otel_", StringComparison.Ordinal)).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"))}}}";

    private static IEnumerable<Func<Series, bool>> Matchers(string selector)
    {
        foreach (Match match in Matcher().Matches(selector))
        {
            var (label, operation, value) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
            yield return series =>
            {
                var own = series.Labels.GetValueOrDefault(label, "");
                return operation switch
                {
                    "=" => own == value,
                    "!=" => own != value,
                    _ => value.StartsWith('$') || Regex.IsMatch(own, $"^(?:{value})$"),
                };
            };
        }
    }

    private static string[] Dashboard() => [.. JsonDocument.Parse(File.ReadAllText(Docs("hakit.json"))).RootElement.GetProperty("panels").EnumerateArray()
        .Where(p => p.TryGetProperty("targets", out _)).SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!)];

    private static (string Name, string Expression)[] Rules() =>
        [.. Rule().Matches(File.ReadAllText(Docs("alerts.yaml"))).Select(m => (m.Groups[1].Value, m.Groups[2].Value))];

    private static string Docs(string file)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        return Path.Combine(folder.FullName, "docs", "grafana", file);
    }

    [GeneratedRegex(@"\b(?:by|on|group_left)\s*\(([^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(hakit[a-z0-9_:]+)(\{[^}]*\})?")]
    private static partial Regex Selector();

    [GeneratedRegex("([a-z_]+)(=~|!=|=)\"([^\"]*)\"")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"(?:record|alert): (\S+)\s+expr: (.+)")]
    private static partial Regex Rule();
}
