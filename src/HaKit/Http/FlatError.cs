using System.Buffers;
using System.Text;
using System.Text.Json;

namespace HaKit.Http;

/// <summary>
/// Recognises an error without a member <c>error</c>: an object with only members that errors have (<c>{"detail":"x"}</c>,
/// <c>{"status":503,"message":"busy"}</c>, <c>{"success":false,"errors":[…]}</c>), of which at least one is not empty, or an object with a member that only
/// errors have (<c>{"errorMessage":"x","trace":[]}</c>). The case of the names does not matter. Used only for an answer in a known dialect. Pure.
/// </summary>
internal static class FlatError
{
    private const int LongestWords = 64;

    private static readonly SearchValues<string> s_failures = SearchValues.Create(
        ["error", "exception", "fail", "abort", "fatal", "timeout", "timed out", "unavailable", "overloaded", "disconnect"], StringComparison.OrdinalIgnoreCase);

    private static readonly byte[][] s_verdicts = Utf8("success", "ok", "status", "state", "code");

    private static readonly HaKit.Dialects.WordSet s_successes = new(
        "ok", "OK", "success", "Success", "SUCCESS", "succeeded", "completed", "done", "queued", "pending", "started", "running", "processing", "in_progress", "loading", "thinking", "searching", "200");

    // Members that only errors have, so the other members of the object do not matter.
    private static readonly byte[][] s_decisive = Utf8("error_msg", "error_message", "errorMessage", "errmsg", "fault", "exception");

    private static readonly byte[][] s_telling = Utf8("message", "msg", "detail", "error", "errors", "reason", "title");

    private static readonly byte[][] s_beside = Utf8(
        "code", "error_code", "errorCode", "errcode", "status", "status_code", "statusCode", "http_status", "http_status_code", "raw_status_code", "error_type", "errorType", "object", "success", "ok", "param", "details",
        "request_id", "requestId", "trace_id", "traceId", "timestamp", "path", "instance", "result", "data", "id", "log_id", "sid", "hostId");

    /// <summary>Checks whether the object is such an error.</summary>
    /// <param name="json">The JSON.</param>
    public static bool IsIn(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: true, state: default);
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && HasMembersOfError(ref reader);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool HasMembersOfError(ref Utf8JsonReader reader)
    {
        bool isTold = false, isDecided = false, hasOther = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var role = RoleOf(reader.ValueSpan);
            reader.Read();
            if (role == Role.Type && IsEvent(ref reader))
            {
                return false;
            }
            var isDecisive = role == Role.Decisive || role == Role.Response && HasError(reader);
            // {"errcode":0,"errmsg":"ok"}
            var isEmpty = reader.TokenType == JsonTokenType.String && s_successes.Contains(reader.ValueSpan) || IsEmpty(ref reader);
            if (role == Role.Answer && !isEmpty)
            {
                return false;
            }
            hasOther |= role is Role.Other or Role.Response;
            isDecided |= isDecisive && !isEmpty;
            isTold |= role == Role.Telling && !isEmpty;
        }
        return isDecided || isTold && !hasOther;
    }

    private enum Role
    {
        Other,
        Type,
        Decisive,
        Telling,
        Beside,
        Answer,
        Response,
    }

    private static Role RoleOf(ReadOnlySpan<byte> name) => name switch
    {
        _ when Ascii.EqualsIgnoreCase(name, "type"u8) => Role.Type,
        _ when IsOneOf(name, s_decisive) => Role.Decisive,
        _ when IsOneOf(name, s_telling) => Role.Telling,
        _ when Ascii.EqualsIgnoreCase(name, "result"u8) || Ascii.EqualsIgnoreCase(name, "data"u8) => Role.Answer,
        _ when Ascii.EqualsIgnoreCase(name, "response"u8) => Role.Response,
        _ => IsOneOf(name, s_beside) ? Role.Beside : Role.Other,
    };

    // If the type is not the name of a failure, the object is an event: {"type":"session.status","message":"thinking"}. The address of a problem's page
    // ("https://…", "about:blank") is not the name of an event.
    private static bool IsEvent(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && !IsNameOfFailure(reader.ValueSpan)
        && reader.ValueSpan.IndexOf("://"u8) < 0 && !reader.ValueSpan.StartsWith("about:"u8) && !reader.ValueSpan.StartsWith("urn:"u8);

    // Tencent: {"Response":{"Error":{"Code":"InternalError"}}}. The reader is a copy.
    private static bool HasError(Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isError = Ascii.EqualsIgnoreCase(reader.ValueSpan, "error"u8);
            reader.Read();
            if (!IsEmpty(ref reader) && isError)
            {
                return true;
            }
        }
        return false;
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

    private static bool IsOneOf(ReadOnlySpan<byte> text, byte[][] names)
    {
        foreach (var name in names)
        {
            if (Ascii.EqualsIgnoreCase(text, name))
            {
                return true;
            }
        }
        return false;
    }

    private static byte[][] Utf8(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
