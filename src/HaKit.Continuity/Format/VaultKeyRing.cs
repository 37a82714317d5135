using System.Security.Cryptography;

namespace HaKit.Continuity.Format;

/// <summary>Holds the sealing keys by number, each derived from its secret by HKDF-SHA-256 (RFC 5869). The secrets are never shown.</summary>
internal sealed class VaultKeyRing
{
    private readonly Dictionary<uint, byte[]> _keys = [];

    public VaultKeyRing(IEnumerable<KeyValuePair<uint, byte[]>> secrets, uint active)
    {
        foreach (var (number, secret) in secrets)
            _keys[number] = Derive(secret);
        Active = active;
    }

    /// <summary>Gets the number of the key for new objects.</summary>
    public uint Active { get; }

    public IEnumerable<uint> Numbers => _keys.Keys;

    public bool Contains(uint number) => _keys.ContainsKey(number);

    public static byte[] Derive(byte[] secret) => HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, salt: [], info: "HaKit vault 1 seal"u8.ToArray());

    /// <summary>Creates a cipher for one use, because two threads must not share one. Null for a number that is not in the ring.</summary>
    public AesGcm? CreateCipher(uint number) => _keys.TryGetValue(number, out var key) ? new AesGcm(key, Sealer.TagSize) : null;
}
