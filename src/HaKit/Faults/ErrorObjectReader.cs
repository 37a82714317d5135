using System.Text.Json;
using HaKit.Dialects;
using static HaKit.Faults.ErrorMembers;
using static HaKit.Faults.ErrorValues;
using Slot = HaKit.Dialects.ErrorSigns.Slot;

namespace HaKit.Faults;

/// <summary>Reads the error object of a body: its code, status, type, message and details.</summary>
internal static class ErrorObjectReader
{
    public static void ReadErrorMember(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            ReadError(ref reader, ref signs);
        }
        else if (reader.TokenType == JsonTokenType.String && IsNotEmpty(ref reader))
        {
            signs.IsError |= !signs.IsInList;
            signs.SetErrorText(reader.ValueSpan);
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            var isInList = signs.IsInList;
            signs.IsInList = true;
            ReadList(ref reader, ref signs);
            signs.IsInList = isInList;
        }
        else
        {
            // "error": true beside a message, or a number as the code.
            signs.IsError |= !signs.IsInList && (reader.TokenType == JsonTokenType.True || IsNotEmpty(ref reader));
            ReadStatus(ref reader, ref signs);
        }
    }

    /// <summary>
    /// Reads FastAPI's <c>detail</c> if it is an object. It describes a failure, but in the body of a 200 it does not show that the attempt has failed.
    /// </summary>
    public static void ReadDetail(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.IsInList = true;
        while (NextProperty(ref reader, out var name))
        {
            if (name.SequenceEqual("error"u8))
                ReadErrorMember(ref reader, ref signs);
            else
                ReadErrorPart(name, ref reader, ref signs);
        }
        signs.IsInList = false;
    }

    // A list in the body of a 200 may contain warnings only. So its elements describe a failure, but they do not show that the attempt has failed.
    private static void ReadList(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartArray)
                ReadList(ref reader, ref signs);
            else if (reader.TokenType == JsonTokenType.StartObject)
                ReadError(ref reader, ref signs);
            else if (reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 })
                signs.SetMessage(reader.ValueSpan, outer: false);
        }
    }

    public static void ReadError(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        while (NextProperty(ref reader, out var name))
            ReadErrorPart(name, ref reader, ref signs);
    }

    private static void ReadErrorPart(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (IsCode(name) || IsStatus(name) || IsMessage(name) || name.SequenceEqual("type"u8))
            ReadErrorWord(name, ref reader, ref signs);
        else if (FieldErrors.IsPlace(name))
            FieldErrors.ReadPlace(name, ref reader, ref signs);
        else if (FieldErrors.IsList(name))
            FieldErrors.Read(ref reader, ref signs);
        else if (WaitScale(name) is { } scale)
            ReadWait(ref reader, ref signs, scale);
        else if (name.SequenceEqual("details"u8))
            ReadEach(ref reader, ref signs, ReadDetails);
        else if (name.SequenceEqual("metadata"u8))
            ReadEach(ref reader, ref signs, ReadMetadata);
        else if (name.SequenceEqual("innererror"u8) || name.SequenceEqual("inner_error"u8))
            ReadEach(ref reader, ref signs, ReadInnerError);
        else
            reader.Skip();
    }

    /// <summary>Reads code, status, type and message: the members that make an object an error if they are not empty.</summary>
    private static void ReadErrorWord(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (IsNotEmpty(ref reader))
            (signs.IsError, signs.HasErrorObject) = (signs.IsError || !signs.IsInList, true);
        if (IsCode(name))
            ReadCode(ref reader, ref signs, Slot.Code);
        else if (name.SequenceEqual("type"u8))
            SetWord(ref reader, ref signs, Slot.Type);
        else if (name.SequenceEqual("status"u8) && reader.TokenType == JsonTokenType.String && Utf8Status(reader.ValueSpan) == 0)
            SetWord(ref reader, ref signs, Slot.Status);
        else if (IsStatus(name))
            ReadStatus(ref reader, ref signs);
        else if (reader.TokenType == JsonTokenType.StartObject)
            FieldErrors.ReadMessageObject(name, ref reader, ref signs);
        else
            SetMessage(ref reader, ref signs, outer: false);
    }

    /// <summary>Reads the details: one object for Anthropic, an array of objects for Google.</summary>
    private static void ReadDetails(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("error_code"u8) || name.SequenceEqual("reason"u8))
        {
            SetWord(ref reader, ref signs, Slot.Detail);
        }
        else if (name.SequenceEqual("@type"u8))
        {
            signs.HasTypedDetails = true;
            reader.Skip();
        }
        else if (name.SequenceEqual("retryDelay"u8))
        {
            if (reader is { TokenType: JsonTokenType.String, ValueSpan.Length: <= ErrorSigns.LongestWord })
            {
                Span<char> text = stackalloc char[ErrorSigns.LongestWord];
                signs.RetryDelay = Durations.GoDuration(text[..System.Text.Encoding.Latin1.GetChars(reader.ValueSpan, text)]);
            }

            reader.Skip();
        }
        else if (WaitScale(name) is { } scale)
        {
            ReadWait(ref reader, ref signs, scale);
        }
        else if (name.SequenceEqual("violations"u8))
        {
            ReadEach(ref reader, ref signs, ReadViolation);
        }
        else if (name.SequenceEqual("fieldViolations"u8))
        {
            signs.NamesField |= reader.TokenType == JsonTokenType.StartArray;
            reader.Skip();
        }
        else if (FieldErrors.IsPlace(name))
        {
            FieldErrors.ReadPlace(name, ref reader, ref signs);
        }
        else
        {
            reader.Skip();
        }
    }

    // OpenRouter passes on the headers of the provider.
    private static void ReadMetadata(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("headers"u8))
            ReadEach(ref reader, ref signs, ReadHeader);
        else if (WaitScale(name) is { } scale)
            ReadWait(ref reader, ref signs, scale);
        else
            reader.Skip();
    }

    private static void ReadHeader(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (System.Text.Ascii.EqualsIgnoreCase(name, "retry-after"u8) || System.Text.Ascii.EqualsIgnoreCase(name, "x-ratelimit-reset"u8))
            ReadWait(ref reader, ref signs, 1);
        else
            reader.Skip();
    }

    private static void ReadViolation(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("quotaId"u8) && reader.TokenType == JsonTokenType.String)
        {
            signs.NamesQuota = true;
            signs.QuotaPerDay |= reader.ValueSpan.IndexOf("PerDay"u8) >= 0;
        }

        reader.Skip();
    }

    private static void ReadInnerError(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.LooksAzure = true;
        if (name.SequenceEqual("code"u8))
            SetWord(ref reader, ref signs, Slot.Detail);
        else
            reader.Skip();
    }
}
