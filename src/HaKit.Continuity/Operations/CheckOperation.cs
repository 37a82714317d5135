using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Reads every object of every destination, and reports missing and damaged objects.</summary>
internal static class CheckOperation
{
    public static async Task<VaultCheckReport> RunAsync(VaultSession session, LocalState? state, CancellationToken token)
    {
        var findings = new List<VaultFinding>();
        var good = new Dictionary<DestinationView, HashSet<ObjectId>>();
        var manifests = new Dictionary<ObjectId, ListedSnapshot>();
        var (done, total) = (0, session.Views.Sum(static v => NamesOf(v).Count()));
        foreach (var view in session.Views)
        {
            var objects = new HashSet<ObjectId>();
            good[view] = objects;
            if (!view.IsUsable)
                findings.Add(new(view.Name, "", VaultProblem.Unreachable, view.Failure!));
            if (view.IsUsable && view.Checks.Count == 0)
                findings.Add(new(view.Name, "k/check", VaultProblem.Missing, "The destination has no check object: it is new, or was emptied. A sync repairs it."));
            foreach (var stranger in view.Strangers)
                findings.Add(new(view.Name, stranger, VaultProblem.Unknown, "The name does not belong to this format."));
            foreach (var name in NamesOf(view))
            {
                session.Report(done++, total);
                if (await CheckAsync(session, view, name, objects, manifests, token) is { } finding)
                    findings.Add(finding);
            }
        }
        var deleted = await session.ReadDeletedAsync(token);
        var listed = manifests.Values.Where(s => !deleted.Contains(s.Id)).OrderBy(s => s.Snapshot.Number).ToList();
        foreach (var view in session.Usable)
            findings.AddRange(Gaps(view, listed, good[view], deleted, state));
        session.ReportEnd();
        return new VaultCheckReport(findings, [.. listed.Select(s => s.Snapshot)]);
    }

    private static IEnumerable<ObjectName> NamesOf(DestinationView view) => !view.IsUsable && view.Checks.Count == 0 ? [] :
    [
        .. view.Checks, .. view.Markers, .. view.NamesOf(ObjectName.ChunkKind), .. view.NamesOf(ObjectName.SnapshotKind), .. view.NamesOf(ObjectName.TombstoneKind),
    ];

    private static async Task<VaultFinding?> CheckAsync(
        VaultSession session, DestinationView view, ObjectName name, HashSet<ObjectId> good, Dictionary<ObjectId, ListedSnapshot> manifests, CancellationToken token)
    {
        try
        {
            var content = (await session.Store.GetAsync([view.Name], name, token)).Content;
            if (content is null)
                return new(view.Name, name.ToString(), VaultProblem.Missing, "It is listed and cannot be read.");
            var isNamedById = ObjectId.TryParse(name.Id, out var id);
            if (name.Kind != ObjectName.SnapshotKind)
                session.OpenVerified(name, id, content);
            else if (session.OpenManifest(name, id, content) is { } manifest)
                manifests[id] = new(id, VaultSnapshot.From(id, manifest), manifest.Chunks);
            if (isNamedById && name.Kind is ObjectName.ChunkKind or ObjectName.SnapshotKind)
                good.Add(id);
            return null;
        }
        catch (VaultObjectException e)
        {
            return new(view.Name, name.ToString(), e.Problem, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException || !token.IsCancellationRequested)
        {
            return new(view.Name, name.ToString(), VaultProblem.Unreachable, e.Message);
        }
    }

    private static IEnumerable<VaultFinding> Gaps(
        DestinationView view, List<ListedSnapshot> listed, HashSet<ObjectId> good, HashSet<ObjectId> deleted, LocalState? state)
    {
        foreach (var id in view.Snapshots.Keys.Where(id => deleted.Contains(id) && !view.Tombstones.ContainsKey(id)))
            yield return new(view.Name, $"s/{id}", VaultProblem.RolledBack, "The snapshot was deleted on purpose, and this destination has it again: it was rolled back. A sync deletes it.");
        foreach (var (id, snapshot, chunks) in listed)
        {
            if (!view.Snapshots.ContainsKey(id))
            {
                yield return new(view.Name, $"s/{id}", VaultProblem.Missing, $"It lacks snapshot {snapshot.Number}, which another destination has: it was unavailable at that time, or was rolled back. A sync repairs it.");
                continue;
            }
            foreach (var chunk in chunks.Where(c => !good.Contains(c) && !view.Chunks.ContainsKey(c)))
                yield return new(view.Name, $"c/{chunk}", VaultProblem.Missing, $"Snapshot {snapshot.Number} needs it. A sync repairs it.");
        }
        var newest = listed.Where(s => view.Snapshots.ContainsKey(s.Id)).Select(s => s.Snapshot.Number).DefaultIfEmpty(0).Max();
        if (state is not null && newest < state.LastNumber && !(state.LastId is { } last && deleted.Contains(last)))
            yield return new(view.Name, "", VaultProblem.RolledBack, $"This machine has seen snapshot {state.LastNumber}, and the destination's newest is {newest}: it was unavailable at that time, or was rolled back.");
    }
}
