using System.Net.Http.Headers;
using System.Text.Json;
using HaKit.Dialects;
using static HaKit.Faults.AnswerEndReader;
using static HaKit.Faults.ErrorMembers;
using static HaKit.Faults.ErrorObjectReader;
using static HaKit.Faults.ErrorValues;
using Slot = HaKit.Dialects.ErrorSigns.Slot;

namespace HaKit.Faults;

/// <summary>
/// Collects the signs of an error from the beginning of a body, in one pass and without allocating. If the body is truncated or broken, the part before the
/// break counts, because even half an error object distinguishes a quota from a throttle. Property names, codes and types that contain JSON escapes are
/// ignored; escapes in a message are decoded later.
/// </summary>
internal static class ErrorReader
{
    /// <summary>The maximum number of bytes of a body that are read.</summary>
    public const int MostBytes = 64 * 1024;

    public static void Read(ReadOnlySpan<byte> body, HttpResponseHeaders? headers, ref ErrorSigns signs)
    {
        if (body.Length > MostBytes)
            body = body[..MostBytes];
        if (body.StartsWith("\uFEFF"u8))
            body = body[3..];
        body = body.TrimStart(" \t\r\n"u8);
        signs.IsJson = body is [(byte)'{' or (byte)'[', ..];
        if (signs.IsJson)
        {
            var reader = new Utf8JsonReader(body, isFinalBlock: true, state: default);
            try
            {
                reader.Read();
                ReadRoot(ref reader, ref signs);
            }
            catch (JsonException)
            {
                // The body is truncated or broken. The signs that were read so far are kept.
            }
        }

        // This header replaces the name of the exception in the body, because Amazon's own clients prefer the header.
        if (headers is not null && RateLimitHeaders.Value(headers.NonValidated, "x-amzn-ErrorType") is { Length: > 0 and < 512 } name)
        {
            Span<byte> ascii = stackalloc byte[512];
            SetException(ascii[..System.Text.Encoding.Latin1.GetBytes(name, ascii)], ref signs);
        }
    }

    /// <summary>Reads an object or an array of objects (Gemini streams arrays); in an array every object counts as the root.</summary>
    private static void ReadRoot(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                ReadRoot(ref reader, ref signs);
            return;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
            return;
        while (NextProperty(ref reader, out var name))
            ReadRootMember(name, ref reader, ref signs, wrapped: false);
    }

    /// <summary>
    /// Reads one member of the root. If <paramref name="wrapped"/> is true, it reads one member of an object inside the root instead: the object contains the
    /// answer or a part of it (<see cref="ReadWrapped"/>).
    /// </summary>
    private static void ReadRootMember(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs, bool wrapped)
    {
        if (name.SequenceEqual("error"u8) || name.SequenceEqual("errors"u8) && reader.TokenType == JsonTokenType.StartArray)
        {
            ReadErrorMember(ref reader, ref signs);
        }
        else if (FieldErrors.IsList(name))
        {
            FieldErrors.Read(ref reader, ref signs);
        }
        else if (name.SequenceEqual("type"u8))
        {
            if (IsText(ref reader, "error"u8))
                signs.IsTypeError = signs.IsError = true;
            else
                SetWord(ref reader, ref signs, Slot.OuterType);
        }
        else if (name.SequenceEqual("object"u8))
        {
            if (IsText(ref reader, "error"u8))
                signs.IsObjectError = signs.IsError = true;
            else
                reader.Skip();
        }
        else if (IsCode(name))
        {
            ReadCode(ref reader, ref signs, Slot.OuterCode);
        }
        else if (IsStatus(name))
        {
            ReadStatus(ref reader, ref signs);
        }
        else if (WaitScale(name) is { } scale)
        {
            ReadWait(ref reader, ref signs, scale);
        }
        else if (name.SequenceEqual("error_type"u8))
        {
            SetWord(ref reader, ref signs, Slot.OuterType);
        }
        else if (name.SequenceEqual("raw_status_code"u8))
        {
            signs.HasRawStatus = true;
            ReadStatus(ref reader, ref signs);
        }
        else if (name.SequenceEqual("OriginalStatusCode"u8))
        {
            if (reader.TokenType == JsonTokenType.Number && Utf8Status(reader.ValueSpan) is var original and (400 or 413 or 422))
                signs.OriginalStatus = original;
            reader.Skip();
        }
        else if (name.SequenceEqual("detail"u8) && reader.TokenType == JsonTokenType.StartArray)
        {
            FieldErrors.Read(ref reader, ref signs);
        }
        else if (name.SequenceEqual("detail"u8) && reader.TokenType == JsonTokenType.StartObject)
        {
            ReadDetail(ref reader, ref signs);
        }
        else if (IsMessage(name))
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                FieldErrors.ReadMessageObject(name, ref reader, ref signs);
            else
                SetMessage(ref reader, ref signs, outer: true);
        }
        else if (name.SequenceEqual("param"u8))
        {
            FieldErrors.ReadPlace(name, ref reader, ref signs);
        }
        else if (name.SequenceEqual("__type"u8))
        {
            if (reader.TokenType == JsonTokenType.String)
                SetException(reader.ValueSpan, ref signs);
            reader.Skip();
        }
        else if (name.SequenceEqual("choices"u8))
        {
            ReadEach(ref reader, ref signs, ReadChoice);
        }
        else if (name.SequenceEqual("candidates"u8))
        {
            ReadEach(ref reader, ref signs, ReadCandidate);
        }
        else if (name.SequenceEqual("promptFeedback"u8))
        {
            ReadEach(ref reader, ref signs, ReadPromptFeedback);
        }
        else if (name.SequenceEqual("stop_reason"u8) || name.SequenceEqual("stopReason"u8)
            || !wrapped && (name.SequenceEqual("done_reason"u8) || name.SequenceEqual("finish_reason"u8) || name.SequenceEqual("finishReason"u8)))
        {
            ReadEnd(ref reader, ref signs);
        }
        else if (name.SequenceEqual("incomplete_details"u8))
        {
            ReadEach(ref reader, ref signs, ReadIncomplete);
        }
        // Events of a stream have the answer, or a part of it, in a member: response (OpenAI), delta (Anthropic, Cohere), messageStop (Amazon), x_groq (Groq),
        // meta_info (SGLang).
        else if (!wrapped && reader.TokenType == JsonTokenType.StartObject
            && (name.SequenceEqual("response"u8) || name.SequenceEqual("delta"u8) || name.SequenceEqual("messageStop"u8) || name.SequenceEqual("x_groq"u8) || name.SequenceEqual("meta_info"u8)))
        {
            ReadWrapped(ref reader, ref signs);
        }
        else if (reader.TokenType == JsonTokenType.StartObject && name.EndsWith("Exception"u8))
        {
            // In an event of Amazon's stream, the member's name is the exception.
            SetException(name, ref signs);
            ReadError(ref reader, ref signs);
        }
        else
        {
            reader.Skip();
        }
    }

    /// <summary>Reads the member that contains the answer, or a part of it. Only errors and finish reasons in this member count; the rest is skipped.</summary>
    private static void ReadWrapped(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        while (NextProperty(ref reader, out var name))
        {
            if (name.SequenceEqual("error"u8) || name.SequenceEqual("incomplete_details"u8)
                || name.SequenceEqual("stop_reason"u8) || name.SequenceEqual("stopReason"u8))
            {
                ReadRootMember(name, ref reader, ref signs, wrapped: true);
            }
            else if (name.SequenceEqual("finish_reason"u8))
            {
                ReadReason(ref reader, ref signs); // Cohere's last event has the finish reason in its delta
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
