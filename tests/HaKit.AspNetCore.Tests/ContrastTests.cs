using System.Globalization;
using System.Text.RegularExpressions;

namespace HaKit.AspNetCore.Tests;

/// <summary>
/// Checks that every colour of text on the page has enough contrast on every background that it appears on, in both schemes (WCAG 2.2, 1.4.3: at least 4.5 to
/// 1).
/// </summary>
public sealed partial class ContrastTests
{
    private static readonly string[] Inks = ["text", "dim", "faint", "good", "warn", "bad", "cool", "idle"];
    private static readonly string[] Grounds = ["bg", "panel", "raised"];

    [Theory]
    [InlineData("dark")]
    [InlineData("light")]
    public async Task Each_ink_on_each_ground(string scheme)
    {
        await using var site = await Site.StartAsync();
        var style = await site.Http.GetStringAsync("/ha/dashboard.css", TestContext.Current.CancellationToken);
        var block = scheme == "dark" ? style[..style.IndexOf(":root[data-theme", StringComparison.Ordinal)] : style[style.IndexOf(":root[data-theme=\"light\"]", StringComparison.Ordinal)..];
        var colours = Colour().Matches(block[..block.IndexOf('}', StringComparison.Ordinal)]).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        var weak = new List<string>();
        foreach (var ink in Inks)
        {
            foreach (var ground in Grounds)
            {
                Check(ink, ground, Rgb(colours[ground]));
                // A warning, a pill or a row has its colour, mostly transparent, over the background.
                foreach (var wash in (string[])["good", "warn", "bad", "cool", "idle"])
                {
                    if (ink == wash || ink is "text" or "dim")
                        Check(ink, $"{wash} wash on {ground}", Over(colours[wash + "-wash"], Rgb(colours[ground])));
                }
            }
        }
        weak.Should().BeEmpty();

        void Check(string ink, string name, double[] ground)
        {
            var (a, b) = (Luminance(Rgb(colours[ink])), Luminance(ground));
            var ratio = (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
            if (ratio < 4.5)
                weak.Add(string.Create(CultureInfo.InvariantCulture, $"{ink} on {name}: {ratio:0.00}"));
        }
    }

    private static double[] Rgb(string hex) => [.. Enumerable.Range(0, 3).Select(i => (double)int.Parse(hex.AsSpan(i * 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    private static double[] Over(string hexWithAlpha, double[] ground)
    {
        var alpha = int.Parse(hexWithAlpha.AsSpan(6, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
        return [.. Rgb(hexWithAlpha).Zip(ground, (over, under) => alpha * over + (1 - alpha) * under)];
    }

    private static double Luminance(double[] rgb)
    {
        var linear = Array.ConvertAll(rgb, static c => c / 255 <= 0.04045 ? c / 255 / 12.92 : Math.Pow((c / 255 + 0.055) / 1.055, 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    }

    [GeneratedRegex("--([a-z-]+): #([0-9a-f]{6,8})")]
    private static partial Regex Colour();
}
