using System.Globalization;
using HaKit.Continuity.Format;

namespace HaKit.Continuity;

/// <summary>One snapshot. Immutable.</summary>
public sealed record VaultSnapshot
{
    /// <summary>Gets the id by which it is restored.</summary>
    public required string Id { get; init; }

    /// <summary>Gets its number; each snapshot of a vault has a higher one than those before.</summary>
    public required long Number { get; init; }

    /// <summary>Gets the path that was saved.</summary>
    public required string Source { get; init; }

    /// <summary>Gets when it was saved.</summary>
    public required DateTimeOffset SavedAt { get; init; }

    /// <summary>Gets how many files and links it has.</summary>
    public required int Files { get; init; }

    /// <summary>Gets how many bytes its files have.</summary>
    public required long Bytes { get; init; }

    /// <summary>Gets the destinations that have it: after a save whole, as far as it knows; in a list those that list its manifest, whose chunks a check reads.</summary>
    public IReadOnlyList<string> Destinations { get; init; } = [];

    /// <summary>Gets the destinations that do not have it, each with the reason; a sync brings it there.</summary>
    public IReadOnlyDictionary<string, string> Missed { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets how many chunks the save sent, counted once for all destinations.</summary>
    public int ChunksSent { get; init; }

    /// <summary>Gets how many bytes of content the save sent, before compression.</summary>
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

/// <summary>How a save goes about it. Immutable.</summary>
public sealed record VaultSaveOptions
{
    /// <summary>Gets how many destinations must have the snapshot before the save returns. Default 1; at least 1.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>Gets whether every file is read, also those whose size, times and inode are unchanged. Default false.</summary>
    public bool Rehash { get; init; }
}

/// <summary>Which snapshots a prune keeps; the newest is always kept. A snapshot is kept if either rule says so. Immutable.</summary>
public sealed record VaultPruneOptions
{
    /// <summary>Gets how many of the newest are kept; at least 1. Default null: no such rule.</summary>
    public int? KeepLast { get; init; }

    /// <summary>Gets for how many days snapshots are kept; at least 0. Default null: no such rule.</summary>
    public double? KeepDays { get; init; }
}

/// <summary>What is wrong with an object or a destination.</summary>
public enum VaultProblem
{
    /// <summary>The destination, or one of its objects, could not be read.</summary>
    Unreachable,

    /// <summary>An object is not where it should be.</summary>
    Missing,

    /// <summary>An object was changed or cut, or is sealed by another key of the same number.</summary>
    Damaged,

    /// <summary>An object is of a newer format, or is sealed by a key that is not at hand. A sync leaves it alone.</summary>
    Unreadable,

    /// <summary>The destination is as it was at an earlier time.</summary>
    RolledBack,

    /// <summary>An object has no name of this format.</summary>
    Unknown,
}

/// <summary>One thing that a check found. Immutable.</summary>
/// <param name="Destination">Where.</param>
/// <param name="ObjectName">Which object; empty for the destination itself.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Message">What is wrong, and the cure, in a sentence.</param>
public sealed record VaultFinding(string Destination, string ObjectName, VaultProblem Problem, string Message);

/// <summary>What a check found. Immutable.</summary>
/// <param name="Findings">What is missing or wrong; empty when all is well.</param>
/// <param name="Snapshots">The snapshots that can be read, oldest first.</param>
public sealed record VaultCheckReport(IReadOnlyList<VaultFinding> Findings, IReadOnlyList<VaultSnapshot> Snapshots)
{
    /// <summary>Gets whether nothing is missing or wrong.</summary>
    public bool IsGood => Findings.Count == 0;
}

/// <summary>What a restore did. Immutable.</summary>
/// <param name="Snapshot">What was restored.</param>
/// <param name="Files">How many files and links.</param>
/// <param name="Bytes">How many bytes.</param>
/// <param name="Took">How long it took.</param>
public sealed record VaultRestoreReport(VaultSnapshot Snapshot, int Files, long Bytes, TimeSpan Took);

/// <summary>What a sync did. Immutable.</summary>
/// <param name="Snapshots">How many snapshots were copied.</param>
/// <param name="Chunks">How many chunks were copied or repaired.</param>
/// <param name="Deleted">How many snapshots were deleted because they were deleted elsewhere.</param>
/// <param name="Problems">What could not be done.</param>
public sealed record VaultSyncReport(int Snapshots, int Chunks, int Deleted, IReadOnlyList<string> Problems);

/// <summary>What a prune did. Immutable.</summary>
/// <param name="Snapshots">How many snapshots were deleted.</param>
/// <param name="Marked">How many chunks were marked; they are deleted by a prune after the grace.</param>
/// <param name="Deleted">How many chunks were deleted.</param>
/// <param name="Problems">What was put off or could not be done.</param>
public sealed record VaultPruneReport(int Snapshots, int Marked, int Deleted, IReadOnlyList<string> Problems);
