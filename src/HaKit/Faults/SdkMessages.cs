using System.Globalization;
using HaKit.Dialects;

namespace HaKit.Faults;

/// <summary>
/// Reads the status from the messages of SDK exceptions. Such an exception has the status in a property that only the SDK's assembly knows, but its message contains
/// the same status. So no SDK is referenced, and no reflection is needed:
/// <list type="bullet">
/// <item>OpenAI: <c>HTTP 429 (insufficient_quota: insufficient_quota)</c>, then the server's message;</item>
/// <item>Anthropic: <c>Status Code: TooManyRequests</c> (or a number) and on the next line the server's JSON; of an event in a stream, <c>SSE error returned
/// from server: '…'</c>;</item>
/// <item>System.ClientModel and Azure.Core: <c>Service request failed. Status: 429 (Too Many Requests)</c>, Azure.Core with <c>ErrorCode: …</c>.</item>
/// </list>
/// </summary>
internal static class SdkMessages
{
    private const string Http = "HTTP ";
    private const string StatusLine = "Status: ";
    private const string StatusCodeLine = "Status Code: ";
    private const string Event = "SSE error returned from server: '";
    private const string ErrorCode = "ErrorCode: ";

    /// <summary>Gets the status in the message. 0 if the message contains no status.</summary>
    /// <param name="message">An exception's message.</param>
    public static int StatusOf(ReadOnlySpan<char> message)
    {
        if (message.StartsWith(Http, StringComparison.Ordinal))
            return Status(message[Http.Length..]);
        if (message.StartsWith(StatusCodeLine, StringComparison.Ordinal))
            return NamedStatus(FirstLine(message[StatusCodeLine.Length..]));
        var at = message.IndexOf(StatusLine, StringComparison.Ordinal);
        // The words count only at the beginning of a line, because a sentence in a message must not be read as a status.
        return at == 0 || (at > 0 && message[at - 1] is '\n') ? Status(message[(at + StatusLine.Length)..]) : 0;
    }

    /// <summary>Gets the server's JSON that the message quotes after a status; empty if there is none.</summary>
    /// <param name="message">A message that has a status.</param>
    public static ReadOnlySpan<char> BodyOf(ReadOnlySpan<char> message) =>
        message.StartsWith(StatusCodeLine, StringComparison.Ordinal) && message.IndexOf('\n') is > 0 and var line ? message[(line + 1)..] : default;

    /// <summary>Gets the server's own message inside the SDK's message: the text after OpenAI's first paragraph, or all of it.</summary>
    /// <param name="message">A message that has a status.</param>
    public static ReadOnlySpan<char> ServerMessageOf(ReadOnlySpan<char> message)
    {
        if (!message.StartsWith(Http, StringComparison.Ordinal))
            return message;
        var end = message.IndexOf("\n\n", StringComparison.Ordinal);
        return end < 0 ? message : message[(end + 2)..];
    }

    /// <summary>Gets the JSON of a stream's event that the message quotes; empty if there is none.</summary>
    /// <param name="message">An exception's message.</param>
    public static ReadOnlySpan<char> EventOf(ReadOnlySpan<char> message) =>
        message.StartsWith(Event, StringComparison.Ordinal) ? message[Event.Length..].TrimEnd('\'') : default;

    /// <summary>Reads type and code from the message.</summary>
    /// <param name="message">A message that has a status.</param>
    /// <param name="signs">Receives the words.</param>
    public static void ReadWords(ReadOnlySpan<char> message, ref ErrorSigns signs)
    {
        if (message.StartsWith(Http, StringComparison.Ordinal))
        {
            var line = FirstLine(message);
            var open = line.IndexOf('(');
            var close = line.IndexOf(')');
            if (open < 0 || close < open)
                return;
            var words = line[(open + 1)..close];
            var colon = words.IndexOf(':');
            if (colon >= 0)
                signs.SetWord(ErrorSigns.Slot.OuterType, words[..colon].Trim());
            signs.SetWord(ErrorSigns.Slot.OuterCode, words[(colon + 1)..].Trim());
        }
        else if (message.IndexOf(ErrorCode, StringComparison.Ordinal) is var at and > 0 && message[at - 1] == '\n')
        {
            var rest = message[(at + ErrorCode.Length)..];
            var end = rest.IndexOfAny('\r', '\n');
            signs.SetWord(ErrorSigns.Slot.OuterCode, (end < 0 ? rest : rest[..end]).Trim());
        }
    }

    private static ReadOnlySpan<char> FirstLine(ReadOnlySpan<char> text) => text.IndexOf('\n') is >= 0 and var end ? text[..end].TrimEnd('\r') : text;

    private static int NamedStatus(ReadOnlySpan<char> text) =>
        Enum.TryParse<System.Net.HttpStatusCode>(text, out var status) && (int)status is >= 400 and < 600 ? (int)status : 0;

    private static int Status(ReadOnlySpan<char> text) =>
        text.Length >= 4 && text[3] is ' ' or '\r' or '\n'
        && int.TryParse(text[..3], NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and < 600 ? status : 0;
}
