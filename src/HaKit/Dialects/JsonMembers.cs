using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Reads the members of one JSON object in order, each with its value as it stands. Allocates nothing.</summary>
internal ref struct JsonMembers
{
    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;

    /// <param name="json">An object, and perhaps what follows it.</param>
    public JsonMembers(ReadOnlySpan<byte> json)
    {
        _json = json;
        _reader = new Utf8JsonReader(json, isFinalBlock: true, state: default);
        Name = Value = default;
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An object is needed.");
    }

    /// <summary>The member's name, without quotes. Names of wire formats have no escapes.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The member's value as it stands.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Moves to the next member.</summary>
    /// <exception cref="JsonException">The object is torn.</exception>
    public bool MoveNext()
    {
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.PropertyName)
            return false;
        Name = _reader.ValueSpan;
        _reader.Read();
        var start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        Value = _json[start..(int)_reader.BytesConsumed];
        return true;
    }

    /// <summary>The value of a member; empty when the object has none of this name.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (members.Name.SequenceEqual(name))
                return members.Value;
        }
        return default;
    }

    /// <summary>Is there anything in the value: a filled text, a number, true, an array or object with something in it?</summary>
    public static bool IsFilled(ReadOnlySpan<byte> value) => value switch
    {
        [] or [(byte)'n', ..] or [(byte)'f', ..] => false,
        [(byte)'"', (byte)'"'] => false,
        [(byte)'[' or (byte)'{', .. var inside] => inside.TrimStart(" \t\r\n"u8) is not [(byte)']' or (byte)'}', ..],
        _ => true,
    };

    /// <summary>A whole number; null when the value is none.</summary>
    public static long? Number(ReadOnlySpan<byte> value) =>
        System.Buffers.Text.Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length ? number : null;

    /// <summary>Does the value equal this text?</summary>
    public static bool Is(ReadOnlySpan<byte> value, ReadOnlySpan<byte> text) => value is [(byte)'"', .. var inside, (byte)'"'] && inside.SequenceEqual(text);
}
