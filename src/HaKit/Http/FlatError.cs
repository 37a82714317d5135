using System.Buffers;
using System.Text;
using System.Text.Json;

namespace HaKit.Http;

/// <summary>
/// Recognises an error without a member <c>error</c>: an object with only members that errors have (<c>{"detail":"x"}</c>,
/// <c>{"status":503,"message":"busy"}</c>, <c>{"success":false,"errors":[…]}</c>), of which at least one is not empty. Used only for an answer in a known
/// dialect. Pure.
/// </summary>
internal static class FlatError
{
    private const int LongestWords = 64;

    private static readonly SearchValues<string> s_failures = SearchValues.Create(
        ["error", "exception", "fail", "abort", "fatal", "timeout", "timed out", "unavailable", "overloaded", "disconnect"], StringComparison.OrdinalIgnoreCase);

    private static readonly byte[][] s_verdicts = Utf8("success", "ok", "status", "state", "code");

    private static readonly HaKit.Dialects.WordSet s_successes = new(
        "ok", "OK", "success", "Success", "SUCCESS", "succeeded", "completed", "done", "queued", "pending", "started", "running", "processing", "in_progress", "loading", "thinking", "searching", "200");

    private static readonly byte[][] s_telling = Utf8("message", "Message", "msg", "detail", "error_msg", "error_message", "errorMessage", "errmsg", "error", "Error", "errors", "fault", "exception", "reason", "title");

    private static readonly byte[][] s_beside = Utf8(
        "code", "error_code", "errorCode", "errcode", "status", "status_code", "statusCode", "http_status", "http_status_code", "raw_status_code", "error_type", "object", "success", "ok", "param", "details",
        "request_id", "requestId", "RequestId", "trace_id", "traceId", "timestamp", "path", "instance", "result", "data", "id", "log_id");

    /// <summary>Checks whether the object is such an error.</summary>
    /// <param name="json">The JSON.</param>
    public static bool IsIn(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: true, state: default);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            var isTold = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                var isTelling = IsOneOf(ref reader, s_telling);
                var mayHoldAnswer = reader.ValueTextEquals("result"u8) || reader.ValueTextEquals("data"u8);
                if (!isTelling && !isType && !IsOneOf(ref reader, s_beside))
                {
                    return false;
                }
                reader.Read();
                // If the type is not the name of a failure, the object is an event: {"type":"session.status","message":"thinking"}.
                if (isType && reader.TokenType == JsonTokenType.String && !IsNameOfFailure(reader.ValueSpan))
                {
                    return false;
                }
                var isEmpty = IsEmpty(ref reader);
                if (mayHoldAnswer && !isEmpty)
                {
                    return false;
                }
                isTold |= isTelling && !isEmpty;
            }
            return isTold;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Checks whether the object says that it is no error: <c>"success":true</c>, a status such as <c>queued</c>, or a code such as 200.</summary>
    /// <param name="json">The JSON.</param>
    public static bool TellsSuccess(ReadOnlySpan<byte> json)
    {
        foreach (var member in s_verdicts)
        {
            if (JsonOutline.ValueAtRoot(json, member) is { } at && IsSuccess(json[at..]))
                return true;
        }
        return false;
    }

    private static bool IsSuccess(ReadOnlySpan<byte> value)
    {
        if (value.StartsWith("true"u8))
            return true;
        if (value is [(byte)'2', >= (byte)'0' and <= (byte)'9', >= (byte)'0' and <= (byte)'9', (byte)',' or (byte)'}' or (byte)' ', ..])
            return true;
        return value is [(byte)'"', .. var text] && text.IndexOf((byte)'"') is >= 0 and var end && s_successes.Contains(text[..end]);
    }

    /// <summary>Checks whether the name of an event, or a text in the place of JSON ("Error: upstream closed"), means a failure.</summary>
    /// <param name="words">The words, in UTF-8.</param>
    public static bool IsNameOfFailure(ReadOnlySpan<byte> words)
    {
        if (words.IsEmpty)
        {
            return false;
        }
        Span<char> text = stackalloc char[LongestWords];
        words = words[..Math.Min(words.Length, LongestWords)];
        return ((ReadOnlySpan<char>)text[..Encoding.Latin1.GetChars(words, text)]).ContainsAny(s_failures);
    }

    /// <summary>Wraps the error in a member <c>error</c>, for the classifier.</summary>
    /// <param name="json">The JSON of the error.</param>
    public static byte[] AsObject(ReadOnlySpan<byte> json) => [.. "{\"error\":"u8, .. json, (byte)'}'];

    // Moves the reader to the last token of the value.
    private static bool IsEmpty(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null or JsonTokenType.False:
                return true;
            case JsonTokenType.String:
                return reader.ValueSpan.IsEmpty;
            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                var depth = reader.CurrentDepth;
                reader.Read();
                var isEmpty = reader.CurrentDepth == depth && reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject;
                while (reader.CurrentDepth > depth || reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                {
                    reader.Read();
                }
                return isEmpty;
            default:
                return false;
        }
    }

    private static bool IsOneOf(ref Utf8JsonReader reader, byte[][] names)
    {
        foreach (var name in names)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }
        }
        return false;
    }

    private static byte[][] Utf8(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
