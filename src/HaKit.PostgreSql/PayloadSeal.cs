using System.Security.Cryptography;
using System.Text;

namespace HaKit.PostgreSql;

/// <summary>
/// Encrypts inputs and results with AES-256-GCM. Each batch has its own key, derived with HKDF-SHA256. Each payload has a random nonce. The associated data is
/// the item's id and the kind of payload, so that payloads cannot be exchanged. The format is <c>nonce 12 | tag 16 | ciphertext</c>. Without a key, payloads
/// are not encrypted. Thread-safe.
/// </summary>
internal sealed class PayloadSeal
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly byte[]? _key;
    private readonly byte[]? _hashKey;

    public PayloadSeal(ReadOnlyMemory<byte>? master, byte[] salt)
    {
        if (master is not { } given)
            return;
        _key = Derive(given, salt, "HaKit.PostgreSql payload 1");
        _hashKey = Derive(given, salt, "HaKit.PostgreSql input hash 1");
        Check = Derive(given, salt, "HaKit.PostgreSql key check")[..8];
    }

    /// <summary>Gets a value that is compared when the batch is opened, to find a wrong key. Null if payloads are not encrypted.</summary>
    public byte[]? Check { get; }

    /// <summary>
    /// Gets the hash of an input, by which a changed input is found. If payloads are encrypted, the hash has a key, because inputs could be guessed from a
    /// plain hash.
    /// </summary>
    public byte[] HashOf(ReadOnlySpan<byte> input) => (_hashKey is null ? SHA256.HashData(input) : HMACSHA256.HashData(_hashKey, input))[..16];

    public byte[] Seal(string id, char kind, ReadOnlySpan<byte> plain)
    {
        if (_key is null)
            return plain.ToArray();
        var payload = new byte[NonceLength + TagLength + plain.Length];
        RandomNumberGenerator.Fill(payload.AsSpan(0, NonceLength));
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(payload.AsSpan(0, NonceLength), plain, payload.AsSpan(NonceLength + TagLength), payload.AsSpan(NonceLength, TagLength), Encoding.UTF8.GetBytes(kind + id));
        return payload;
    }

    public byte[] Open(string id, char kind, byte[] payload)
    {
        if (_key is null || payload.Length == 0)
            return payload;
        if (payload.Length < NonceLength + TagLength)
            throw new CryptographicException($"The payload of item '{id}' is too short.");
        var plain = new byte[payload.Length - NonceLength - TagLength];
        using var aes = new AesGcm(_key, TagLength);
        aes.Decrypt(payload.AsSpan(0, NonceLength), payload.AsSpan(NonceLength + TagLength), payload.AsSpan(NonceLength, TagLength), plain, Encoding.UTF8.GetBytes(kind + id));
        return plain;
    }

    private static byte[] Derive(ReadOnlyMemory<byte> master, byte[] salt, string purpose)
    {
        var derived = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Span, derived, salt, Encoding.ASCII.GetBytes(purpose));
        return derived;
    }
}
