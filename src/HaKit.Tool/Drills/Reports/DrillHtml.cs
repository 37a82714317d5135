using System.Globalization;
using System.Net;
using System.Text;

namespace HaKit.Tool.Drills.Reports;

/// <summary>The report as one HTML page without external resources, for light and dark mode.</summary>
internal static class DrillHtml
{
    private const int Width = 420;
    private const int Height = 64;

    public static string Write(DrillReport report)
    {
        var text = new StringBuilder();
        text.Append(Head).Append(CultureInfo.InvariantCulture, $"<title>Drill: {Encoded(report.Target)}</title></head><body><main>\n<h1>Failover drill: {Encoded(report.Target)}</h1>\n");
        text.Append(CultureInfo.InvariantCulture, $"<p class=\"lead\">{Lead(report)}</p>\n<p>{Encoded(DrillRow.Setting(report))} <span class=\"{(report.IsVoid ? "bad" : "")}\">{Encoded(DrillRow.Lag(report))}</span></p>\n");
        text.Append("<div class=\"scroll\"><table><thead><tr>");
        foreach (var heading in DrillRow.Headings)
            text.Append(CultureInfo.InvariantCulture, $"<th>{Encoded(heading)}</th>");
        text.Append("</tr></thead><tbody>\n");
        foreach (var fault in report.Faults)
            AppendRow(text, fault);
        text.Append("</tbody></table></div>\n<h2>Each fault over time</h2>\n");
        text.Append("<p class=\"key\"><i class=\"k1\"></i>the longest call in each 0.1 s (logarithmic, 10 ms to 10 s) <i class=\"k2\"></i>some calls failed <i class=\"k3\"></i>some answers were wrong or half <i class=\"k0\"></i>the time of the fault</p>\n<div class=\"charts\">\n");
        foreach (var fault in report.Faults)
            AppendChart(text, fault);
        return text.Append("</div>\n").Append(Words).Append("</main></body></html>\n").ToString();
    }

    private static string Lead(DrillReport report)
    {
        var calls = report.Faults.Sum(f => f.Calls);
        var bad = report.Faults.Sum(f => f.Wrong + f.Half);
        var worst = report.Faults.MinBy(f => f.Success);
        return DrillRow.Text($"<b>{DrillRow.Percent(calls == 0 ? 0 : (double)report.Faults.Sum(f => f.Right) / calls)}</b> of {calls} calls got the right answer during {report.Faults.Count} faults; <b>{bad}</b> answers were wrong or half. ")
            + (worst is { Success: < 1 } ? DrillRow.Text($"Worst: <b>{Encoded(worst.Name)}</b>, {DrillRow.Percent(worst.Success)} right answers.") : "No call was lost.");
    }

