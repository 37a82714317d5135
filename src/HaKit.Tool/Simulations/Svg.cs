using System.Globalization;
using System.Text;

namespace HaKit.Tool.Simulations;

/// <summary>A small SVG drawing. Its elements appear in the order in which they are added.</summary>
internal sealed class Svg(int width, int height)
{
    private readonly StringBuilder _text = new();

    public void Rectangle(double x, double y, double width, double height, string colour) =>
        Add($"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{Math.Max(width, 0.3):0.##}\" height=\"{height:0.##}\" fill=\"{colour}\"/>");

    public void Text(double x, double y, string text, string anchor = "start", string colour = "#444") =>
        Add($"<text x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)}</text>");

    public void Line(IEnumerable<(double X, double Y)> points, string colour)
    {
        var path = string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#},{p.Y:0.#}")));
        Add($"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{_text}</svg>\n");

    private void Add(FormattableString element) => _text.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
