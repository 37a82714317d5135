using System.Globalization;
using System.Text.Json;
using HaKit.Dialects;
using Slot = HaKit.Dialects.ErrorSigns.Slot;

namespace HaKit.Faults;

/// <summary>Single values, and the steps from one member to the next.</summary>
internal static partial class ErrorReader
{
    // The names under which servers tell a code, a status and a message.
    private static bool IsCode(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("code"u8) || name.SequenceEqual("error_code"u8) || name.SequenceEqual("errorCode"u8) || name.SequenceEqual("errcode"u8);

    private static bool IsStatus(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("status"u8) || name.SequenceEqual("status_code"u8) || name.SequenceEqual("statusCode"u8) || name.SequenceEqual("http_status"u8);

    private static bool IsMessage(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("message"u8) || name.SequenceEqual("Message"u8) || name.SequenceEqual("detail"u8) || name.SequenceEqual("msg"u8)
        || name.SequenceEqual("error_msg"u8) || name.SequenceEqual("error_message"u8) || name.SequenceEqual("errorMessage"u8) || name.SequenceEqual("errmsg"u8);

    private static void ReadCode(ref Utf8JsonReader reader, ref ErrorSigns signs, Slot slot)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            if (Utf8Status(reader.ValueSpan) > 0)
                signs.LooksAzure = true;
            ReadStatus(ref reader, ref signs);
            SetWord(ref reader, ref signs, slot);
        }
        else
        {
            ReadStatus(ref reader, ref signs);
        }
    }

    private static void ReadStatus(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType is JsonTokenType.Number or JsonTokenType.String && Utf8Status(reader.ValueSpan) is var status and > 0)
            signs.BodyStatus = status;
        reader.Skip();
    }

    /// <summary>Three digits from 400 to 599, or 0.</summary>
    private static int Utf8Status(ReadOnlySpan<byte> text) =>
        text.Length == 3 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and < 600 ? status : 0;

    /// <summary><c>ThrottlingException:http://…</c> and <c>com.amazon.coral#ThrottlingException</c> both name ThrottlingException.</summary>
    private static void SetException(scoped ReadOnlySpan<byte> text, ref ErrorSigns signs)
    {
        if (text.IndexOf((byte)':') is var colon and >= 0)
            text = text[..colon];
        text = text[(text.LastIndexOf((byte)'#') + 1)..];
        signs.SetWord(Slot.Exception, text);
        if (!signs.Exception.IsEmpty)
            signs.IsError = true;
    }

    private static void SetWord(ref Utf8JsonReader reader, ref ErrorSigns signs, Slot slot)
    {
        if (reader.TokenType == JsonTokenType.String)
            signs.SetWord(slot, reader.ValueSpan);
        reader.Skip();
    }

    private static void SetMessage(ref Utf8JsonReader reader, ref ErrorSigns signs, bool outer)
    {
        if (reader.TokenType == JsonTokenType.String)
            signs.SetMessage(reader.ValueSpan, outer);
        reader.Skip();
    }

    /// <summary>Is it a word or a number, and not an empty one? An error object whose words are all empty is none.</summary>
    private static bool IsSaid(ref Utf8JsonReader reader) =>
        reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 }
        || reader.TokenType == JsonTokenType.Number && !reader.ValueSpan.SequenceEqual("0"u8);

    private static bool IsText(ref Utf8JsonReader reader, ReadOnlySpan<byte> text) =>
        reader.TokenType == JsonTokenType.String && reader.ValueSpan.SequenceEqual(text);

    private delegate void Member(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs);

    /// <summary>Hands over the members of an object, or of each object in an array (of arrays).</summary>
    private static void ReadEach(ref Utf8JsonReader reader, ref ErrorSigns signs, Member member)
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

    /// <summary>Stands on the next member's value, or on the end of the object.</summary>
    private static bool NextProperty(ref Utf8JsonReader reader, out ReadOnlySpan<byte> name)
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
