using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace HaKit.Tests.Faults;

/// <summary>
/// Holds a body as a plain list of facts (path and value) in the order of the document, read with <see cref="JsonDocument"/>. A body that is cut or broken is
/// repaired first: complete members are kept, and open brackets are closed.
/// </summary>
internal sealed class SlowBody
{
    public const char Separator = '/';
    public const string Array = "[]";
    private readonly List<(string Path, JsonValueKind Kind, string Text)> _facts = [];

    public SlowBody(ReadOnlySpan<byte> body)
    {
        body = body[..Math.Min(body.Length, 65536)];
        var text = body.ToArray().AsSpan();
        if (text.StartsWith(Encoding.UTF8.Preamble))
            text = text[3..];
        while (text.Length > 0 && text[0] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            text = text[1..];
        if (text.Length == 0 || text[0] is not ((byte)'{' or (byte)'['))
            return;
        using var document = JsonDocument.Parse(Mended(text));
        Collect(document.RootElement, "");
    }

    /// <summary>The path of a value (names separated by slashes, <c>[]</c> for one or more arrays), its kind, and its text with its escapes.</summary>
    public IReadOnlyList<(string Path, JsonValueKind Kind, string Text)> Facts => _facts;

    private void Collect(JsonElement element, string path)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                _facts.Add((path, JsonValueKind.Object, ""));
                foreach (var member in element.EnumerateObject())
                {
                    // A slash in a name would look like a separator, and an empty name would look like a missing name.
                    var name = Encoding.Latin1.GetString(JsonMarshal.GetRawUtf8PropertyName(member)).Replace(Separator, '?').Replace('[', '?');
                    name = name.Length == 0 ? "?" : name;
                    Collect(member.Value, path.Length == 0 ? name : path + Separator + name);
                }

                break;
            case JsonValueKind.Array:
                _facts.Add((path, JsonValueKind.Array, ""));
                foreach (var item in element.EnumerateArray())
                    Collect(item, path.EndsWith(Array, StringComparison.Ordinal) ? path : path + Array);
                break;
            default:
                var raw = Encoding.Latin1.GetString(JsonMarshal.GetRawUtf8Value(element));
                _facts.Add((path, element.ValueKind, element.ValueKind == JsonValueKind.String ? raw[1..^1] : raw));
                break;
        }
    }

    private static byte[] Mended(ReadOnlySpan<byte> text)
    {
        var open = new Stack<byte>();
        var good = 0;
        var reader = new Utf8JsonReader(text);
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        open.Push((byte)'}');
                        break;
                    case JsonTokenType.StartArray:
                        open.Push((byte)']');
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        open.Pop();
                        break;
                }

                // A name whose value is missing is dropped.
                if (reader.TokenType != JsonTokenType.PropertyName)
                    good = (int)reader.BytesConsumed;
                if (open.Count == 0)
                    break;
            }
        }
        catch (JsonException)
        {
            // The part before the break is kept.
        }

        return good == 0 ? "{}"u8.ToArray() : [.. text[..good], .. open];
    }
}
