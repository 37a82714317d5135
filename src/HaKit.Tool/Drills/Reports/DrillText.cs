namespace HaKit.Tool.Drills.Reports;

/// <summary>The report for a terminal.</summary>
internal static class DrillText
{
    private static readonly int[] Widths = [18, 9, 20, 7, 14, 6, 10, 10, 9, 11, 14, 8, 6];

    public static string Headings => Line(DrillRow.Headings);

    public static string Row(FaultReport fault) => Line(DrillRow.Cells(fault));

    public static string Footer(DrillReport report)
    {
        var why = report.Faults.SelectMany(f => f.Why.Select(w => $"  {f.Name}: {w.Value} × {w.Key}")).ToArray();
        return string.Join(Environment.NewLine, ["", .. why.Length > 0 ? ["Errors of the failed calls:", .. why, ""] : why, DrillRow.Setting(report), DrillRow.Lag(report)]);
    }

    private static string Line(IEnumerable<string> cells) => string.Concat(cells.Select((cell, i) => i == 0 ? cell.PadRight(Widths[i]) : cell.PadLeft(Widths[i]))).TrimEnd();
}
