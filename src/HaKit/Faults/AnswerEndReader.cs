using System.Text.Json;
using HaKit.Dialects;
using static HaKit.Faults.ErrorMembers;
using static HaKit.Faults.ErrorObjectReader;

namespace HaKit.Faults;

/// <summary>
/// Reads how an answer ended, from the members that the dialects use for the end of an answer. An answer with status 200 may still have ended because of a
/// filter or a failure.
/// </summary>
internal static class AnswerEndReader
{
    public static void ReadChoice(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("finish_reason"u8))
            ReadReason(ref reader, ref signs);
        else if (name.SequenceEqual("native_finish_reason"u8))
            ReadNativeEnd(ref reader, ref signs);
        else if (name.SequenceEqual("error"u8))
            ReadErrorMember(ref reader, ref signs);
        else
            reader.Skip();
    }

    /// <summary>Reads a finish reason, which may be an object.</summary>
    public static void ReadReason(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            ReadEach(ref reader, ref signs, ReadEndObject);
        else
            ReadEnd(ref reader, ref signs);
    }

    public static void ReadCandidate(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("finishReason"u8))
            ReadEnd(ref reader, ref signs);
        else
            reader.Skip();
    }

    public static void ReadPromptFeedback(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("blockReason"u8) && reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 })
            signs.EndedByFilter = true;
        reader.Skip();
    }

    public static void ReadIncomplete(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("reason"u8))
            ReadEnd(ref reader, ref signs);
        else
            reader.Skip();
    }

    public static void ReadEnd(ref Utf8JsonReader reader, ref ErrorSigns signs)
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

    // SGLang writes {"type":"abort","message":"…"}.
    private static void ReadEndObject(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (name.SequenceEqual("type"u8))
            ReadEnd(ref reader, ref signs);
        else
            reader.Skip();
    }

    /// <summary>Reads the original finish reason that a gateway translated. It counts only if it shows a failure that the translation hides.</summary>
    private static void ReadNativeEnd(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType == JsonTokenType.String && FinishReasons.MeaningOf(reader.ValueSpan) == FinishMeaning.Failure)
            signs.NativeEndFailed = signs.EndedByFailure = true;
        reader.Skip();
    }
}
