using System.Buffers;
using System.Text;
using System.Text.Json;
using HaKit.Peers;

namespace HaKit.Redis;

/// <summary>Holds a fact in the form of the store: its text, and the time at which it ends, in milliseconds on the store's clock.</summary>
internal readonly record struct StoredFact(string Identity, long Until);

/// <summary>Writes and reads one message on the channel: all facts of one replica and second, as JSON. A reader ignores unknown members and facts.</summary>
internal static class RedisMessage
{
    private const int MostBytes = 1 << 20;

    public static byte[] Write(string replica, IReadOnlyList<StoredFact> facts)
    {
        var buffer = new ArrayBufferWriter<byte>(256 * (facts.Count + 1));
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("from", replica);
            json.WriteStartArray("facts");
            foreach (var fact in facts)
            {
                json.WriteStartObject();
                json.WriteNumber("until", fact.Until);
                json.WritePropertyName("fact");
                json.WriteRawValue(fact.Identity, skipInputValidation: true);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the facts of a message. The result is empty for bytes that are not a message, and for the replica's own message.</summary>
    public static List<PeerFact> Read(ReadOnlyMemory<byte> utf8, string replica, long now)
    {
        var facts = new List<PeerFact>();
        if (utf8.Length > MostBytes)
            return facts;
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var root = document.RootElement;
            if (root.GetProperty("from"u8).ValueEquals(replica))
                return facts;
            foreach (var item in root.GetProperty("facts"u8).EnumerateArray())
            {
                if (Fact(Encoding.UTF8.GetBytes(item.GetProperty("fact"u8).GetRawText()), item.GetProperty("until"u8).GetInt64(), now) is { } fact)
                    facts.Add(fact);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // The message does not come from this library.
        }
        return facts;
    }

    /// <summary>Reads a fact with its remaining time. Null if it has ended, or is not a fact.</summary>
    public static PeerFact? Fact(ReadOnlySpan<byte> identity, long until, long now)
    {
        var left = until - now;
        return left > 0 && left < (long)TimeSpan.FromDays(1000).TotalMilliseconds && PeerFactFormat.TryRead(identity, out var fact)
            ? fact with { Left = TimeSpan.FromMilliseconds(left) }
            : null;
    }
}
