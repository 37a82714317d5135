using System.Globalization;

namespace HaKit.Tool.Rehearsals;

/// <summary>Reads a recorded workload: TIMESTAMP,ContextTokens,GeneratedTokens. Throws for invalid lines.</summary>
internal static class Trace
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens";
    private const int MostTokens = 1_000_000;
    private const int MostReported = 20;

    /// <exception cref="UsageException">The file cannot be read, or has invalid lines; the message names each with its number.</exception>
    public static IReadOnlyList<Arrival> Read(string path, TimeSpan length)
    {
        try
        {
            using var reader = new StreamReader(path);
            return Read(reader, path, length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--trace is '{path}', which cannot be read: {exception.Message}");
        }
    }

    internal static IReadOnlyList<Arrival> Read(TextReader reader, string name, TimeSpan length)
    {
        var arrivals = new List<Arrival>();
        var bad = new List<string>();
        if (reader.ReadLine() is var header && header != Header)
            throw new UsageException($"{name}, line 1: the header '{Header}' is needed, not '{Shown(header ?? "")}'.");
        DateTime? first = null;
        var last = DateTime.MinValue;
        for (var number = 2; reader.ReadLine() is { } line && bad.Count < MostReported; number++)
        {
            if (Problem(line, last, out var at, out var prompt, out var answer) is { } problem)
            {
                bad.Add($"{name}, line {number}: {problem} ('{Shown(line)}')");
                continue;
            }
            first ??= at;
            last = at;
            if (at - first > length)
                break;
            arrivals.Add(new Arrival(at - first.Value, prompt, answer));
        }
        if (bad.Count > 0)
            throw new UsageException(string.Join(Environment.NewLine, bad));
        return arrivals is [.., { At: var end }] && end > TimeSpan.Zero
            ? arrivals
            : throw new UsageException($"{name}: at least two requests, at different times, are needed.");
    }

    private static string? Problem(string line, DateTime last, out DateTime at, out int prompt, out int answer)
    {
        (at, prompt, answer) = (default, 0, 0);
        var fields = line.Split(',');
        if (fields.Length != 3)
            return $"{fields.Length} fields where 3 are needed";
        if (!DateTime.TryParseExact(fields[0], "yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture, DateTimeStyles.None, out at))
            return "TIMESTAMP is not a time like 2023-11-16 18:15:46.6805900";
        if (at < last)
            return "TIMESTAMP is earlier than in the line before";
        if (!Tokens(fields[1], out prompt))
            return $"ContextTokens is not a whole number from 1 to {MostTokens}";
        return Tokens(fields[2], out answer) ? null : $"GeneratedTokens is not a whole number from 1 to {MostTokens}";
    }

    private static bool Tokens(string field, out int tokens) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out tokens) && tokens is >= 1 and <= MostTokens;

    // The file may contain any text. So a line is shortened, and control characters are removed, because they would move the cursor.
    private static string Shown(string line)
    {
        var start = line.Length <= 80 ? line : line[..80] + "…";
        return string.Concat(start.Select(c => char.IsControl(c) ? '?' : c));
    }
}
