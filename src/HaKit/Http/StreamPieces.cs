using System.Text.Json;

namespace HaKit.Http;

/// <summary>Examines the data of one item of a stream. Pure; allocates nothing.</summary>
internal static class StreamPieces
{
    /// <summary>
    /// Checks whether the deltas have a member that is not empty, apart from their role, or whether an old completion contains text. The JSON is parsed,
    /// because fields and their order vary.
    /// </summary>
    public static bool HasContent(ReadOnlySpan<byte> choices)
    {
        var delta = choices.IndexOf("\"delta\":"u8);
        var piece = delta < 0 ? choices : choices[(delta + 8)..].TrimStart((byte)' ');
        return piece.StartsWith("{\"content\":\""u8) && piece.Length > 12 && piece[12] != '"' || FindContent(choices);
    }

    private static bool FindContent(ReadOnlySpan<byte> choices)
    {
        var reader = new Utf8JsonReader(choices, isFinalBlock: false, state: default);
        try
        {
            var inDelta = 0;
            while (reader.Read() && (reader.CurrentDepth > 0 || reader.TokenType == JsonTokenType.StartArray))
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                {
                    if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth < inDelta)
                        inDelta = 0;
                    continue;
                }
                var isDelta = reader.CurrentDepth == 2 && (reader.ValueTextEquals("delta"u8) || reader.ValueTextEquals("message"u8));
                var counts = inDelta > 0 && !reader.ValueTextEquals("role"u8) || reader.CurrentDepth == 2 && reader.ValueTextEquals("text"u8);
                if (!reader.Read())
                    return false;
                if (isDelta && reader.TokenType == JsonTokenType.StartObject)
                    inDelta = reader.CurrentDepth + 1;
                else if (counts && IsFilled(ref reader))
                    return true;
                else if (!reader.TrySkip())
                    return false;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return true; // an unknown member counts as content
        }
        return false;
    }

    /// <summary>
    /// Checks whether a chunk shows that the answer has several choices: the array has several elements, or the index of its element is not 0. The order of the
    /// members has no meaning, and objects inside a choice may have an index of their own. So the JSON is parsed, unless the only index is 0. That is the usual case.
    /// </summary>
    public static bool HasSeveralChoices(ReadOnlySpan<byte> choices)
    {
        var index = choices.IndexOf("\"index\""u8);
        if (index < 0)
            return false;
        var rest = choices[(index + "\"index\"".Length)..];
        return !(rest.TrimStart(" :"u8) is [(byte)'0', ..] && rest.IndexOf("\"index\""u8) < 0) && ParseChoices(choices);
    }

    private static bool ParseChoices(ReadOnlySpan<byte> choices)
    {
        var reader = new Utf8JsonReader(choices, isFinalBlock: false, state: default);
        var count = 0;
        try
        {
            while (reader.Read() && (reader.CurrentDepth > 0 || reader.TokenType == JsonTokenType.StartArray))
            {
                if (reader is { CurrentDepth: 1, TokenType: JsonTokenType.StartObject } && ++count > 1)
                    return true;
                if (reader.TokenType != JsonTokenType.PropertyName)
                    continue;
                var isIndex = reader.ValueTextEquals("index"u8);
                if (!reader.Read())
                    return false;
                if (isIndex && reader.TokenType == JsonTokenType.Number && !reader.ValueSpan.SequenceEqual("0"u8))
                    return true;
                if (!reader.TrySkip())
                    return false;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false; // a chunk that cannot be parsed shows nothing
        }
        return false;
    }

    /// <summary>Checks whether the value that begins here is not empty: a text with characters, a number, true.</summary>
    /// <param name="json">The value, followed by other text.</param>
    /// <param name="except">A member whose value does not count.</param>
    public static bool IsSomething(ReadOnlySpan<byte> json, ReadOnlySpan<byte> except)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, state: default);
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName when !except.IsEmpty && reader.ValueTextEquals(except):
                        if (!reader.Read() || !reader.TrySkip())
                            return true;
                        break;
                    case JsonTokenType.String when reader.ValueSpan.Length > 0:
                    case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False:
                        return true;
                }
                if (reader.CurrentDepth == 0 && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
                    return false;
            }
            return false;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return true;
        }
    }

    /// <summary>Checks whether Gemini's <c>parts</c> contain anything but an empty text.</summary>
    /// <param name="data">The JSON of a chunk.</param>
    public static bool HasParts(ReadOnlySpan<byte> data)
    {
        var at = data.IndexOf("\"parts\":"u8);
        if (at < 0)
            return false;
        return IsSomething(data[(at + "\"parts\":".Length)..], except: default); // usually the first part is a text, and IsSomething reads no further
    }

    /// <summary>Checks whether the piece of text in an event (<c>delta</c>, <c>text</c>) is empty.</summary>
    public static bool IsEmpty(ReadOnlySpan<byte> data)
    {
        if (data.IndexOf(":\"\""u8) < 0 && data.IndexOf(": \"\""u8) < 0)
            return false;
        var at = JsonOutline.ValueAtRoot(data, "delta"u8) ?? JsonOutline.ValueAtRoot(data, "text"u8) ?? JsonOutline.ValueAtRoot(data, "arguments"u8);
        return at is { } value && !IsSomething(data[value..], except: "type"u8);
    }

    /// <summary>Gets the text value of a member, wherever it is. Empty if there is none. Escapes stay.</summary>
    /// <param name="data">The JSON.</param>
    /// <param name="member">The member's name with its quotes.</param>
    public static ReadOnlySpan<byte> TextAfter(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member)
    {
        while (data.IndexOf(member) is >= 0 and var at)
        {
            data = data[(at + member.Length)..];
            if (data.TrimStart(" \t\r\n"u8) is [(byte)':', .. var value] && value.TrimStart(" \t\r\n"u8) is [(byte)'"', .. var text] && text.IndexOf((byte)'"') is > 0 and var end)
                return text[..end];
        }
        return default;
    }

    /// <summary>Checks whether the member is an array with elements.</summary>
    /// <param name="data">The JSON.</param>
    /// <param name="member">The member's name with its quotes.</param>
    public static bool HasElements(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member)
    {
        while (data.IndexOf(member) is >= 0 and var at)
        {
            data = data[(at + member.Length)..];
            if (data.TrimStart(" \t\r\n"u8) is [(byte)':', .. var value] && value.TrimStart(" \t\r\n"u8) is [(byte)'[', .. var inside] && inside.TrimStart(" \t\r\n"u8) is not [(byte)']', ..])
                return true;
        }
        return false;
    }

    /// <summary>
    /// Finds the value of a member of the root object. If no object or array begins before the first occurrence of the name, this occurrence is the member of the
    /// root, and the JSON need not be parsed. That is the usual case.
    /// </summary>
    /// <param name="data">The JSON.</param>
    /// <param name="member">The member's name with its quotes and the colon.</param>
    public static int? ValueAtRoot(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member)
    {
        var at = data.IndexOf(member);
        if (at < 0 && data.IndexOf(member[..^1]) < 0)
            return null;
        return at >= 0 && data[1..at].IndexOfAny((byte)'{', (byte)'[') < 0 ? at + member.Length : JsonOutline.ValueAtRoot(data, member[1..^2]);
    }

    /// <summary>Gets the text value of a member of the root. Empty if there is none.</summary>
    /// <param name="data">The JSON.</param>
    /// <param name="member">The member's name.</param>
    public static ReadOnlySpan<byte> TextAtRoot(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member) =>
        JsonOutline.ValueAtRoot(data, member) is { } at ? TextIn(data[at..]) : default;

    /// <summary>Gets the <c>type</c> of an event's data. Empty if it has none.</summary>
    public static ReadOnlySpan<byte> TypeOf(ReadOnlySpan<byte> data)
    {
        var at = -1;
        if (data.StartsWith("{\"type\":"u8))
            at = 8;
        else if (data.IndexOf("\"type\""u8) >= 0)
            at = JsonOutline.ValueAtRoot(data, "type"u8) ?? -1;
        return at >= 0 ? TextIn(data[at..].TrimStart((byte)' ')) : default;
    }

    /// <summary>
    /// Gets the combined meaning of the finish reasons of Gemini's candidates in a chunk, and counts the candidates that have ended. The arguments of a tool
    /// call may have a member <c>finishReason</c> too. So a chunk that contains this name is parsed.
    /// </summary>
    /// <param name="candidates">The JSON from the beginning of the array of candidates.</param>
    /// <param name="ended">How many candidates have ended.</param>
    public static FinishMeaning FinishOfCandidates(ReadOnlySpan<byte> candidates, out int ended)
    {
        ended = 0;
        var worst = FinishMeaning.None;
        if (candidates.IndexOf("\"finishReason\""u8) < 0)
            return worst;
        var reader = new Utf8JsonReader(candidates, isFinalBlock: false, state: default);
        try
        {
            while (reader.Read() && (reader.CurrentDepth > 0 || reader.TokenType == JsonTokenType.StartArray))
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                    continue;
                var isReason = reader.ValueTextEquals("finishReason"u8);
                if (!reader.Read())
                    break;
                var meaning = isReason && reader.TokenType == JsonTokenType.String ? FinishReasons.MeaningOf(reader.ValueSpan) : FinishMeaning.None;
                if (meaning != FinishMeaning.None)
                    ended++;
                if (meaning > worst)
                    worst = meaning;
                if (!reader.TrySkip())
                    break;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reasons that were read so far are used.
        }
        return worst;
    }

    private static ReadOnlySpan<byte> TextIn(ReadOnlySpan<byte> value) =>
        value is [(byte)'"', .. var text] && text.IndexOf((byte)'"') is > 0 and var end ? text[..end] : default;

    /// <summary>
    /// Gets the combined meaning of a chunk's finish reasons, including <c>native_finish_reason</c> of a gateway: a failure takes precedence over a filter, and
    /// a filter over an end.
    /// </summary>
    public static FinishMeaning FinishOf(ReadOnlySpan<byte> data)
    {
        const int Shortest = 15;
        var worst = FinishMeaning.None;
        while (data.IndexOf("finish_reason\""u8) is >= 0 and var at)
        {
            data = data[(at + Shortest - 1)..];
            if (data.TrimStart(" \t\r\n"u8) is not [(byte)':', .. var value])
                continue;
            var meaning = MeaningOf(value.TrimStart(" \t\r\n"u8));
            if (meaning > worst)
                worst = meaning;
        }
        return worst;
    }

    // SGLang writes {"type":"abort","message":"…"} in the place of the reason.
    private static FinishMeaning MeaningOf(ReadOnlySpan<byte> value)
    {
        if (value is [(byte)'{', ..])
            value = JsonOutline.ValueAtRoot(value, "type"u8) is { } at ? value[at..] : default;
        return value is [(byte)'"', .. var text] && text.IndexOf((byte)'"') is >= 0 and var end ? FinishReasons.MeaningOf(text[..end]) : FinishMeaning.None;
    }

    // The members that a chunk may have in addition to its choices or candidates.
    private static readonly HaKit.Dialects.WordSet s_envelope = new(
        "id", "object", "created", "created_at", "model", "provider", "system_fingerprint", "service_tier", "usage", "x_groq", "timings", "prompt_filter_results", "usageMetadata", "modelVersion", "responseId", "createTime");

    /// <summary>Checks whether a chunk has neither choices nor candidates, but only members that usually accompany them. Such a chunk shows no progress.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data, isFinalBlock: true, state: default);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!s_envelope.Contains(reader.ValueSpan))
                    return false;
                reader.Skip();
            }
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Checks whether the object looks like an error without an error object: a message beside a code.</summary>
    public static bool LooksLikeError(ReadOnlySpan<byte> data) =>
        (HasText(data, "message"u8) || HasText(data, "msg"u8) || HasText(data, "error_msg"u8) || HasText(data, "detail"u8))
        && (HasCode(data, "code"u8) || HasCode(data, "status"u8) || HasCode(data, "status_code"u8) || HasCode(data, "error_code"u8) || HasCode(data, "errcode"u8));

    /// <summary>Computes a hash of the data without its digits: two keep-alives differ only in their numbers.</summary>
    public static ulong ShapeOf(ReadOnlySpan<byte> data)
    {
        var hash = 14695981039346656037UL;
        foreach (var value in data[..Math.Min(data.Length, 4096)])
        {
            if (value is < (byte)'0' or > (byte)'9')
                hash = (hash ^ value) * 1099511628211UL;
        }

        return hash;
    }

    private static bool HasText(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member) =>
        JsonOutline.ValueAtRoot(data, member) is { } at && data[at..] is [(byte)'"', not (byte)'"', ..];

    private static bool HasCode(ReadOnlySpan<byte> data, ReadOnlySpan<byte> member) =>
        JsonOutline.ValueAtRoot(data, member) is { } at && data[at..] is [(byte)'"', not (byte)'"', ..] or [(byte)'-' or >= (byte)'1' and <= (byte)'9', ..];

    private static bool IsFilled(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.ValueSpan.Length > 0;
            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                var copy = reader;
                return copy.Read() && copy.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject);
            default:
                return false;
        }
    }
}
