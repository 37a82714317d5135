using System.Security.Cryptography;
using System.Text.Json;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Holds the view of the vault for one operation: the vault's identity, and what each destination lists. Owned by one operation.</summary>
internal sealed class VaultSession
{
    private readonly byte[] _idKey;

    private VaultSession(VaultStore store, Sealer sealer, TimeProvider time, string vault, byte[] idKey, DestinationView[] views)
    {
        (Store, Sealer, Time, Vault, _idKey, Views) = (store, sealer, time, vault, idKey, views);
    }

    public VaultStore Store { get; }

    public Sealer Sealer { get; }

    public TimeProvider Time { get; }

    public string Vault { get; }

    public DestinationView[] Views { get; }

    /// <summary>Gets the receiver of the operation's progress, 0 to 1. Null: none.</summary>
    public IProgress<double>? Progress { get; init; }

    public IEnumerable<DestinationView> Usable => Views.Where(v => v.IsUsable);

    /// <summary>
    /// Lists all destinations and finds the vault's identity. A wrong key is an error before anything is written. A destination whose check object is
    /// damaged, while another destination's is good, takes no part. A new vault is created only on request, and only if every destination can be reached and
    /// none has a vault. A missing check object is written then, and for a repair.
    /// </summary>
    /// <exception cref="VaultException">The keys are wrong, destinations belong to different vaults, or there is no vault.</exception>
    public static async Task<VaultSession> OpenAsync(
        VaultStore store, Sealer sealer, TimeProvider time, bool create, bool repair, IProgress<double>? progress, CancellationToken token)
    {
        var views = store.Destinations.Select(d => new DestinationView(d)).ToArray();
        await Task.WhenAll(views.Select(v => ListAsync(store, v, token)));
        var (identities, refused) = await IdentifyAsync(store, sealer, views, token);
        if (identities.Select(i => i.Check.Vault).Distinct().Count() > 1)
            throw new VaultException($"The destinations belong to different vaults: {string.Join(", ", identities.Select(i => $"'{i.View.Name}'"))}. Give each vault destinations of its own.");
        if (identities.Count == 0 && refused.Count > 0)
            throw new VaultException($"{(refused[0].Why is VaultObjectException { Problem: VaultProblem.Unreadable } ? "This vault cannot be opened" : "The keys do not open this vault")}. Destination '{refused[0].View.Name}': {refused[0].Why.Message} Nothing was written.");
        foreach (var (view, why) in refused)
            view.Failure = why.Message;
        var check = identities.Count > 0 ? identities[0].Check : NewIdentity(views, create);
        var session = new VaultSession(store, sealer, time, check.Vault, check.IdKey, views) { Progress = progress };
        foreach (var key in sealer.Keys.Numbers)
            sealer.CountSeals(key, views.Max(v => v.Chunks.Values.Count(k => k == key)));
        foreach (var (view, _) in refused.Where(r => repair && r.Why is VaultObjectException { Problem: VaultProblem.Damaged }))
            await TryAsync(view, v => session.RepairCheckAsync(v, token), token);
        if (create || repair)
            await session.WriteChecksAsync(token);
        return session;
    }

    private static async Task<(List<(DestinationView View, CheckContent Check)> Identities, List<(DestinationView View, VaultException Why)> Refused)> IdentifyAsync(
        VaultStore store, Sealer sealer, DestinationView[] views, CancellationToken token)
    {
        var identities = new List<(DestinationView View, CheckContent Check)>();
        var refused = new List<(DestinationView View, VaultException Why)>();
        foreach (var view in views.Where(v => v.IsUsable && v.Checks.Count > 0))
        {
            try
            {
                identities.Add((view, await ReadCheckAsync(store, sealer, view, token)));
            }
            catch (VaultException e)
            {
                refused.Add((view, e));
            }
            catch (Exception e) when (IsOfDestination(e, token))
            {
                view.Failure = e.Message;
            }
        }
        return (identities, refused);
    }

