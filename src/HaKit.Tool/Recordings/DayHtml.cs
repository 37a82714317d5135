using System.Globalization;
using System.Net;
using System.Text;

namespace HaKit.Tool.Recordings;

/// <summary>Writes the figures of a recording as one HTML page. The page needs no script, no other file and no network.</summary>
internal static class DayHtml
{
    private const int Left = 150, Width = 900, Strip = 22, Gap = 8, Bars = 70;

    private const string Style = """
        :root{color-scheme:light dark}
        body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1090px;padding:0 1rem;color:#1b1f24;background:#fff}
        h1{font-size:1.35rem;margin:0 0 .2rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
        table{border-collapse:collapse;width:100%}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #dde3ea;font-variant-numeric:tabular-nums}
        td:first-child,th:first-child,td.l,th.l{text-align:left}.bad{color:#a32020;font-weight:600}.note{color:#57606a}
        .sum{display:flex;gap:2rem;flex-wrap:wrap;margin:.8rem 0}.sum b{display:block;font-size:1.4rem}svg{max-width:100%;height:auto}
        text{fill:currentColor}.strip{fill:#eceff3}
        @media(prefers-color-scheme:dark){body{color:#d8dde3;background:#16191d}td,th{border-color:#343b44}.bad{color:#ff8a80}.note{color:#98a2ad}.strip{fill:#2a3037}}
        """;

    public static string ToHtml(DayFigures day)
    {
        var html = new StringBuilder();
        Add($"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{E(day.Pool)}, {day.From:yyyy-MM-dd}</title><style>{Style}</style></head><body>\n");
        Add($"<h1>{E(day.Pool)}</h1><div class=\"note\">{day.From:yyyy-MM-dd HH:mm:ss} to {day.Until:yyyy-MM-dd HH:mm:ss} UTC, {day.Files} files</div>\n");
        Add($"<div class=\"sum\"><span><b>{day.Whole.Calls}</b>calls</span><span><b>{100 * day.Whole.Served:0.000} %</b>served</span><span><b>{day.Whole.Lost}</b>lost</span><span><b>{day.Whole.Waited}</b>waited</span><span><b>{day.Whole.P50:0.00} s</b>median</span><span><b>{day.Whole.P99:0.00} s</b>99th percentile</span><span><b>{day.Whole.AttemptsPerCall:0.000}</b>attempts a call</span></div>\n");
        if (day.Dropped > 0)
            Add($"<p class=\"bad\">{day.Dropped} entries of the recording were dropped.</p>\n");
        foreach (var problem in day.Problems)
            Add($"<p class=\"note\">{E(problem)}</p>\n");
        html.Append(Picture(day));
        Endpoints(day, html);
        Parts(day, html);
        Changes(day, html);
        return html.Append("</body></html>\n").ToString();

        void Add(FormattableString text) => html.Append(text.ToString(CultureInfo.InvariantCulture));
    }

