using System.Text.Json.Serialization;

namespace HaKit.Continuity.Format;

/// <summary>What a snapshot is: its number, the one before it, and each file with where its content stands in chunks. Sealed like any object.</summary>
internal sealed record SnapshotManifest
{
    public int Format { get; init; } = 1;

    public required long Number { get; init; }

    /// <summary>The id of the snapshot before it, which is an HMAC of its content; null for the first.</summary>
    public ObjectId? Previous { get; init; }

    public required string Source { get; init; }

    public required DateTimeOffset SavedAt { get; init; }

    /// <summary>The ids of all chunks that the files use.</summary>
    public required IReadOnlyList<ObjectId> Chunks { get; init; }

    public required IReadOnlyList<ManifestEntry> Entries { get; init; }
}

/// <summary>A snapshot without its files: a vault has many of them, and each may have many files.</summary>
internal sealed record ListedSnapshot(ObjectId Id, VaultSnapshot Snapshot, IReadOnlyList<ObjectId> Chunks);

/// <summary>One file, folder or link of a snapshot.</summary>
internal sealed class ManifestEntry
{
    /// <summary>Relative to the source, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>The target of a symbolic link; null for files and folders.</summary>
    public string? Link { get; init; }

    public bool IsFolder { get; init; }

    public long Size { get; set; }

    /// <summary>Modification time in ticks of UTC.</summary>
    public long Modified { get; set; }

    /// <summary>Change time in nanoseconds and inode, to see that a file has changed; 0 where the system does not say.</summary>
    public long Changed { get; init; }

    public long Inode { get; init; }

    /// <summary>Permissions on Unix.</summary>
    public int Mode { get; init; }

    /// <summary>Triples of the chunk's index, the offset in it, and a length; in order they are the content.</summary>
    public IReadOnlyList<int> Extents { get; set; } = [];
}

/// <summary>A key's check object: the vault's identity and its id key, which is the same for its life.</summary>
internal sealed record CheckContent(int Format, string Vault, byte[] IdKey);

/// <summary>An intent, a tombstone, a mark or a sweep: when it was written, and the chunks that it names.</summary>
internal sealed record MarkerContent(DateTimeOffset At, IReadOnlyList<ObjectId> Chunks);

/// <summary>What the vault remembers on this machine: the latest snapshot that it has seen.</summary>
internal sealed record LocalState(string Vault, long LastNumber, ObjectId? LastId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SnapshotManifest))]
[JsonSerializable(typeof(CheckContent))]
[JsonSerializable(typeof(MarkerContent))]
[JsonSerializable(typeof(LocalState))]
internal sealed partial class ContinuityJson : JsonSerializerContext;
