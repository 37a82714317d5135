using System.Globalization;
using System.Text;

namespace HaKit.Tool.Rehearsals.Reports;

/// <summary>The report as plain text for people.</summary>
internal static class ReportText
{
    public static string Write(Report report)
    {
        var text = new StringBuilder();
        Line($"");
        Line($"{report.Title}: {report.Calls} calls in {report.Seconds:0.0} s, seed {report.Seed}{(report.Failover ? "" : ", no failover")}");
        Line($"");
        Line($"  delivered    {report.Delivered}, at least {report.DeliveredAtLeast} with 95 % confidence");
        Line($"  time         p50 {Ms(report.P50)}, p99 {Ms(report.P99)}");
        Line($"  attempts     {report.Attempts}, {report.AttemptsPerCall:0.000} per call, {report.Failovers} failovers");
        Line($"  refused      connection refused to served elsewhere: median {Ms(report.Refused.Median)}, worst {Ms(report.Refused.Worst)}, {report.Refused.Calls} calls");
        Line($"");
        Line($"  {"trouble",-20}{"at",8}{"met by",9}   first of them served elsewhere");
        foreach (var fault in report.Faults)
            Line($"  {fault.Endpoint + " " + fault.Trouble,-20}{fault.BeganSeconds,6:0.0} s{fault.MetBy,9}   {(fault.FirstServedElsewhere is { } ms ? $"{Ms(ms)} after it began" : "-")}");
        Line($"");
        Line($"  {"endpoint",-10}{"up",9}{"served",9}{"share",8}{"p50",11}   attempts = answered + refused + broken; received");
        foreach (var e in report.Endpoints)
            Line($"  {e.Name,-10}{e.OwnAvailability,9}{e.Served,9}{Share(e.Served, report.Served),8}{Ms(e.P50),11}   {e.Attempts} = {e.Book.Answered} + {e.Book.Refused} + {e.Book.Broken}; {e.Book.Received}{(e.Book.Agrees ? "" : "  DISAGREES")}");
        Line($"  {"the pool",-10}{report.Delivered,9}{report.Served,9}");
        Line($"");
        foreach (var why in report.Why)
            Line($"  {why}");
        Line($"  {(report.Reconciles ? "The books of client and servers agree." : "The books of client and servers DISAGREE.")}");
        text.Append(CultureInfo.InvariantCulture, $"  served {report.Served}, cut {report.Cut}, wrong {report.Wrong}, lost {report.Lost}");
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    private static string Ms(double? milliseconds) =>
        milliseconds is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:0.0} ms") : "-";

    private static string Share(int part, int whole) =>
        string.Create(CultureInfo.InvariantCulture, $"{(whole == 0 ? 0 : (double)part / whole):0.0 %}");
}
