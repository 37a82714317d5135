using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Reads what stands under a source, in the order of names; links are taken as links and not followed. Sockets, pipes and devices are left out.</summary>
internal static class SourceTree
{
    public static IEnumerable<ManifestEntry> Entries(string source)
    {
        if (File.Exists(source))
            return [EntryOf(new FileInfo(source), Path.GetFileName(source))];
        if (!Directory.Exists(source))
            throw new VaultException($"There is nothing to save at '{source}'.");
        return ListEntries(new DirectoryInfo(source), "");
    }

    /// <summary>The path of an entry on this machine; a source that is a file is its only entry.</summary>
    public static string PathOf(string source, string entry) =>
        File.Exists(source) ? source : Path.Combine(source, entry.Replace('/', Path.DirectorySeparatorChar));

    private static IEnumerable<ManifestEntry> ListEntries(DirectoryInfo folder, string prefix)
    {
        foreach (var found in folder.EnumerateFileSystemInfos().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var path = prefix + found.Name;
            if (found.LinkTarget is null && found is FileInfo && (found.Attributes & FileAttributes.Device) != 0)
                continue;
            if (found.LinkTarget is null && found is FileInfo file && !IsRegular(file))
                continue;
            yield return EntryOf(found, path);
            if (found is DirectoryInfo { LinkTarget: null } inner)
            {
                foreach (var entry in ListEntries(inner, path + "/"))
                    yield return entry;
            }
        }
    }

    private static bool IsRegular(FileInfo file) => OperatingSystem.IsWindows() || UnixFiles.IsRegular(file.FullName);

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
