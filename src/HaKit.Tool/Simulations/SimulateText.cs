using System.Globalization;
using System.Text;

namespace HaKit.Tool.Simulations;

/// <summary>The figures as plain text for people.</summary>
internal static class SimulateText
{
    public static string Render(SimulateFigures figures)
    {
        var text = new StringBuilder();
        var scored = figures.Scored;
        Line($"{figures.Days:0.##} days from {figures.From:yyyy-MM-dd}, {scored.Calls} calls ({scored.Calls / figures.Days / 86400:0.###} a second), seed {figures.Seed}");
        Line($"");
        foreach (var service in figures.Services)
            Line($"  {service.Name,-16}{Up(service.Unavailability),12} of the time up   {service.Outages} outages, {service.DownHours:0.0} h");
        Line($"  {"limit",-16}{Up(figures.LimitUnavailability),12} of the time at least one service was up   {scored.CameInVain} calls arrived while no service was up");
        Line($"  {"the pool",-16}{Up(scored.Unavailability),12} of the calls served   {Lost(scored)}");
        Line($"  {"ratio",-16}{(figures.Ratio is { } ratio ? ratio.ToString("0.000", CultureInfo.InvariantCulture) : "-"),12} lost calls for each call that arrived while no service was up");
        Line($"");
        Run(scored);
        Line($"");
        Line($"The same run, but an incident of impact 1 means errors in three of ten answers (does not affect the exit code):");
        Line($"  {"the pool",-16}{Up(figures.MinorAsErrors.Unavailability),12} of the calls served   {Lost(figures.MinorAsErrors)}");
        Run(figures.MinorAsErrors);
        return text.ToString();

        void Run(RunFigures run)
        {
            Line($"  {run.AttemptsPerCall:0.0000} attempts per call, p50 {run.P50:0.00} s, p99 {run.P99:0.00} s, p99.99 {run.P9999:0.00} s, {run.Ejections} ejections, {run.WastedTokens} tokens wasted");
            Line($"  medians: ordinary traffic to the service stopped {S(run.Detected)} after an incident began; another service served the first affected call after {S(run.FailedOver)}; the service gave its first answer {S(run.Recovered)} after the end");
            Line($"  simulated in {run.WallSeconds:0.0} s, {run.Calls / Math.Max(run.WallSeconds, 1e-3):0} calls a second");
        }

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    public static string Up(double unavailability) => string.Create(CultureInfo.InvariantCulture, $"{100 * (1 - unavailability):0.0000} %");

    private static string Lost(RunFigures run) => $"lost {run.Lost}" + string.Concat(run.Failures.Select(f => $", {f.Key} {f.Value}"));

    private static string S(double? seconds) => seconds is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s:0.0} s") : "-";
}
