using System.Globalization;
using System.Text;

namespace HaKit.Tests.Http;

/// <summary>
/// Holds one answer that was seen in public reports and once misled this library. Its file contains the request (<c>ask: /chat/completions stream</c>), the
/// result that is expected of a pool in which one endpoint gives this answer (<c>expect:</c>), and the answer: <c>HTTP 429</c>, headers, an empty line, the
/// body. The blank line at the end of an event stream is added, because the files do not have it. <c>lines: CR</c> and <c>bom: yes</c> change the bytes.
/// <c>{unix+20}</c> in a header becomes the time of the answer plus 20 s.
/// </summary>
internal sealed record WireInput(string Name, string Path, bool IsStream, string Expect, string? Argument, IReadOnlyDictionary<string, string> Settings, int Status, string? ContentType, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    private static readonly string s_folder = System.IO.Path.Combine(AppContext.BaseDirectory, "Http", "wire");

    public static IReadOnlyList<WireInput> All { get; } = [.. Directory.EnumerateFiles(s_folder, "*.http").Order(StringComparer.Ordinal).Select(Read)];

    public static WireInput Named(string name) => All.Single(i => i.Name == name);

    /// <summary>Gets the bytes of the answer for the given time.</summary>
    public RawAnswer AnswerAt(DateTimeOffset now) => new(Status, ContentType, Body) { Headers = [.. Headers.Select(h => (h.Name, WithTimes(h.Value, now)))] };

    public override string ToString() => Name;

    private static string WithTimes(string value, DateTimeOffset now)
    {
        if (!value.StartsWith('{'))
            return value;
        var parts = value.Trim('{', '}').Split('+');
        var at = now + TimeSpan.FromSeconds(int.Parse(parts[1], CultureInfo.InvariantCulture));
        return parts[0] switch
        {
            "unix" => at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            "unixms" => at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            _ => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        };
    }

    private static WireInput Read(string file)
    {
        var text = File.ReadAllText(file).Replace("\r\n", "\n", StringComparison.Ordinal);
        var split = text.IndexOf("\n\n", StringComparison.Ordinal);
        var lines = text[..split].Split('\n');
        var status = Array.FindIndex(lines, l => l.StartsWith("HTTP ", StringComparison.Ordinal));
        var settings = lines[..status].Select(Split).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
        var headers = lines[(status + 1)..].Select(Split).ToList();
        var ask = settings["ask"].Split(' ');
        var expect = settings["expect"].Split(' ', 2);
        return new WireInput(
            System.IO.Path.GetFileNameWithoutExtension(file), ask[0], ask.Length > 1, expect[0], expect.ElementAtOrDefault(1), settings,
            int.Parse(lines[status][5..], CultureInfo.InvariantCulture), headers.FirstOrDefault(h => h.Name == "Content-Type").Value,
            [.. headers.Where(h => h.Name != "Content-Type")], BodyOf(text[(split + 2)..].TrimEnd('\n'), settings));
    }

    private static byte[] BodyOf(string text, Dictionary<string, string> settings)
    {
        if (text.StartsWith("data:", StringComparison.Ordinal) || text.StartsWith("event:", StringComparison.Ordinal) || text.StartsWith(':') || text.StartsWith("error:", StringComparison.Ordinal))
            text += "\n\n";
        if (settings.GetValueOrDefault("lines") == "CR")
            text = text.Replace('\n', '\r');
        return Encoding.UTF8.GetBytes(settings.ContainsKey("bom") ? '\uFEFF' + text : text);
    }

    private static (string Name, string Value) Split(string line)
    {
        var colon = line.IndexOf(": ", StringComparison.Ordinal);
        return (line[..colon], line[(colon + 2)..]);
    }
}
