using System.Globalization;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Deletes old snapshots and, after the grace period, the chunks that no snapshot uses. A chunk is deleted only if it was marked at least a grace period ago,
/// no listed snapshot uses it, and no save is in progress. If a listed snapshot cannot be read, no chunk is deleted.
/// </summary>
internal static class PruneOperation
{
    public static async Task<VaultPruneReport> RunAsync(VaultSession session, VaultPruneOptions keep, VaultOptions options, CancellationToken token)
    {
        var unreadable = new List<(ObjectId Id, VaultObjectException Why)>();
        var snapshots = await session.ReadSnapshotsAsync(unreadable, token);
        var problems = new List<string>();
        var now = session.Time.GetUtcNow();
        var doomed = Doomed(snapshots, keep, options, now, problems);
        var known = KnownTime(snapshots, options.Grace, now);
        var isKnown = true; // whether it is known which chunks the listed snapshots need
        foreach (var (id, why) in unreadable)
        {
            if (keep.GiveUpDamaged && why.Problem is VaultProblem.Damaged or VaultProblem.Missing && session.Views.All(static v => v.IsUsable) && await IsLostAsync(session, id, why, token))
                doomed.Add(id);
            else if (!(isKnown = false))
                problems.Add($"{why.Message} No chunk is deleted while this snapshot is listed, because the vault does not know which chunks the snapshot needs. Run sync. If no destination has a good copy, give the snapshot up.");
        }
        foreach (var id in doomed)
            await session.OnEachAsync(view => DeleteSnapshotAsync(session, view, id, token), token);

        // The chunks of all destinations' snapshots are kept, because one destination may list a snapshot while another destination has the last good copy of a
        // chunk of this snapshot.
        var kept = snapshots.Where(s => !doomed.Contains(s.Id)).ToDictionary(static s => s.Id, static s => s.Chunks);
        var deleted = new List<ObjectName>();
        var marked = 0;
        // Destinations are pruned one after the other, because a snapshot that is new at one destination may be read from another destination.
        foreach (var view in session.Usable.ToList())
        {
            await VaultSession.TryAsync(
                view,
                async v =>
                {
                    if (isKnown)
                    {
                        var used = await UsedAsync(session, v, kept, token);
                        await SweepAsync(session, v, kept, options.Grace, deleted, problems, token);
                        marked += await MarkAsync(session, v, used, token);
                    }
                    await ForgetAsync(session, v, options.TombstoneLife, known, token);
                },
                token);
        }
        // A tombstone at one destination is enough: a sync copies it to the others.
        var gone = doomed.Count(id => session.Views.Any(v => v.Tombstones.ContainsKey(id)));
        return new VaultPruneReport(gone, marked, deleted.Count, [.. problems, .. session.Views.Where(v => !v.IsUsable).Select(v => $"'{v.Name}': {v.Failure}")]);
    }

    private static List<ObjectId> Doomed(List<ListedSnapshot> snapshots, VaultPruneOptions keep, VaultOptions options, DateTimeOffset now, List<string> problems)
    {
        if (keep.KeepLast is null && keep.KeepDays is null)
            return [];
        var kept = snapshots.Count - Math.Max(1, keep.KeepLast ?? 1);
        var old = snapshots.Where((s, i) => i < kept && !(keep.KeepDays is { } days && now - s.Snapshot.SavedAt < TimeSpan.FromDays(days))).ToList();
        if (old.Count == 0 || keep.KeepDays is null || UnusualGap(snapshots, options.Grace, now) is not { } gap)
            return [.. old.Select(static s => s.Id)];
        problems.Add($"{gap}, so the clock may have been wrong. This prune deletes no snapshots. If the time is right, the prune after the next saves deletes the old snapshots.");
        return [];
    }

    // A rule by age must not act on one reading of a clock: if the clock is a year ahead for one save, every other snapshot looks a year old. If it is a year
    // ahead for one prune, all of them do. Null: neither the gap before the newest snapshot nor the gap after it is unusual.
    private static string? UnusualGap(List<ListedSnapshot> snapshots, TimeSpan grace, DateTimeOffset now)
    {
        // With fewer than three snapshots there is no earlier gap for the comparison.
        if (snapshots.Count < 3)
            return null;
        var gaps = snapshots.Zip(snapshots.Skip(1), static (a, b) => b.Snapshot.SavedAt - a.Snapshot.SavedAt).ToArray();
        if (IsUnusual(gaps[^1], gaps[..^1]))
            return string.Create(CultureInfo.InvariantCulture, $"The newest snapshot was saved {gaps[^1].TotalDays:0} days after the one before it");
        var sinceNewest = now - snapshots[^1].Snapshot.SavedAt;
        return IsUnusual(sinceNewest, gaps) ? string.Create(CultureInfo.InvariantCulture, $"The newest snapshot was saved {sinceNewest.TotalDays:0} days ago") : null;

        bool IsUnusual(TimeSpan gap, TimeSpan[] earlier) => gap > grace && gap > 3 * earlier.Max();
    }

