namespace HaKit.Peers;

/// <summary>
/// Finds ejections by processes that have probably ended. A process that crashes and starts again has a new name each time: the name in the settings, which is
/// the machine's name by default, and a random part. Its last opinions are valid for 30 s. Without this rule, the opinions of several starts would be counted,
/// and one process that cannot reach an endpoint would be the majority. Guarded by its owner's lock.
/// </summary>
internal sealed class ReplicaStarts
{
    private const int RandomPart = 9; // the hyphen and eight hexadecimal digits

    private const int MostOfOneName = 100;

    private readonly Dictionary<string, List<(string Replica, TimeSpan At)>> _starts = new(StringComparer.Ordinal);

    /// <summary>Records when a replica was first heard of. Later calls for the same replica change nothing.</summary>
    public void Add(string replica, TimeSpan at)
    {
        var name = NameOf(replica);
        if (!_starts.TryGetValue(name, out var starts))
            _starts.Add(name, starts = []);
        if (starts.Exists(s => s.Replica == replica))
            return;
        if (starts.Count == MostOfOneName)
            starts.RemoveAt(0);
        starts.Add((replica, at));
    }

    /// <summary>
    /// Checks whether another process of the same name has started since the replica's evidence. If both run, for example two processes on one machine, the
    /// replica counts again with its next evidence.
    /// </summary>
    public bool IsReplaced(string replica, TimeSpan evidenceAt) =>
        _starts.TryGetValue(NameOf(replica), out var starts) && starts.Exists(s => s.At > evidenceAt && s.Replica != replica);

    /// <summary>Removes the names that none of the given replicas has.</summary>
    public void RemoveExcept(IEnumerable<string> replicas)
    {
        var names = replicas.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _starts.Keys)
        {
            if (!names.Contains(name))
                _starts.Remove(name);
        }
    }

    private static string NameOf(string replica) =>
        replica.Length > RandomPart && replica[^RandomPart] == '-' ? replica[..^RandomPart] : replica;
}
