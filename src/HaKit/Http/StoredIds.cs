using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Http;

/// <summary>
/// Remembers for 24 hours which endpoint created which stored object (a response, a conversation, a file …), as hashes of their ids. There are two generations
/// of entries: when the younger generation is full, the older generation is removed. So at least the latest <paramref name="capacity"/> ids are known.
/// Thread-safe.
/// </summary>
internal sealed class StoredIds(TimeProvider time, int capacity = 100_000)
{
    private static readonly TimeSpan s_memory = TimeSpan.FromHours(24);

    private readonly Lock _lock = new();
    private Dictionary<UInt128, Made> _young = [];
    private Dictionary<UInt128, Made> _old = [];

    /// <summary>Records the creator of an object. The endpoint itself is kept, and not its name, because a reload may give the name to another server.</summary>
    public void Remember(string id, PoolEndpoint endpoint)
    {
        var key = KeyOf(id);
        lock (_lock)
            Remember(key, new Made(endpoint, time.GetTimestamp()));
    }

    /// <summary>Gets the endpoint that created the object. Null if it is not known, or if the object was created too long ago.</summary>
    public PoolEndpoint? MakerOf(string id)
    {
        var key = KeyOf(id);
        lock (_lock)
        {
            if (!_young.TryGetValue(key, out var made) && !_old.TryGetValue(key, out made) || time.GetElapsedTime(made.At) > s_memory)
                return null;
            Remember(key, made with { At = time.GetTimestamp() }); // an object that is in use stays
            return made.Endpoint;
        }
    }

    private void Remember(UInt128 key, Made made)
    {
        if (_young.Count >= capacity && !_young.ContainsKey(key))
            (_old, _young) = (_young, []);
        _young[key] = made;
    }

    // "files/abc", "https://host/v1beta/files/abc" and "abc" are the same file.
    private static UInt128 KeyOf(string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id[(id.LastIndexOf('/') + 1)..]), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private readonly record struct Made(PoolEndpoint Endpoint, long At);
}

/// <summary>Receives the JSON of an event that may name stored objects.</summary>
internal delegate void StoredObjectWatch(ReadOnlySpan<byte> json);
