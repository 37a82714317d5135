using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HaKit.Batch.Formats;

/// <summary>Contains the JSON contracts of requests and answers. Servers and applications nest JSON deeper than the 64 levels that are usual in .NET.</summary>
[JsonSourceGenerationOptions(MaxDepth = MaxDepth)]
[JsonSerializable(typeof(OpenAIBatchRequest))]
[JsonSerializable(typeof(OpenAIBatchAnswer))]
internal sealed partial class OpenAIBatchJson : JsonSerializerContext
{
    // The contracts allow more levels, because they have one more around a body.
    private const int MaxDepth = 1000;
    private static readonly JsonDocumentOptions s_deep = new() { MaxDepth = MaxDepth - 10 };

    /// <summary>Parses a body. A mark of the byte order at its beginning is skipped.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body) => JsonDocument.Parse(body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body, s_deep);

    /// <summary>Parses a line of a file.</summary>
    public static JsonDocument Parse(string line) => JsonDocument.Parse(line, s_deep);
}

/// <summary>
/// Writes JSON with its own text, without spaces and line breaks between its values. The usual converter reads each string, and cannot write a string that has
/// half of a character (<c>"\ud83d"</c>), as servers and applications send it if they cut a text within an emoji.
/// </summary>
internal sealed class JsonAsWritten : JsonConverter<JsonElement>
{
    public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonElement.ParseValue(ref reader);

    public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) =>
        writer.WriteRawValue(WithoutSpace(value.GetRawText()), skipInputValidation: true);

    private static string WithoutSpace(string json)
    {
        var text = new StringBuilder(json.Length);
        var (isString, isEscaped) = (false, false);
        foreach (var letter in json)
        {
            if (!isString && letter is ' ' or '\n' or '\r' or '\t')
                continue;
            text.Append(letter);
            isString ^= letter == '"' && !isEscaped;
            isEscaped = letter == '\\' && !isEscaped;
        }
        return text.ToString();
    }
}
