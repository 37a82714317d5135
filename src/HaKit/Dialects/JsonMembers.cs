using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>Reads the members of one JSON object in order, each with its raw value. Allocates nothing.</summary>
internal ref struct JsonMembers
{
    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;

    /// <param name="json">An object, possibly followed by other text.</param>
    public JsonMembers(ReadOnlySpan<byte> json)
    {
        _json = json;
        _reader = new Utf8JsonReader(json, isFinalBlock: true, state: default);
        Name = Value = default;
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An object is needed.");
    }

    /// <summary>Gets the member's name, without quotes. Names in wire formats have no escapes.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Gets the member's raw value.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Moves to the next member.</summary>
    /// <exception cref="JsonException">The object is cut.</exception>
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

    /// <summary>Gets the value of a member. Empty if the object has no member of this name.</summary>
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

    /// <summary>Checks whether the value is not empty: a text with characters, a number, true, an array or object with elements.</summary>
    public static bool IsFilled(ReadOnlySpan<byte> value) => value switch
    {
        [] or [(byte)'n', ..] or [(byte)'f', ..] => false,
        [(byte)'"', (byte)'"'] => false,
        [(byte)'[' or (byte)'{', .. var inside] => inside.TrimStart(" \t\r\n"u8) is not [(byte)']' or (byte)'}', ..],
        _ => true,
    };

    /// <summary>Gets a whole number. Null if the value is not one.</summary>
    public static long? Number(ReadOnlySpan<byte> value) =>
        System.Buffers.Text.Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length ? number : null;

    /// <summary>Gets a text. Empty for null and for a missing value.</summary>
    /// <exception cref="JsonException">The value is no text, or has half a character ("\ud83d").</exception>
    public static string Text(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return "";
        var reader = new Utf8JsonReader(value);
        reader.Read();
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("The value is not a text, or contains half of a character.", exception);
        }
    }

    /// <summary>Checks whether the value equals this text.</summary>
    public static bool Is(ReadOnlySpan<byte> value, ReadOnlySpan<byte> text) => value is [(byte)'"', .. var inside, (byte)'"'] && inside.SequenceEqual(text);
}
