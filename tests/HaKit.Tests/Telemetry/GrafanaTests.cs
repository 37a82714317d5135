using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using HaKit.Telemetry;
using HaKit.Tests.Architecture;

namespace HaKit.Tests.Telemetry;

/// <summary>The ready dashboard and the alert rules use only metrics and labels that exist.</summary>
public sealed partial class GrafanaTests
{
    private static readonly string Folder = Path.Combine(ArchitectureTests.RepositoryRoot, "docs", "grafana");

    [Theory]
    [InlineData("hakit.json")]
    [InlineData("alerts.yaml")]
    public async Task Every_name_in_every_expression_is_a_metric_or_a_label_of_ours(string file)
    {
        var expressions = await ExpressionsAsync(file);
        expressions.Should().HaveCountGreaterThan(10);
        var metrics = PrometheusNames();
        var labels = Labels();
        foreach (var expression in expressions)
        {
            var bare = Words().Replace(Recorded().Replace(Quoted().Replace(expression, "\"\""), ""), " ");
            foreach (Match name in Name().Matches(bare))
                metrics.Concat(labels).Should().Contain(name.Value, $"it is in {expression}");
        }
    }

    [Fact]
    public async Task Every_instrument_is_on_the_dashboard()
    {
        var shown = string.Join('\n', await ExpressionsAsync("hakit.json"));
        foreach (var instrument in Instruments_())
            PrometheusNames(instrument).Should().Contain(n => Regex.IsMatch(shown, $@"\b{n}\b"), $"{instrument.Name} is worth a panel");
    }

    [Fact]
    public async Task Recorded_ratios_that_alerts_use_are_recorded()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.yaml"), TestContext.Current.CancellationToken);
        var recorded = Regex.Matches(text, @"record: (\S+)").Select(m => m.Groups[1].Value).ToHashSet();
        Recorded().Matches(string.Join('\n', await ExpressionsAsync("alerts.yaml"))).Select(m => m.Value).Distinct().Should().BeEquivalentTo(recorded);
        recorded.Should().HaveCount(5);
    }

    private static async Task<string[]> ExpressionsAsync(string file)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, file), TestContext.Current.CancellationToken);
        return file.EndsWith(".yaml", StringComparison.Ordinal)
            ? [.. Regex.Matches(text, @"expr: (.+)").Select(m => m.Groups[1].Value)]
            : [.. JsonDocument.Parse(text).RootElement.GetProperty("panels").EnumerateArray()
                .Where(p => p.TryGetProperty("targets", out _))
                .SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!)];
    }

    private static List<Instrument> Instruments_()
    {
        var found = new Dictionary<string, Instrument>();
        using var listener = new MeterListener { InstrumentPublished = (i, _) => { if (i.Meter.Name == "HaKit") found[i.Name] = i; } };
        listener.Start();
        _ = HaKit.Telemetry.Instruments.ForFactory(null);
        return [.. found.Values];
    }

    // The names follow the OpenTelemetry specification for Prometheus: a unit becomes a suffix unless it is in braces, and a counter is a total.
    private static IEnumerable<string> PrometheusNames(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", _ => "" };
        return instrument.GetType().Name switch
        {
            "Histogram`1" => [name + "_bucket", name + "_count", name + "_sum"],
            "Counter`1" => [name + "_total"],
            _ => [name],
        };
    }

    private static HashSet<string> PrometheusNames() => [.. Instruments_().SelectMany(PrometheusNames)];

    private static HashSet<string> Labels() =>
        [.. typeof(Tags).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => ((string)f.GetRawConstantValue()!).Replace('.', '_')), "le", "instance"];

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"hakit:[a-z0-9_:]+")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"\b(sum|avg|min|max|count|rate|increase|histogram_quantile|by|on|and|bool|group_left)\b|\$__\w+|\[[^\]]*\]")]
    private static partial Regex Words();

    [GeneratedRegex(@"\b[a-z][a-z_]+\b")]
    private static partial Regex Name();
}
