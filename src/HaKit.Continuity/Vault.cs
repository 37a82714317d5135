using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using HaKit.Continuity.Format;
using HaKit.Continuity.Operations;

namespace HaKit.Continuity;

/// <summary>
/// Represents a vault: encrypted snapshots of files on a pool of destinations. A snapshot exists completely or not at all. A restore gives exactly the saved
/// bytes, or fails with the name of the damaged or missing object. A destination sees the number of objects, their sizes and their times, but no file name and
/// no content. If the key is lost, the data is lost. Thread-safe: operations may run at the same time. After the vault is disposed, every operation throws an
/// <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class Vault : IAsyncDisposable
{
    private readonly EndpointPool _pool;
    private readonly bool _ownsPool;
    private readonly HttpClient? _ownHttp;
    private readonly VaultOptions _options;
    private readonly VaultStore _store;
    private readonly Sealer _sealer;
    private long _lastNumber; // the highest number that this object has saved: the newest snapshot may be only on destinations that cannot be reached now
    private volatile bool _isDisposed;

    internal Vault(EndpointPool pool, VaultOptions options, bool ownsPool = false, HttpClient? ownHttp = null)
    {
        (_pool, _options, _ownsPool, _ownHttp) = (pool, options, ownsPool, ownHttp);
        _store = new VaultStore(pool, options);
        _sealer = new Sealer(VaultSettings.KeyRing(options));
    }

    /// <summary>Creates a vault without a dependency-injection container.</summary>
    /// <param name="name">The vault's name, for logs and messages.</param>
    /// <param name="options">The destinations and keys. The vault takes a copy.</param>
    /// <param name="http">
    /// The sender of requests to blob containers; it is not disposed. If its <see cref="HttpClient.Timeout"/> is shorter than <see
    /// cref="VaultOptions.OperationTimeout"/>, it ends operations early. Null: the vault's own client.
    /// </param>
    /// <param name="time">The clock. Null: the system's clock.</param>
    /// <exception cref="VaultException">A setting is wrong; the message names it.</exception>
    public static Vault Create(string name, VaultOptions options, HttpClient? http = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(options);
        options = options.Copy();
        if (VaultSettings.Problems(options).FirstOrDefault() is { } problem)
            throw new VaultException(problem);
        var pool = new EndpointPoolOptions { OnFault = DestinationFaults.ActionFor };
        HttpClient? ownHttp = null;
        VaultSettings.Describe(pool, options, () => http ?? (ownHttp ??= NewHttpClient()));
        var parts = new EndpointPoolParts { TimeProvider = time ?? TimeProvider.System };
        parts.Classifiers.Add(new DestinationFaults());
        return new Vault(new EndpointPool(name, pool, parts), options, ownsPool: true, ownHttp);
    }

    // The client has no time limit, because OperationTimeout ends each operation. A changed DNS record is seen within five minutes.
    private static HttpClient NewHttpClient() => new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Gets the pool of destinations, for status, health and events.</summary>
    public EndpointPool Pool => _pool;

    /// <summary>
    /// Gets or sets the receiver of an operation's progress, from 0 to 1, for a progress bar. Operations that run at the same time share this receiver. Default
    /// null.
    /// </summary>
    public IProgress<double>? Progress { get; set; }

    /// <summary>
    /// Saves a file or a folder. The first save sends all content; a later save sends only changed content. The task ends when the given number of destinations
    /// have the snapshot.
    /// </summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="copies">The number of destinations that must have the snapshot; at least 1.</param>
    /// <param name="cancellationToken">
    /// Cancels the save. A cancellation at the very end may come too late: some destinations may then have the complete snapshot.
    /// </param>
    /// <exception cref="VaultException">
    /// The source cannot be read or shares a folder with a destination, too few destinations could be written, the keys are wrong, or the state file cannot be
    /// used. The message says why. If some destinations have the snapshot nevertheless, the message names them.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of copies is less than 1.</exception>
    public Task<VaultSnapshot> SaveAsync(string path, int copies = 1, CancellationToken cancellationToken = default) =>
        SaveAsync(path, new VaultSaveOptions { Copies = copies }, cancellationToken);

    /// <summary>Saves a file or a folder; see <see cref="SaveAsync(string, int, CancellationToken)"/>.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="options">Sets how to save.</param>
    /// <param name="cancellationToken">
    /// Cancels the save. A cancellation at the very end may come too late: some destinations may then have the complete snapshot.
    /// </param>
    /// <exception cref="VaultException">
    /// The source cannot be read or shares a folder with a destination, too few destinations could be written, the keys are wrong, or the state file cannot be
    /// used. The message says why. If some destinations have the snapshot nevertheless, the message names them.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of copies is less than 1.</exception>
    public async Task<VaultSnapshot> SaveAsync(string path, VaultSaveOptions options, CancellationToken cancellationToken = default)
    {
        VaultPlaces.ThrowIfBlank(path, nameof(path), nameof(SaveAsync));
        ArgumentNullException.ThrowIfNull(options);
        if (options.Copies < 1)
            throw new ArgumentOutOfRangeException(nameof(options), options.Copies, $"Copies is {options.Copies}: from 1 to the number of destinations ({_store.Destinations.Count}) is needed.");
        if (options.Copies > _store.Destinations.Count)
            throw new VaultException($"{options.Copies} copies are asked for, and the vault has {_store.Destinations.Count} destinations. Ask for fewer copies, or add destinations.");
        if (VaultPlaces.Touching(_options, path) is { } destination)
            throw new VaultException($"The source '{path}' has the folder of destination '{destination}' in it, or lies in that folder. Keep the source and the destinations apart.");
        var known = StateFile.Read(_options.StateFile);
        // If this machine has saved before, the vault exists. If all destinations are empty nevertheless, their shares are probably not mounted. So no second
        // vault is created.
        var session = await OpenAsync(create: known is null, cancellationToken, repair: known is not null);
        var lastKnown = Math.Max(known?.Vault == session.Check.Vault ? known.LastNumber : 0, Interlocked.Read(ref _lastNumber));
        var saved = await SaveOperation.RunAsync(session, path, options, lastKnown, cancellationToken);
        RememberNumber(saved.Number);
        var notRemembered = saved.Destinations.Count == 0 ? null
            : StateFile.TryWrite(_options.StateFile, new LocalState(session.Check.Vault, saved.Number, ObjectId.TryParse(saved.Id, out var id) ? id : null));
        SaveOperation.ThrowIfIncomplete(saved, options.Copies, notRemembered);
        return saved;
    }

    /// <summary>
    /// Restores a snapshot to a new path or to an empty folder. The snapshot is written to a folder beside the target, verified, and renamed to the target.
    /// </summary>
    /// <param name="snapshot">The snapshot's id, its number, or <c>latest</c>.</param>
    /// <param name="target">The target. It must not exist, or must be an empty folder.</param>
    /// <param name="path">One file or folder of the snapshot. Null: everything.</param>
    /// <param name="cancellationToken">Ends the restore. After a cancellation, nothing is left at the target.</param>
    /// <exception cref="VaultException">
    /// There is no such snapshot, the target is a file or a folder that is not empty, a path in the snapshot is not safe on this system, or an object cannot be
    /// read. The message names the snapshot, the path or the object.
    /// </exception>
    public async Task<VaultRestoreReport> RestoreAsync(string snapshot, string target, string? path = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(snapshot);
        VaultPlaces.ThrowIfBlank(target, nameof(target), nameof(RestoreAsync));
        if (VaultPlaces.Touching(_options, target, onlyInside: true) is { } destination)
            throw new VaultException($"The target '{target}' lies in the folder of destination '{destination}'. Restore to a path outside the destinations.");
        var session = await OpenAsync(create: false, cancellationToken);
        return await RestoreOperation.RunAsync(session, await FindAsync(session, snapshot, cancellationToken), target, path, replaces: false, cancellationToken);
    }

    /// <summary>Restores a whole snapshot; see <see cref="RestoreAsync(string, string, string?, CancellationToken)"/>.</summary>
    /// <param name="snapshot">The snapshot's id, its number, or <c>latest</c>.</param>
    /// <param name="target">The target. It must not exist, or must be an empty folder.</param>
    /// <param name="cancellationToken">Ends the restore.</param>
    public Task<VaultRestoreReport> RestoreAsync(string snapshot, string target, CancellationToken cancellationToken) => RestoreAsync(snapshot, target, null, cancellationToken);

    /// <summary>
    /// Keeps a standby folder at the newest snapshot. It restores the newest readable snapshot at once. Then it looks for the newest readable snapshot at an
    /// interval, and restores it if it is newer than the snapshot in the folder; snapshots between the two are skipped. Each restore is written to a temporary folder
    /// beside the standby folder. Then the standby folder is renamed, and the temporary folder gets its name. Between these two renames the standby folder does
    /// not exist for a moment. After the first restore, a <see cref="VaultException"/> does not end the work: the standby folder stays as it is, and the next
    /// restore is tried after the interval.
    /// </summary>
    /// <param name="target">The folder. Its content is replaced. It must not be in the folder of a destination, and no such folder may be in it.</param>
    /// <param name="every">The interval at which the method looks for the newest snapshot; 1 ms to 30 days.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>A report of each restore, as it happens.</returns>
    /// <exception cref="VaultException">
    /// The target shares a folder with a destination, or the first restore failed: too few destinations could be read, there is no snapshot, or an object cannot
    /// be read.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The interval is out of its range.</exception>
    public async IAsyncEnumerable<VaultRestoreReport> FollowAsync(string target, TimeSpan every, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        VaultPlaces.ThrowIfBlank(target, nameof(target), nameof(FollowAsync));
        if (SettingRange.Find(nameof(every), every, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(30)) is { } mistake)
            throw new ArgumentOutOfRangeException(nameof(every), mistake);
        // The folder is deleted when it is replaced, and a destination in it would be deleted too.
        if (VaultPlaces.Touching(_options, target) is { } destination)
            throw new VaultException($"The target '{target}' has the folder of destination '{destination}' in it, or lies in that folder. The content of the target is replaced, so keep it and the destinations apart.");
        (string Vault, VaultSnapshot Snapshot)? held = null;
        RestoreOperation.RecoverTarget(target);
        using var timer = new PeriodicTimer(every, _pool.Time);
        do
        {
            if (await CatchUpAsync(target, held, cancellationToken) is { } caughtUp)
            {
                held = (caughtUp.Vault, caughtUp.Report.Snapshot);
                yield return caughtUp.Report;
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    // If the destination with the newest snapshot fails, or is rolled back, an older snapshot is the newest that can be read. The older snapshot must not
    // replace the folder.
    private async Task<(string Vault, VaultRestoreReport Report)?> CatchUpAsync(string target, (string Vault, VaultSnapshot Snapshot)? held, CancellationToken token)
    {
        try
        {
            var session = await OpenAsync(create: false, token);
            var newest = await FindLatestAsync(session, token);
            // A vault that was created again begins with number 1.
            if (held is var (vault, last) && vault == session.Check.Vault && newest.Snapshot.Number <= last.Number && !(newest.Snapshot.Number == last.Number && newest.Snapshot.SavedAt > last.SavedAt))
                return null;
            return (session.Check.Vault, await RestoreOperation.RunAsync(session, newest.Id, target, null, replaces: true, token));
        }
        catch (VaultException) when (held is not null)
        {
            return null;
        }
    }

    /// <summary>Lists the snapshots that can be read, oldest first.</summary>
    /// <param name="cancellationToken">Ends the listing.</param>
    public async Task<IReadOnlyList<VaultSnapshot>> ListAsync(CancellationToken cancellationToken = default)
    {
        var session = await OpenAsync(create: false, cancellationToken);
        return [.. (await session.ReadSnapshotsAsync([], cancellationToken)).Select(s => s.Snapshot with
        {
            Destinations = [.. session.Usable.Where(v => v.Snapshots.ContainsKey(s.Id)).Select(static v => v.Name)],
        })];
    }

    /// <summary>Reads every object of every destination, and reports each missing or damaged object by name.</summary>
    /// <param name="cancellationToken">Ends the check.</param>
    public async Task<VaultCheckReport> CheckAsync(CancellationToken cancellationToken = default)
    {
        var session = await OpenAsync(create: false, cancellationToken);
        return await CheckOperation.RunAsync(session, StateFile.Read(_options.StateFile) is { } known && known.Vault == session.Check.Vault ? known : null, cancellationToken);
    }

    /// <summary>
    /// Copies to each destination the objects that only other destinations have, and repairs damaged copies. The records of deleted snapshots (tombstones) are
    /// copied first, so that the sync does not bring a deleted snapshot back.
    /// </summary>
    /// <param name="cancellationToken">Ends the sync; it may be run again.</param>
    public async Task<VaultSyncReport> SyncAsync(CancellationToken cancellationToken = default) =>
        await SyncOperation.RunAsync(await OpenAsync(create: false, cancellationToken, repair: true), cancellationToken);

    /// <summary>Deletes old snapshots, and chunks that no snapshot has used during the grace period.</summary>
    /// <param name="keep">The rules that select the snapshots to keep; without a rule every snapshot is kept.</param>
    /// <param name="cancellationToken">Ends the prune; it may be run again.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of the rules is out of its range.</exception>
    public async Task<VaultPruneReport> PruneAsync(VaultPruneOptions keep, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keep);
        if (keep.KeepLast < 1)
            throw new ArgumentOutOfRangeException(nameof(keep), $"KeepLast is {keep.KeepLast}: at least 1 is needed, or null for no such rule.");
        if (keep.KeepDays is { } days && SettingRange.Find(nameof(keep.KeepDays), days, 0, VaultSettings.MostDays) is { } mistake)
            throw new ArgumentOutOfRangeException(nameof(keep), mistake);
        return await PruneOperation.RunAsync(await OpenAsync(create: false, cancellationToken), keep, _options, cancellationToken);
    }

    /// <summary>Encrypts with the active key every object that is sealed with another key. Keep the old keys until this method has returned.</summary>
    /// <param name="cancellationToken">Ends the work; it may be run again.</param>
    /// <returns>The number of objects that were sealed with another key before. The copies of an object on several destinations count separately.</returns>
    /// <exception cref="VaultException">
    /// Some objects are still sealed with another key, because an object is damaged or a destination failed. Keep that key, and run the method again.
    /// </exception>
    public async Task<int> RekeyAsync(CancellationToken cancellationToken = default) =>
        await RekeyOperation.RunAsync(await OpenAsync(create: false, cancellationToken, repair: true), cancellationToken);

    /// <summary>Restores the newest snapshot into a temporary folder and then deletes the folder, to measure how long a recovery takes.</summary>
    /// <param name="cancellationToken">Ends the rehearsal.</param>
    public async Task<VaultRestoreReport> RehearseAsync(CancellationToken cancellationToken = default)
    {
        var folder = Path.Combine(Path.GetTempPath(), "hakit-rehearsal-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        try
        {
            return await RestoreAsync("latest", folder, null, cancellationToken);
        }
        finally
        {
            UnixFiles.DeleteFolder(folder);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        if (_ownsPool)
            await _pool.DisposeAsync();
        _ownHttp?.Dispose();
    }

    private async Task<VaultSession> OpenAsync(bool create, CancellationToken token, bool repair = false)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return await VaultSession.OpenAsync(_store, _sealer, _pool.Time, create, repair, Progress, token);
    }

    private void RememberNumber(long number)
    {
        for (var last = Interlocked.Read(ref _lastNumber); last < number;)
        {
            var found = Interlocked.CompareExchange(ref _lastNumber, number, last);
            if (found == last)
                return;
            last = found;
        }
    }

    private static async Task<ListedSnapshot> FindLatestAsync(VaultSession session, CancellationToken token)
    {
        var unreadable = new List<(ObjectId Id, VaultObjectException Why)>();
        var all = await session.ReadSnapshotsAsync(unreadable, token);
        return all.Count > 0 ? all[^1] : throw new VaultException("The vault has no snapshot that can be read." + NoteOf(unreadable));
    }

    private static string NoteOf(List<(ObjectId Id, VaultObjectException Why)> unreadable) =>
        unreadable.Count == 0 ? "" : $" {unreadable.Count} snapshots cannot be read: {unreadable[0].Why.Message}";

    private static async Task<ObjectId> FindAsync(VaultSession session, string snapshot, CancellationToken token)
    {
        if (ObjectId.TryParse(snapshot, out var id))
            return id;
        if (snapshot == "latest")
            return (await FindLatestAsync(session, token)).Id;
        var unreadable = new List<(ObjectId Id, VaultObjectException Why)>();
        var all = await session.ReadSnapshotsAsync(unreadable, token);
        return long.TryParse(snapshot, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && all.Find(s => s.Snapshot.Number == number) is { } found
            ? found.Id
            : throw new VaultException($"The vault has no snapshot '{snapshot}': its id, its number or 'latest' is needed.{NoteOf(unreadable)}");
    }
}
