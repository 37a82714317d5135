using System.Text.Json.Serialization;

namespace HaKit.Continuity.Format;

/// <summary>
/// Describes a snapshot: its number, the previous snapshot, and each file with the position of its content in chunks. Sealed like any object.
/// </summary>
internal sealed record SnapshotManifest
{
    public int Format { get; init; } = 1;

    public required long Number { get; init; }

    /// <summary>Gets the id of the previous snapshot, which is an HMAC of its content. Null for the first snapshot.</summary>
    public ObjectId? Previous { get; init; }

    /// <summary>Gets a copy of the check object's content, so that a vault with a damaged check object can be read. Null in vaults of earlier builds.</summary>
    public CheckContent? Check { get; init; }

    public required string Source { get; init; }

    public required DateTimeOffset SavedAt { get; init; }

    /// <summary>The ids of all chunks that the files use.</summary>
    public required IReadOnlyList<ObjectId> Chunks { get; init; }

    public required IReadOnlyList<ManifestEntry> Entries { get; init; }
}

/// <summary>Describes a snapshot without its files: a vault has many snapshots, and each may have many files.</summary>
internal sealed record ListedSnapshot(ObjectId Id, VaultSnapshot Snapshot, IReadOnlyList<ObjectId> Chunks);

/// <summary>Describes one file, folder or link of a snapshot.</summary>
internal sealed class ManifestEntry
{
    /// <summary>Gets the path relative to the source, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>Gets the target of a symbolic link. Null for files and folders.</summary>
    public string? Link { get; init; }

    public bool IsFolder { get; init; }

    public long Size { get; set; }

    /// <summary>Gets or sets the modification time in ticks of UTC.</summary>
    public long Modified { get; set; }

    /// <summary>Gets the change time in nanoseconds and the inode, to detect a changed file. 0 if the system does not provide them.</summary>
    public long Changed { get; init; }

    public long Inode { get; init; }

    /// <summary>Gets the permissions on Unix.</summary>
    public int Mode { get; init; }

    /// <summary>Gets or sets the content, in order, as triples: the chunk's index, the offset in the chunk, and a length.</summary>
    public IReadOnlyList<int> Extents { get; set; } = [];
}

/// <summary>Holds a key's check object: the vault's identity and its id key, which stays the same for the vault's life.</summary>
internal sealed record CheckContent(int Format, string Vault, byte[] IdKey);

/// <summary>Holds an intent, a tombstone, a mark or a sweep: the time at which it was written, and the listed chunks.</summary>
internal sealed record MarkerContent(DateTimeOffset At, IReadOnlyList<ObjectId> Chunks);

/// <summary>Holds the state that the vault stores on this machine: the latest known snapshot.</summary>
internal sealed record LocalState(string Vault, long LastNumber, ObjectId? LastId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SnapshotManifest))]
[JsonSerializable(typeof(CheckContent))]
[JsonSerializable(typeof(MarkerContent))]
[JsonSerializable(typeof(LocalState))]
internal sealed partial class ContinuityJson : JsonSerializerContext;
