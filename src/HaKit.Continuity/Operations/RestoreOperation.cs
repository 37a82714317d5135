using System.Security.Cryptography;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Restores a snapshot, or one path of it, to a temporary folder beside the target, and renames this folder when it is complete.</summary>
internal static class RestoreOperation
{
    // A few chunks in memory are enough, because packed files are stored in a chunk in their order.
    private const int CachedChunks = 8;

    private const string Partial = ".partial-";
    private const string Old = ".old";

    /// <exception cref="VaultException">The target exists, a name is not safe, or a chunk cannot be read. The target is not changed.</exception>
    public static async Task<VaultRestoreReport> RunAsync(VaultSession session, ObjectId id, string target, string? onlyPath, bool replaces, CancellationToken token)
    {
        var began = session.Time.GetTimestamp();
        var manifest = await session.ReadManifestAsync(id, token);
        var entries = manifest.Entries.Where(e => onlyPath is null || e.Path == onlyPath || e.Path.StartsWith(onlyPath.TrimEnd('/') + "/", StringComparison.Ordinal)).ToList();
        if (entries.Count == 0 && onlyPath is not null)
            throw new VaultException($"Snapshot {manifest.Number} has no path '{onlyPath}'. Give a path as the snapshot has it, relative to the saved folder, or none for everything.");
        SafePaths.ThrowIfUnsafe(entries);
        target = Path.GetFullPath(target);
        if (!replaces && (File.Exists(target) || Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            throw new VaultException($"The target '{target}' exists. Restore to a new path, or move the old one away.");
        if (!replaces && Directory.Exists(target) && DriveInfo.GetDrives().Any(drive => Path.TrimEndingDirectorySeparator(drive.RootDirectory.FullName) == Path.TrimEndingDirectorySeparator(target)))
            throw new VaultException($"The target '{target}' is the root of a mounted disk, which cannot be replaced. Restore to a new folder in it.");
        var partial = $"{target}{Partial}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        try
        {
            var bytes = await WriteAsync(session, manifest, entries, partial, token);
            PutInPlace(partial, target, replaces);
            UnixFiles.FlushFolder(Path.GetDirectoryName(target)!);
            session.ReportEnd();
            return new VaultRestoreReport(VaultSnapshot.From(id, manifest), entries.Count(e => !e.IsFolder), bytes, session.Time.GetElapsedTime(began));
        }
        catch
        {
            UnixFiles.DeleteFolder(partial);
            throw;
        }
    }

    /// <summary>
    /// Cleans up after processes that were killed while they restored to this target. If the target is missing, because the process was killed between the two
    /// renames, its earlier content gets its name back. The other temporary folders are deleted.
    /// </summary>
    public static void RecoverTarget(string target)
    {
        target = Path.GetFullPath(target);
        var rests = RestsOf(target);
        if (!Path.Exists(target) && rests.Where(static r => r.EndsWith(Old, StringComparison.Ordinal)).MaxBy(Directory.GetLastWriteTimeUtc) is { } earlier)
            Directory.Move(earlier, target);
        foreach (var rest in rests.Where(Directory.Exists))
            UnixFiles.DeleteFolder(rest);
    }

    // Gets only folders with the names that a restore gives, because the name of a user's folder may begin in the same way.
    private static List<string> RestsOf(string target)
    {
        if (Path.GetDirectoryName(target) is not { } parent || !Directory.Exists(parent))
            return [];
        var beginning = Path.GetFileName(target) + Partial;
        return [.. Directory.EnumerateDirectories(parent, beginning + "*").Where(IsRest)];

        bool IsRest(string folder)
        {
            var ending = Path.GetFileName(folder)[beginning.Length..];
            if (ending.EndsWith(Old, StringComparison.Ordinal))
                ending = ending[..^Old.Length];
            return ending.Length == 8 && ending.All(char.IsAsciiHexDigitLower);
        }
    }

    private static void PutInPlace(string partial, string target, bool replaces)
    {
        var old = partial + Old;
        var isReplaced = replaces && Directory.Exists(target);
        try
        {
            if (isReplaced)
                Directory.Move(target, old);
            else if (Directory.Exists(target))
                Directory.Delete(target); // fails if something has come into the folder during the restore
            Directory.Move(partial, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (isReplaced && !Directory.Exists(target) && Directory.Exists(old))
                Directory.Move(old, target);
            throw new VaultException($"The restored files could not be put in the place of '{target}': {e.Message} The target is as it was. If another program uses the folder, stop it, or restore to a new path.", e);
        }
        UnixFiles.DeleteFolder(old);
    }

    private static async Task<long> WriteAsync(VaultSession session, SnapshotManifest manifest, List<ManifestEntry> entries, string folder, CancellationToken token)
    {
        UnixFiles.CreateFolder(folder);
        var cache = new Dictionary<int, byte[]>();
        var order = new Queue<int>();
        var (total, all) = (0L, entries.Sum(static e => e.Size));
        foreach (var entry in entries)
        {
            var path = Path.Combine(folder, entry.Path.Replace('/', Path.DirectorySeparatorChar));
            Directory.CreateDirectory(entry.IsFolder ? path : Path.GetDirectoryName(path)!);
            if (entry.Link is not null)
                File.CreateSymbolicLink(path, entry.Link);
            else if (!entry.IsFolder)
                session.Report(total += await WriteFileAsync(path, entry), all);
        }
        // Times and permissions of folders are set last, because writing into a folder changes its time and may need other permissions.
        foreach (var entry in Enumerable.Reverse(entries).Where(e => e.IsFolder))
            Finish(Path.Combine(folder, entry.Path.Replace('/', Path.DirectorySeparatorChar)), entry);
        return total;

        async Task<long> WriteFileAsync(string path, ManifestEntry entry)
        {
            await using (var file = new FileStream(path, UnixFiles.NewPrivateFile()))
            {
                for (var i = 0; i + 2 < entry.Extents.Count; i += 3)
                {
                    var chunk = await ChunkAsync(entry.Extents[i]);
                    var (offset, length) = (entry.Extents[i + 1], entry.Extents[i + 2]);
                    if (offset < 0 || length < 0 || offset > chunk.Length - length)
                        throw new VaultException($"Snapshot {manifest.Number} places '{entry.Path}' outside its chunk.");
                    await file.WriteAsync(chunk.AsMemory(offset, length), token);
                }
                if (file.Length != entry.Size)
                    throw new VaultException($"Snapshot {manifest.Number}: '{entry.Path}' has {file.Length} bytes and should have {entry.Size}.");
                file.Flush(flushToDisk: true);
            }
            Finish(path, entry);
            return entry.Size;
        }

        async Task<byte[]> ChunkAsync(int index)
        {
            if (cache.TryGetValue(index, out var chunk))
                return chunk;
            if (index < 0 || index >= manifest.Chunks.Count)
                throw new VaultException($"Snapshot {manifest.Number} names a chunk that it does not list.");
            try
            {
                chunk = await session.ReadAsync(ObjectName.ChunkKind, manifest.Chunks[index], token);
            }
            catch (VaultObjectException e) when (e.IsPerhapsRenamed)
            {
                // The objects are listed again, because a rekey at the same time changes their names.
                await session.ListAgainAsync(token);
                chunk = await session.ReadAsync(ObjectName.ChunkKind, manifest.Chunks[index], token);
            }
            if (order.Count == CachedChunks)
                cache.Remove(order.Dequeue());
            order.Enqueue(index);
            return cache[index] = chunk;
        }
    }

    private static void Finish(string path, ManifestEntry entry)
    {
        if (!OperatingSystem.IsWindows() && entry.Mode != 0)
            File.SetUnixFileMode(path, (UnixFileMode)entry.Mode & (UnixFileMode)0x1FF);
        var modified = new DateTime(entry.Modified, DateTimeKind.Utc);
        if (entry.IsFolder)
            Directory.SetLastWriteTimeUtc(path, modified);
        else
            File.SetLastWriteTimeUtc(path, modified);
    }
}
