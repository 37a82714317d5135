using System.Security.Cryptography;
using System.Text.Json;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Reads and writes check objects: each destination has one for each key, with the vault's identity.</summary>
internal static class CheckObjects
{
    // The identity is in a destination's check object. If that object is damaged or missing, the identity is read from a snapshot of the destination: each
    // snapshot contains it. At most ten snapshots are tried.
    public static async Task<CheckContent> ReadIdentityAsync(VaultStore store, Sealer sealer, DestinationView view, CancellationToken token)
    {
        var why = new VaultObjectException("k/check", "is missing, and no snapshot of the destination gives the identity of the vault", VaultProblem.Missing);
        foreach (var name in view.Checks.Concat(view.NamesOf(ObjectName.SnapshotKind).Take(10)))
        {
            try
            {
                if (!sealer.Keys.Contains(name.Key))
                    throw new VaultObjectException(name.ToString(), $"is sealed by key {name.Key}, which is not among the vault's keys", VaultProblem.Unreadable);
                var content = (await store.GetAsync([view.Name], name, token)).Content ?? throw new VaultObjectException(name.ToString(), "is gone");
                view.GoodCheck = name.Kind == ObjectName.CheckKind ? name : null;
                var check = view.GoodCheck is null
                    ? VaultSession.Parse(name, sealer.OpenStream(name, content), ContinuityJson.Default.SnapshotManifest).Check
                    : VaultSession.Parse(name, sealer.OpenStream(name, content), ContinuityJson.Default.CheckContent);
                if (check is { Format: not 1 })
                    throw new VaultObjectException(name.ToString(), $"has format {check.Format}, and this version reads format 1", VaultProblem.Unreadable);
                if (check is not null)
                    return check;
            }
            // A damaged or missing object does not end the search. An object that needs another key or a newer version ends the search, with one exception: after
            // an interrupted rekey, the destination has several check objects, and the next of them may be readable.
            catch (VaultObjectException e) when (e.Problem != VaultProblem.Unreadable || view.Checks.Count > 1)
            {
                // If the destination has check objects, the exception says why the last of them cannot be read, not why a snapshot cannot be read.
                why = view.Checks.Count > 0 && name.Kind != ObjectName.CheckKind ? why : e;
            }
        }
        throw why;
    }

    /// <summary>Gets the identity of a new vault.</summary>
    /// <exception cref="VaultException">No new vault may be created.</exception>
    public static CheckContent NewIdentity(DestinationView[] views, bool create)
    {
        if (Array.TrueForAll(views, static v => !v.IsUsable))
            throw new VaultException($"No destination can be reached: {VaultSession.Reasons(views)}");
        if (!create)
            throw new VaultException($"There is no vault: {VaultSession.Reasons(views)} Save once, or correct the destinations.");
        if (Array.Find(views, static v => !v.IsUsable) is { } away)
            throw new VaultException($"A new vault is created only when every destination can be reached, so that two vaults are never created. Destination '{away.Name}' failed: {away.Failure}");
        return new CheckContent(1, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), RandomNumberGenerator.GetBytes(32));
    }

    /// <summary>Writes the check objects that a destination of the vault does not have, and replaces the damaged check objects.</summary>
    public static async Task WriteAsync(VaultSession session, DestinationView view, CancellationToken token)
    {
        // The check object of an old key is written again too, because a vault that has only this key opens with it until a rekey is complete.
        foreach (var other in view.Checks.Where(c => c != view.GoodCheck && session.Sealer.Keys.Contains(c.Key)).ToList())
        {
            var content = (await session.Store.GetAsync([view.Name], other, token)).Content;
            if (content is not null && session.IsGood(other, default, content) != false)
                continue;
            await session.Store.DeleteAsync(view.Name, other, token);
            view.Checks.Remove(other);
            // If the object is gone, a rekey at the same time has deleted it.
            if (content is not null)
                await PutAsync(session, view, other, token);
        }
        var name = new ObjectName(ObjectName.CheckKind, "check", session.Sealer.Keys.Active);
        if (!view.Checks.Contains(name))
            await PutAsync(session, view, name, token);
    }

    /// <summary>
    /// Writes the check objects of a new vault. Two processes may create a vault at the same time. Both write first to the destination with the
    /// first name in ordinal order. The process that comes second there uses the identity of the other process. A destination that cannot be written takes no part.
    /// </summary>
    /// <exception cref="VaultException">Another process created another vault at the same time. The check objects of this process are removed.</exception>
    public static async Task PutNewAsync(VaultSession session, CancellationToken token)
    {
        var name = new ObjectName(ObjectName.CheckKind, "check", session.Sealer.Keys.Active);
        var own = new List<DestinationView>();
        var isFirst = true;
        foreach (var view in session.Views.OrderBy(static v => v.Name, StringComparer.Ordinal))
        {
            isFirst &= !await VaultSession.TryAsync(view, PutOneAsync, token);
        }

        async Task PutOneAsync(DestinationView view)
        {
            if (await TryPutAsync(session, view, name, token))
                own.Add(view);
            else if (await ReadAsync(session, view, name, token) is { } there && there.Vault != session.Check.Vault)
                session.Check = isFirst ? there : throw await AnotherVaultAsync(view);
            view.Checks.Add(name);
        }

        // This happens only if only one of the two processes could write to the destination with the first name.
        async Task<VaultException> AnotherVaultAsync(DestinationView view)
        {
            foreach (var written in own)
                await VaultSession.TryAsync(written, v => session.Store.DeleteAsync(v.Name, name, token).AsTask(), token);
            return new($"Another process has created a vault at destination '{view.Name}' at the same time. Save again. If the destinations belong to two vaults, give each vault destinations of its own.");
        }
    }

    private static async Task PutAsync(VaultSession session, DestinationView view, ObjectName name, CancellationToken token)
    {
        await TryPutAsync(session, view, name, token);
        view.Checks.Add(name);
    }

    private static async Task<bool> TryPutAsync(VaultSession session, DestinationView view, ObjectName name, CancellationToken token) =>
        await session.Store.PutAsync(view.Name, name, session.Sealer.Seal(name, JsonSerializer.SerializeToUtf8Bytes(session.Check, ContinuityJson.Default.CheckContent)), token);

    private static async Task<CheckContent?> ReadAsync(VaultSession session, DestinationView view, ObjectName name, CancellationToken token)
    {
        try
        {
            return (await session.Store.GetAsync([view.Name], name, token)).Content is { } content ? VaultSession.Parse(name, session.Sealer.OpenStream(name, content), ContinuityJson.Default.CheckContent) : null;
        }
        catch (VaultObjectException)
        {
            return null; // damaged: the next save or sync writes it again
        }
    }
}
