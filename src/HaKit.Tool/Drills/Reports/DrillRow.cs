using System.Globalization;

namespace HaKit.Tool.Drills.Reports;

/// <summary>The figures of a fault as the texts of a table row, equal in every format.</summary>
internal static class DrillRow
{
    public static readonly string[] Headings =
        ["fault", "right", "95 % interval", "failed", "wrong or half", "met", "added p50", "added p99", "longest", "well again", "requests/call", "in vain", "early"];

    public static string[] Cells(FaultReport fault) =>
    [
        fault.Name,
        Percent(fault.Success),
        $"{Percent(fault.SuccessLow)} to {Percent(fault.SuccessHigh)}",
        $"{fault.Failed}",
        $"{fault.Wrong + fault.Half}",
        $"{fault.Met}",
        Time(fault.AddedP50),
        Time(fault.AddedP99),
        Time(fault.AddedLongest),
        fault.WellAgainSeconds is { } seconds ? Text($"{seconds:0.00} s") : "not",
        Text($"{fault.Amplification:0.000}"),
        $"{fault.Duplicates}",
        $"{fault.EarlySends}",
    ];

    public static string Percent(double share) => Text($"{Math.Floor(share * 10_000 + 1e-6) / 100:0.##} %");

    public static string Time(double? milliseconds) => milliseconds switch
    {
        null => "-",
        >= 1000 => Text($"{milliseconds / 1000:0.00} s"),
        _ => Text($"{milliseconds:0.0} ms"),
    };

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    public static string Setting(DrillReport report) => Text(
        $"{report.CallsPerSecond:0.#} calls a second to {report.Upstreams} upstreams, {report.StreamedShare:0 %} of them streams; faults of {report.FaultSeconds:0.#} s; callers wait {report.PatienceSeconds:0.#} s; a healthy call takes {report.HealthyMedian:0.0} ms; seed {report.Seed}.");

    public static string Lag(DrillReport report) => Text(
        $"The generator was late by {report.LagP99:0.0} ms (p99), {report.LagLongest:0.0} ms at most{(report.IsVoid ? $": above {DrillReport.MostLag} ms the run is VOID" : "")}.");
}
