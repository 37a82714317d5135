using System.Globalization;
using System.Text.Json;
using HaKit.Dialects;
using Slot = HaKit.Dialects.ErrorSigns.Slot;

namespace HaKit.Faults;

/// <summary>Reads single values of an error: a code, a status, a word, a message.</summary>
internal static class ErrorValues
{
    private static readonly WordSet s_waits = new(
        "retry_after", "retryAfter", "retry_after_seconds", "retryAfterSeconds", "retry_after_secs", "reset_in", "resets_in", "reset_after", "reset_in_seconds", "resets_in_seconds", "estimated_time",
        "reset_at", "resets_at", "resetAt", "resetsAt", "retry_at", "retryAt", "retry-after", "retry_in", "retryIn");

    private static readonly WordSet s_waitsInMilliseconds = new("retry_after_ms", "retryAfterMs");

    private const int LongestNoError = 12;

    private static readonly WordSet s_noErrors = new("0", "200", "none", "null", "ok", "success", "succeeded", "no error");

    // The names that servers use for a code, a status and a message.
    public static bool IsCode(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("code"u8) || name.SequenceEqual("error_code"u8) || name.SequenceEqual("errorCode"u8) || name.SequenceEqual("errcode"u8);

    public static bool IsStatus(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("status"u8) || name.SequenceEqual("status_code"u8) || name.SequenceEqual("statusCode"u8) || name.SequenceEqual("http_status"u8)
        || name.SequenceEqual("http_status_code"u8);

    public static bool IsMessage(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("message"u8) || name.SequenceEqual("Message"u8) || name.SequenceEqual("detail"u8) || name.SequenceEqual("msg"u8)
        || name.SequenceEqual("error_msg"u8) || name.SequenceEqual("error_message"u8) || name.SequenceEqual("errorMessage"u8) || name.SequenceEqual("errmsg"u8);

    /// <summary>Gets the unit, in seconds, of a member that has the time to wait. Null for another member.</summary>
    public static double? WaitScale(ReadOnlySpan<byte> name)
    {
        if (s_waits.Contains(name))
            return 1;
        return s_waitsInMilliseconds.Contains(name) ? 0.001 : null;
    }

    /// <summary>Reads the time to wait: a number, also as text, a Unix time, a duration, or an instant, in the forms of a header. A value that cannot be read is ignored.</summary>
    public static void ReadWait(ref Utf8JsonReader reader, ref ErrorSigns signs, double scale)
    {
        if (reader.TokenType is JsonTokenType.Number or JsonTokenType.String && reader.ValueSpan.Length <= ErrorSigns.LongestWord)
        {
            Span<char> buffer = stackalloc char[ErrorSigns.LongestWord];
            var text = buffer[..System.Text.Encoding.Latin1.GetChars(reader.ValueSpan, buffer)];
            if (Durations.UnixTime(text, scale) is { } seconds)
                signs.RetryAt = Instants.OfUnix(seconds) ?? signs.RetryAt;
            else
                signs.RetryDelay = Durations.Scaled(text, scale) ?? Durations.Any(text, now: default) ?? signs.RetryDelay;
            signs.RetryAt = Instants.Rfc3339(text) ?? Instants.HttpDate(text) ?? signs.RetryAt;
        }

        reader.Skip();
    }

    public static void ReadCode(ref Utf8JsonReader reader, ref ErrorSigns signs, Slot slot)
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

    public static void ReadStatus(ref Utf8JsonReader reader, ref ErrorSigns signs)
    {
        if (reader.TokenType is JsonTokenType.Number or JsonTokenType.String && Utf8Status(reader.ValueSpan) is var status and > 0)
            signs.BodyStatus = status;
        reader.Skip();
    }

    /// <summary>Reads three digits from 400 to 599; otherwise 0.</summary>
    public static int Utf8Status(ReadOnlySpan<byte> text) =>
        text.Length == 3 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and < 600 ? status : 0;

    /// <summary>
    /// Reads the name of an exception: <c>ThrottlingException:http://…</c> and <c>com.amazon.coral#ThrottlingException</c> both mean ThrottlingException.
    /// </summary>
    public static void SetException(scoped ReadOnlySpan<byte> text, ref ErrorSigns signs)
    {
        if (text.IndexOf((byte)':') is var colon and >= 0)
            text = text[..colon];
        text = text[(text.LastIndexOf((byte)'#') + 1)..];
        signs.SetWord(Slot.Exception, text);
        if (!signs.Exception.IsEmpty)
            signs.IsError = true;
    }

    public static void SetWord(ref Utf8JsonReader reader, ref ErrorSigns signs, Slot slot)
    {
        if (reader.TokenType == JsonTokenType.String)
            signs.SetWord(slot, reader.ValueSpan);
        reader.Skip();
    }

    public static void SetMessage(ref Utf8JsonReader reader, ref ErrorSigns signs, bool outer)
    {
        if (reader.TokenType == JsonTokenType.String)
            signs.SetMessage(reader.ValueSpan, outer);
        reader.Skip();
    }

    /// <summary>
    /// Checks whether the value is a number or a word that means an error. An error object is not an error if all its words are empty or say <c>success</c>.
    /// </summary>
    public static bool IsNotEmpty(ref Utf8JsonReader reader) =>
        reader is { TokenType: JsonTokenType.String, ValueSpan.Length: > 0 } && !IsNoError(reader.ValueSpan)
        || reader.TokenType == JsonTokenType.Number && !(reader.ValueSpan.SequenceEqual("0"u8) || reader.ValueSpan.SequenceEqual("0.0"u8) || reader.ValueSpan.SequenceEqual("200"u8));

    private static bool IsNoError(ReadOnlySpan<byte> text)
    {
        Span<byte> lower = stackalloc byte[LongestNoError];
        return text.Length <= LongestNoError && System.Text.Ascii.ToLower(text, lower, out var length) == System.Buffers.OperationStatus.Done && s_noErrors.Contains(lower[..length]);
    }

    public static bool IsText(ref Utf8JsonReader reader, ReadOnlySpan<byte> text) =>
        reader.TokenType == JsonTokenType.String && reader.ValueSpan.SequenceEqual(text);
}
