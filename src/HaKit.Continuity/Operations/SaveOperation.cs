using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Saves a file or folder. The first save is complete; later saves store only changed content.</summary>
internal static class SaveOperation
{
    /// <summary>
    /// Saves, and returns the snapshot with the destinations that have it. These may be too few (<see cref="ThrowIfIncomplete"/>), because a destination can fail
    /// after another destination has got the manifest.
    /// </summary>
    /// <exception cref="VaultException">Too few destinations could be used before the manifest was written, or the source cannot be read.</exception>
    public static async Task<VaultSnapshot> RunAsync(VaultSession session, string path, VaultSaveOptions options, long lastKnown, CancellationToken token)
    {
        ChunkWriter.ThrowIfTooFew(session, options.Copies);
        await using var scope = await WriteScope.BeginAsync(session, token);
        ChunkWriter.ThrowIfTooFew(session, options.Copies);
        var source = Path.GetFullPath(path);
        SnapshotManifest? previous = null;
        var earlier = await session.ReadSnapshotsAsync([], token, seen: m => previous = m.Source == source && m.Number > (previous?.Number ?? 0) ? m : previous);
        var newest = earlier.LastOrDefault();

        var chunks = new ChunkWriter(session, scope, options.Copies, token);
        var entries = await ReadEntriesAsync(session, source, options.Rehash ? null : previous, chunks, token);
        await chunks.FinishAsync();
        try
        {
            await CompleteAsync(session, scope, chunks.Chunks, token);
        }
        catch (VaultObjectException) when (!options.Rehash)
        {
            // No destination has a good copy of a chunk of an earlier snapshot, but the files have the chunk's content.
            await DeleteDamagedAsync(session, scope, chunks.Chunks, token);
            return await RunAsync(session, path, options with { Rehash = true }, lastKnown, token);
        }
        ChunkWriter.ThrowIfTooFew(session, options.Copies);

        var manifest = new SnapshotManifest
        {
            Number = Math.Max(newest?.Snapshot.Number ?? 0, lastKnown) + 1,
            Previous = newest?.Id,
            Check = session.Check,
            Source = source,
            SavedAt = session.Time.GetUtcNow(),
            Chunks = chunks.Chunks,
            Entries = entries,
        };
        var (id, name, sealedBytes) = session.SealManifest(manifest);
        // The manifest is written last, so that a destination lists a snapshot only if it has all of the snapshot's chunks.
        await session.OnEachAsync(async view => await session.Store.PutAsync(view.Name, name, sealedBytes, token), token);
        await session.OnEachAsync(view => ThrowIfNotKeptAsync(session, view, name, chunks.Chunks, token), token);
        session.ReportEnd();
        return VaultSnapshot.From(id, manifest) with
        {
            Destinations = [.. session.Usable.Select(v => v.Name)],
            ChunksSent = chunks.ChunksSent,
            BytesSent = chunks.BytesSent,
            Missed = session.Views.Where(v => !v.IsUsable).ToDictionary(v => v.Name, v => v.Failure!),
        };
    }

    /// <summary>Ends a save after which too few destinations have the snapshot, or the state file could not be written.</summary>
    /// <exception cref="VaultException">
    /// The message contains the destinations that have the snapshot, the reason for each other destination if they are too few, and the problem of the state
    /// file.
    /// </exception>
    public static void ThrowIfIncomplete(VaultSnapshot saved, int copies, VaultException? notRemembered)
    {
        var (have, reasons) = (saved.Destinations, string.Join("; ", saved.Missed.Select(static m => $"'{m.Key}': {m.Value}")));
        var places = $"Snapshot {saved.Number} is on {ChunkWriter.Count(have.Count)} ('{string.Join("', '", have)}')";
        if (have.Count == 0)
            throw new VaultException($"The snapshot was not saved: {ChunkWriter.Count(copies)} must have it, and none confirmed that it has it. {reasons}.");
        if (have.Count < copies)
        {
            throw new VaultException(
                $"{places}, and {copies} must have it. It is complete there and can be restored. The others did not confirm that they have it. {reasons}. A sync copies it to them.{(notRemembered is null ? "" : " " + notRemembered.Message)}",
                notRemembered);
        }
        if (notRemembered is not null)
            throw new VaultException($"{places}, but this machine does not remember it. {notRemembered.Message}", notRemembered);
    }

