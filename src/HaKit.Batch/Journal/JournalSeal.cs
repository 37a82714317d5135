using System.Buffers.Binary;
using System.Security.Cryptography;

namespace HaKit.Batch.Journal;

/// <summary>
/// Encrypts the payloads of records with AES-256-GCM. Each file has its own key, derived from the application's key with HKDF-SHA256. Each record has a random
/// nonce. The associated data is the record's number, so that records cannot be exchanged. The encrypted payload is <c>nonce 12 | tag 16 | ciphertext</c>.
/// Thread-safe.
/// </summary>
internal sealed class JournalSeal
{
    public const int Overhead = NonceLength + TagLength;

    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly byte[] _master;

    public JournalSeal(ReadOnlySpan<byte> key)
    {
        if (key.Length < 16)
            throw new ArgumentException($"The key of a sealed journal has {key.Length} bytes: at least 16 are needed.", nameof(key));
        _master = key.ToArray();
    }

    /// <summary>Gets the value in the header by which a wrong key is distinguished from a damaged file.</summary>
    public ulong CheckOf(Guid file) => BinaryPrimitives.ReadUInt64LittleEndian(Derive(file, "HaKit.Batch journal key check"u8, 8));

    public AesGcm ForFile(Guid file) => new(Derive(file, "HaKit.Batch journal 1"u8, 32), TagLength);

    public static void Seal(AesGcm aes, ulong number, ReadOnlySpan<byte> plain, Span<byte> destination)
    {
        Span<byte> associated = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(associated, number);
        RandomNumberGenerator.Fill(destination[..NonceLength]);
        aes.Encrypt(destination[..NonceLength], plain, destination.Slice(Overhead, plain.Length), destination.Slice(NonceLength, TagLength), associated);
    }

    public static byte[] Open(AesGcm aes, ulong number, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < Overhead)
            throw new CryptographicException("A sealed record is too short.");
        Span<byte> associated = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(associated, number);
        var plain = new byte[payload.Length - Overhead];
        aes.Decrypt(payload[..NonceLength], payload[Overhead..], payload.Slice(NonceLength, TagLength), plain, associated);
        return plain;
    }

    private byte[] Derive(Guid file, ReadOnlySpan<byte> purpose, int length)
    {
        Span<byte> salt = stackalloc byte[16];
        file.TryWriteBytes(salt);
        var derived = new byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _master, derived, salt, purpose);
        return derived;
    }
}
