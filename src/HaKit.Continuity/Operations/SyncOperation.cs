using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Copies to each destination what another has. Deletions come first, so that a destination that was rolled back brings nothing back.</summary>
internal static class SyncOperation
{
    public static async Task<VaultSyncReport> RunAsync(VaultSession session, CancellationToken token)
    {
        await using var scope = await WriteScope.BeginAsync(session, token);
        var (deleted, copiedChunks, copiedSnapshots) = (0, 0, 0);
        var tombstones = session.Usable.SelectMany(v => v.Tombstones).GroupBy(t => t.Key).ToDictionary(g => g.Key, g => g.First().Value);
        foreach (var (id, _) in tombstones)
        {
            await session.OnEachAsync(
                async view =>
                {
                    if (!view.Tombstones.ContainsKey(id))
                        await CopyAsync(session, view, ObjectName.TombstoneKind, id, token);
                    if (!view.Snapshots.Remove(id, out var key))
                        return;
                    await session.Store.DeleteAsync(view.Name, new ObjectName(ObjectName.SnapshotKind, id.ToString(), key), token);
                    Interlocked.Increment(ref deleted);
                },
                token);
        }

        var unreadable = new List<string>();
        var good = session.Views.ToDictionary(static v => v, static _ => new HashSet<ObjectId>());
        var snapshots = await session.ReadSnapshotsAsync(unreadable, token);
        for (var i = 0; i < snapshots.Count; i++)
        {
            session.Report(i, snapshots.Count);
            await scope.RenewAsync(token);
            foreach (var view in session.Usable.ToList())
                await VaultSession.TryAsync(view, async v => await CompleteAsync(v, snapshots[i]), token);
        }
        return new VaultSyncReport(
            copiedSnapshots, copiedChunks, deleted,
            [.. session.Views.Where(v => !v.IsUsable).Select(v => $"'{v.Name}': {v.Failure}"), .. unreadable]);

        async Task CompleteAsync(DestinationView view, ListedSnapshot snapshot)
        {
            // Snapshots share chunks: each chunk is read once.
            foreach (var chunk in snapshot.Chunks.Where(good[view].Add))
            {
                if (await IsKeptAsync(view, ObjectName.ChunkKind, chunk, view.Chunks))
                    continue;
                await ReplaceAsync(view, ObjectName.ChunkKind, chunk, view.Chunks);
                copiedChunks++;
            }
            if (await IsKeptAsync(view, ObjectName.SnapshotKind, snapshot.Id, view.Snapshots))
                return;
            await ReplaceAsync(view, ObjectName.SnapshotKind, snapshot.Id, view.Snapshots);
            copiedSnapshots++;
        }

        // A copy of a newer format, or under a key that is not available, is not touched.
        async Task<bool> IsKeptAsync(DestinationView view, char kind, ObjectId id, Dictionary<ObjectId, uint> held)
        {
            if (!held.TryGetValue(id, out var key))
                return false;
            var name = new ObjectName(kind, id.ToString(), key);
            var isGood = await session.IsGoodAsync(view, name, id, token);
            if (isGood is null)
                unreadable.Add($"'{view.Name}': '{name}' is of a newer format, or sealed by a key that is not at hand, and was left alone.");
            return isGood ?? true;
        }

        // A damaged copy has the name that the good copy needs.
        async Task ReplaceAsync(DestinationView view, char kind, ObjectId id, Dictionary<ObjectId, uint> held)
        {
            if (held.Remove(id, out var key))
            {
                var content = await session.ReadAsync(kind, id, token);
                await session.Store.DeleteAsync(view.Name, new ObjectName(kind, id.ToString(), key), token);
                await PutAsync(session, view, kind, id, content, token);
            }
            else
            {
                await CopyAsync(session, view, kind, id, token);
            }

            held[id] = session.Sealer.Keys.Active;
        }
    }

    private static async Task CopyAsync(VaultSession session, DestinationView view, char kind, ObjectId id, CancellationToken token) =>
        await PutAsync(session, view, kind, id, await session.ReadAsync(kind, id, token), token);

    private static async Task PutAsync(VaultSession session, DestinationView view, char kind, ObjectId id, byte[] content, CancellationToken token)
    {
        var name = session.NameOf(kind, id);
        await session.Store.PutAsync(view.Name, name, session.Sealer.Seal(name, content), token);
    }
}
