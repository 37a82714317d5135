using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Continuity.Format;

/// <summary>
/// Seals and opens one object. Layout: 'H' 'V', format 1, flags (1: Brotli), key number (4 bytes, little endian), nonce (12, random), the AES-256-GCM
/// ciphertext, tag (16). The associated data is the object's name in ASCII followed by the first 8 bytes, so that an object cannot stand in for another.
/// Thread-safe.
/// </summary>
internal sealed class Sealer(VaultKeyRing keys)
{
    public const int TagSize = 16;

    private const byte Format = 1;
    private const byte CompressedFlag = 1;
    private const int PrefixSize = 8;
    private const int NonceSize = 12;
    private const int HeaderSize = PrefixSize + NonceSize;

    // One key seals at most so many objects: with random nonces of 96 bits the chance that two are equal stays below 2⁻³³ (NIST SP 800-38D, 8.3).
    private const long MaxSeals = 1L << 32;

    // No object of this format is larger when it is opened: chunks have 1 MiB, snapshots of a million files some hundred.
    private const int MaxPlain = 1 << 30;

    private readonly Dictionary<uint, long> _seals = [];

    public VaultKeyRing Keys => keys;

    /// <summary>Tells how many objects a key has sealed already, as a destination shows.</summary>
    public void CountSeals(uint key, long atLeast)
    {
        lock (_seals)
            _seals[key] = Math.Max(_seals.GetValueOrDefault(key), atLeast);
    }

    public byte[] Seal(ObjectName name, ReadOnlySpan<byte> plain)
    {
        CountSeal(name.Key);
        var packed = ArrayPool<byte>.Shared.Rent(plain.Length);
        try
        {
            // What does not fit is not smaller.
            var isSmaller = BrotliEncoder.TryCompress(plain, packed.AsSpan(0, Math.Max(0, plain.Length - 1)), out var length, quality: 1, window: 20);
            return SealBody(name, isSmaller ? packed.AsSpan(0, length) : plain, isSmaller);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed, clearArray: true);
        }
    }

    private byte[] SealBody(ObjectName name, ReadOnlySpan<byte> body, bool isSmaller)
    {
        var sealedBytes = new byte[HeaderSize + body.Length + TagSize];
        sealedBytes[0] = (byte)'H';
        sealedBytes[1] = (byte)'V';
        sealedBytes[2] = Format;
        sealedBytes[3] = isSmaller ? CompressedFlag : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(sealedBytes.AsSpan(4), name.Key);
        var nonce = sealedBytes.AsSpan(PrefixSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        var encrypted = sealedBytes.AsSpan(HeaderSize, body.Length);
        using var key = CipherOf(name.Key, name);
        key.Encrypt(nonce, body, encrypted, sealedBytes.AsSpan(HeaderSize + body.Length), AssociatedData(name, sealedBytes));
        return sealedBytes;
    }

    /// <summary>Opens an object.</summary>
    /// <exception cref="VaultObjectException">It is not whole, not of this name, or not sealed by a key of this vault.</exception>
    public byte[] Open(ObjectName name, ReadOnlySpan<byte> sealedBytes)
    {
        if (sealedBytes.Length < HeaderSize + TagSize || sealedBytes[0] != (byte)'H' || sealedBytes[1] != (byte)'V')
            throw new VaultObjectException(name.ToString(), "is not a whole object of a vault");
        if (sealedBytes[2] != Format)
            throw OtherFormat(name, sealedBytes);
        var key = BinaryPrimitives.ReadUInt32LittleEndian(sealedBytes[4..]);
        if (key != name.Key)
            throw new VaultObjectException(name.ToString(), "names another key inside than outside");
        var body = new byte[sealedBytes.Length - HeaderSize - TagSize];
        using var cipher = CipherOf(key, name);
        try
        {
            cipher.Decrypt(sealedBytes.Slice(PrefixSize, NonceSize), sealedBytes[HeaderSize..^TagSize], sealedBytes[^TagSize..], body, AssociatedData(name, sealedBytes));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new VaultObjectException(name.ToString(), "was changed after it was sealed, or was sealed by another key of this number");
        }
        return (sealedBytes[3] & CompressedFlag) != 0 ? Decompress(body, name) : body;
    }

    private AesGcm CipherOf(uint number, ObjectName name) =>
        keys.CreateCipher(number) ?? throw new VaultObjectException(name.ToString(), $"is sealed by key {number}, which is not among the vault's keys", VaultProblem.Unreadable);

    // An object of this format whose format byte was changed opens once the byte is put right: it is damaged, and may be repaired. One of a newer format must be left alone.
    private VaultObjectException OtherFormat(ObjectName name, ReadOnlySpan<byte> sealedBytes)
    {
        var restored = sealedBytes.ToArray();
        restored[2] = Format;
        try
        {
            Open(name, restored);
            return new VaultObjectException(name.ToString(), "was changed after it was sealed");
        }
        catch (VaultObjectException)
        {
            return new VaultObjectException(name.ToString(), $"has format {sealedBytes[2]}, and this version reads format {Format}", VaultProblem.Unreadable);
        }
    }

    private void CountSeal(uint key)
    {
        lock (_seals)
        {
            if ((_seals[key] = _seals.GetValueOrDefault(key) + 1) > MaxSeals)
                throw new VaultException($"Key {key} has sealed 2^32 objects, which is as many as is safe. Add a key of a higher number, make it the active one, and run rekey.");
        }
    }

    private static byte[] AssociatedData(ObjectName name, ReadOnlySpan<byte> sealedBytes) => [.. Encoding.ASCII.GetBytes(name.ToString()), .. sealedBytes[..PrefixSize]];

    private static byte[] Decompress(byte[] body, ObjectName name)
    {
        using var unpacked = new MemoryStream();
        using var brotli = new BrotliStream(new MemoryStream(body), CompressionMode.Decompress);
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = brotli.Read(buffer)) > 0)
        {
            if (unpacked.Length + read > MaxPlain)
                throw new VaultObjectException(name.ToString(), "expands beyond what an object may have");
            unpacked.Write(buffer, 0, read);
        }
        return unpacked.ToArray();
    }
}
