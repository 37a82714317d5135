using System.Text;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Finds names that a restore must not create. Pure.</summary>
internal static class SafePaths
{
    private const int LongestName = 255;

    private static readonly string[] s_devices =
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. Enumerable.Range(0, 10).SelectMany(i => new[] { $"COM{i}", $"LPT{i}" })];

    /// <summary>
    /// Throws, before the first file is written, if a name or link of the snapshot leads out of the target, or if this system cannot store it.
    /// </summary>
    /// <exception cref="VaultException">The message names the path.</exception>
    public static void ThrowIfUnsafe(IReadOnlyList<ManifestEntry> entries) => ThrowIfUnsafe(entries, OperatingSystem.IsWindows(), OperatingSystem.IsWindows() || OperatingSystem.IsMacOS());

    internal static void ThrowIfUnsafe(IReadOnlyList<ManifestEntry> entries, bool isWindows, bool ignoresCase)
    {
        var comparer = ignoresCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var seen = new HashSet<string>(comparer);
        var links = entries.Where(e => e.Link is not null).Select(e => e.Path).ToHashSet(comparer);
        var files = entries.Where(e => !e.IsFolder).Select(e => e.Path).ToHashSet(comparer);
        foreach (var entry in entries)
        {
            if (PathFault(entry.Path, isWindows) is { } fault)
                throw new VaultException($"The path '{entry.Path}' is refused: {fault}.");
            if (!seen.Add(entry.Path))
                throw new VaultException($"The path '{entry.Path}' is refused: another path of the snapshot has the same name on this system.");
            for (var slash = entry.Path.IndexOf('/'); slash >= 0; slash = entry.Path.IndexOf('/', slash + 1))
            {
                if (files.Contains(entry.Path[..slash]))
                    throw new VaultException($"The path '{entry.Path}' is refused: it leads through '{entry.Path[..slash]}', which is {(links.Contains(entry.Path[..slash]) ? "a link" : "a file")}.");
            }

            if (entry.Link is { } link && LeavesTarget(entry.Path, link, links))
                throw new VaultException($"The link '{entry.Path}' is refused: it leads out of the restored folder.");
        }
    }

    private static string? PathFault(string path, bool isWindows)
    {
        if (path.Length == 0 || path[0] == '/' || path.Contains('\0', StringComparison.Ordinal))
            return "it is empty or absolute";
        foreach (var part in path.Split('/'))
        {
            if (part is "" or "." or "..")
                return "it has an empty part, '.' or '..'";
            if ((isWindows ? part.Length : Encoding.UTF8.GetByteCount(part)) > LongestName)
                return $"the name '{part}' is longer than a file system takes";
            if (isWindows && WindowsFault(part))
                return $"Windows cannot hold the name '{part}'";
        }
        return null;
    }

    private static bool WindowsFault(string part) =>
        part.Any(c => c < 32 || "\\:*?\"<>|".Contains(c, StringComparison.Ordinal)) || part[^1] is '.' or ' '
        || s_devices.Contains(part.Split('.')[0].TrimEnd(), StringComparer.OrdinalIgnoreCase);

    // If '..' follows another link of the snapshot, the path on the disk differs from the path in the text.
    private static bool LeavesTarget(string path, string link, HashSet<string> links)
    {
        if (Path.IsPathRooted(link) || link.Length == 0 || link[0] is '/' or '\\' || link.Length > 1 && link[1] == ':')
            return true;
        var at = path.Split('/')[..^1].ToList();
        foreach (var part in link.Split('/', '\\').Where(static p => p is not ("" or ".")))
        {
            if (part != "..")
                at.Add(part);
            else if (at.Count == 0 || links.Contains(string.Join('/', at)))
                return true;
            else
                at.RemoveAt(at.Count - 1);
        }
        return false;
    }
}
