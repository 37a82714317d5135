using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Deletes old snapshots and, after the grace period, the chunks that no snapshot uses. A chunk is deleted only if it was marked a grace period ago, no
/// listed snapshot uses it, and no save is in progress.
/// </summary>
internal static class PruneOperation
{
    public static async Task<VaultPruneReport> RunAsync(VaultSession session, VaultPruneOptions keep, VaultOptions options, CancellationToken token)
    {
        var unreadable = new List<string>();
        var snapshots = await session.ReadSnapshotsAsync(unreadable, token);
        if (unreadable.Count > 0)
            throw new VaultException($"Nothing was pruned, because a snapshot cannot be read and what it needs is not known: {unreadable[0]} Run check.");
        var now = session.Time.GetUtcNow();
        var doomed = keep.KeepLast is null && keep.KeepDays is null ? [] : snapshots.Where((s, i) =>
            !(keep.KeepLast is { } last && snapshots.Count - i <= last) && !(keep.KeepDays is { } days && now - s.Snapshot.SavedAt < TimeSpan.FromDays(days))
            && i < snapshots.Count - 1).Select(s => s.Id).ToList();
        foreach (var id in doomed)
            await session.OnEachAsync(view => DeleteSnapshotAsync(session, view, id, token), token);

        // A destination may have the last good copy of a chunk whose snapshot only another destination lists.
        var kept = snapshots.Where(s => !doomed.Contains(s.Id)).ToDictionary(static s => s.Id, static s => s.Chunks);
        var deleted = 0;
        var marked = 0;
        var postponed = new List<string>();
        await session.OnEachAsync(
            async view =>
            {
                var used = await UsedAsync(session, view, kept, token);
                Interlocked.Add(ref deleted, await SweepAsync(session, view, kept, options.Grace, postponed, token));
                Interlocked.Add(ref marked, await MarkAsync(session, view, used, token));
                await ForgetAsync(session, view, options.TombstoneLife, token);
            },
            token);
        return new VaultPruneReport(doomed.Count, marked, deleted, [.. postponed, .. session.Views.Where(v => !v.IsUsable).Select(v => $"'{v.Name}': {v.Failure}")]);
    }

    private static async Task DeleteSnapshotAsync(VaultSession session, DestinationView view, ObjectId id, CancellationToken token)
    {
        var tombstone = session.NameOf(ObjectName.TombstoneKind, id);
        await session.Store.PutAsync(view.Name, tombstone, session.Sealer.Seal(tombstone, session.MarkerBytes([])), token);
        view.Tombstones[id] = tombstone.Key;
        if (view.Snapshots.Remove(id, out var key))
            await session.Store.DeleteAsync(view.Name, new ObjectName(ObjectName.SnapshotKind, id.ToString(), key), token);
    }

    // Finds the chunks of the snapshots that are kept, and of this destination's new snapshots, from a new list. If a snapshot cannot be read, everything is
    // kept.
    private static async Task<HashSet<ObjectId>> UsedAsync(VaultSession session, DestinationView view, Dictionary<ObjectId, IReadOnlyList<ObjectId>> kept, CancellationToken token)
    {
        var used = kept.Values.SelectMany(static c => c).ToHashSet();
        foreach (var listed in await session.Store.ListAsync(view.Name, $"{ObjectName.SnapshotKind}/", token))
        {
            if (!ObjectName.TryParse(listed, out var name) || !ObjectId.TryParse(name.Id, out var id))
                continue;
            view.Snapshots[id] = name.Key;
            if (!view.Tombstones.ContainsKey(id) && !kept.ContainsKey(id))
                used.UnionWith((await session.ReadManifestAsync(id, token)).Chunks);
        }
        return used;
    }

    private static async Task<int> MarkAsync(VaultSession session, DestinationView view, HashSet<ObjectId> used, CancellationToken token)
    {
        var known = new HashSet<ObjectId>();
        foreach (var mark in view.MarkersOf(ObjectName.MarkKind))
            known.UnionWith((await session.ReadMarkerAsync(view, mark, token))?.Chunks ?? []);
        var unused = view.Chunks.Keys.Where(c => !used.Contains(c) && !known.Contains(c)).ToList();
        if (unused.Count > 0)
            await session.WriteMarkerAsync(view, ObjectName.MarkKind, unused, token);
        return unused.Count;
    }

    private static async Task<int> SweepAsync(
        VaultSession session, DestinationView view, Dictionary<ObjectId, IReadOnlyList<ObjectId>> kept, TimeSpan grace, List<string> postponed, CancellationToken token)
    {
        var due = new List<(ObjectName Name, MarkerContent Content)>();
        foreach (var mark in view.MarkersOf(ObjectName.MarkKind))
        {
            if (await session.ReadMarkerAsync(view, mark, token) is { } content && session.Time.GetUtcNow() - content.At >= grace)
                due.Add((mark, content));
        }

        if (due.Count == 0)
            return 0;
        var sweep = await session.WriteMarkerAsync(view, ObjectName.SweepKind, [], token);
        try
        {
            var began = session.Time.GetTimestamp();
            if (await SaveIsUnderWayAsync(session, view, token))
            {
                lock (postponed)
                    postponed.Add($"'{view.Name}': a save is under way, so that chunks are deleted the next time");
                return 0;
            }
            var used = await UsedAsync(session, view, kept, token);
            var deleted = 0;
            foreach (var (name, content) in due)
            {
                foreach (var id in content.Chunks)
                {
                    if (session.Time.GetElapsedTime(began) > WriteScope.SweepLife / 2)
                        return deleted;
                    if (used.Contains(id) || !view.Chunks.TryGetValue(id, out var key))
                        continue;
                    await session.Store.DeleteAsync(view.Name, new ObjectName(ObjectName.ChunkKind, id.ToString(), key), token);
                    view.Chunks.Remove(id);
                    deleted++;
                }
                await session.Store.DeleteAsync(view.Name, name, token);
                view.Markers.Remove(name);
            }
            return deleted;
        }
        finally
        {
            await session.Store.DeleteAsync(view.Name, sweep, CancellationToken.None);
        }
    }

    private static async Task<bool> SaveIsUnderWayAsync(VaultSession session, DestinationView view, CancellationToken token)
    {
        foreach (var listed in await session.Store.ListAsync(view.Name, $"{ObjectName.IntentKind}/", token))
        {
            if (!ObjectName.TryParse(listed, out var name))
                continue;
            // An intent that cannot be read may be one that is being written.
            if (await session.ReadMarkerAsync(view, name, token) is not { } intent || session.Time.GetUtcNow() - intent.At < WriteScope.IntentLife)
                return true;
            await session.Store.DeleteAsync(view.Name, name, token);
        }
        return false;
    }

    private static async Task ForgetAsync(VaultSession session, DestinationView view, TimeSpan life, CancellationToken token)
    {
        // Removes announcements of processes that ended before they could remove them.
        foreach (var name in view.Markers.Where(m => m.Kind is ObjectName.IntentKind or ObjectName.SweepKind))
        {
            if (await session.ReadMarkerAsync(view, name, token) is { } marker && session.Time.GetUtcNow() - marker.At > WriteScope.IntentLife)
                await session.Store.DeleteAsync(view.Name, name, token);
        }

        foreach (var (id, key) in view.Tombstones.ToList())
        {
            var name = new ObjectName(ObjectName.TombstoneKind, id.ToString(), key);
            if (await session.ReadMarkerAsync(view, name, token) is { } tombstone && session.Time.GetUtcNow() - tombstone.At > life)
                await session.Store.DeleteAsync(view.Name, name, token);
        }
    }
}