    // A destination that accepts objects but does not keep them has no copy, so it must not list the snapshot.
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
        var previousChunks = previous?.Chunks ?? [];
        var held = session.Usable.SelectMany(v => v.Chunks.Keys).ToHashSet();
        var root = File.Exists(source) ? Path.GetDirectoryName(source)! : source;
        var (entries, gone) = (ReadTree(source), new HashSet<ManifestEntry>(ReferenceEqualityComparer.Instance));
        var (done, total) = (0L, entries.Sum(static e => e.Size));
        foreach (var entry in entries.Where(static e => !e.IsFolder && e.Link is null))
        {
            token.ThrowIfCancellationRequested();
            session.Report(done, total);
            done += entry.Size;
            if (before.GetValueOrDefault(entry.Path) is { } old && IsUnchanged(entry, old) && Chunks(old).All(held.Contains))
                entry.Extents = TakenOver(old);
            else if (!await ReadFileAsync(Path.Combine(root, entry.Path), entry, chunks))
                gone.Add(entry);
        }
        entries.RemoveAll(gone.Contains);
        return entries;

        IEnumerable<ObjectId> Chunks(ManifestEntry entry) => entry.Extents.Where((_, i) => i % 3 == 0).Select(i => previousChunks[i]);

        List<int> TakenOver(ManifestEntry entry) => [.. entry.Extents.Select((value, i) => i % 3 == 0 ? chunks.IndexOf(previousChunks[value]) : value)];
    }

    private static bool IsUnchanged(ManifestEntry now, ManifestEntry before) =>
        (now.Size, now.Modified, now.Changed, now.Inode) == (before.Size, before.Modified, before.Changed, before.Inode);

    // If a file changes while it is read, the read content is saved, and the next save reads the file again. Returns false if the file was deleted after its
    // folder was listed.
    private static async ValueTask<bool> ReadFileAsync(string file, ManifestEntry entry, ChunkWriter chunks)
    {
        try
        {
            using var content = UnixFiles.OpenForReading(file);
            var (extents, size) = await chunks.AddAsync(content, entry.Size);
            var isSteady = size == entry.Size && File.GetLastWriteTimeUtc(content).Ticks == entry.Modified;
            (entry.Extents, entry.Size, entry.Modified) = (extents, size, isSteady ? entry.Modified : entry.Modified - 1);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, e);
        }
    }

    private static List<ManifestEntry> ReadTree(string source)
    {
        try
        {
            return SourceTree.Entries(source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(source, e);
        }
    }

    private static VaultException Unreadable(string path, Exception e) => new($"Nothing was saved, because '{path}' cannot be read: {e.Message}", e);

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

    // The repeated save writes a chunk only to destinations that do not list it, so a damaged copy would stay and the destination could not restore the snapshot.
    private static async Task DeleteDamagedAsync(VaultSession session, WriteScope scope, IReadOnlyList<ObjectId> chunks, CancellationToken token)
    {
        foreach (var id in chunks.Where(c => !session.Usable.All(v => v.Chunks.ContainsKey(c))))
        {
            await scope.RenewAsync(token);
            await session.OnEachAsync(
                async view =>
                {
                    if (!view.Chunks.ContainsKey(id) || await session.IsGoodAsync(view, view.NameOf(ObjectName.ChunkKind, id), id, token) != false)
                        return;
                    await session.Store.DeleteAsync(view.Name, view.NameOf(ObjectName.ChunkKind, id), token);
                    view.Chunks.Remove(id);
                },
                token);
        }
    }
}
