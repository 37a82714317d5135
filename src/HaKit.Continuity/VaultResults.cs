using System.Globalization;
using HaKit.Continuity.Format;

namespace HaKit.Continuity;

/// <summary>Describes one snapshot. Immutable.</summary>
public sealed record VaultSnapshot
{
    /// <summary>Gets the id with which the snapshot is restored.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the number. Each snapshot of a vault has a higher number than all earlier snapshots.</summary>
    public required long Number { get; init; }

    /// <summary>Gets the path that was saved.</summary>
    public required string Source { get; init; }

    /// <summary>Gets when the snapshot was saved.</summary>
    public required DateTimeOffset SavedAt { get; init; }

    /// <summary>Gets the number of files and links.</summary>
    public required int Files { get; init; }

    /// <summary>Gets the number of bytes in the snapshot's files.</summary>
    public required long Bytes { get; init; }

    /// <summary>
    /// Gets the destinations that have the snapshot. After a save these are the destinations to which all its objects were written or that already had them. In
    /// a list these are the destinations that have the snapshot's manifest; only <see cref="Vault.CheckAsync"/> reads its chunks.
    /// </summary>
    public IReadOnlyList<string> Destinations { get; init; } = [];

    /// <summary>
    /// Gets the destinations that do not have the snapshot or did not confirm that they have it, each with the reason. <see cref="Vault.SyncAsync"/> copies the
    /// snapshot to them.
    /// </summary>
    public IReadOnlyDictionary<string, string> Missed { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets the number of chunks that the save sent. A chunk that went to several destinations counts once.</summary>
    public int ChunksSent { get; init; }

    /// <summary>Gets the number of content bytes that the save sent, before compression.</summary>
    public long BytesSent { get; init; }

    internal static VaultSnapshot From(ObjectId id, SnapshotManifest manifest) => new()
    {
        Id = id.ToString(),
        Number = manifest.Number,
        Source = manifest.Source,
        SavedAt = manifest.SavedAt,
        Files = manifest.Entries.Count(e => !e.IsFolder),
        Bytes = manifest.Entries.Sum(e => e.Size),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"snapshot {Number} of {SavedAt:u}: {Files} files, {Bytes} bytes");
}

/// <summary>Sets how a save is made. Immutable.</summary>
public sealed record VaultSaveOptions
{
    /// <summary>Gets the number of destinations that must have the snapshot before the save returns. Default 1; at least 1.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>Gets whether every file is read, even if its size, times and inode are unchanged. Default false.</summary>
    public bool Rehash { get; init; }
}

/// <summary>
/// Sets which snapshots a prune keeps. A snapshot is kept if <see cref="KeepLast"/> or <see cref="KeepDays"/> applies; the newest is always kept. Immutable.
/// </summary>
public sealed record VaultPruneOptions
{
    /// <summary>Gets how many of the newest snapshots are kept; at least 1. Default null: no such rule.</summary>
    public int? KeepLast { get; init; }

    /// <summary>Gets for how many days snapshots are kept; 0 to 36,500. Default null: no such rule.</summary>
    public double? KeepDays { get; init; }

    /// <summary>
    /// Gets whether the prune deletes snapshots that are damaged on every destination. If false, the prune reports these snapshots and deletes no chunk,
    /// because their manifests cannot show which chunks they use. No damaged snapshot is deleted while a destination cannot be reached. Default false.
    /// </summary>
    public bool GiveUpDamaged { get; init; }
}

/// <summary>The kind of problem of an object or a destination.</summary>
public enum VaultProblem
{
    /// <summary>The destination, or one of its objects, could not be read.</summary>
    Unreachable,

    /// <summary>An object is not where it should be.</summary>
    Missing,

    /// <summary>An object was changed or truncated, or was encrypted with a key that has the same key number as a key of this vault but other bytes.</summary>
    Damaged,

    /// <summary>An object has a newer format, or is encrypted with a key that is not available. A sync does not change it.</summary>
    Unreadable,

    /// <summary>The destination has the state of an earlier time.</summary>
    RolledBack,

    /// <summary>The name of an object does not belong to this format.</summary>
    Unknown,
}

/// <summary>Describes one finding of a check. Immutable.</summary>
/// <param name="Destination">The destination.</param>
/// <param name="ObjectName">The object. Empty for the destination itself.</param>
/// <param name="Problem">The kind of problem.</param>
/// <param name="Message">The problem and its remedy, in a sentence.</param>
public sealed record VaultFinding(string Destination, string ObjectName, VaultProblem Problem, string Message);

/// <summary>Describes the result of a check. Immutable.</summary>
/// <param name="Findings">The problems that were found. Empty if there are none.</param>
/// <param name="Snapshots">The snapshots that can be read, oldest first.</param>
public sealed record VaultCheckReport(IReadOnlyList<VaultFinding> Findings, IReadOnlyList<VaultSnapshot> Snapshots)
{
    /// <summary>Gets whether the check found no problem.</summary>
    public bool IsGood => Findings.Count == 0;
}

/// <summary>Describes the result of a restore. Immutable.</summary>
/// <param name="Snapshot">The restored snapshot.</param>
/// <param name="Files">The number of files and links.</param>
/// <param name="Bytes">The number of bytes.</param>
/// <param name="Took">The duration of the operation.</param>
public sealed record VaultRestoreReport(VaultSnapshot Snapshot, int Files, long Bytes, TimeSpan Took);

/// <summary>Describes the result of a sync. Immutable.</summary>
/// <param name="Snapshots">The number of copied snapshots.</param>
/// <param name="Chunks">The number of copied or repaired chunks.</param>
/// <param name="Deleted">The number of snapshots that were deleted because they were deleted at another destination.</param>
/// <param name="Problems">The steps that could not be done, with their reasons.</param>
public sealed record VaultSyncReport(int Snapshots, int Chunks, int Deleted, IReadOnlyList<string> Problems);

/// <summary>Describes the result of a prune. Immutable.</summary>
/// <param name="Snapshots">The number of deleted snapshots.</param>
/// <param name="Marked">The number of chunks that were marked as unused. A later prune deletes them after the grace period.</param>
/// <param name="Deleted">The number of deleted chunks.</param>
/// <param name="Problems">The steps that were postponed or could not be done, with their reasons.</param>
public sealed record VaultPruneReport(int Snapshots, int Marked, int Deleted, IReadOnlyList<string> Problems);
