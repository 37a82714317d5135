using System.Text;
using System.Text.Json;

namespace HaKit.Dialects;

/// <summary>
/// Describes the content that makes the body of a 200 an answer. A 200 without an answer (<c>{"choices":[]}</c>, <c>null</c>) has not served the call, even if
/// it was fast. Immutable.
/// </summary>
internal sealed class AnswerShape
{
    // Members that only label a value and contain no part of an answer.
    private static readonly byte[][] s_labels = Utf8(["role", "type", "object", "index"]);

    private readonly byte[][] _members;
    private readonly byte[][] _inElement;
    private readonly (byte[] Member, byte[]? Inner, byte[][] Values)[] _excuses;

    /// <param name="members">Members of the root. Any of them makes the body an answer if it is not null and not empty.</param>
    /// <param name="inElement">Members of an array's element. An element must have any of them; if empty, every element is enough.</param>
    /// <param name="excuses">
    /// Members of the root that explain a missing answer if they have one of these values. If no values are given, any value that is not empty explains it.
    /// <c>a.b</c> stands for the member <c>b</c> of the member <c>a</c>: any value of it that is not empty explains a missing answer.
    /// </param>
    private AnswerShape(string[] members, string[]? inElement = null, params (string Member, string[] Values)[] excuses)
    {
        _members = Utf8(members);
        _inElement = Utf8(inElement ?? []);
        _excuses = [.. excuses.Select(e => (e.Member.Split('.'), e.Values)).Select(e => (Encoding.UTF8.GetBytes(e.Item1[0]), e.Item1.Length > 1 ? Encoding.UTF8.GetBytes(e.Item1[1]) : null, Utf8(e.Values)))];
    }

    /// <summary>Gets the shape that every body has.</summary>
    public static AnswerShape Any { get; } = new([]);

    /// <summary>OpenAI's chat and text completions.</summary>
    public static AnswerShape Choices { get; } = new(["choices"], ["message", "text", "delta", "finish_reason"]);

    /// <summary>OpenAI's responses. An answer that is still being created has no output yet.</summary>
    public static AnswerShape Output { get; } = new(["output"], null, ("status", ["queued", "in_progress", "incomplete"]));

    /// <summary>Embeddings and images.</summary>
    public static AnswerShape Data { get; } = new(["data"]) { TakesArray = true };

    /// <summary>Moderations, rankings, scores.</summary>
    public static AnswerShape Results { get; } = new(["results", "data", "scores"]) { TakesArray = true };

    /// <summary>A transcript; silence has an empty text.</summary>
    public static AnswerShape Transcript { get; } = new(["text", "segments"], null, ("text", [""]));

