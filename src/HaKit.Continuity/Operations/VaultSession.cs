using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>Holds the view of the vault for one operation: the vault's identity, and what each destination lists. Owned by one operation.</summary>
internal sealed class VaultSession
{
    // The copies of one object can have different problems. Only one problem is reported: the first in this order that any copy has. An unreachable copy may be
    // good, and an unreadable copy may be good for another key or version. So a prune gives up an object only if every copy is missing or damaged.
    private static readonly VaultProblem[] s_reportOrder = [VaultProblem.Unreachable, VaultProblem.Unreadable, VaultProblem.Missing, VaultProblem.Damaged];

    private VaultSession(VaultStore store, Sealer sealer, TimeProvider time, CheckContent check, DestinationView[] views)
    {
        (Store, Sealer, Time, Check, Views) = (store, sealer, time, check, views);
    }

    public VaultStore Store { get; }

    public Sealer Sealer { get; }

    public TimeProvider Time { get; }

    /// <summary>Gets or sets the vault's identity: its id, and the key from which the ids of its objects are computed.</summary>
    public CheckContent Check { get; set; }

    public DestinationView[] Views { get; }

    /// <summary>Gets the receiver of the operation's progress, 0 to 1. Null: none.</summary>
    public IProgress<double>? Progress { get; init; }

    public IEnumerable<DestinationView> Usable => Views.Where(v => v.IsUsable);

    /// <summary>
    /// Lists the objects of all destinations and finds the vault's identity. If the keys do not open the vault, the method throws before anything is written.
    /// If other destinations have an identity, a destination without a readable identity takes no part. There is one exception: a destination that has lost its
    /// check object takes part if it has only markers, or if one of its objects is also at a destination with the identity. A new vault is created only if
    /// <paramref name="create"/> is true, every destination can be reached, and no destination has objects of a vault. With <paramref name="create"/> or
    /// <paramref name="repair"/>, a missing or damaged check object is written again.
    /// </summary>
    /// <exception cref="VaultException">
    /// The keys are wrong, destinations belong to different vaults, there is no vault, or destinations cannot be reached.
    /// </exception>
    public static async Task<VaultSession> OpenAsync(
        VaultStore store, Sealer sealer, TimeProvider time, bool create, bool repair, IProgress<double>? progress, CancellationToken token)
    {
        var views = store.Destinations.Select(d => new DestinationView(d)).ToArray();
        var identities = new Dictionary<DestinationView, CheckContent>();
        var refused = new Dictionary<DestinationView, VaultException>();
        await Task.WhenAll(views.Select(view => TryAsync(view, async v => v.Fill(await store.ListAsync(v.Name, "", token)), token)));
        foreach (var view in views.Where(static v => v.IsUsable && !v.IsEmpty))
        {
            try
            {
                await TryAsync(view, async v => identities[v] = await CheckObjects.ReadIdentityAsync(store, sealer, v, token), token);
            }
            catch (VaultException e)
            {
                refused[view] = e;
            }
        }
        if (identities.Values.Select(static c => c.Vault).Distinct().Count() > 1)
            throw new VaultException($"The destinations belong to different vaults: {string.Join(", ", identities.Keys.Select(static v => $"'{v.Name}'"))}. Give each vault destinations of its own.");
        if (identities.Count == 0 && refused.Count > 0)
            throw new VaultException($"{(refused.First().Value is VaultObjectException { Problem: VaultProblem.Damaged } ? "The keys do not open this vault" : "This vault cannot be opened")}. Destination '{refused.First().Key.Name}': {refused.First().Value.Message} Nothing was written. Give Keys the keys with which the vault was saved, or give this vault other destinations.");
        // A destination of this vault that has lost its check object is not excluded. If another destination has the vault's identity, the next save or sync
        // writes the check object again.
        foreach (var (view, why) in refused.Where(r => r.Key.Checks.Count > 0 || !IsOfVault(r.Key, identities.Keys)))
            view.Failure = view.Checks.Count > 0 ? why.Message : $"{why.Message} No object of the destination is known to belong to this vault. Give the vault another place, or empty this one.";
        var session = new VaultSession(store, sealer, time, identities.Count > 0 ? identities.First().Value : CheckObjects.NewIdentity(views, create), views) { Progress = progress };
        if (identities.Count == 0)
            await CheckObjects.PutNewAsync(session, token);
        foreach (var key in sealer.Keys.Numbers)
            sealer.CountSeals(key, views.Max(v => v.Chunks.Values.Count(k => k == key)));
        if (create || repair)
            await session.OnEachAsync(v => CheckObjects.WriteAsync(session, v, token), token);
        return session;
    }

    // The ids of objects are computed with the vault's id key, so one common id shows that both destinations belong to the same vault. A destination that has
    // only markers was emptied, and every vault may use it.
    private static bool IsOfVault(DestinationView view, IEnumerable<DestinationView> known) => !view.Ids.Any() || known.Any(k => k.Ids.Intersect(view.Ids).Any());

