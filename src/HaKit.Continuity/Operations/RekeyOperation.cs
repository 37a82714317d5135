using System.Collections.Concurrent;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Seals everything with the active key. Each object is written under its new name before the old object is deleted, so that an interrupted run can be
/// repeated.
/// </summary>
internal static class RekeyOperation
{
    public static async Task<int> RunAsync(VaultSession session, CancellationToken token)
    {
        await using var scope = await WriteScope.BeginAsync(session, token);
        var active = session.Sealer.Keys.Active;
        var count = 0;
        var damaged = new ConcurrentQueue<string>();
        await session.OnEachAsync(
            async view =>
            {
                foreach (var kind in new[] { ObjectName.ChunkKind, ObjectName.SnapshotKind, ObjectName.TombstoneKind })
                {
                    foreach (var (id, key) in view.KeysOf(kind).Where(o => o.Value != active).ToList())
                    {
                        await scope.RenewAsync(token);
                        var old = new ObjectName(kind, id.ToString(), key);
                        if (!await ResealAsync(session, view, old, id, damaged, token))
                            continue;
                        view.KeysOf(kind)[id] = active;
                        Interlocked.Increment(ref count);
                    }
                }

                foreach (var second in view.Duplicates.Where(d => d.Key != active).ToList())
                {
                    var id = ObjectId.TryParse(second.Id, out var named) ? named : default;
                    if (await session.IsGoodAsync(view, second with { Key = active }, id, token) == true)
                        await session.Store.DeleteAsync(view.Name, second, token);
                    else
                        await ResealAsync(session, view, second, id, damaged, token);
                }
                foreach (var mark in view.MarkersOf(ObjectName.MarkKind).Where(m => m.Key != active).ToList())
                    await ResealAsync(session, view, mark, default, damaged, token);
                // The old key is needed until no object is sealed with it, so its check object is deleted last.
                if (!damaged.IsEmpty)
                    return;
                foreach (var check in view.Checks.Where(c => c.Key != active).ToList())
                    await session.Store.DeleteAsync(view.Name, check, token);
            },
            token);
        if (session.Views.Where(v => !v.IsUsable).Select(v => $"'{v.Name}': {v.Failure}").Concat(damaged).FirstOrDefault() is { } why)
            throw new VaultException($"Not everything is sealed by key {active} yet: {why} Run sync and rekey again, and keep the old key until rekey succeeds.");
        return count;
    }

    private static async Task<bool> ResealAsync(VaultSession session, DestinationView view, ObjectName old, ObjectId id, ConcurrentQueue<string> damaged, CancellationToken token)
    {
        try
        {
            // A prune that runs at the same time may have deleted the object.
            if ((await session.Store.GetAsync([view.Name], old, token)).Content is not { } content)
                return false;
            var name = old with { Key = session.Sealer.Keys.Active };
            var resealed = session.Sealer.Seal(name, session.OpenVerified(old, id, content));
            // An interrupted rekey may have written the new object, and it may be damaged since. The old object is deleted only after the new one was read.
            if (!await session.Store.PutAsync(view.Name, name, resealed, token) && await session.IsGoodAsync(view, name, id, token) == false)
            {
                await session.Store.DeleteAsync(view.Name, name, token);
                await session.Store.PutAsync(view.Name, name, resealed, token);
            }
            if (await session.IsGoodAsync(view, name, id, token) != true)
                throw new IOException($"it does not give back '{name}', which it accepted");
            await session.Store.DeleteAsync(view.Name, old, token);
            return true;
        }
        catch (VaultObjectException e)
        {
            damaged.Enqueue($"'{view.Name}': {e.Message}");
            return false;
        }
    }
}
