using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using HaKit.Dialects;
using HaKit.Faults;

namespace HaKit.Http;

/// <summary>
/// Holds the facts that the pool needs about a JSON text: whether the text is complete, and where some members of its root are. These facts are found without a
/// parser, in one pass that jumps between brackets and quotes. Names with escapes are ignored.
/// </summary>
internal readonly struct JsonOutline
{
    private static readonly SearchValues<byte> s_marks = SearchValues.Create("\"{}[]"u8);

    /// <summary>Gets whether every bracket and every string is closed, and the text is not empty.</summary>
    public bool IsWhole { get; private init; }

    /// <summary>Gets where the model's name is. In JSON the range includes the quotes; a multipart form has none. Null if no model is named.</summary>
    public Range? Model { get; private init; }

    /// <summary>Gets whether the root contains <c>"stream": true</c>.</summary>
    public bool Stream { get; private init; }

    /// <summary>
    /// Gets how many choices the text asks for, at most 255, if it is a request and asks for more than one (<c>n</c>, Gemini's <c>candidateCount</c>). Otherwise 0
    /// or 1.
    /// </summary>
    public byte Choices { get; private init; } // a byte, because each call has an outline, which must stay small

    /// <summary>Gets where the object with the usage begins, in any dialect.</summary>
    public int? Usage { get; private init; }

    /// <summary>Gets whether the built-in classifier might find a fault in the text. If false, the classifier does not have to read the text.</summary>
    public bool MightTellFault { get; private init; }

    /// <summary>Gets whether the text may refer to a stored object: a member has a name such as <c>previous_response_id</c>, or the text cannot be read to its end.</summary>
    public bool MightNameStoredObject { get; private init; }

    /// <summary>Creates the outline of a form. It contains only the place of the model.</summary>
    public static JsonOutline OfForm(Range? model) => new() { IsWhole = true, Model = model };

    public static JsonOutline Read(ReadOnlySpan<byte> json)
    {
        Range? model = null;
        var stream = false;
        int? usage = null;
        var choices = 0;
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
            mightNameStoredObject = mightNameStoredObject || StoredNames.MightBeNamedBy(name);
            at = place;
            choices = Math.Max(choices, ChoicesOf(name, json[place..], depth));
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
            Choices = (byte)Math.Clamp(choices, 0, byte.MaxValue),
            Usage = usage,
            MightTellFault = mightTellFault,
            MightNameStoredObject = mightNameStoredObject || isCut,
        };
    }

    // OpenAI's "n" is at the root. Gemini's "candidateCount" is in "generationConfig"; a member of this name has no other meaning at this depth. In an array the
    // depth is larger.
    private static int ChoicesOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int depth)
    {
        var isCount = depth == 1 ? name is [(byte)'n'] : depth == 2 && (name.SequenceEqual("candidateCount"u8) || name.SequenceEqual("candidate_count"u8));
        return isCount && Utf8Parser.TryParse(value, out int count, out var length) && (length == value.Length || value[length] is not (byte)'.') ? count : 0;
    }

    /// <summary>Finds where the value of a member of the root begins. Null if the root has no such member.</summary>
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
                // The text after the root belongs to other values.
                if (depth == 0)
                    return null;
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

    /// <summary>Gets the length of the value that begins here; the length of the whole text if the value does not end or is not JSON.</summary>
    public static int LengthOfValue(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            return reader.Read() && reader.TrySkip() ? (int)reader.BytesConsumed : json.Length;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return json.Length;
        }
    }

    /// <summary>Reads the token counts of a usage object, in any dialect.</summary>
    /// <param name="json">The text from the beginning of the object.</param>
    /// <param name="input">The tokens of the prompt.</param>
    /// <param name="output">The tokens of the answer.</param>
    public static bool TryReadUsage(ReadOnlySpan<byte> json, out long? input, out long? output) => TryReadUsage(json, out input, out output, out _);

    /// <summary>Reads the token counts of a usage object, and the prompt tokens that came from the provider's cache.</summary>
    /// <param name="json">The text from the beginning of the object.</param>
    /// <param name="input">The tokens of the whole prompt, including those from the cache.</param>
    /// <param name="output">The tokens of the answer.</param>
    /// <param name="cached">The prompt tokens from the cache.</param>
    public static bool TryReadUsage(ReadOnlySpan<byte> json, out long? input, out long? output, out long? cached)
    {
        var counts = new UsageCounts();
        var reader = new Utf8JsonReader(json, isFinalBlock: false, state: default);
        try
        {
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                ReadUsage(ref reader, ref counts);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The counts that were read so far are used.
        }
        (input, output, cached) = (counts.WholeInput, counts.Output, counts.Cached);
        return input is not null || output is not null;
    }

    // Reads up to the end of the object, or of the part of it that has arrived.
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

    // Reads the object that begins here to its end; false if it does not end.
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

    // The place after the closing quote of the string that begins here; negative if it does not end.
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

    // The place where the value begins, if the string that ends here is a member's name; null if it is a value.
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
