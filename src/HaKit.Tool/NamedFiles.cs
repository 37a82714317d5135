using System.CommandLine;
using System.CommandLine.Parsing;

namespace HaKit.Tool;

/// <summary>Checks the files that options name. A file that a command writes must not be a file that the command reads or writes for another option.</summary>
internal static class NamedFiles
{
    private static readonly string[] s_written = ["--json", "--html", "--svg", "--markdown", "--output"];
    private static readonly string[] s_read = ["--input", "--pool", "--incidents", "--trace", "--assert", "--vault", "--journal"];

    /// <summary>Returns a sentence about two options that name the same file; null if there are none.</summary>
    public static string? FindSame(ParseResult parsed)
    {
        var files = parsed.CommandResult.Children.OfType<OptionResult>()
            .Where(o => o.Tokens is [{ Value.Length: > 0 }] && (s_written.Contains(o.Option.Name) || s_read.Contains(o.Option.Name)))
            .Select(static o => (o.Option.Name, File: o.Tokens[0].Value)).ToArray();
        foreach (var (name, file) in files.Where(static f => s_written.Contains(f.Name)))
        {
            if (files.FirstOrDefault(other => other.Name != name && IsSame(other.File, file)) is { Name: { } also })
                return $"{name} is '{file}', and {also} is the same file. Give {name} a file of its own.";
        }
        return null;
    }

    private static bool IsSame(string one, string other)
    {
        try
        {
            return Path.GetFullPath(one) == Path.GetFullPath(other);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
