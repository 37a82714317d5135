using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Seals everything with the active key. Each object gets a new name before the old one is deleted, so that an interrupted run can simply be run again.
/// </summary>
internal static class RekeyOperation
{
    public static async Task<int> RunAsync(VaultSession session, CancellationToken token)
    {
        await using var scope = await WriteScope.BeginAsync(session, token);
        var active = session.Sealer.Keys.Active;
        var count = 0;
        await session.OnEachAsync(
            async view =>
            {
                foreach (var kind in new[] { ObjectName.ChunkKind, ObjectName.SnapshotKind, ObjectName.TombstoneKind })
                {
                    foreach (var (id, key) in VaultSession.Listed(view, kind).Where(o => o.Value != active).ToList())
                    {
                        await scope.RenewAsync(token);
                        var old = new ObjectName(kind, id.ToString(), key);
                        await ResealAsync(session, view, old, id, token);
                        VaultSession.Listed(view, kind)[id] = active;
                        Interlocked.Increment(ref count);
                    }
                }

                foreach (var second in view.Duplicates.Where(d => d.Key != active))
                    await session.Store.DeleteAsync(view.Name, second, token);
                foreach (var mark in view.MarkersOf(ObjectName.MarkKind).Where(m => m.Key != active).ToList())
                    await ResealAsync(session, view, mark, default, token);
                // The old key is needed until nothing is sealed with it, so its check object is deleted last.
                foreach (var check in view.Checks.Where(c => c.Key != active).ToList())
                    await session.Store.DeleteAsync(view.Name, check, token);
            },
            token);
        return session.Views.FirstOrDefault(v => !v.IsUsable) is { } away
            ? throw new VaultException($"Not everything is sealed by key {active} yet: '{away.Name}': {away.Failure} Run rekey again, and keep the old key until it succeeds.")
            : count;
    }

    private static async Task ResealAsync(VaultSession session, DestinationView view, ObjectName old, ObjectId id, CancellationToken token)
    {
        var content = (await session.Store.GetAsync([view.Name], old, token)).Content ?? throw new VaultObjectException(old.ToString(), "is gone");
        var name = old with { Key = session.Sealer.Keys.Active };
        await session.Store.PutAsync(view.Name, name, session.Sealer.Seal(name, session.OpenVerified(old, id, content)), token);
        await session.Store.DeleteAsync(view.Name, old, token);
    }
}
