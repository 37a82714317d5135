using System.Text;

namespace HaKit.Tool.Drills.Reports;

/// <summary>The report as Markdown.</summary>
internal static class DrillMarkdown
{
    public static string Write(DrillReport report)
    {
        var text = new StringBuilder();
        text.Append(DrillRow.Text($"## {report.Target}\n\n{DrillRow.Setting(report)}\n{DrillRow.Lag(report)}\n\n"));
        text.Append("| ").AppendJoin(" | ", DrillRow.Headings).Append(" |\n|---|").Insert(text.Length, "--:|", DrillRow.Headings.Length - 1).Append('\n');
        foreach (var fault in report.Faults)
            text.Append("| ").AppendJoin(" | ", DrillRow.Cells(fault)).Append(" |\n");
        return text.ToString();
    }
}
