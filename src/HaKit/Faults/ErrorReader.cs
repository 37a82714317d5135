using System.Net.Http.Headers;
using System.Text.Json;
using HaKit.Dialects;
using Slot = HaKit.Dialects.ErrorSigns.Slot;

namespace HaKit.Faults;

/// <summary>
/// Collects the signs of an error from the beginning of a body, in one pass and without allocating. What was read before a cut or a break
/// counts: half an error object still tells quota from throttle. Names and words with escapes in them are not the ones we look for.
/// </summary>
internal static partial class ErrorReader
{
    /// <summary>No more of a body than this is ever looked at.</summary>
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
                // Cut or broken: keep what was read so far.
            }
        }

        // The header is what Amazon's own clients read first.
        if (headers is not null && RateLimitHeaders.Value(headers.NonValidated, "x-amzn-ErrorType") is { Length: > 0 and < 512 } name)
        {
            Span<byte> ascii = stackalloc byte[512];
            SetException(ascii[..System.Text.Encoding.Latin1.GetBytes(name, ascii)], ref signs);
        }
    }

    /// <summary>An object or an array of them (Gemini streams arrays); in an array every object counts as the root.</summary>
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

    private static void ReadRootMember(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs, bool wrapped)
    {
        if (name.SequenceEqual("error"u8))
        {
            ReadErrorMember(ref reader, ref signs);
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
        else if (name.SequenceEqual("error_type"u8))
        {
            SetWord(ref reader, ref signs, Slot.OuterType);
        }
        else if (name.SequenceEqual("raw_status_code"u8))
        {
            signs.HasRawStatus = true;
            ReadStatus(ref reader, ref signs);
        }
        else if (name.SequenceEqual("detail"u8) && reader.TokenType == JsonTokenType.StartArray)
        {
            ReadEach(ref reader, ref signs, ReadFieldError);
        }
        else if (IsMessage(name))
        {
            SetMessage(ref reader, ref signs, outer: true);
        }
        else if (name.SequenceEqual("param"u8))
        {
            ReadParam(ref reader, ref signs);
        }
        else if (name.SequenceEqual("__type"u8))
        {
            if (reader.TokenType == JsonTokenType.String)
                SetException(reader.ValueSpan, ref signs);
            reader.Skip();
        }
        else if (name.SequenceEqual("choices"u8))
        {
            ReadChoices(ref reader, ref signs);
        }
        else if (name.SequenceEqual("candidates"u8))
        {
            ReadEach(ref reader, ref signs, ReadCandidate);
        }
        else if (name.SequenceEqual("promptFeedback"u8))
        {
            ReadEach(ref reader, ref signs, ReadPromptFeedback);
        }
        else if (name.SequenceEqual("stop_reason"u8) || name.SequenceEqual("stopReason"u8) || !wrapped && name.SequenceEqual("done_reason"u8))
        {
            ReadEnd(ref reader, ref signs);
        }
        else if (name.SequenceEqual("incomplete_details"u8))
        {
            ReadEach(ref reader, ref signs, ReadIncomplete);
        }
        else if (!wrapped && reader.TokenType == JsonTokenType.StartObject
            && (name.SequenceEqual("response"u8) || name.SequenceEqual("delta"u8) || name.SequenceEqual("messageStop"u8)))
        {
            ReadWrapped(ref reader, ref signs);
        }
        else if (reader.TokenType == JsonTokenType.StartObject && name.EndsWith("Exception"u8))
        {
            // An event of Amazon's stream: the member's name is the exception.
            SetException(name, ref signs);
            ReadError(ref reader, ref signs);
        }
        else
        {
            reader.Skip();
        }
    }

    /// <summary>An event that holds the answer, or a part of it, in a member: its errors and ends count, its marks and words do not.</summary>
    private static void ReadWrapped(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        while (NextProperty(ref reader, out var name))
        {
            if (name.SequenceEqual("error"u8) || name.SequenceEqual("incomplete_details"u8)
                || name.SequenceEqual("stop_reason"u8) || name.SequenceEqual("stopReason"u8))
            {
                ReadRootMember(name, ref reader, ref signs, wrapped: true);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static void ReadErrorMember(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            ReadError(ref reader, ref signs);
        }
        else if (reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 })
        {
            signs.IsError = true;
            SetMessage(ref reader, ref signs, outer: false);
        }
        else
        {
            // "error": true beside a message, or a number for a code.
            signs.IsError |= reader.TokenType == JsonTokenType.True || IsSaid(ref reader);
            ReadStatus(ref reader, ref signs);
        }
    }

    private static void ReadError(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        while (NextProperty(ref reader, out var name))
        {
            if (IsCode(name) || IsStatus(name) || IsMessage(name) || name.SequenceEqual("type"u8))
                ReadErrorWord(name, ref reader, ref signs);
            else if (name.SequenceEqual("param"u8))
                ReadParam(ref reader, ref signs);
            else if (name.SequenceEqual("details"u8))
                ReadEach(ref reader, ref signs, ReadDetails);
            else if (name.SequenceEqual("innererror"u8) || name.SequenceEqual("inner_error"u8))
                ReadEach(ref reader, ref signs, ReadInnerError);
            else
                reader.Skip();
        }
    }

    /// <summary>Code, status, type and message: the members that make an object an error where they say something.</summary>
    private static void ReadErrorWord(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (IsSaid(ref reader))
            signs.IsError = signs.HasErrorObject = true;
        if (IsCode(name))
            ReadCode(ref reader, ref signs, Slot.Code);
        else if (name.SequenceEqual("type"u8))
            SetWord(ref reader, ref signs, Slot.Type);
        else if (name.SequenceEqual("status"u8) && reader.TokenType == JsonTokenType.String && Utf8Status(reader.ValueSpan) == 0)
            SetWord(ref reader, ref signs, Slot.Status);
        else if (IsStatus(name))
            ReadStatus(ref reader, ref signs);
        else
            SetMessage(ref reader, ref signs, outer: false);
    }

    /// <summary>Anthropic's details are one object, Google's an array of them.</summary>
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
        else if (name.SequenceEqual("violations"u8))
        {
            ReadEach(ref reader, ref signs, ReadViolation);
        }
        else if (name.SequenceEqual("fieldViolations"u8))
        {
            signs.NamesField |= reader.TokenType == JsonTokenType.StartArray;
            reader.Skip();
        }
        else
        {
            reader.Skip();
        }
    }

    /// <summary>FastAPI's <c>detail</c> is an array of what is wrong where.</summary>
    private static void ReadFieldError(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= name.SequenceEqual("loc"u8) && reader.TokenType == JsonTokenType.StartArray;
        reader.Skip();
    }

    /// <summary>The member that is wrong. That it is the model says nothing of the request: another endpoint may have it.</summary>
    private static void ReadParam(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        signs.NamesField |= reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 } && !reader.ValueSpan.SequenceEqual("model"u8);
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

    private static void ReadChoices(ref Utf8JsonReader reader, ref ErrorSigns signs) => ReadEach(ref reader, ref signs, ReadChoice);

    private static void ReadChoice(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("finish_reason"u8))
            ReadEnd(ref reader, ref signs);
        else if (name.SequenceEqual("native_finish_reason"u8))
            ReadNativeEnd(ref reader, ref signs);
        else if (name.SequenceEqual("error"u8))
            ReadErrorMember(ref reader, ref signs);
        else
            reader.Skip();
    }

    private static void ReadCandidate(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("finishReason"u8))
            ReadEnd(ref reader, ref signs);
        else
            reader.Skip();
    }

    private static void ReadPromptFeedback(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("blockReason"u8) && reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 })
            signs.EndedByFilter = true;
        reader.Skip();
    }

    private static void ReadIncomplete(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("reason"u8))
            ReadEnd(ref reader, ref signs);
        else
            reader.Skip();
    }

    private static void ReadEnd(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            switch (FinishReasons.MeaningOf(reader.ValueSpan))
            {
                case FinishMeaning.End:
                    signs.EndedOtherwise = true;
                    break;
                case FinishMeaning.Filter:
                    signs.EndedByFilter = true;
                    break;
                case FinishMeaning.Failure:
                    signs.EndedByFailure = true;
                    break;
            }
        }

        reader.Skip();
    }

    /// <summary>What a gateway translated: it counts only where it tells of a failure that the translation hides.</summary>
    private static void ReadNativeEnd(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.String && FinishReasons.MeaningOf(reader.ValueSpan) == FinishMeaning.Failure)
            signs.NativeEndFailed = signs.EndedByFailure = true;
        reader.Skip();
    }
}
