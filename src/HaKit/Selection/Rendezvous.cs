namespace HaKit.Selection;

/// <summary>
/// Implements highest random weight hashing (Thaler and Ravishankar 1998), weighted by Schindelhauer and Schomaker's logarithmic method (2005). Each key
/// ranks all endpoints, in the same way in every process. The loss of an endpoint moves only the keys of that endpoint.
/// </summary>
internal static class Rendezvous
{
    /// <summary>Hashes a text deterministically, unlike <see cref="string.GetHashCode()"/>: FNV-1a over the characters, then mixed.</summary>
    public static ulong Hash(string text)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var character in text)
            hash = (hash ^ character) * 0x100000001B3;
        return Mix(hash);
    }

    /// <summary>
    /// Computes the rank of an endpoint for a key; the lowest rank comes first. Ranks are uniform in (0, 1] if all weights are equal, otherwise exponential
    /// with the weight as their rate.
    /// </summary>
    public static double Rank(ulong key, in Candidate candidate, bool areEqual)
    {
        var uniform = ((Mix(key ^ candidate.NameHash) >> 11) + 1) * (1.0 / (1UL << 53));
        return areEqual ? uniform : -Math.Log(uniform) * candidate.PerWeight;
    }

    /// <summary>
    /// Checks whether the requests of this key already return to an endpoint in slow start. Keys return one by one while the share of the endpoint's weight
    /// grows, and a key that has returned stays.
    /// </summary>
    public static bool HasReturned(ulong key, in Candidate candidate, double ramp) =>
        (Mix(~key ^ candidate.NameHash) >> 11) * (1.0 / (1UL << 53)) < ramp;

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
