namespace HaKit.Dialects;

/// <summary>
/// Finds the special properties of a request: the kind of its answer, media, tools. An endpoint that refuses requests with such a property may serve all
/// others, so its refusals count only for requests with the same property. Pure.
/// </summary>
internal static class RequestContents
{
    public const string Media = "media";
    public const string Tools = "tools";

    // Inside a JSON string, a quotation mark is escaped. So a word between two unescaped quotation marks is a member's name or a whole value.
    private static readonly byte[][] s_media =
    [
        "\"image_url\""u8.ToArray(), "\"input_image\""u8.ToArray(), "\"image\""u8.ToArray(), "\"images\""u8.ToArray(), "\"inlineData\""u8.ToArray(), "\"inline_data\""u8.ToArray(),
        "\"fileData\""u8.ToArray(), "\"file_data\""u8.ToArray(), "\"input_audio\""u8.ToArray(), "\"audio_url\""u8.ToArray(), "\"video_url\""u8.ToArray(), "\"input_file\""u8.ToArray(),
        "\"document\""u8.ToArray(),
    ];

    private static readonly byte[][] s_tools =
    [
        "\"tools\""u8.ToArray(), "\"functions\""u8.ToArray(), "\"toolConfig\""u8.ToArray(), "\"response_format\""u8.ToArray(), "\"responseSchema\""u8.ToArray(), "\"json_schema\""u8.ToArray(),
    ];

    private static readonly string[] s_otherAnswers =
        ["embed", "/images/", "/audio/", "/moderations", "/rerank", "/score", "/pooling", "/classify", "count", ":predict"];

    /// <summary>Gets the path if its answers are not chat answers; otherwise null.</summary>
    /// <param name="path">The path at which an answer is created.</param>
    public static string? KindOfPath(AnswerPath path)
    {
        foreach (var part in s_otherAnswers)
        {
            if (path.End.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return path.End;
            }
        }
        return null;
    }

    /// <summary>Checks whether the body contains an image, a sound or a file.</summary>
    /// <param name="json">The body.</param>
    public static bool HasMedia(ReadOnlySpan<byte> json) => HasAny(json, s_media);

    /// <summary>Checks whether the body asks for tools or for an answer in a format.</summary>
    /// <param name="json">The body.</param>
    public static bool HasTools(ReadOnlySpan<byte> json) => HasAny(json, s_tools);

    private static bool HasAny(ReadOnlySpan<byte> json, byte[][] names)
    {
        foreach (var name in names)
        {
            if (json.IndexOf(name) >= 0)
            {
                return true;
            }
        }
        return false;
    }
}
