using System.Buffers;
using System.Text.Json;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// What has to be known of a JSON text without reading it: whether it is all there, and where a few members of its root lie. One pass that leaps from
/// bracket to quote. Names with escapes in them are not the ones we look for.
/// </summary>
internal readonly struct JsonOutline
{
    private static readonly SearchValues<byte> s_marks = SearchValues.Create("\"{}[]"u8);

    /// <summary>Is every bracket and every string closed, and is there anything at all?</summary>
    public bool IsWhole { get; private init; }

    /// <summary>Where the value of <c>model</c> is, in JSON with its quotes.</summary>
    public Range? Model { get; private init; }

    /// <summary>Does it say <c>"stream": true</c>?</summary>
    public bool Stream { get; private init; }

    /// <summary>Where the object begins that holds the usage, in the words of any dialect.</summary>
    public int? Usage { get; private init; }

    /// <summary>Might the built-in classifier find a fault in it? If not, it need not look.</summary>
    public bool MightTellFault { get; private init; }

    /// <summary>Has it a member with a name that tells of a stored object?</summary>
    public bool MightNameStoredObject { get; private init; }

    /// <summary>Of a form, no more is known than this.</summary>
    public static JsonOutline OfForm(Range? model) => new() { IsWhole = true, Model = model };

    public static JsonOutline Read(ReadOnlySpan<byte> json)
    {
        Range? model = null;
        var stream = false;
        int? usage = null;
        bool mightTellFault = false, mightNameStoredObject = false, isCut = false;
        var depth = 0;
        var isObject = false;
        var start = 0;
        var marks = new JsonMarks(json);
        for (var at = marks.Next(0); at >= 0; at = marks.Next(at))
        {
            var mark = json[at];
            if (mark is (byte)'{' or (byte)'[')
            {
                if (depth++ == 0)
                    (isObject, start) = (mark == '{', at);
                at++;
                continue;
            }
            if (mark != '"')
            {
                if (mark != '\\' && --depth < 0)
                    return new() { MightTellFault = true, MightNameStoredObject = true };
                at++;
                continue;
            }
            var end = marks.EndOfString(at);
            if (end < 0)
            {
                isCut = true;
                break;
            }
            var name = json[(at + 1)..(end - 1)];
            at = end;
            var value = ValueAt(json, end);
            mightTellFault = mightTellFault || FaultMarks.MightBe(name, value is { } found ? json[found..] : default);
            if (value is not { } place)
                continue;
            mightNameStoredObject = mightNameStoredObject || StoredObjects.MightBeNamedBy(name);
            at = place;
            if (depth != 1 || !isObject)
                continue;
            if (name.SequenceEqual("model"u8) && place < json.Length && json[place] == '"' && marks.EndOfString(place) is > 0 and var endOfModel)
                model = place..(at = endOfModel);
            else if (name.SequenceEqual("stream"u8))
                stream = json[place..].StartsWith("true"u8);
            else if (UsageWords.IsContainer(name))
                usage = place;
            else if (UsageWords.IsAtRoot(name))
                usage ??= start;
        }
        return new()
        {
            IsWhole = !isCut && depth == 0 && !json.Trim(" \t\r\n"u8).IsEmpty,
            Model = model,
            Stream = stream,
            Usage = usage,
            MightTellFault = mightTellFault,
            MightNameStoredObject = mightNameStoredObject || isCut,
        };
    }

    /// <summary>Where the value of a member of the root begins; null when the root has no such member.</summary>
    /// <param name="json">The text.</param>
    /// <param name="member">The member's name.</param>
    public static int? ValueAtRoot(ReadOnlySpan<byte> json, ReadOnlySpan<byte> member)
    {
        var depth = 0;
        var at = 0;
        while (json[at..].IndexOfAny(s_marks) is >= 0 and var step)
        {
            at += step;
            if (json[at] != '"')
            {
                depth += json[at] is (byte)'{' or (byte)'[' ? 1 : -1;
                at++;
                continue;
            }
            var end = EndOfString(json, at);
            if (end < 0)
                return null;
            if (depth == 1 && json[(at + 1)..(end - 1)].SequenceEqual(member) && ValueAt(json, end) is { } value)
                return value;
            at = end;
        }
        return null;
    }

    /// <summary>How long the value is that begins here; all of the text if it does not end, or is no JSON.</summary>
    public static int LengthOfValue(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            return reader.Read() && reader.TrySkip() ? (int)reader.BytesConsumed : json.Length;
        }
        catch (JsonException)
        {
            return json.Length;
        }
    }

    /// <summary>Reads the token counts of a usage object, in the words of any dialect.</summary>
    /// <param name="json">The text from the object's beginning on.</param>
    /// <param name="input">Tokens of the prompt.</param>
    /// <param name="output">Tokens of the answer.</param>
    public static bool TryReadUsage(ReadOnlySpan<byte> json, out long? input, out long? output) => TryReadUsage(json, out input, out output, out _);

    /// <summary>As the other overload, with the tokens of the prompt that a cache of the provider's held.</summary>
    /// <param name="json">The text from the object's beginning on.</param>
    /// <param name="input">Tokens of the whole prompt, those that came from a cache included.</param>
    /// <param name="output">Tokens of the answer.</param>
    /// <param name="cached">Tokens of the prompt that were read from a cache.</param>
    public static bool TryReadUsage(ReadOnlySpan<byte> json, out long? input, out long? output, out long? cached)
    {
        var counts = new UsageCounts();
        var reader = new Utf8JsonReader(json, isFinalBlock: false, state: default);
        try
        {
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                ReadUsage(ref reader, ref counts);
        }
        catch (JsonException)
        {
            // What was read so far counts.
        }
        (input, output, cached) = (counts.WholeInput, counts.Output, counts.Cached);
        return input is not null || output is not null;
    }

    // Up to the end of the object, or of what has arrived of it.
    private static void ReadUsage(ref Utf8JsonReader reader, ref UsageCounts counts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = UsageWords.MeaningOf(reader.ValueSpan);
            if (!reader.Read())
                return;
            if (member == UsageMember.Details && reader.TokenType == JsonTokenType.StartObject)
            {
                if (!TryReadCached(ref reader, ref counts.Cached))
                    return;
            }
            else if (member != UsageMember.Other && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 0)
            {
                counts.Set(member, count);
            }
            else if (!reader.TrySkip())
            {
                return;
            }
        }
    }

    // The object that begins here, to its end; false if it does not end.
    private static bool TryReadCached(ref Utf8JsonReader reader, ref long? cached)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCached = UsageWords.IsCachedInDetails(reader.ValueSpan);
            if (!reader.Read())
                return false;
            if (isCached && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 0)
                cached = count;
            else if (!reader.TrySkip())
                return false;
        }
        return reader.TokenType == JsonTokenType.EndObject;
    }

    // One past the closing quote of the string that begins here; negative when it does not end.
    private static int EndOfString(ReadOnlySpan<byte> json, int start)
    {
        var at = start + 1;
        while (at <= json.Length && json[at..].IndexOfAny((byte)'"', (byte)'\\') is >= 0 and var step)
        {
            at += step;
            if (json[at] == '"')
                return at + 1;
            at += 2;
        }
        return -1;
    }

    // Where the value begins when the string that ends here is a member's name; null when it is a value itself.
    private static int? ValueAt(ReadOnlySpan<byte> json, int end)
    {
        end = SkipSpace(json, end);
        return end < json.Length && json[end] == ':' ? SkipSpace(json, end + 1) : null;
    }

    private static int SkipSpace(ReadOnlySpan<byte> json, int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            at++;
        return at;
    }
}
