using System.Buffers.Binary;
using System.Security.Cryptography;

namespace HaKit.Batch;

/// <summary>
/// Identifies a request by the SHA-256 of the request as it is sent. It also contains four bytes of the SHA-256 of each part of the request, which show the
/// part that has changed. Immutable; contains no text of the prompt.
/// </summary>
public sealed class RequestFingerprint : IEquatable<RequestFingerprint>
{
    /// <summary>The length of <see cref="ToArray"/>: 32 bytes and 4 for each of three parts.</summary>
    public const int Length = HashLength + Parts * PartLength;

    private const int HashLength = SHA256.HashSizeInBytes;
    private const int Parts = 3;
    private const int PartLength = 4;
    private static readonly string[] PartNames = ["the messages", "the options", "the response schema"];

    private readonly byte[] _bytes;

    private RequestFingerprint(byte[] bytes) => _bytes = bytes;

    /// <summary>Gets the fingerprint of an item that was never sent.</summary>
    public static RequestFingerprint None { get; } = new(new byte[Length]);

    /// <summary>Computes the fingerprint of a request.</summary>
    /// <param name="messages">The content of the request: messages, texts, or the input of a callback.</param>
    /// <param name="options">The options of the request: model, temperature, tools, or the version of a callback.</param>
    /// <param name="schema">The schema of the answer.</param>
    public static RequestFingerprint Compute(ReadOnlySpan<byte> messages, ReadOnlySpan<byte> options = default, ReadOnlySpan<byte> schema = default)
    {
        Span<byte> hashes = stackalloc byte[Parts * HashLength];
        SHA256.HashData(messages, hashes);
        SHA256.HashData(options, hashes[HashLength..]);
        SHA256.HashData(schema, hashes[(2 * HashLength)..]);
        var bytes = new byte[Length];
        SHA256.HashData(hashes, bytes);
        for (var part = 0; part < Parts; part++)
            hashes.Slice(part * HashLength, PartLength).CopyTo(bytes.AsSpan(HashLength + part * PartLength));
        return new(bytes);
    }

    /// <summary>Reads a fingerprint that <see cref="ToArray"/> or <see cref="CopyTo"/> wrote.</summary>
    /// <param name="bytes">The <see cref="Length"/> bytes of the fingerprint.</param>
    /// <exception cref="ArgumentException">The length is wrong.</exception>
    public static RequestFingerprint FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Length ? new(bytes.ToArray()) : throw new ArgumentException($"A fingerprint has {Length} bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>Copies the fingerprint's bytes.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>Copies the fingerprint's bytes to a span of at least <see cref="Length"/> bytes.</summary>
    /// <param name="destination">The target.</param>
    public void CopyTo(Span<byte> destination) => _bytes.CopyTo(destination);

    /// <summary>Gets the name of the first part in which two requests differ. Null if they are equal.</summary>
    /// <param name="other">The other request's fingerprint.</param>
    public string? FirstDifference(RequestFingerprint other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Equals(other))
            return null;
        for (var part = 0; part < Parts; part++)
        {
            var at = HashLength + part * PartLength;
            if (!_bytes.AsSpan(at, PartLength).SequenceEqual(other._bytes.AsSpan(at, PartLength)))
                return PartNames[part];
        }
        return PartNames[0];
    }

    /// <inheritdoc/>
    public bool Equals(RequestFingerprint? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RequestFingerprint);

    /// <inheritdoc/>
    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_bytes);

    /// <summary>Returns the first eight bytes of the hash in hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes.AsSpan(0, 8));
}
