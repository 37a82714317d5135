using System.Security.Cryptography;
using System.Text;

namespace HaKit.Peers;

/// <summary>
/// Remembers the orders that were refused because of their signature. The store keeps orders for 90 days, and each replica reads them again and again. So each
/// refused order is reported once, and at most 1,000 are reported, because a store that lies may have any number. Guarded by its owner's lock.
/// </summary>
internal sealed class RefusedOrders
{
    public const int Most = 1000;

    private const int LongestName = 64;

    private readonly HashSet<UInt128> _known = [];

    /// <summary>Adds an order. False if it is known, or if the limit is reached.</summary>
    public bool TryAdd(PeerFact fact)
    {
        // The identity of an order may be long. Of its hash, 16 bytes are enough.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(PeerFactFormat.Identity(fact)));
        return _known.Count < Most && _known.Add(new UInt128(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8)));
    }

    /// <summary>Gets a replica's name for a message. Nothing proves that a replica wrote this name, so it may contain anything.</summary>
    public static string ShownName(string replica) =>
        string.Concat(replica.Take(LongestName).Select(static c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' ? c : '?')) + (replica.Length > LongestName ? "…" : "");
}
