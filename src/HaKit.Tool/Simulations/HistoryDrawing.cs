using System.Globalization;
using HaKit.Testing;

namespace HaKit.Tool.Simulations;

/// <summary>
/// Draws the history as horizontal bars: each service with its incidents, the times when all were down, and the times when the pool lost calls.
/// </summary>
internal static class HistoryDrawing
{
    private const int Left = 120, Width = 840, Strip = 16, Gap = 8;

    public static string Draw(History history, SimulationResult result)
    {
        var svg = new Svg(Left + Width + 10, 40 + (history.Services.Count + 2) * (Strip + Gap));
        var y = 8.0;
        foreach (var service in history.Services)
        {
            Begin(service);
            foreach (var span in history.SpansOf(service, static impact => impact >= 1))
                Mark(span, "#d9822b");
        }
        Begin("all down");
        foreach (var span in history.AllDown())
            Mark(span, "#c23030");
        Begin("the pool lost calls");
        for (var i = 0; i < result.LostPerInterval.Count; i++)
        {
            if (result.LostPerInterval[i] > 0)
                Mark(new Span(i * result.Interval, (i + 1) * result.Interval), "#c23030");
        }

        for (var month = history.From; month < history.From + history.Length; month = month.AddMonths(1))
            svg.Text(X(month - history.From), y + 26, month.ToString("yyyy-MM", CultureInfo.InvariantCulture));
        return svg.ToString();

        void Begin(string name)
        {
            y += y > 8 ? Strip + Gap : 0;
            svg.Text(Left - 6, y + Strip - 4, name, "end");
            svg.Rectangle(Left, y, Width, Strip, "#e3f1e6");
        }

        void Mark(Span span, string colour) => svg.Rectangle(X(span.From), y, Width * (span.Length / history.Length), Strip, colour);

        double X(TimeSpan at) => Left + Width * (at / history.Length);
    }
}
