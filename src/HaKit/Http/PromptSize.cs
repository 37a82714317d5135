using System.Text.Json;

namespace HaKit.Http;

/// <summary>
/// Estimates how many tokens the prompt of a JSON request has: all its text, with a counter of the application or as bytes ÷ 4. An image or a file is not
/// counted as text; it counts as the number of tokens that providers usually charge for it.
/// </summary>
internal static class PromptSize
{
    private const int BytesPerToken = 4;
    private const int TokensPerFile = 1000;
    private const int ShortestFile = 1024;

    /// <param name="json">The body.</param>
    /// <param name="count">Counts the tokens of a text. Null: bytes ÷ 4. If it throws, the text counts as nothing.</param>
    public static int EstimateTokens(ReadOnlySpan<byte> json, Func<string, int>? count)
    {
        long bytes = 0, tokens = 0;
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.String)
                {
                    continue;
                }
                if (IsFile(reader.ValueSpan))
                {
                    tokens += TokensPerFile;
                }
                else if (count is not null && TryCount(ref reader, count, out var counted))
                {
                    tokens += counted;
                }
                else
                {
                    bytes += reader.ValueSpan.Length;
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The JSON is broken, so the server will refuse the request.
        }
        return (int)Math.Min(int.MaxValue / 2, tokens + (bytes + BytesPerToken - 1) / BytesPerToken);
    }

    private static bool TryCount(ref Utf8JsonReader reader, Func<string, int> count, out int tokens)
    {
        try
        {
            tokens = Math.Max(0, count(reader.GetString()!));
            return true;
        }
#pragma warning disable CA1031 // An exception of the application's token counter must not fail a call.
        catch (Exception)
#pragma warning restore CA1031
        {
            tokens = 0;
            return false;
        }
    }

    // Base64, with or without "data:…;base64," before it: a long text without a space at its beginning.
    private static bool IsFile(ReadOnlySpan<byte> text) =>
        text.Length >= ShortestFile && text[..ShortestFile].IndexOfAny((byte)' ', (byte)'\\') < 0 && System.Text.Ascii.IsValid(text[..ShortestFile]);
}
