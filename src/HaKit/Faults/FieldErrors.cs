using System.Text;
using System.Text.Json;
using HaKit.Dialects;
using static HaKit.Faults.ErrorMembers;

namespace HaKit.Faults;

/// <summary>
/// Reads which member of the request an error names. Some servers write its name in a member of the error (<c>param</c>, <c>field</c>, <c>pointer</c>). ASP.NET
/// and Laravel write an object with a list for each wrong member (<c>"errors":{"messages":["…"]}</c>). Other frameworks write an array with the place of each
/// error. Pure; allocates nothing.
/// </summary>
internal static class FieldErrors
{
    private const int LongestName = 64;

    private static readonly WordSet s_lists = new("errors", "violations", "invalid-params", "invalid_params", "invalidParams", "validation_errors", "validationErrors");

    private static readonly WordSet s_places = new("param", "field", "pointer", "propertyPath", "loc", "source");

    // Names that do not show that the request is wrong. "model": another endpoint may have the model. "None": LiteLLM writes it if there is no name. The other
    // names are used for errors that belong to no member.
    private static readonly WordSet s_noMembers = new(
        "model", "none", "null", "message", "msg", "detail", "details", "error", "errors", "code", "status", "base", "general", "global", "non_field_errors", "nonfielderrors", "_schema", "_errors");

    /// <summary>Checks whether a member of this name lists the wrong members of the request.</summary>
    public static bool IsList(ReadOnlySpan<byte> name) => s_lists.Contains(name);

    /// <summary>Checks whether a member of an error with this name has the place of the mistake in the request.</summary>
    public static bool IsPlace(ReadOnlySpan<byte> name) => s_places.Contains(name);

    /// <summary>Reads a list: an array of errors with their places, or an object with a list of messages for each member.</summary>
    public static void Read(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.StartArray)
                    Read(ref reader, ref signs);
                else
                    ReadEach(ref reader, ref signs, ReadPlace);
            }
        }
        else
        {
            ReadEach(ref reader, ref signs, ReadMessages);
        }
    }

    /// <summary>Reads a member of an error: the place of the mistake, if the member has it.</summary>
    public static void ReadPlace(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("source"u8))
        {
            ReadEach(ref reader, ref signs, ReadSource);
            return;
        }
        if (name.SequenceEqual("loc"u8))
            signs.NamesField |= reader.TokenType == JsonTokenType.StartArray; // FastAPI
        else if ((IsPlace(name) || name.SequenceEqual("name"u8)) && reader.TokenType == JsonTokenType.String)
            signs.NamesField |= IsMember(reader.ValueSpan);
        reader.Skip();
    }

    // JSON:API
    private static void ReadSource(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= name.SequenceEqual("pointer"u8) && reader.TokenType == JsonTokenType.String && IsMember(reader.ValueSpan);
        reader.Skip();
    }

    // Only a list of messages: {"errors":{"message":"no such region"}} is one error, and not an error for each member.
    private static void ReadMessages(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= reader.TokenType == JsonTokenType.StartArray && IsMember(name);
        reader.Skip();
    }

    // "messages", "$.messages[0]", "#/messages/0", "body.messages".
    private static bool IsMember(ReadOnlySpan<byte> name)
    {
        name = name.TrimStart("$#./"u8);
        if (name.StartsWith("body."u8) || name.StartsWith("body/"u8))
            name = name[5..];
        if (name.IsEmpty)
            return false;
        Span<byte> lower = stackalloc byte[LongestName];
        return name.Length > LongestName || Ascii.ToLower(name, lower, out var length) != System.Buffers.OperationStatus.Done || !s_noMembers.Contains(lower[..length]);
    }
}
