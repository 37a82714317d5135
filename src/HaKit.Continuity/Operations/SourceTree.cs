using System.IO.Enumeration;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Reads everything below a source, in the order of names. Links are stored as links and not followed; sockets, pipes and devices are left out.
/// </summary>
internal static class SourceTree
{
    private static readonly EnumerationOptions s_all = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    public static List<ManifestEntry> Entries(string source)
    {
        var entries = new List<ManifestEntry>();
        // A link would be saved as a link, without the content to which it leads.
        if (File.Exists(source) && new FileInfo(source).LinkTarget is { } link)
            throw new VaultException($"'{source}' is a link to '{link}', and a snapshot of a link has no content. Save the file to which it leads, or the folder.");
        if (File.Exists(source))
            entries.AddRange(EntriesOf(Path.GetDirectoryName(source)!, "", Path.GetFileName(source)));
        else if (Directory.Exists(source))
            AddEntries(source, "", entries);
        else
            throw new VaultException($"There is nothing to save at '{source}'. Give the path of a file or folder that exists.");
        return entries;
    }

    private static void AddEntries(string folder, string prefix, List<ManifestEntry> entries)
    {
        // Some file systems list a name twice if it is replaced during the listing. The last entry of a name counts.
        foreach (var entry in EntriesOf(folder, prefix, null).GroupBy(static e => e.Path, StringComparer.Ordinal).Select(static g => g.Last()).OrderBy(static e => e.Path, StringComparer.Ordinal))
        {
            entries.Add(entry);
            try
            {
                if (entry.IsFolder)
                    AddEntries(Path.Combine(folder, entry.Path[prefix.Length..]), $"{entry.Path}/", entries);
            }
            catch (DirectoryNotFoundException)
            {
                // The folder was deleted after its parent folder was listed.
            }
        }
    }

    // The enumeration creates no FileInfo object for a file, so that a source with many files needs little memory.
    private static List<ManifestEntry> EntriesOf(string folder, string prefix, string? only) =>
    [
        .. new FileSystemEnumerable<ManifestEntry?>(folder, (ref FileSystemEntry found) => EntryOf(ref found, prefix), s_all)
        {
            ShouldIncludePredicate = (ref FileSystemEntry found) => only is null || found.FileName.Equals(only, OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase),
        }.OfType<ManifestEntry>(),
    ];

    private static ManifestEntry? EntryOf(ref FileSystemEntry found, string prefix)
    {
        var path = found.ToFullPath();
        if (found.FileName.Contains('\uFFFD') && !Path.Exists(path))
            throw new VaultException($"'{path}' cannot be saved: its name is not UTF-8. Rename it.");
        try
        {
            var link = (found.Attributes & FileAttributes.ReparsePoint) != 0 ? found.ToFileSystemInfo().LinkTarget : null;
            var isFolder = link is null && found.IsDirectory;
            var (isRegular, changed, inode) = link is null && !isFolder ? UnixFiles.StatOf(path) : (true, 0, 0);
            return !isRegular ? null : new ManifestEntry
            {
                Path = string.Concat(prefix, found.FileName),
                Link = link,
                IsFolder = isFolder,
                Size = isFolder || link is not null ? 0 : found.Length,
                Modified = found.LastWriteTimeUtc.UtcTicks,
                Changed = changed,
                Inode = inode,
                Mode = OperatingSystem.IsWindows() || link is not null ? 0 : (int)File.GetUnixFileMode(path),
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // the file was deleted after its folder was listed
        }
    }
}