    // A tombstone is needed until no destination can return with its snapshot, so it must not be forgotten because of one reading of a clock either. The time of
    // the newest snapshot is a second reading. A vault without new snapshots does not grow, and keeps its tombstones.
    private static DateTimeOffset KnownTime(List<ListedSnapshot> snapshots, TimeSpan grace, DateTimeOffset now) =>
        snapshots.Count == 0 || UnusualGap(snapshots, grace, now) is not null ? DateTimeOffset.MinValue : Earlier(snapshots[^1].Snapshot.SavedAt, now);

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    // A rekey at the same time gives the snapshot another name.
    private static async Task<bool> IsLostAsync(VaultSession session, ObjectId id, VaultObjectException why, CancellationToken token)
    {
        if (!why.IsPerhapsRenamed)
            return true;
        await session.ListAgainAsync(token);
        try
        {
            await session.ReadManifestAsync(id, token);
            return false;
        }
        catch (VaultObjectException e)
        {
            return e.Problem is VaultProblem.Damaged or VaultProblem.Missing && session.Views.All(static v => v.IsUsable);
        }
    }

    private static async Task DeleteSnapshotAsync(VaultSession session, DestinationView view, ObjectId id, CancellationToken token)
    {
        var tombstone = session.NameOf(ObjectName.TombstoneKind, id);
        await session.Store.PutAsync(view.Name, tombstone, session.Sealer.Seal(tombstone, session.MarkerBytes([])), token);
        view.Tombstones[id] = tombstone.Key;
        if (!view.Snapshots.ContainsKey(id))
            return;
        await session.Store.DeleteAsync(view.Name, view.NameOf(ObjectName.SnapshotKind, id), token);
        view.Snapshots.Remove(id);
    }

    // Finds the chunks of the snapshots that are kept, and of this destination's new snapshots, from a new list. If a snapshot cannot be read, no chunk is
    // deleted.
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

    // Adds each deleted chunk at once. So if the destination fails, the chunks that were deleted before still count.
    private static async Task SweepAsync(
        VaultSession session, DestinationView view, Dictionary<ObjectId, IReadOnlyList<ObjectId>> kept, TimeSpan grace, List<ObjectName> deleted, List<string> problems, CancellationToken token)
    {
        var due = new List<(ObjectName Name, MarkerContent Content)>();
        foreach (var mark in view.MarkersOf(ObjectName.MarkKind))
        {
            if (await session.ReadMarkerAsync(view, mark, token) is { } content && session.Time.GetUtcNow() - content.At >= grace)
                due.Add((mark, content));
        }

        if (due.Count == 0)
            return;
        var sweep = await session.WriteMarkerAsync(view, ObjectName.SweepKind, [], token);
        try
        {
            var (began, beganAt) = (session.Time.GetTimestamp(), session.Time.GetUtcNow());
            if (await SaveIsUnderWayAsync(session, view, token))
            {
                problems.Add($"'{view.Name}': a save is in progress, so chunks are deleted at the next prune. If no save runs, its announcement is damaged: run sync.");
                return;
            }
            var used = await UsedAsync(session, view, kept, token);
            foreach (var (name, content) in due)
            {
                foreach (var id in content.Chunks)
                {
                    if (used.Contains(id) || !view.Chunks.ContainsKey(id))
                        continue;
                    // The monotonic clock stands still while the machine sleeps. Other machines save meanwhile, and do not wait longer than the life of a sweep.
                    if (session.Time.GetElapsedTime(began) > WriteScope.SweepLife / 2 || (session.Time.GetUtcNow() - beganAt).Duration() > WriteScope.SweepLife / 2)
                    {
                        problems.Add($"'{view.Name}': the time of a prune is over, so the other marked chunks are deleted at the next prune.");
                        return;
                    }
                    var chunk = view.NameOf(ObjectName.ChunkKind, id);
                    await session.Store.DeleteAsync(view.Name, chunk, token);
                    view.Chunks.Remove(id);
                    deleted.Add(chunk);
                }
                await session.Store.DeleteAsync(view.Name, name, token);
                view.Markers.Remove(name);
            }
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
            // An intent that cannot be read is respected, because another process may be writing it at this moment.
            if (await session.ReadMarkerAsync(view, name, token) is not { } intent || session.Time.GetUtcNow() - intent.At < WriteScope.IntentLife)
                return true;
            await session.Store.DeleteAsync(view.Name, name, token);
        }
        return false;
    }

    private static async Task ForgetAsync(VaultSession session, DestinationView view, TimeSpan life, DateTimeOffset known, CancellationToken token)
    {
        // Removes the markers of processes that ended before they removed them.
        foreach (var name in view.Markers.Where(m => m.Kind is ObjectName.IntentKind or ObjectName.SweepKind))
        {
            if (await session.ReadMarkerAsync(view, name, token) is { } marker && session.Time.GetUtcNow() - marker.At > WriteScope.IntentLife)
                await session.Store.DeleteAsync(view.Name, name, token);
        }

        foreach (var name in view.NamesOf(ObjectName.TombstoneKind).ToList())
        {
            if (await session.ReadMarkerAsync(view, name, token) is { } tombstone && known - tombstone.At > life)
                await session.Store.DeleteAsync(view.Name, name, token);
        }
    }
}
