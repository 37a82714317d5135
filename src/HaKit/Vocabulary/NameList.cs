using System.Collections.ObjectModel;

namespace HaKit;

/// <summary>
/// A copy of a list of names. Two copies with the same names in the same order are equal, so records with such a list can be compared by value. The names are
/// compared by ordinal value. Immutable; safe to share between threads.
/// </summary>
internal sealed class NameList : ReadOnlyCollection<string>
{
    private NameList(string[] names)
        : base(names)
    {
    }

    /// <summary>Gets a list that the caller's later changes do not affect. A list that is already such a copy is returned as it is.</summary>
    public static IReadOnlyList<string> CopyOf(IReadOnlyList<string> names)
    {
        if (names is NameList)
            return names;
        return names.Count == 0 ? [] : new NameList([.. names]);
    }

    public override bool Equals(object? obj) => ReferenceEquals(this, obj) || obj is NameList other && this.SequenceEqual(other, StringComparer.Ordinal);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var name in Items)
            hash.Add(name, StringComparer.Ordinal);
        return hash.ToHashCode();
    }
}
