using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Saves a file or folder: the first time whole, then what changed.</summary>
internal static class SaveOperation
{
    private static readonly FileStreamOptions s_reading = new()
    {
        Access = FileAccess.Read,
        Share = FileShare.ReadWrite | FileShare.Delete,
        Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
        BufferSize = 0,
    };

    public static async Task<VaultSnapshot> RunAsync(VaultSession session, string path, VaultSaveOptions options, long lastKnown, CancellationToken token)
    {
        ChunkWriter.ThrowIfTooFew(session, options.Copies);
        await using var scope = await WriteScope.BeginAsync(session, token);
        ChunkWriter.ThrowIfTooFew(session, options.Copies);
        var unreadable = new List<string>();
        var earlier = await session.ReadManifestsAsync(unreadable, token);
        var source = Path.GetFullPath(path);
        var newest = earlier.Count == 0 ? default : earlier[^1];
        var previous = earlier.LastOrDefault(m => m.Manifest.Source == source).Manifest;

        var chunks = new ChunkWriter(session, scope, options.Copies, token);
        var entries = await ReadEntriesAsync(session, source, options.Rehash ? null : previous, chunks, token);
        await chunks.FinishAsync();
        await CompleteAsync(session, scope, chunks.Chunks, token);
        ChunkWriter.ThrowIfTooFew(session, options.Copies);

        var manifest = new SnapshotManifest
        {
            Number = Math.Max(newest.Manifest?.Number ?? 0, lastKnown) + 1,
            Previous = newest.Manifest is null ? null : newest.Id.ToString(),
            Source = source,
            SavedAt = session.Time.GetUtcNow(),
            Chunks = [.. chunks.Chunks.Select(c => c.ToString())],
            Entries = entries,
        };
        var content = manifest.ToBytes();
        var id = session.IdOf(ObjectName.SnapshotKind, content);
        var name = session.NameOf(ObjectName.SnapshotKind, id);
        var sealedBytes = session.Sealer.Seal(name, content);
        // The manifest comes last: a snapshot is listed only where all that it needs is stored.
        await session.OnEachAsync(async view => await session.Store.PutAsync(view.Name, name, sealedBytes, token), token);
        await session.OnEachAsync(view => ThrowIfNotKeptAsync(session, view, name, chunks.Chunks, token), token);
        ChunkWriter.ThrowIfTooFew(session, options.Copies);
        return VaultSnapshot.From(id, manifest) with
        {
            Destinations = [.. session.Usable.Select(v => v.Name)],
            ChunksSent = chunks.ChunksSent,
            BytesSent = chunks.BytesSent,
            Missed = session.Views.Where(v => !v.IsUsable).ToDictionary(v => v.Name, v => v.Failure!),
        };
    }

    // A destination that takes what it does not keep has no copy, and lists no snapshot.
    private static async Task ThrowIfNotKeptAsync(VaultSession session, DestinationView view, ObjectName manifest, IReadOnlyList<ObjectId> chunks, CancellationToken token)
    {
        var listed = new DestinationView(view.Name);
        listed.Fill(await session.Store.ListAsync(view.Name, "", token));
        var lost = chunks.FirstOrDefault(c => !listed.Chunks.ContainsKey(c));
        if (lost != default || !(ObjectId.TryParse(manifest.Id, out var id) && listed.Snapshots.ContainsKey(id)))
        {
            await session.Store.DeleteAsync(view.Name, manifest, token);
            throw new IOException($"it does not list '{(lost != default ? $"c/{lost}" : manifest)}', which it accepted");
        }
    }

    private static async Task<List<ManifestEntry>> ReadEntriesAsync(
        VaultSession session, string source, SnapshotManifest? previous, ChunkWriter chunks, CancellationToken token)
    {
        var before = previous?.Entries.Where(e => !e.IsFolder && e.Link is null).ToDictionary(e => e.Path) ?? [];
        var previousChunks = previous?.Chunks.Select(c => ObjectId.TryParse(c, out var id) ? id : default).ToArray() ?? [];
        var held = session.Usable.SelectMany(v => v.Chunks.Keys).ToHashSet();
        var entries = new List<ManifestEntry>();
        var tree = ReadSource(source, () => SourceTree.Entries(source));
        var (done, total) = (0L, tree.Sum(static e => e.Size));
        foreach (var found in tree)
        {
            token.ThrowIfCancellationRequested();
            session.Report(done, total);
            done += found.Size;
            if (found.IsFolder || found.Link is not null)
                entries.Add(found);
            else if (before.GetValueOrDefault(found.Path) is { } old && IsUnchanged(found, old) && Chunks(old).All(held.Contains))
                entries.Add(found with { Extents = TakenOver(old) });
            else if (await ReadFileAsync(SourceTree.PathOf(source, found.Path), found, chunks, token) is { } read)
                entries.Add(read);
        }
        return entries;

        IEnumerable<ObjectId> Chunks(ManifestEntry entry) => entry.Extents.Where((_, i) => i % 3 == 0).Select(i => previousChunks[i]);

        List<int> TakenOver(ManifestEntry entry) => [.. entry.Extents.Select((value, i) => i % 3 == 0 ? chunks.IndexOf(previousChunks[value]) : value)];
    }

    private static bool IsUnchanged(ManifestEntry now, ManifestEntry before) =>
        (now.Size, now.Modified, now.Changed, now.Inode) == (before.Size, before.Modified, before.Changed, before.Inode);

    // A file that changes while it is read is saved as it was read, and is read again the next time. Null: it was deleted after its folder was listed.
    private static async Task<ManifestEntry?> ReadFileAsync(string file, ManifestEntry found, ChunkWriter chunks, CancellationToken token)
    {
        await using var content = ReadSource(file, () => File.Exists(file) ? new FileStream(file, s_reading) : null);
        if (content is null)
            return null;
        var (extents, size) = await chunks.AddAsync(content);
        var isSteady = size == found.Size && new FileInfo(file) is { Exists: true } after && after.LastWriteTimeUtc.Ticks == found.Modified;
        return found with { Size = size, Extents = extents, Modified = isSteady ? found.Modified : found.Modified - 1 };
    }

    private static T ReadSource<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VaultException($"Nothing was saved, because '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Copies to each destination the chunks that the snapshot uses and that only another destination has.</summary>
    public static async Task CompleteAsync(VaultSession session, WriteScope scope, IReadOnlyList<ObjectId> chunks, CancellationToken token)
    {
        foreach (var id in chunks)
        {
            if (session.Usable.All(v => v.Chunks.ContainsKey(id)))
                continue;
            await scope.RenewAsync(token);
            var name = session.NameOf(ObjectName.ChunkKind, id);
            var sealedBytes = session.Sealer.Seal(name, await session.ReadAsync(ObjectName.ChunkKind, id, token));
            await session.OnEachAsync(
                async view =>
                {
                    if (view.Chunks.ContainsKey(id))
                        return;
                    await session.Store.PutAsync(view.Name, name, sealedBytes, token);
                    view.Chunks[id] = name.Key;
                },
                token);
        }
    }
}