    private static void AppendRow(StringBuilder text, FaultReport fault)
    {
        var cells = DrillRow.Cells(fault);
        text.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\" title=\"{Encoded(fault.Description)}\">{Encoded(cells[0])}</th>");
        for (var i = 1; i < cells.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"<td{ClassOf(fault, i)}>{Encoded(cells[i])}</td>");
        text.Append("</tr>\n");
    }

    private static string ClassOf(FaultReport fault, int column) => column switch
    {
        1 when fault.Success < 0.99 => " class=\"bad\"",
        1 when fault.Success < 1 => " class=\"warn\"",
        4 when fault.Wrong + fault.Half > 0 => " class=\"bad\"",
        9 when fault.WellAgainSeconds is null => " class=\"bad\"",
        12 when fault.EarlySends > 0 => " class=\"warn\"",
        _ => "",
    };

    private static void AppendChart(StringBuilder text, FaultReport fault)
    {
        var length = Math.Max(fault.LastedSeconds, fault.Timeline.Count == 0 ? 1 : fault.Timeline[^1].At + 0.1);
        text.Append(CultureInfo.InvariantCulture, $"<figure><figcaption><b>{Encoded(fault.Name)}</b> {Encoded(fault.Description)}</figcaption><svg viewBox=\"0 0 {Width} {Height + 14}\" role=\"img\" aria-label=\"{Encoded(fault.Name)}: {DrillRow.Percent(fault.Success)} right\">");
        text.Append(CultureInfo.InvariantCulture, $"<rect class=\"during\" x=\"0\" y=\"0\" width=\"{Width * fault.LastedSeconds / length:0.#}\" height=\"{Height}\"/>");
        foreach (var bin in fault.Timeline)
        {
            var height = Math.Max(2, Height * Math.Clamp(Math.Log10(Math.Max(bin.Longest, 1)) - 1, 0, 3) / 3);
            text.Append(CultureInfo.InvariantCulture, $"<rect class=\"{KindOf(bin)}\" x=\"{Width * bin.At / length:0.#}\" y=\"{Height - height:0.#}\" width=\"{Math.Max(1, Width * 0.1 / length - 0.5):0.#}\" height=\"{height:0.#}\"/>");
        }
        text.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"{Height + 12}\">0 s</text><text x=\"{Width}\" y=\"{Height + 12}\" text-anchor=\"end\">{length:0.#} s</text></svg></figure>\n");
    }

    private static string KindOf(TimelineBin bin)
    {
        if (bin.Wrong > 0)
            return "wrong";
        return bin.Failed > 0 ? "failed" : "right";
    }

    private static string Encoded(string text) => WebUtility.HtmlEncode(text);

    private const string Words = """
        <h2>How to read it</h2>
        <dl>
        <dt>right</dt><dd>Calls from the fault's beginning on that got the whole right answer, with the 95 % interval of that share.</dd>
        <dt>wrong or half</dt><dd>Calls that ended as if all were well with another answer, or with its beginning only.</dd>
        <dt>met</dt><dd>Calls that a fault struck at least once. A client that has learned to leave the upstream alone meets it seldom.</dd>
        <dt>added</dt><dd>The time of a right call that met the fault, less the median of healthy calls. Where connections are refused, every call of that time counts.</dd>
        <dt>well again</dt><dd>From the fault's beginning until 99 % of the calls of each second are right.</dd>
        <dt>in vain</dt><dd>Whole answers that upstreams made beyond one for each right call: done, and billed, in vain.</dd>
        <dt>early</dt><dd>Requests sent to an upstream before the time was over that its refusal had named (<code>Retry-After</code>).</dd>
        </dl>

        """;

    private const string Head = """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
        <style>
        :root{--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d9dee3;--card:#f6f8fa;--good:#1a7f37;--warn:#9a6700;--bad:#cf222e;--wrong:#8250df;--during:#fff1d6}
        @media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;--line:#30363d;--card:#151b23;--good:#3fb950;--warn:#d29922;--bad:#f85149;--wrong:#bc8cff;--during:#3a2d10}}
        body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}main{max-width:1360px;margin:0 auto;padding:1.5rem}
        h1{font-size:1.5rem;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}.lead{font-size:1.1rem}p{margin:.3rem 0;max-width:75rem}
        .scroll{overflow-x:auto;margin-top:1rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap;font-size:.9rem;width:100%}th{white-space:normal;vertical-align:bottom}
        th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right}th:first-child{text-align:left}thead th{color:var(--soft);font-weight:600}tbody th{font-weight:600}
        .bad{color:var(--bad);font-weight:700}.warn{color:var(--warn);font-weight:700}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(26rem,1fr));gap:1rem}figure{margin:0;padding:.7rem;background:var(--card);border:1px solid var(--line);border-radius:6px}
        figcaption{font-size:.85rem;color:var(--soft);margin-bottom:.3rem}figcaption b{color:var(--fg)}svg{width:100%;height:auto;display:block}svg text{font-size:9px;fill:var(--soft)}
        .during{fill:var(--during)}.right{fill:var(--good)}.failed{fill:var(--bad)}.wrong{fill:var(--wrong)}
        .key{color:var(--soft);font-size:.9rem}.key i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em;border-radius:2px}.k1{background:var(--good)}.k2{background:var(--bad)}.k3{background:var(--wrong)}.k0{background:var(--during);border:1px solid var(--line)}
        dt{font-weight:600;float:left;clear:left;width:8rem}dd{margin:0 0 .3rem 8rem;color:var(--soft)}
        </style>

        """;
}
