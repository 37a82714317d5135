using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HaKit.AI;

/// <summary>
/// Remembers which endpoint created which state, as hashes. There are two generations of entries: when the younger generation is full, the older generation is
/// removed. So the object always knows at least the latest <paramref name="capacity"/> entries. Thread-safe.
/// </summary>
internal sealed class StateOrigins(int capacity)
{
    private static readonly ConditionalWeakTable<EndpointPool, StateOrigins> s_byPool = [];

    private readonly Lock _lock = new();
    private int _capacity = capacity;
    private Dictionary<UInt128, PoolEndpoint> _young = [];
    private Dictionary<UInt128, PoolEndpoint> _old = [];

    /// <summary>
    /// Gets the object that all chat clients of a pool share. An application may have several clients over a pool, for example one for each request, and a
    /// conversation may go on at another client.
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="capacity">The number of entries that the client needs. The largest number of all clients counts.</param>
    public static StateOrigins GetShared(EndpointPool pool, int capacity)
    {
        var shared = s_byPool.GetValue(pool, _ => new StateOrigins(capacity));
        lock (shared._lock)
            shared._capacity = Math.Max(shared._capacity, capacity);
        return shared;
    }

    public void Remember(ReadOnlySpan<byte> state, PoolEndpoint maker)
    {
        var key = Hash(state);
        lock (_lock)
            Remember(key, maker);
    }

    public void Remember(string state, PoolEndpoint maker) => Remember(MemoryMarshal.AsBytes(state.AsSpan()), maker);

    public PoolEndpoint? MakerOf(ReadOnlySpan<byte> state)
    {
        var key = Hash(state);
        lock (_lock)
        {
            if (_young.TryGetValue(key, out var maker))
                return maker;
            if (!_old.TryGetValue(key, out maker))
                return null;
            Remember(key, maker); // moves the entry to the younger generation, so that state in use is kept
            return maker;
        }
    }

    public PoolEndpoint? MakerOf(string state) => MakerOf(MemoryMarshal.AsBytes(state.AsSpan()));

    private void Remember(UInt128 key, PoolEndpoint maker)
    {
        if (_young.Count >= _capacity && !_young.ContainsKey(key))
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