    private static string Picture(DayFigures day)
    {
        var svg = new StringBuilder();
        var height = Bars + 40 + day.Endpoints.Count * (Strip + Gap);
        Add($"<svg viewBox=\"0 0 {Left + Width + 10} {height}\" width=\"{Left + Width + 10}\" height=\"{height}\" role=\"img\" aria-label=\"calls and endpoints over time\" font-size=\"12\">\n");
        var most = Math.Max(1, day.Parts.Max(static p => p.Calls));
        for (var i = 0; i < day.Parts.Count; i++)
        {
            var (x, width) = (Left + (double)Width * i / day.Parts.Count, (double)Width / day.Parts.Count - 1);
            Bar(x, width, (double)Bars * day.Parts[i].Calls / most, "#9bb8d9");
            // The bar of lost calls is drawn at least 2 high, so that a single lost call is visible.
            Bar(x, width, day.Parts[i].Lost == 0 ? 0 : Math.Max(2, (double)Bars * day.Parts[i].Lost / most), "#c23030");
        }
        Add($"<text x=\"{Left - 8}\" y=\"{Bars}\" text-anchor=\"end\">calls, lost in red</text>\n");
        var y = Bars + 14;
        foreach (var endpoint in day.Endpoints)
        {
            Add($"<text x=\"{Left - 8}\" y=\"{y + Strip - 6}\" text-anchor=\"end\">{E(endpoint.Name)}</text><rect x=\"{Left}\" y=\"{y}\" width=\"{Width}\" height=\"{Strip}\" class=\"strip\"/>\n");
            foreach (var stretch in endpoint.Stretches)
            {
                // Ejections are drawn as a line below the observations, so that they do not hide each other.
                var (top, tall) = stretch.Kind == StretchKind.Out ? (y + Strip - 5, 5) : (y, Strip - 6);
                Add($"<rect x=\"{Left + Width * stretch.From:0.##}\" y=\"{top}\" width=\"{Math.Max(0.6, Width * (stretch.Until - stretch.From)):0.##}\" height=\"{tall}\" fill=\"{Colour(stretch.Kind)}\"/>\n");
            }
            y += Strip + Gap;
        }
        for (var i = 0; i <= 4; i++)
            Add($"<text x=\"{Left + Width * i / 4.0}\" y=\"{y + 12}\" text-anchor=\"{(i == 4 ? "end" : "middle")}\">{day.From + (day.Until - day.From) * (i / 4.0):HH:mm}</text>\n");
        return svg.Append("</svg>\n<p class=\"note\">Green: the endpoint answered. Red: it failed. Grey: the recording has no attempt and no probe of it. Orange line: the endpoint was out of service.</p>\n").ToString();

        void Bar(double x, double width, double tall, string colour)
        {
            if (tall > 0)
                Add($"<rect x=\"{x:0.##}\" y=\"{Bars - tall:0.##}\" width=\"{width:0.##}\" height=\"{tall:0.##}\" fill=\"{colour}\"/>\n");
        }

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));
    }

    private static string Colour(StretchKind kind) => kind switch
    {
        StretchKind.Well => "#4c9a63",
        StretchKind.Failing => "#c23030",
        _ => "#e08a1e",
    };

    private static void Endpoints(DayFigures day, StringBuilder html)
    {
        html.Append("<h2>Endpoints</h2><table><tr><th>endpoint</th><th>attempts</th><th>served</th><th>p50 s</th><th>p99 s</th><th>out</th><th>probes failed</th><th>tokens in</th><th>tokens out</th><th class=\"l\">faults</th></tr>\n");
        foreach (var e in day.Endpoints)
        {
            html.Append(string.Create(CultureInfo.InvariantCulture,
                $"<tr><td>{E(e.Name)}</td><td>{e.Attempts}</td><td>{DayText.Percent(e.Served, e.Attempts)}</td><td>{e.P50:0.00}</td><td>{e.P99:0.00}</td><td>{100 * e.OutShare:0.00} %</td><td>{e.ProbesFailed} of {e.Probes}</td><td>{e.InputTokens}</td><td>{e.OutputTokens}</td><td class=\"l\">{E(string.Join(", ", e.Faults.Take(4).Select(static f => $"{f.Key} {f.Value}")))}</td></tr>\n"));
        }
        html.Append("</table>\n");
    }

    private static void Parts(DayFigures day, StringBuilder html)
    {
        html.Append("<h2>Over time</h2><table><tr><th>from</th><th>calls</th><th>served</th><th>lost</th><th>waited</th><th>p50 s</th><th>p99 s</th><th>attempts a call</th></tr>\n");
        foreach (var p in day.Parts)
        {
            html.Append(string.Create(CultureInfo.InvariantCulture,
                $"<tr><td>{p.From:yyyy-MM-dd HH:mm:ss}</td><td>{p.Calls}</td><td{(p.Lost > 0 ? " class=\"bad\"" : "")}>{DayText.Percent(p.Calls - p.Lost, p.Calls)}</td><td>{p.Lost}</td><td>{p.Waited}</td><td>{p.P50:0.00}</td><td>{p.P99:0.00}</td><td>{p.AttemptsPerCall:0.000}</td></tr>\n"));
        }
        html.Append("</table>\n");
    }

    private static void Changes(DayFigures day, StringBuilder html)
    {
        if (day.Changes.Count == 0)
            return;
        html.Append("<h2>Changes</h2><table><tr><th>when</th><th class=\"l\">endpoint</th><th class=\"l\">change</th><th class=\"l\">seen by</th><th class=\"l\">fault</th></tr>\n");
        foreach (var c in day.Changes.Take(500))
        {
            html.Append(string.Create(CultureInfo.InvariantCulture,
                $"<tr><td>{c.At:HH:mm:ss.f}</td><td class=\"l\">{E(c.Endpoint)}</td><td class=\"l\">{c.Before} → {c.After}</td><td class=\"l\">{c.Source}</td><td class=\"l\">{E(c.Fault?.ToString() ?? "")}</td></tr>\n"));
        }
        html.Append("</table>\n");
    }

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