    /// <summary>Computes the id of a chunk or snapshot: HMAC-SHA-256 of the kind and the content under the vault's id key.</summary>
    public ObjectId IdOf(char kind, ReadOnlySpan<byte> content) => ObjectId.Compute(Check.IdKey, kind, content);

    public (ObjectId Id, ObjectName Name, ReadOnlyMemory<byte> Sealed) SealManifest(SnapshotManifest manifest) =>
        Sealer.SealStream(ObjectName.SnapshotKind, Check.IdKey, stream => JsonSerializer.Serialize(stream, manifest, ContinuityJson.Default.SnapshotManifest));

    public ObjectName NameOf(char kind, ObjectId id) => new(kind, id.ToString(), Sealer.Keys.Active);

    /// <summary>Lists the objects of all usable destinations again.</summary>
    public Task ListAgainAsync(CancellationToken token) => OnEachAsync(async view => view.Fill(await Store.ListAsync(view.Name, "", token)), token);

    /// <summary>
    /// Runs a step on all usable destinations at the same time. A destination that fails takes no further part in the operation, and its <see
    /// cref="DestinationView.Failure"/> keeps the reason.
    /// </summary>
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
            view.Failure ??= ReasonOf(e); // the first failure is the cause
            return false;
        }
    }

    /// <summary>Reads an object from the first destination that has a good copy.</summary>
    /// <exception cref="VaultObjectException">No destination has a good copy; the message describes the problem at each destination.</exception>
    // The exception of the pool lists the attempts. Only the exception of the last attempt names the path and the error of the file system.
    private static string ReasonOf(Exception failure)
    {
        var cause = (failure as EndpointPoolException)?.InnerException is { } inner and (IOException or UnauthorizedAccessException) ? inner : failure;
        var reason = cause == failure ? failure.Message : $"{cause.Message.TrimEnd('.')}. {failure.Message}";
        return cause is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException ? $"{reason.TrimEnd('.')}. Correct the path of the destination's folder, or its permissions" : reason;
    }

    public Task<byte[]> ReadAsync(char kind, ObjectId id, CancellationToken token) => ReadAsync(kind, id, OpenVerified, token);

    private async Task<T> ReadAsync<T>(char kind, ObjectId id, Func<ObjectName, ObjectId, byte[], T> open, CancellationToken token)
    {
        var keys = Usable.Where(v => v.KeysOf(kind).ContainsKey(id)).ToDictionary(v => v.Name, v => v.KeysOf(kind)[id]);
        var left = keys.Keys.ToList();
        var (reasons, problems) = (new List<string>(), new HashSet<VaultProblem>());
        while (left.Count > 0)
        {
            // Copies that are sealed with the same key have the same name. So one call asks for all of them, and the pool of destinations chooses the
            // destination.
            var key = keys[left[0]];
            var name = new ObjectName(kind, id.ToString(), key);
            string[] able = [.. left.Where(d => keys[d] == key)];
            var attempts = new ReadAttempts();
            (string Destination, byte[]? Content) read;
            try
            {
                read = await Store.GetAsync(able, name, attempts, token);
            }
            catch (Exception e) when (IsOfDestination(e, token))
            {
                foreach (var (destination, reason) in attempts.Failed(able, e))
                {
                    reasons.Add($"'{destination}': {reason}");
                    left.Remove(destination);
                }
                problems.Add(VaultProblem.Unreachable);
                continue;
            }
            // The pool chose one of the destinations. Only the copy on this destination is known to be bad, so the loop still tries the others.
            left.Remove(read.Destination);
            try
            {
                if (read.Content is not null)
                    return open(name, id, read.Content);
                reasons.Add($"'{read.Destination}' lists the object, but does not have it");
                problems.Add(VaultProblem.Missing);
            }
            catch (VaultObjectException e)
            {
                reasons.Add($"at '{read.Destination}' it {e.Reason}");
                problems.Add(e.Problem);
            }
        }
        if (reasons.Count == 0)
            problems.Add(Views.All(static v => v.IsUsable) ? VaultProblem.Missing : VaultProblem.Unreachable);
        throw new VaultObjectException($"{kind}/{id}", reasons.Count == 0 ? "is on no destination that can be reached" : "cannot be read: " + string.Join("; ", reasons), s_reportOrder.First(problems.Contains))
        {
            IsPerhapsRenamed = reasons.Count == 0 || problems.Contains(VaultProblem.Missing),
        };
    }

    /// <summary>Opens an object. If the object is a chunk or a snapshot, also verifies that its id belongs to this content.</summary>
    public byte[] OpenVerified(ObjectName name, ObjectId id, byte[] content)
    {
        var plain = Sealer.Open(name, content);
        if (name.Kind is ObjectName.ChunkKind or ObjectName.SnapshotKind && IdOf(name.Kind, plain) != id)
            throw new VaultObjectException(name.ToString(), "does not have the content that its id was computed from");
        return plain;
    }

    /// <summary>Opens a snapshot and verifies that its id was computed from this content.</summary>
    public SnapshotManifest OpenManifest(ObjectName name, ObjectId id, byte[] content)
    {
        using var hash = ObjectId.Hash(Check.IdKey, ObjectName.SnapshotKind);
        using var plain = new CryptoStream(Sealer.OpenStream(name, content), hash, CryptoStreamMode.Read);
        var manifest = Parse(name, plain, ContinuityJson.Default.SnapshotManifest);
        if (manifest.Format != 1)
            throw new VaultObjectException(name.ToString(), $"has format {manifest.Format}, and this version reads format 1", VaultProblem.Unreadable);
        return ObjectId.From(hash.Hash) == id ? manifest : throw new VaultObjectException(name.ToString(), "does not have the content that its id was computed from");
    }

    public static T Parse<T>(ObjectName name, Stream plain, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(plain, type)!;
        }
        catch (JsonException)
        {
            throw new VaultObjectException(name.ToString(), "is not in format 1", VaultProblem.Unreadable);
        }
    }

    public Task<SnapshotManifest> ReadManifestAsync(ObjectId id, CancellationToken token) => ReadAsync(ObjectName.SnapshotKind, id, OpenManifest, token);

    /// <summary>
    /// Reads the manifests of all snapshots that any destination lists and that were not deleted, oldest first. If the manifest of a snapshot cannot be read
    /// from any destination, the snapshot is added to <paramref name="unreadable"/> with the reason.
    /// </summary>
    public async Task<List<ListedSnapshot>> ReadSnapshotsAsync(ICollection<(ObjectId Id, VaultObjectException Why)> unreadable, CancellationToken token, Action<SnapshotManifest>? seen = null)
    {
        var deleted = await ReadDeletedAsync(token);
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
                unreadable.Add((id, e));
            }
        }

        return [.. snapshots.OrderBy(s => s.Snapshot.Number).ThenBy(s => s.Snapshot.SavedAt)];
    }

    /// <summary>
    /// Gets the ids of the deleted snapshots: the ids of all tombstones. But a snapshot that a destination still lists counts as deleted only if one of its
    /// tombstones can be opened. A destination sees the ids of the snapshots, and could write a tombstone for each of them that no key of the vault has sealed.
    /// So a tombstone that cannot be opened deletes nothing.
    /// </summary>
    public async Task<HashSet<ObjectId>> ReadDeletedAsync(CancellationToken token)
    {
        var deleted = Usable.SelectMany(static v => v.Tombstones.Keys).ToHashSet();
        foreach (var id in Usable.SelectMany(static v => v.Snapshots.Keys).Distinct().Where(deleted.Contains).ToList())
        {
            if (!await IsDeletedAsync(id, token))
                deleted.Remove(id);
        }
        return deleted;
    }

    private async Task<bool> IsDeletedAsync(ObjectId id, CancellationToken token)
    {
        try
        {
            await ReadAsync(ObjectName.TombstoneKind, id, token);
            return true;
        }
        catch (VaultObjectException)
        {
            // The tombstone may be good, for example for another key. But a destination can also write such a tombstone, or refuse to read it.
            return false;
        }
    }

    public void Report(long done, long total) => Progress?.Report(total > 0 ? Math.Min(1, (double)done / total) : 1);

    /// <summary>Reports that the operation is complete.</summary>
    public void ReportEnd() => Progress?.Report(1);

    public static string Reasons(IEnumerable<DestinationView> views) => string.Join("; ", views.Select(v => $"'{v.Name}': {v.Failure ?? "has no vault"}")) + ".";

    /// <summary>
    /// Writes a marker: an object with a random name that announces a running save or sync (intent), unused chunks (mark) or a running prune (sweep).
    /// </summary>
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
                ? Parse(name, Sealer.OpenStream(name, content), ContinuityJson.Default.MarkerContent)
                : null;
        }
        catch (VaultObjectException)
        {
            return null;
        }
    }

    // The caller's cancellation is not a failure of a destination.
    private static bool IsOfDestination(Exception e, CancellationToken token) => !(e is OperationCanceledException && token.IsCancellationRequested) && e is not VaultException;

    /// <summary>Returns true if an object of a destination is whole, false if it is damaged or missing, null if this version or these keys cannot check it.</summary>
    public async Task<bool?> IsGoodAsync(DestinationView view, ObjectName name, ObjectId id, CancellationToken token) =>
        (await Store.GetAsync([view.Name], name, token)).Content is { } content ? IsGood(name, id, content) : false;

    public bool? IsGood(ObjectName name, ObjectId id, byte[] content)
    {
        try
        {
            return OpenVerified(name, id, content) is not null;
        }
        catch (VaultObjectException e)
        {
            return e.Problem == VaultProblem.Unreadable ? null : false;
        }
    }
}
