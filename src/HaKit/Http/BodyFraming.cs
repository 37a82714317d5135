namespace HaKit.Http;

/// <summary>The way in which the body of a streamed answer is divided into items.</summary>
internal enum BodyFraming
{
    /// <summary>Not known yet: only white space or a part of a byte order mark was read so far.</summary>
    Undecided,

    /// <summary>Server-sent events; each ends with a blank line.</summary>
    Events,

    /// <summary>JSON objects, one after another: NDJSON, a whole JSON answer, or an error as bare JSON.</summary>
    Objects,

    /// <summary>The elements of one JSON array (Gemini without <c>alt=sse</c>).</summary>
    Elements,

    /// <summary>Text or bytes without framing; they are passed on in the pieces in which they arrive.</summary>
    Pieces,
}

/// <summary>Recognises the framing of a body by its beginning, because the Content-Type may be missing or wrong. Pure.</summary>
internal static class BodyFramings
{
    private static readonly byte[][] s_fields = ["data"u8.ToArray(), "event"u8.ToArray(), "id"u8.ToArray(), "retry"u8.ToArray(), "error"u8.ToArray()];

    /// <summary>Gets the framing; undecided while there is only white space and a byte order mark.</summary>
    /// <param name="beginning">The beginning of the body.</param>
    /// <param name="isLabelled">True if the Content-Type is the type of a stream of events.</param>
    public static BodyFraming Detect(ReadOnlySpan<byte> beginning, bool isLabelled)
    {
        if (beginning.Length < 3 && "\uFEFF"u8.StartsWith(beginning))
            return BodyFraming.Undecided;
        // A record of a JSON text sequence (RFC 7464) begins with U+001E.
        var text = WithoutMark(beginning).TrimStart(" \t\r\n\u001E"u8);
        return text switch
        {
            [] => BodyFraming.Undecided,
            [(byte)'{', ..] => BodyFraming.Objects,
            [(byte)'[', ..] => BodyFraming.Elements,
            _ => isLabelled || IsField(text) ? BodyFraming.Events : BodyFraming.Pieces,
        };
    }

    /// <summary>Gets the bytes after a byte order mark.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;

    // A comment, or a part of a field's name. The framing is decided at once, without waiting for the rest of the name.
    private static bool IsField(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny(":\r\n"u8);
        var name = (end < 0 ? text : text[..end]).TrimEnd((byte)' ');
        if (name.IsEmpty)
            return true;
        foreach (var field in s_fields)
        {
            if (end < 0 ? field.AsSpan().StartsWith(name) : name.SequenceEqual(field))
                return true;
        }

        return false;
    }
}
