using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Reads what stands under a source, in the order of names; links are taken as links and not followed. Sockets, pipes and devices are left out.</summary>
internal static class SourceTree
{
    public static List<ManifestEntry> Entries(string source)
    {
        if (File.Exists(source))
            return [EntryOf(new FileInfo(source), Path.GetFileName(source))];
        if (!Directory.Exists(source))
            throw new VaultException($"There is nothing to save at '{source}'.");
        var entries = new List<ManifestEntry>();
        AddEntries(new DirectoryInfo(source), "", entries);
        return entries;
    }

    /// <summary>The path of an entry on this machine; a source that is a file is its only entry.</summary>
    public static string PathOf(string source, string entry) =>
        File.Exists(source) ? source : Path.Combine(source, entry.Replace('/', Path.DirectorySeparatorChar));

    private static void AddEntries(DirectoryInfo folder, string prefix, List<ManifestEntry> entries)
    {
        foreach (var found in folder.EnumerateFileSystemInfos().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (found.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(found.FullName))
                throw new VaultException($"'{found.FullName}' cannot be saved: its name is not UTF-8. Rename it.");
            try
            {
                if (IsSpecial(found))
                    continue;
                entries.Add(EntryOf(found, prefix + found.Name));
                if (found is DirectoryInfo { LinkTarget: null } inner)
                    AddEntries(inner, $"{prefix}{found.Name}/", entries);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // It was deleted after its folder was listed.
            }
        }
    }

    private static bool IsSpecial(FileSystemInfo found) =>
        found is FileInfo { LinkTarget: null } && ((found.Attributes & FileAttributes.Device) != 0 || !OperatingSystem.IsWindows() && !UnixFiles.IsRegular(found.FullName));

    private static ManifestEntry EntryOf(FileSystemInfo found, string path)
    {
        var isFile = found is FileInfo && found.LinkTarget is null;
        var (changed, inode) = isFile ? UnixFiles.IdentityOf(found.FullName) : default;
        return new ManifestEntry
        {
            Path = path,
            Link = found.LinkTarget,
            IsFolder = found is DirectoryInfo && found.LinkTarget is null,
            Size = isFile ? ((FileInfo)found).Length : 0,
            Modified = found.LastWriteTimeUtc.Ticks,
            Changed = changed,
            Inode = inode,
            Mode = OperatingSystem.IsWindows() || found.LinkTarget is not null ? 0 : (int)found.UnixFileMode,
        };
    }
}
