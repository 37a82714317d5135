using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HaKit.Continuity.Format;

/// <summary>The 32 bytes that identify a chunk or a snapshot: an HMAC of its content with the vault's id key. Immutable.</summary>
[JsonConverter(typeof(ObjectIdConverter))]
internal readonly record struct ObjectId(ulong A, ulong B, ulong C, ulong D)
{
    public static ObjectId Compute(ReadOnlySpan<byte> idKey, char kind, ReadOnlySpan<byte> content)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, idKey);
        hmac.AppendData([(byte)kind]);
        hmac.AppendData(content);
        Span<byte> id = stackalloc byte[32];
        hmac.GetHashAndReset(id);
        return From(id);
    }

    /// <summary>Creates the hash for an object that is read or written as a stream.</summary>
    public static HMACSHA256 Hash(byte[] idKey, char kind)
    {
        var hash = new HMACSHA256(idKey);
        hash.TransformBlock([(byte)kind], 0, 1, null, 0);
        return hash;
    }

    public static ObjectId From(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes[..32]);
        return new(words[0], words[1], words[2], words[3]);
    }

    public static bool TryParse(ReadOnlySpan<char> text, out ObjectId id)
    {
        Span<byte> bytes = stackalloc byte[32];
        var isHex = text.Length == 64 && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        id = isHex ? From(bytes) : default;
        return isHex;
    }

    public override string ToString()
    {
        ReadOnlySpan<ulong> words = [A, B, C, D];
        return Convert.ToHexStringLower(MemoryMarshal.AsBytes(words));
    }
}

internal sealed class ObjectIdConverter : JsonConverter<ObjectId>
{
    public override ObjectId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ObjectId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException("An id is not 64 hexadecimal digits.");

    public override void Write(Utf8JsonWriter writer, ObjectId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
