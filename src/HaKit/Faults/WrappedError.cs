using System.Text;
using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Finds the error of a provider in the message of LiteLLM, which writes the provider's body after the name of an exception:
/// <c>litellm.BadRequestError: AnthropicException - {"type":"error","error":{…}}</c>. JSON in any other place of a message may be a caller's text. Pure.
/// </summary>
internal static class WrappedError
{
    /// <summary>The size of the buffer for the error. A character has at most three bytes in UTF-8 for each byte of the message.</summary>
    public const int MostBytes = 3 * ErrorSigns.LongestMessage;

    private const string End = "Exception -";

    /// <summary>Checks whether a message may contain such an error.</summary>
    /// <param name="message">The message as it is in the body.</param>
    public static bool MayBeIn(ReadOnlySpan<byte> message) => message.IndexOf("Exception - "u8) >= 0;

    /// <summary>Copies the error into the buffer and returns its length. 0: the message contains none.</summary>
    /// <param name="message">The message as it is in the body.</param>
    /// <param name="buffer">Receives the error.</param>
    public static int Read(ReadOnlySpan<byte> message, Span<byte> buffer)
    {
        Span<char> decoded = stackalloc char[ErrorSigns.LongestMessage];
        ReadOnlySpan<char> text = ServerWords.DecodeJson(message, decoded).TrimStart(" \t\r\n");
        var json = ServerWords.AfterExceptions(text);
        return json is ['{' or '[', ..] && text[..^json.Length].TrimEnd(' ').EndsWith(End, StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(json, buffer) : 0;
    }
}
