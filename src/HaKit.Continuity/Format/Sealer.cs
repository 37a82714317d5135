using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace HaKit.Continuity.Format;

/// <summary>
/// Seals and opens one object. Layout: 'H' 'V', format 1, flags (1: Brotli), key number (4 bytes, little endian), nonce (12, random), the AES-256-GCM
/// ciphertext, tag (16). The associated data is the object's name in ASCII followed by the first 8 bytes, so that an object cannot replace another object.
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

    /// <summary>The maximum number of bytes by which a sealed object is longer than its content.</summary>
    public const int Overhead = HeaderSize + TagSize;

    // The maximum number of objects for one key: with random nonces of 96 bits, the probability that two are equal stays below 2⁻³³ (NIST SP 800-38D, 8.3).
    private const long MaxSeals = 1L << 32;

    // The maximum size of an opened object. Chunks have 1 MiB, and snapshots of a million files have some hundred MiB.
    private const int MaxPlain = 1 << 30;

    private readonly Dictionary<uint, long> _seals = [];

    public VaultKeyRing Keys => keys;

    /// <summary>Records the number of objects that a key has already sealed, as far as it is known from a destination.</summary>
    public void CountSeals(uint key, long atLeast)
    {
        lock (_seals)
            _seals[key] = Math.Max(_seals.GetValueOrDefault(key), atLeast);
    }

    /// <summary>Seals an object.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="plain">The content. It is compressed if that makes it smaller.</param>
    /// <param name="buffer">The target; at least <see cref="Overhead"/> longer than the content. Null: a new buffer.</param>
    public ReadOnlyMemory<byte> Seal(ObjectName name, ReadOnlySpan<byte> plain, byte[]? buffer = null)
    {
        buffer ??= new byte[plain.Length + Overhead];
        var body = buffer.AsSpan(HeaderSize, plain.Length);
        // If the compressed content does not fit, compression does not make the content smaller, and the content is stored uncompressed.
        var isSmaller = BrotliEncoder.TryCompress(plain, body[..Math.Max(0, plain.Length - 1)], out var length, quality: 1, window: 18);
        if (!isSmaller)
        {
            plain.CopyTo(body);
            length = plain.Length;
        }
        return SealInPlace(name, buffer, length, isSmaller);
    }

    /// <summary>
    /// Compresses and seals the content that is written to a stream, without the whole content in memory. The id and the name are known only after the content
    /// is written.
    /// </summary>
    public (ObjectId Id, ObjectName Name, ReadOnlyMemory<byte> Sealed) SealStream(char kind, byte[] idKey, Action<Stream> write)
    {
        using var hash = ObjectId.Hash(idKey, kind);
        using var packed = new MemoryStream();
        packed.SetLength(HeaderSize);
        packed.Position = HeaderSize;
        using (var brotli = new BrotliStream(packed, new BrotliCompressionOptions { Quality = 1 }, leaveOpen: true))
        using (var content = new CryptoStream(brotli, hash, CryptoStreamMode.Write))
            write(content);
        var length = (int)packed.Length - HeaderSize;
        packed.SetLength(packed.Length + TagSize);
        var id = ObjectId.From(hash.Hash);
        var name = new ObjectName(kind, id.ToString(), keys.Active);
        return (id, name, SealInPlace(name, packed.GetBuffer(), length, isCompressed: true));
    }

    // Encrypts the body in its own buffer.
    private ReadOnlyMemory<byte> SealInPlace(ObjectName name, byte[] buffer, int length, bool isCompressed)
    {
        CountSeal(name.Key);
        "HV"u8.CopyTo(buffer);
        buffer[2] = Format;
        buffer[3] = isCompressed ? CompressedFlag : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(4), name.Key);
        var nonce = buffer.AsSpan(PrefixSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        var body = buffer.AsSpan(HeaderSize, length);
        using var key = CipherOf(name.Key, name);
        key.Encrypt(nonce, body, body, buffer.AsSpan(HeaderSize + length, TagSize), AssociatedData(name, buffer));
        return buffer.AsMemory(0, HeaderSize + length + TagSize);
    }

    /// <summary>Opens an object.</summary>
    /// <exception cref="VaultObjectException">The object is not complete, not of this name, or not sealed with a key of this vault.</exception>
    public byte[] Open(ObjectName name, ReadOnlySpan<byte> sealedBytes)
    {
        var body = Decrypt(name, sealedBytes);
        return IsCompressed(sealedBytes) ? Decompress(body, name) : body;
    }

    /// <summary>Opens an object as a stream, without the whole content in memory.</summary>
    /// <exception cref="VaultObjectException">The object is not complete, not of this name, or not sealed with a key of this vault.</exception>
    public Stream OpenStream(ObjectName name, ReadOnlySpan<byte> sealedBytes)
    {
        var body = new MemoryStream(Decrypt(name, sealedBytes));
        return IsCompressed(sealedBytes) ? new BrotliStream(body, CompressionMode.Decompress) : body;
    }

    private static bool IsCompressed(ReadOnlySpan<byte> sealedBytes) => (sealedBytes[3] & CompressedFlag) != 0;

    private byte[] Decrypt(ObjectName name, ReadOnlySpan<byte> sealedBytes)
    {
        if (sealedBytes.Length < HeaderSize + TagSize || sealedBytes[0] != (byte)'H' || sealedBytes[1] != (byte)'V')
            throw new VaultObjectException(name.ToString(), "is not a complete object of a vault");
        if (sealedBytes[2] != Format)
            throw OtherFormat(name, sealedBytes);
        var key = BinaryPrimitives.ReadUInt32LittleEndian(sealedBytes[4..]);
        if (key != name.Key)
            throw new VaultObjectException(name.ToString(), "has two different key numbers");
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
        return body;
    }

    private AesGcm CipherOf(uint number, ObjectName name) =>
        keys.CreateCipher(number) ?? throw new VaultObjectException(name.ToString(), $"is sealed by key {number}, which is not among the vault's keys", VaultProblem.Unreadable);

    // If an object can be opened after its format byte is corrected, only this byte is damaged, and the object may be repaired. An object of a newer format
    // must not be changed.
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
                throw new VaultObjectException(name.ToString(), "expands to more bytes than an object may have");
            unpacked.Write(buffer, 0, read);
        }
        return unpacked.ToArray();
    }
}
