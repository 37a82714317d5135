using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HaKit.AI;

/// <summary>
/// Which endpoint made which state, as hashes. Two generations: when the younger is full, the older is forgotten, so that of the latest entries at least
/// <paramref name="capacity"/> are known. Thread-safe.
/// </summary>
internal sealed class StateOrigins(int capacity)
{
    private readonly Lock _lock = new();
    private Dictionary<UInt128, Endpoint> _young = [];
    private Dictionary<UInt128, Endpoint> _old = [];

    public void Remember(ReadOnlySpan<byte> state, Endpoint maker)
    {
        var key = Hash(state);
        lock (_lock)
            Keep(key, maker);
    }

    public void Remember(string state, Endpoint maker) => Remember(MemoryMarshal.AsBytes(state.AsSpan()), maker);

    public Endpoint? MakerOf(ReadOnlySpan<byte> state)
    {
        var key = Hash(state);
        lock (_lock)
        {
            if (_young.TryGetValue(key, out var maker))
                return maker;
            if (!_old.TryGetValue(key, out maker))
                return null;
            Keep(key, maker); // what is in use stays
            return maker;
        }
    }

    public Endpoint? MakerOf(string state) => MakerOf(MemoryMarshal.AsBytes(state.AsSpan()));

    private void Keep(UInt128 key, Endpoint maker)
    {
        if (_young.Count >= capacity && !_young.ContainsKey(key))
            (_old, _young) = (_young, []);
        _young[key] = maker;
    }

    private static UInt128 Hash(ReadOnlySpan<byte> state)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(state, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
