using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Holds what one destination lists at the beginning of an operation. Chunks that the operation adds are added here too. Owned by one operation.
/// </summary>
internal sealed class DestinationView(string name)
{
    public string Name { get; } = name;

    /// <summary>Gets or sets why the destination takes no part. Null: it takes part.</summary>
    public string? Failure { get; set; }

    public bool IsUsable => Failure is null;

    /// <summary>Gets each chunk with the number of the key that seals it here.</summary>
    public Dictionary<ObjectId, uint> Chunks { get; } = [];

    public Dictionary<ObjectId, uint> Snapshots { get; } = [];

    public Dictionary<ObjectId, uint> Tombstones { get; } = [];

    public List<ObjectName> Checks { get; } = [];

    public List<ObjectName> Markers { get; } = [];

    /// <summary>Gets second copies of one object under another key, which an interrupted rekey leaves.</summary>
    public List<ObjectName> Duplicates { get; } = [];

    /// <summary>Gets names that no version of this format has.</summary>
    public List<string> Strangers { get; } = [];

    public IEnumerable<ObjectName> MarkersOf(char kind) => Markers.Where(m => m.Kind == kind);

    public void Fill(IEnumerable<string> names)
    {
        foreach (var listed in names)
        {
            if (!ObjectName.TryParse(listed, out var parsed))
            {
                Strangers.Add(listed);
                continue;
            }
            switch (parsed.Kind)
            {
                case ObjectName.ChunkKind when ObjectId.TryParse(parsed.Id, out var id):
                    Add(Chunks, id, parsed);
                    break;
                case ObjectName.SnapshotKind when ObjectId.TryParse(parsed.Id, out var id):
                    Add(Snapshots, id, parsed);
                    break;
                case ObjectName.TombstoneKind when ObjectId.TryParse(parsed.Id, out var id):
                    Add(Tombstones, id, parsed);
                    break;
                case ObjectName.CheckKind:
                    Checks.Add(parsed);
                    break;
                case ObjectName.IntentKind or ObjectName.MarkKind or ObjectName.SweepKind:
                    Markers.Add(parsed);
                    break;
                default:
                    Strangers.Add(listed);
                    break;
            }
        }
    }

    /// <summary>Replaces the list by a newer one.</summary>
    public void Refill(IEnumerable<string> names)
    {
        Chunks.Clear();
        Snapshots.Clear();
        Tombstones.Clear();
        Checks.Clear();
        Markers.Clear();
        Duplicates.Clear();
        Strangers.Clear();
        Fill(names);
    }

    private void Add(Dictionary<ObjectId, uint> held, ObjectId id, ObjectName listed)
    {
        if (!held.TryAdd(id, listed.Key))
            Duplicates.Add(listed);
    }
}
