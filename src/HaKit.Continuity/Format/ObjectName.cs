using System.Globalization;

namespace HaKit.Continuity.Format;

/// <summary>
/// The name of an object: a letter for the kind, the id, and the number of the key that seals it. An object is never changed; a new key gives a new name.
/// </summary>
internal readonly record struct ObjectName(char Kind, string Id, uint Key)
{
    /// <summary>A key's check object: it shows a wrong key before anything is written, and contains the vault's id key.</summary>
    public const char CheckKind = 'k';

    public const char ChunkKind = 'c';

    public const char SnapshotKind = 's';

    /// <summary>Marks that a save or a sync is in progress.</summary>
    public const char IntentKind = 'i';

    /// <summary>Marks that a snapshot was deleted on purpose.</summary>
    public const char TombstoneKind = 't';

    /// <summary>Lists chunks that no snapshot uses any more. They are deleted after the grace period.</summary>
    public const char MarkKind = 'm';

    /// <summary>Marks that a prune is deleting chunks.</summary>
    public const char SweepKind = 'w';

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}/{Id}.{Key}");

    public static bool TryParse(string name, out ObjectName parsed)
    {
        parsed = default;
        var dot = name.LastIndexOf('.');
        if (name.Length < 5 || name[1] != '/' || dot < 3 || !uint.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var key))
            return false;
        parsed = new(name[0], name[2..dot], key);
        return true;
    }
}
