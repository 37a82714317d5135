using System.Text;
using System.Text.Json;

namespace HaKit.Faults;

/// <summary>
/// Writes an outline of a JSON text: the names and types of its members, but never their values, for example
/// <c>{base_resp:{status_code:number,status_msg:string}}</c>. A name that may be a key or a caller's text is left out.
/// </summary>
internal static class ShapeOutline
{
    private const int Deepest = 3;
    private const int MostNames = 24;
    private const int LongestName = 32;
    private const int MostBytes = 64 * 1024;

    /// <param name="json">The beginning of the body.</param>
    public static string Write(ReadOnlySpan<byte> json)
    {
        var outline = new StringBuilder();
        var names = 0;
        var reader = new Utf8JsonReader(json[..Math.Min(json.Length, MostBytes)], isFinalBlock: true, state: default);
        try
        {
            if (reader.Read())
                Write(ref reader, outline, ref names, 0);
        }
        catch (JsonException)
        {
            outline.Append('…'); // cut or broken
        }
        return outline.ToString();
    }

    // Leaves the reader on the last token of the value.
    private static void Write(ref Utf8JsonReader reader, StringBuilder outline, ref int names, int depth)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject when depth < Deepest:
                WriteMembers(ref reader, outline, ref names, depth);
                break;
            case JsonTokenType.StartArray when depth < Deepest:
                outline.Append('[');
                if (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    Write(ref reader, outline, ref names, depth + 1); // the first element stands for all elements
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                        reader.Skip();
                }
                outline.Append(']');
                break;
            default:
                outline.Append(TypeOf(reader.TokenType));
                reader.Skip();
                break;
        }
    }

    private static void WriteMembers(ref Utf8JsonReader reader, StringBuilder outline, ref int names, int depth)
    {
        outline.Append('{');
        var isFirst = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isShown = ++names <= MostNames;
            if (isShown)
                outline.Append(isFirst ? "" : ",").Append(NameOf(reader.ValueSpan)).Append(':');
            isFirst = false;
            reader.Read();
            if (isShown)
                Write(ref reader, outline, ref names, depth + 1);
            else
                reader.Skip();
        }
        outline.Append('}');
    }

    private static string NameOf(ReadOnlySpan<byte> name)
    {
        var digits = 0;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'_' or (byte)'-' or (byte)'.' or (byte)'@' or (byte)'$'))
                return "?";
            digits += char.IsAsciiDigit((char)c) ? 1 : 0;
        }
        return name.Length is 0 or > LongestName || digits > 2 ? "?" : Encoding.ASCII.GetString(name);
    }

    private static string TypeOf(JsonTokenType type) => type switch
    {
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.True or JsonTokenType.False => "boolean",
        JsonTokenType.Null => "null",
        JsonTokenType.StartArray => "[…]",
        _ => "{…}",
    };
}