    /// <summary>Anthropic's messages. A model may end its turn without text.</summary>
    public static AnswerShape Content { get; } =
        new(["content"], null, ("stop_reason", ["end_turn", "stop_sequence", "max_tokens", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"]));

    /// <summary>Gemini's candidates; a blocked prompt has none.</summary>
    public static AnswerShape Candidates { get; } = new(["candidates"], ["content", "finishReason", "output"], ("promptFeedback.blockReason", []));

    /// <summary>Bedrock's converse.</summary>
    public static AnswerShape Converse { get; } = new(["output"], null, ("stopReason", []));

    /// <summary>Ollama's chat and generate.</summary>
    public static AnswerShape Ollama { get; } = new(["message", "response", "embeddings", "embedding"], null, ("done", []));

    /// <summary>Gemini's embeddings.</summary>
    public static AnswerShape Embedding { get; } = new(["embedding", "embeddings", "predictions"]);

    /// <summary>A number of counted tokens.</summary>
    public static AnswerShape Count { get; } = new(["input_tokens", "totalTokens"]);

    /// <summary>Any object that is not empty.</summary>
    public static AnswerShape Object { get; } = new(["*"]);

    /// <summary>Gets whether an answer of this shape is JSON, even if it has another Content-Type.</summary>
    public bool IsJson => _members.Length > 0 && !ReferenceEquals(this, Transcript);

    // True if an array of the results alone is an answer, too.
    private bool TakesArray { get; init; }

    /// <summary>Checks whether a body is an answer.</summary>
    /// <param name="json">The complete body.</param>
    public bool IsMetBy(ReadOnlySpan<byte> json)
    {
        if (_members.Length == 0)
            return true;
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        var reader = new Utf8JsonReader(json, isFinalBlock: true, state: default);
        try
        {
            if (!reader.Read())
                return false;
            if (reader.TokenType == JsonTokenType.StartObject)
                return IsMetByObject(ref reader);
            // Hugging Face's server answers a ranking with an array of results.
            if (TakesArray && reader.TokenType == JsonTokenType.StartArray)
                return IsSomething(ref reader);
            // Gemini streams an array of answers if the request does not ask for another format.
            var isMet = false;
            while (reader.TokenType == JsonTokenType.StartArray && ReferenceEquals(this, Candidates) && !isMet && reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                isMet = IsMetByObject(ref reader);
            return isMet;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false; // the text is not JSON
        }
    }

    private bool IsMetByObject(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMember = IsOneOf(ref reader, _members);
            var excuse = ExcuseOf(ref reader);
            reader.Read();
            if (excuse is { } found && IsExcused(ref reader, found.Inner, found.Values))
                return true;
            if (isMember && IsSomething(ref reader))
                return true;
            if (!isMember && excuse is null)
                reader.Skip();
        }
        return false;
    }

    // Leaves the reader on the last token of the value.
    private bool IsSomething(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return IsFilled(ref reader);
        }
        var hasElement = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            hasElement |= IsElement(ref reader);
        }
        return hasElement;
    }

    private bool IsElement(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return IsFilled(ref reader) && _inElement.Length == 0;
        }
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var counts = _inElement.Length == 0 ? !IsOneOf(ref reader, s_labels) : IsOneOf(ref reader, _inElement);
            reader.Read();
            found |= IsFilled(ref reader) && counts;
        }
        return found;
    }

    // Checks whether the value contains a text, a number or a boolean that is more than a label. Leaves the reader on the last token of the value.
    private static bool IsFilled(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return false;
            case JsonTokenType.String:
                return reader.ValueSpan.Length > 0;
            case JsonTokenType.StartArray:
                var hasElement = false;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    hasElement |= IsFilled(ref reader);
                }
                return hasElement;
            case JsonTokenType.StartObject:
                var hasMember = false;
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var isLabel = IsOneOf(ref reader, s_labels);
                    reader.Read();
                    hasMember |= IsFilled(ref reader) && !isLabel;
                }
                return hasMember;
            default:
                return true;
        }
    }

    private static bool IsExcused(ref Utf8JsonReader reader, byte[]? inner, byte[][] values)
    {
        if (inner is not null)
            return IsInnerFilled(ref reader, inner);
        if (values.Length == 0)
            return reader.TokenType != JsonTokenType.False && IsFilled(ref reader);
        var isExcused = false;
        if (reader.TokenType == JsonTokenType.String)
        {
            foreach (var value in values)
                isExcused |= reader.ValueTextEquals(value);
        }

        reader.Skip();
        return isExcused;
    }

    // Leaves the reader on the last token of the value.
    private static bool IsInnerFilled(ref Utf8JsonReader reader, byte[] inner)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return false;
        }
        var isFilled = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isInner = reader.ValueTextEquals(inner);
            reader.Read();
            isFilled |= IsFilled(ref reader) && isInner;
        }
        return isFilled;
    }

    private (byte[]? Inner, byte[][] Values)? ExcuseOf(ref Utf8JsonReader reader)
    {
        foreach (var (member, inner, values) in _excuses)
        {
            if (reader.ValueTextEquals(member))
                return (inner, values);
        }

        return null;
    }

    private static bool IsOneOf(ref Utf8JsonReader reader, byte[][] names)
    {
        foreach (var name in names)
        {
            if (name is [(byte)'*'] || reader.ValueTextEquals(name))
                return true;
        }

        return false;
    }

    private static byte[][] Utf8(string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