    private static CheckContent NewIdentity(DestinationView[] views, bool create)
    {
        if (!create)
            throw new VaultException($"There is no vault: {Reasons(views)}");
        if (Array.Find(views, static v => !v.IsUsable) is { } away)
            throw new VaultException($"A new vault is made only when every destination can be reached, so that two are never made: '{away.Name}': {away.Failure}");
        return new CheckContent(1, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), RandomNumberGenerator.GetBytes(32));
    }

    /// <summary>Computes the id of a chunk or snapshot: HMAC-SHA-256 of the kind and the content with the vault's id key.</summary>
    public ObjectId IdOf(char kind, ReadOnlySpan<byte> content) => ObjectId.Compute(_idKey, kind, content);

    public (ObjectId Id, ObjectName Name, ReadOnlyMemory<byte> Sealed) SealManifest(SnapshotManifest manifest) =>
        Sealer.SealStream(ObjectName.SnapshotKind, _idKey, stream => JsonSerializer.Serialize(stream, manifest, ContinuityJson.Default.SnapshotManifest));

    public ObjectName NameOf(char kind, ObjectId id) => new(kind, id.ToString(), Sealer.Keys.Active);

    /// <summary>Runs a step on each usable destination at the same time. A destination that fails takes no further part and keeps its reason.</summary>
    public async Task OnEachAsync(Func<DestinationView, Task> step, CancellationToken token) =>
        await Task.WhenAll([.. Usable.Select(v => TryAsync(v, step, token))]);

    public static async Task<bool> TryAsync(DestinationView view, Func<DestinationView, Task> step, CancellationToken token)
    {
        try
        {
            await step(view);
            return true;
        }
        catch (Exception e) when (IsOfDestination(e, token))
        {
            view.Failure = e.Message;
            return false;
        }
    }

    /// <summary>Reads an object from the first destination that has a good copy.</summary>
    /// <exception cref="VaultObjectException">No destination has a good copy; the message says what each has.</exception>
    public Task<byte[]> ReadAsync(char kind, ObjectId id, CancellationToken token) => ReadAsync(kind, id, OpenVerified, token);

    private async Task<T> ReadAsync<T>(char kind, ObjectId id, Func<ObjectName, ObjectId, byte[], T> open, CancellationToken token)
    {
        var keys = Usable.Where(v => Listed(v, kind).ContainsKey(id)).ToDictionary(v => v.Name, v => Listed(v, kind)[id]);
        var left = keys.Keys.ToList();
        var reasons = new List<string>();
        var problem = VaultProblem.Damaged;
        while (left.Count > 0)
        {
            // Copies that are sealed with the same key have the same name, so the pool may choose among them.
            var key = keys[left[0]];
            var name = new ObjectName(kind, id.ToString(), key);
            var destination = left[0];
            try
            {
                (destination, var content) = await Store.GetAsync([.. left.Where(d => keys[d] == key)], name, token);
                if (content is not null)
                    return open(name, id, content);
                reasons.Add($"'{destination}' lists it and does not have it");
            }
            catch (VaultObjectException e)
            {
                // This is the copy of the destination that the pool chose.
                reasons.Add($"at '{destination}' it {e.Reason}");
                problem = e.Problem == VaultProblem.Damaged ? problem : e.Problem;
            }
            catch (Exception e) when (IsOfDestination(e, token))
            {
                reasons.Add($"'{destination}': {e.Message}");
                problem = VaultProblem.Unreachable;
            }
            left.Remove(destination);
        }
        throw new VaultObjectException($"{kind}/{id}", reasons.Count == 0 ? "is on no destination that can be reached" : "cannot be had: " + string.Join("; ", reasons), problem);
    }

    /// <summary>Opens an object and verifies that its content has its id.</summary>
    public byte[] OpenVerified(ObjectName name, ObjectId id, byte[] content)
    {
        var plain = Sealer.Open(name, content);
        if (name.Kind is ObjectName.ChunkKind or ObjectName.SnapshotKind && IdOf(name.Kind, plain) != id)
            throw new VaultObjectException(name.ToString(), "has another content than its id says");
        return plain;
    }

    /// <summary>Opens a snapshot and verifies that its content has its id.</summary>
    public SnapshotManifest OpenManifest(ObjectName name, ObjectId id, byte[] content)
    {
        using var hash = ObjectId.Hash(_idKey, ObjectName.SnapshotKind);
        using var plain = new CryptoStream(Sealer.OpenStream(name, content), hash, CryptoStreamMode.Read);
        try
        {
            var manifest = JsonSerializer.Deserialize(plain, ContinuityJson.Default.SnapshotManifest)!;
            if (manifest.Format != 1)
                throw new VaultObjectException(name.ToString(), $"has format {manifest.Format}, and this version reads format 1", VaultProblem.Unreadable);
            return ObjectId.From(hash.Hash) == id ? manifest : throw new VaultObjectException(name.ToString(), "has another content than its id says");
        }
        catch (JsonException)
        {
            throw new VaultObjectException(name.ToString(), "is not written as format 1 says", VaultProblem.Unreadable);
        }
    }

    public Task<SnapshotManifest> ReadManifestAsync(ObjectId id, CancellationToken token) => ReadAsync(ObjectName.SnapshotKind, id, OpenManifest, token);

    /// <summary>
    /// Reads all snapshots that any destination lists and that were not deleted, oldest first. Snapshots of which no destination has a complete copy are
    /// skipped and named.
    /// </summary>
    public async Task<List<ListedSnapshot>> ReadSnapshotsAsync(ICollection<string> unreadable, CancellationToken token, Action<SnapshotManifest>? seen = null)
    {
        var deleted = Usable.SelectMany(v => v.Tombstones.Keys).ToHashSet();
        var snapshots = new List<ListedSnapshot>();
        foreach (var id in Usable.SelectMany(v => v.Snapshots.Keys).Distinct().Where(id => !deleted.Contains(id)))
        {
            try
            {
                var manifest = await ReadManifestAsync(id, token);
                snapshots.Add(new(id, VaultSnapshot.From(id, manifest), manifest.Chunks));
                seen?.Invoke(manifest);
            }
            catch (VaultObjectException e)
            {
                unreadable.Add(e.Message);
            }
        }

        return [.. snapshots.OrderBy(s => s.Snapshot.Number).ThenBy(s => s.Snapshot.SavedAt)];
    }

    public static Dictionary<ObjectId, uint> Listed(DestinationView view, char kind) => kind switch
    {
        ObjectName.ChunkKind => view.Chunks,
        ObjectName.SnapshotKind => view.Snapshots,
        _ => view.Tombstones,
    };

    public void Report(long done, long total) => Progress?.Report(total > 0 ? Math.Min(1, (double)done / total) : 1);

    public static string Reasons(IEnumerable<DestinationView> views) => string.Join("; ", views.Select(v => $"'{v.Name}': {v.Failure ?? "has no vault"}")) + ".";

    /// <summary>Writes an object with a random name: an intent, a mark, a sweep.</summary>
    public async Task<ObjectName> WriteMarkerAsync(DestinationView view, char kind, IReadOnlyList<ObjectId> chunks, CancellationToken token)
    {
        var name = new ObjectName(kind, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), Sealer.Keys.Active);
        await Store.PutAsync(view.Name, name, Sealer.Seal(name, MarkerBytes(chunks)), token);
        return name;
    }

    public byte[] MarkerBytes(IReadOnlyList<ObjectId> chunks) => JsonSerializer.SerializeToUtf8Bytes(new MarkerContent(Time.GetUtcNow(), chunks), ContinuityJson.Default.MarkerContent);

    /// <summary>Reads a marker. Null if it no longer exists or cannot be opened.</summary>
    public async Task<MarkerContent?> ReadMarkerAsync(DestinationView view, ObjectName name, CancellationToken token)
    {
        try
        {
            return (await Store.GetAsync([view.Name], name, token)).Content is { } content
                ? JsonSerializer.Deserialize(Sealer.Open(name, content), ContinuityJson.Default.MarkerContent)
                : null;
        }
        catch (VaultObjectException)
        {
            return null;
        }
    }

    // The caller's cancellation is not a failure of a destination.
    private static bool IsOfDestination(Exception e, CancellationToken token) => !(e is OperationCanceledException && token.IsCancellationRequested) && e is not VaultException;

    private static async Task ListAsync(VaultStore store, DestinationView view, CancellationToken token)
    {
        try
        {
            view.Fill(await store.ListAsync(view.Name, "", token));
        }
        catch (Exception e) when (IsOfDestination(e, token))
        {
            view.Failure = e.Message;
        }
    }

    private static async Task<CheckContent> ReadCheckAsync(VaultStore store, Sealer sealer, DestinationView view, CancellationToken token)
    {
        VaultException? last = null;
        foreach (var name in view.Checks)
        {
            try
            {
                if (!sealer.Keys.Contains(name.Key))
                    throw new VaultObjectException(name.ToString(), $"is sealed by key {name.Key}, which is not among the vault's keys", VaultProblem.Unreadable);
                var content = (await store.GetAsync([view.Name], name, token)).Content ?? throw new VaultObjectException(name.ToString(), "is gone");
                var check = JsonSerializer.Deserialize(sealer.Open(name, content), ContinuityJson.Default.CheckContent)!;
                return check.Format == 1 ? check : throw new VaultObjectException(name.ToString(), $"has format {check.Format}, and this version reads format 1", VaultProblem.Unreadable);
            }
            catch (VaultException e)
            {
                last = e;
            }
        }

        throw last!;
    }

    // Only if a snapshot shows that the destination belongs to this vault, because another vault may have keys with the same numbers.
    private async Task RepairCheckAsync(DestinationView view, CancellationToken token)
    {
        foreach (var (id, key) in view.Snapshots)
        {
            var name = new ObjectName(ObjectName.SnapshotKind, id.ToString(), key);
            if (await IsGoodAsync(view, name, id, token) != true)
                continue;
            foreach (var check in view.Checks.Where(c => Sealer.Keys.Contains(c.Key)))
                await Store.DeleteAsync(view.Name, check, token);
            view.Checks.Clear();
            view.Failure = null;
            return;
        }
    }

    /// <summary>Checks whether a destination's object is intact. Null: this version or these keys cannot tell. False also if it no longer exists.</summary>
    public async Task<bool?> IsGoodAsync(DestinationView view, ObjectName name, ObjectId id, CancellationToken token)
    {
        try
        {
            return (await Store.GetAsync([view.Name], name, token)).Content is { } content && OpenVerified(name, id, content) is not null;
        }
        catch (VaultObjectException e)
        {
            return e.Problem == VaultProblem.Unreadable ? null : false;
        }
    }

    private Task WriteChecksAsync(CancellationToken token) => OnEachAsync(
        async view =>
        {
            var name = new ObjectName(ObjectName.CheckKind, "check", Sealer.Keys.Active);
            if (view.Checks.Contains(name))
                return;
            var content = JsonSerializer.SerializeToUtf8Bytes(new CheckContent(1, Vault, _idKey), ContinuityJson.Default.CheckContent);
            await Store.PutAsync(view.Name, name, Sealer.Seal(name, content), token);
            view.Checks.Add(name);
        },
        token);
}
