using System.Text.Encodings.Web;
using System.Text.Json;

namespace HaKit.Testing.Wire;

/// <summary>One wire format of chat answers. Stateless.</summary>
internal abstract class Dialect
{
    protected const char TextMark = '\0';

    public static Dialect ForRequest(FakeRequest request) => request.Operation switch
    {
        FakeOperation.Responses => ResponsesDialect.Instance,
        FakeOperation.OllamaChat => OllamaDialect.Instance,
        _ => request.IsAnthropic ? AnthropicDialect.Instance : OpenAIDialect.Instance,
    };

    /// <summary>Gets the content type of a stream.</summary>
    public virtual string StreamType => "text/event-stream";

    /// <summary>Returns the whole answer as one JSON body.</summary>
    public abstract byte[] WriteWhole(ChatReply reply);

    /// <summary>Returns the bytes that open a stream before any content.</summary>
    public abstract byte[] Opening(ChatReply reply);

    /// <summary>Returns one chunk of a stream. This method is called often, so only the text is encoded each time.</summary>
    public byte[] Piece(ChatReply reply, int index)
    {
        var (before, after) = reply.PieceFrame ??= Split(PieceFrame(reply));
        var text = JsonEncodedText.Encode(reply.Pieces[index], JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;
        return [.. before, .. text, .. after];
    }

    /// <summary>Returns the bytes that end a stream, including the end mark.</summary>
    public abstract byte[] Closing(ChatReply reply);

    /// <summary>Returns an error as an event within a stream.</summary>
    public abstract byte[] ErrorEvent(string json);

    public abstract byte[] Models(IReadOnlyList<string> models, DateTimeOffset created);

    /// <summary>Returns a chunk with <see cref="TextMark"/> instead of its text.</summary>
    protected abstract string PieceFrame(ChatReply reply);

    private static (byte[] Before, byte[] After) Split(string frame)
    {
        var mark = frame.IndexOf(TextMark, StringComparison.Ordinal);
        return (ChatReply.Utf8(frame[..mark]), ChatReply.Utf8(frame[(mark + 1)..]));
    }
}
