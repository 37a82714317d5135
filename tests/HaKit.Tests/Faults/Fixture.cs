using System.Globalization;
using System.Text;
using HaKit.Faults;

namespace HaKit.Tests.Faults;

/// <summary>
/// Holds one recorded answer. Its file begins with <c># source:</c> and <c># note:</c>. Then come <c>dialect:</c> (the declared dialect), <c>expect:</c> (the
/// expected verdict) and <c>undeclared:</c> (the verdict for an endpoint without a dialect, if it differs). The answer follows: <c>HTTP 429</c>, headers, an
/// empty line, the body.
/// </summary>
internal sealed record Fixture(
    string Name, string Source, WireDialect Dialect, string Expect, string? Undeclared, int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Faults", "fixtures");

    public static IReadOnlyList<Fixture> All { get; } = [.. Directory.EnumerateFiles(Folder, "*.http").Order(StringComparer.Ordinal).Select(Read)];

    public FaultEvidence Evidence(WireDialect dialect) => new()
    {
        Dialect = dialect,
        StatusCode = Status,
        Headers = HeadersOf(Headers),
        Body = Body,
        Now = Now,
    };

    public static System.Net.Http.Headers.HttpResponseHeaders HeadersOf(IEnumerable<(string Name, string Value)> headers)
    {
        var response = new HttpResponseMessage();
        foreach (var (name, value) in headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
                throw new InvalidOperationException($"{name} is no response header");
        }

        return response.Headers;
    }

    /// <summary>Writes a fault in the words of the expectations.</summary>
    public static string Describe(Fault? fault) => fault is null ? "none" : string.Join(' ',
        $"kind={fault.Kind}", $"blame={fault.Blame}", $"applied={fault.Applied}", $"reach={fault.Reach}",
        $"retry={fault.RetryAfter?.ToString("c", CultureInfo.InvariantCulture) ?? "none"}",
        $"until={(fault.UntilCleared ? "cleared" : "open")}", $"code={fault.Code ?? "none"}");

    /// <summary>Checks the fault against every word of an expectation. Of two words about the same property, the later word counts.</summary>
    public static void Check(Fault? fault, string expectation, string because)
    {
        var said = Describe(fault).Split(' ');
        foreach (var word in expectation.Split(' ', StringSplitOptions.RemoveEmptyEntries).GroupBy(w => w.Split('=')[0]).Select(g => g.Last()))
            said.Should().Contain(word, because);
    }

    private static Fixture Read(string path)
    {
        var text = File.ReadAllText(path).Replace("\r\n", "\n", StringComparison.Ordinal);
        var split = text.IndexOf("\n\n", StringComparison.Ordinal);
        var lines = (split < 0 ? text : text[..split]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string? Line(string start) => lines.FirstOrDefault(l => l.StartsWith(start, StringComparison.Ordinal))?[start.Length..].Trim();
        var status = Array.FindIndex(lines, l => l.StartsWith("HTTP ", StringComparison.Ordinal));
        var headers = lines[(status + 1)..].Select(l => (l[..l.IndexOf(':', StringComparison.Ordinal)], l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())).ToList();
        return new Fixture(
            Path.GetFileNameWithoutExtension(path),
            Line("# source:") ?? "",
            Enum.Parse<WireDialect>(Line("dialect:")!),
            Line("expect:")!,
            Line("undeclared:"),
            int.Parse(Line("HTTP ")!, CultureInfo.InvariantCulture),
            headers,
            split < 0 ? [] : Encoding.UTF8.GetBytes(text[(split + 2)..].TrimEnd('\n')));
    }
}
