using System.Globalization;
using System.Text;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>The page that shows every scenario with every strategy, and its drawings.</summary>
internal static class ScenarioReport
{
    private static readonly string[] Colours = ["#c23030", "#106ba3", "#0d8050", "#bf7326", "#634dbf", "#738694", "#a82a2a", "#137cbd", "#29a634", "#d9822b", "#8f398f"];

    /// <summary>Writes the page and the drawings. The drawings have paths relative to the page's folder.</summary>
    public static IReadOnlyDictionary<string, string> Write(Action<double> progress)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = new StringBuilder(Page.Beginning);
        var done = 0;
        foreach (var scenario in Scenarios.All)
            Add(scenario, "##");
        text.Append(Page.BeforeDialogue);
        foreach (var scenario in DialogueScenarios.All)
            Add(scenario, "###");
        text.Append(LowTraffic.Write());
        text.Append(Page.End);
        files["simulation-report.md"] = text.ToString();
        return files;

        void Add(Scenario scenario, string heading)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{heading} {scenario.Name}\n\n{scenario.What}{(scenario.Target.Length > 0 ? $" Target: {scenario.Target}." : "")}\n\n");
            text.Append("| | served | attempts/call | mean | p50 | p99 | p99 first content | to e0 | refused | ejections | trials | early |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
            foreach (var (strategy, served, mean) in scenario.Published)
                text.Append(CultureInfo.InvariantCulture, $"| {strategy} | {served} | | {mean} | | | | | | | | |\n");
            foreach (var strategy in Strategy.All)
            {
                if (scenario.NeedsAll && strategy.Name is "retry only" or "single endpoint")
                    continue;
                var result = scenario.Run(strategy);
                text.Append(Row(strategy, result));
                if (strategy == Strategy.All[0])
                    files[$"simulation/{scenario.Name}.svg"] = Draw(result);
            }
            text.Append(CultureInfo.InvariantCulture, $"\n![Attempts in each interval on each endpoint, and lost calls below]({"simulation/" + scenario.Name}.svg)\n");
            progress(++done / (double)(Scenarios.All.Count + DialogueScenarios.All.Count));
        }
    }

    private static string Row(Strategy strategy, SimulationResult result) => string.Create(CultureInfo.InvariantCulture,
        $"| {strategy.Name} | {100 * result.SuccessRate:0.00} % | {result.AttemptsPerCall:0.000} | {result.MeanLatency.TotalSeconds:0.000} | {S(result.Latency(0.5))} | {S(result.Latency(0.99))} | {S(result.FirstContent(0.99))} | {100 * result.Share("e0"):0.00} % | {result.Endpoints.Sum(e => e.Refused)} | {result.Ejections} | {result.Endpoints.Sum(e => e.Trials)} | {result.EarlySends} |\n");

    private static string S(TimeSpan time) => time.TotalSeconds.ToString(time.TotalSeconds < 10 ? "0.000" : "0.0", CultureInfo.InvariantCulture);

    private static string Draw(SimulationResult result)
    {
        const int Width = 600, Height = 120, Left = 40;
        var svg = new Svg(Left + Width + 60, Height + 34);
        var intervals = result.LostPerInterval.Count;
        // A drawing has at most two hundred points.
        var bin = (intervals + 199) / 200;
        var points = (intervals + bin - 1) / bin;
        var most = Math.Max(1, result.Endpoints.Max(e => Enumerable.Range(0, points).Max(p => Sum(e.AttemptsPerInterval, p))));
        svg.Text(Left - 4, 14, most.ToString(CultureInfo.InvariantCulture), "end");
        for (var i = 0; i < result.Endpoints.Count; i++)
        {
            var endpoint = result.Endpoints[i];
            svg.Line(Enumerable.Range(0, points).Select(p => (X(p), 6 + Height - Height * (double)Sum(endpoint.AttemptsPerInterval, p) / most)), Colours[i % Colours.Length]);
            svg.Text(Left + Width + 6, 16 + 12 * i, endpoint.Name, colour: Colours[i % Colours.Length]);
        }
        for (var p = 0; p < points; p++)
        {
            if (Sum(result.LostPerInterval, p) > 0)
                svg.Rectangle(X(p), Height + 8, Math.Max(1, (double)Width / points), 6, "#c23030");
        }

        svg.Text(Left, Height + 28, "0 s");
        svg.Text(Left + Width, Height + 28, string.Create(CultureInfo.InvariantCulture, $"{(intervals * result.Interval).TotalSeconds:0} s"), "end");
        return svg.ToString();

        double X(int point) => Left + (double)Width * point / points;

        long Sum(IReadOnlyList<long> counts, int point)
        {
            var sum = 0L;
            for (var i = point * bin; i < Math.Min((point + 1) * bin, intervals); i++)
                sum += counts[i];
            return sum;
        }
    }
}
