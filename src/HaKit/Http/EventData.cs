namespace HaKit.Http;

/// <summary>
/// Reads the fields of one item of a stream: the event's name, its data (joined if it has several lines), and whether it is an <c>error:</c> line. It accepts
/// any order of fields, any line ends, a space before the colon, and a byte order mark. An item that is plain JSON is its own data. One instance for each
/// stream.
/// </summary>
internal sealed class EventData
{
    private byte[] _joined = [];

    /// <summary>
    /// Gets whether the data comes from a line <c>error: …</c>. Some servers send such a line, although the format of server-sent events has no such field.
    /// </summary>
    public bool IsError { get; private set; }

    /// <summary>Gets whether the item is JSON without a field name before it.</summary>
    public bool IsBare { get; private set; }

    /// <summary>Gets the data and the event's name; both are valid until the next item.</summary>
    public ReadOnlySpan<byte> Read(ReadOnlySpan<byte> item, out ReadOnlySpan<byte> name)
    {
        name = default;
        (IsError, IsBare) = (false, false);
        var rest = BodyFramings.WithoutMark(item);
        ReadOnlySpan<byte> data = default;
        var lines = 0;
        while (!rest.IsEmpty)
        {
            var line = rest[..EndOfLine(rest, out var next)];
            rest = rest[next..];
            if (line.IsEmpty || line[0] == ':')
                continue;
            if (line.StartsWith("data:"u8))
            {
                Add(line[5..], ref data, ref lines);
            }
            else if (line.StartsWith("event:"u8))
            {
                name = line[6..].Trim((byte)' ');
            }
            else if (line.TrimStart((byte)' ') is [(byte)'{' or (byte)'[' or (byte)',' or 0x1E, ..] && lines == 0)
            {
                IsBare = true;
                return Trimmed(item);
            }
            else
            {
                // Rare forms: a space before the colon, a field without a colon, an error line.
                var colon = line.IndexOf((byte)':');
                var field = (colon < 0 ? line : line[..colon]).Trim((byte)' ');
                var value = colon < 0 ? default : line[(colon + 1)..];
                if (field.SequenceEqual("event"u8))
                    name = value.Trim((byte)' ');
                IsError |= field.SequenceEqual("error"u8);
                if (field.SequenceEqual("data"u8) || field.SequenceEqual("error"u8))
                    Add(value, ref data, ref lines);
            }
        }
        return data.Trim(" \t\r"u8);
    }

    private void Add(ReadOnlySpan<byte> value, ref ReadOnlySpan<byte> data, ref int lines)
    {
        if (value is [(byte)' ', ..])
            value = value[1..];
        if (lines++ == 0)
        {
            data = value;
            return;
        }
        // A line break inside JSON is white space, and inside a text it is a part of the text.
        var length = data.Length + 1 + value.Length;
        if (_joined.Length < length || !data.Overlaps(_joined))
        {
            var larger = new byte[Math.Max(2 * length, 256)];
            data.CopyTo(larger);
            _joined = larger;
        }
        _joined[data.Length] = (byte)'\n';
        value.CopyTo(_joined.AsSpan(data.Length + 1));
        data = _joined.AsSpan(0, length);
    }

    private static int EndOfLine(ReadOnlySpan<byte> text, out int next)
    {
        var end = text.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
            return next = text.Length;
        next = end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
        return end;
    }

    // Removes the separators between the values of NDJSON or of an array.
    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> item)
    {
        var text = BodyFramings.WithoutMark(item).Trim(" \t\r\n,\u001E"u8);
        // The first element of an array has the array's opening bracket before it, and the last item contains the closing bracket.
        if (text is [(byte)'[', .. var inside] && !JsonOutline.Read(text).IsWhole && inside.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] first)
            return first;
        return text;
    }
}
