using System.Text.Json;
using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>Iterates over the members of a JSON object without allocating.</summary>
internal static class ErrorMembers
{
    public delegate void Member(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs);

    /// <summary>Calls <paramref name="member"/> for each member of an object, or of each object in an array (or in nested arrays).</summary>
    public static void ReadEach(ref Utf8JsonReader reader, ref ErrorSigns signs, Member member)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                ReadEach(ref reader, ref signs, member);
            return;
        }

        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (NextProperty(ref reader, out var name))
                member(name, ref reader, ref signs);
        }
    }

    /// <summary>Moves to the next member's value, or to the end of the object.</summary>
    public static bool NextProperty(ref Utf8JsonReader reader, out ReadOnlySpan<byte> name)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
        {
            name = default;
            return false;
        }

        name = reader.ValueSpan;
        reader.Read();
        return true;
    }
}
