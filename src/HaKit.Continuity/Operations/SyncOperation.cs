using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Copies to each destination the objects that only other destinations have. The tombstones of deleted snapshots are copied first, so that a destination that was
/// rolled back to an earlier state does not bring deleted snapshots back.
/// </summary>
internal sealed class SyncOperation
{
    private readonly VaultSession _session;
    private readonly CancellationToken _token;
    private readonly Dictionary<DestinationView, HashSet<ObjectId>> _looked;
    private readonly HashSet<ObjectId> _lost = [];
    private readonly List<string> _problems = [];
    private int _deleted;
    private int _chunks;
    private int _snapshots;

    private SyncOperation(VaultSession session, CancellationToken token)
    {
        (_session, _token) = (session, token);
        _looked = session.Views.ToDictionary(static v => v, static _ => new HashSet<ObjectId>());
    }

    public static async Task<VaultSyncReport> RunAsync(VaultSession session, CancellationToken token)
    {
        await using var scope = await WriteScope.BeginAsync(session, token);
        var sync = new SyncOperation(session, token);
        var deleted = await session.ReadDeletedAsync(token);
        foreach (var view in session.Usable.ToList())
            await VaultSession.TryAsync(view, v => sync.DeleteAsync(v, deleted), token);
        var unreadable = new List<(ObjectId Id, VaultObjectException Why)>();
        var snapshots = await session.ReadSnapshotsAsync(unreadable, token);
        for (var i = 0; i < snapshots.Count; i++)
        {
            session.Report(i, snapshots.Count);
            await scope.RenewAsync(token);
            foreach (var view in session.Usable.ToList())
                await VaultSession.TryAsync(view, v => sync.CompleteAsync(v, snapshots[i]), token);
        }
        session.ReportEnd();
        return new VaultSyncReport(
            sync._snapshots, sync._chunks, sync._deleted,
            [.. session.Views.Where(v => !v.IsUsable).Select(v => $"'{v.Name}': {v.Failure}"), .. unreadable.Select(u => u.Why.Message), .. sync._problems]);
    }

    private async Task DeleteAsync(DestinationView view, HashSet<ObjectId> deleted)
    {
        foreach (var id in deleted)
        {
            await EnsureAsync(view, ObjectName.TombstoneKind, id);
            if (!view.Snapshots.ContainsKey(id))
                continue;
            await _session.Store.DeleteAsync(view.Name, view.NameOf(ObjectName.SnapshotKind, id), _token);
            view.Snapshots.Remove(id);
            _deleted++;
        }
        // A damaged marker is deleted, because its content is lost. The next prune marks the unused chunks again.
        foreach (var marker in view.Markers)
        {
            if (await _session.IsGoodAsync(view, marker, default, _token) == false)
                await _session.Store.DeleteAsync(view.Name, marker, _token);
        }
    }

    private async Task CompleteAsync(DestinationView view, ListedSnapshot snapshot)
    {
        // Snapshots share chunks, so each chunk is read only once.
        foreach (var chunk in snapshot.Chunks.Where(_looked[view].Add))
            _chunks += await EnsureAsync(view, ObjectName.ChunkKind, chunk);
        // A snapshot is not copied to a destination that cannot get all of its chunks. If the destination lists the snapshot already, its copy is repaired.
        if (!view.Snapshots.ContainsKey(snapshot.Id) && snapshot.Chunks.Any(_lost.Contains))
            return;
        _snapshots += await EnsureAsync(view, ObjectName.SnapshotKind, snapshot.Id);
    }

    /// <summary>Copies an object to a destination that has no valid copy. An existing copy of a newer format, or under an unknown key, is not changed.</summary>
    /// <returns>The number of copies that were made: 0 or 1.</returns>
    private async Task<int> EnsureAsync(DestinationView view, char kind, ObjectId id)
    {
        var held = view.KeysOf(kind);
        if (held.ContainsKey(id))
        {
            var name = view.NameOf(kind, id);
            var isGood = await _session.IsGoodAsync(view, name, id, _token);
            if (isGood is null)
                _problems.Add($"'{view.Name}': '{name}' has a newer format, or is sealed by a key that the vault does not have. It was not changed.");
            if (isGood ?? true)
                return 0;
        }
        if (await ReadAsync(kind, id) is not { } content)
            return 0;
        // A damaged copy has the name that the valid copy needs.
        if (held.ContainsKey(id))
            await _session.Store.DeleteAsync(view.Name, view.NameOf(kind, id), _token);
        var written = _session.NameOf(kind, id);
        await _session.Store.PutAsync(view.Name, written, _session.Sealer.Seal(written, content), _token);
        held[id] = written.Key;
        return 1;
    }

    // Returns null if no destination has a good copy. A tombstone that is damaged everywhere is written again, but only while every destination can be reached.
    // If a destination lists the snapshot of such a tombstone, ReadDeletedAsync has left the tombstone out. So a forged tombstone deletes nothing.
    private async Task<byte[]?> ReadAsync(char kind, ObjectId id)
    {
        if (_lost.Contains(id))
            return null;
        try
        {
            return await _session.ReadAsync(kind, id, _token);
        }
        catch (VaultObjectException) when (kind == ObjectName.TombstoneKind && _session.Views.All(static v => v.IsUsable))
        {
            return _session.MarkerBytes([]);
        }
        catch (VaultObjectException e)
        {
            _lost.Add(id);
            _problems.Add(e.Message);
            return null;
        }
    }
}
