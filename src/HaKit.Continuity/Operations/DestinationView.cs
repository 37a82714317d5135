using HaKit.Continuity.Format;

namespace HaKit.Continuity.Operations;

/// <summary>
/// Holds what one destination lists at the beginning of an operation. Chunks that the operation adds are added here too. Owned by one operation.
/// </summary>
internal sealed class DestinationView(string name)
{
    // Each object that is named by an id, by kind, with the number of the key that seals it here.
    private readonly Dictionary<char, Dictionary<ObjectId, uint>> _held = new()
    {
        [ObjectName.ChunkKind] = [],
        [ObjectName.SnapshotKind] = [],
        [ObjectName.TombstoneKind] = [],
    };

    public string Name { get; } = name;

    /// <summary>Gets or sets why the destination takes no part. Null: it takes part.</summary>
    public string? Failure { get; set; }

    public bool IsUsable => Failure is null;

    public Dictionary<ObjectId, uint> Chunks => _held[ObjectName.ChunkKind];

    public Dictionary<ObjectId, uint> Snapshots => _held[ObjectName.SnapshotKind];

    public Dictionary<ObjectId, uint> Tombstones => _held[ObjectName.TombstoneKind];

    public List<ObjectName> Checks { get; } = [];

    /// <summary>Gets the markers: intents, marks and sweeps.</summary>
    public List<ObjectName> Markers { get; } = [];

    /// <summary>Gets second copies of one object under another key, which an interrupted rekey leaves.</summary>
    public List<ObjectName> Duplicates { get; } = [];

    /// <summary>Gets names that no version of this format has.</summary>
    public List<string> Strangers { get; } = [];

    public bool IsEmpty => Checks.Count == 0 && Markers.Count == 0 && _held.Values.All(static h => h.Count == 0);

    /// <summary>
    /// Gets or sets the check object that gave the vault's identity, so it is known to be good. Null: a snapshot gave the identity, or the destination has none.
    /// </summary>
    public ObjectName? GoodCheck { get; set; }

    /// <summary>Gets the ids of all chunks, snapshots and tombstones.</summary>
    public IEnumerable<ObjectId> Ids => _held.Values.SelectMany(static h => h.Keys);

    public Dictionary<ObjectId, uint> KeysOf(char kind) => _held[kind];

    public ObjectName NameOf(char kind, ObjectId id) => new(kind, id.ToString(), _held[kind][id]);

    /// <summary>Returns the names of all objects of the kind. The names of this kind must contain ids.</summary>
    public IEnumerable<ObjectName> NamesOf(char kind) => _held[kind].Keys.Select(id => NameOf(kind, id));

    public IEnumerable<ObjectName> MarkersOf(char kind) => Markers.Where(m => m.Kind == kind);

    /// <summary>Replaces the previous list with a new list.</summary>
    public void Fill(IEnumerable<string> names)
    {
        foreach (var held in _held.Values)
            held.Clear();
        foreach (var list in (List<ObjectName>[])[Checks, Markers, Duplicates])
            list.Clear();
        Strangers.Clear();
        foreach (var listed in names)
            Add(listed);
    }

    private void Add(string listed)
    {
        if (!ObjectName.TryParse(listed, out var name))
            Strangers.Add(listed);
        else if (name.Kind == ObjectName.CheckKind)
            Checks.Add(name);
        else if (name.Kind is ObjectName.IntentKind or ObjectName.MarkKind or ObjectName.SweepKind)
            Markers.Add(name);
        else if (!_held.TryGetValue(name.Kind, out var held) || !ObjectId.TryParse(name.Id, out var id))
            Strangers.Add(listed);
        else if (!held.TryAdd(id, name.Key))
            Duplicates.Add(name);
    }
}
