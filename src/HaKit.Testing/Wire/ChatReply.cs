using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HaKit.Testing.Wire;

/// <summary>A successful answer to a chat, independent of the dialect.</summary>
internal sealed class ChatReply
{
    private static readonly JsonWriterOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ChatReply(FakeRequest request, long number, DateTimeOffset now, string? finish, FakeContinuation continuation = FakeContinuation.GoesOn)
    {
        Request = request;
        Number = number;
        Created = now.ToUnixTimeSeconds();
        Finish = finish;
        ToolCall = request.ToolCall;
        Pieces = ToolCall is null ? FakeRest.PiecesOf(request.Prompt, request.Beginning, request.MaxTokens, continuation) : Fragments(ToolCall.Arguments);
    }

    public FakeRequest Request { get; }

    public long Number { get; }

    /// <summary>Gets the id under which a response is stored.</summary>
    public string Id { get; init; } = "";

    public long Created { get; }

    /// <summary>Gets the scripted finish reason; null for the dialect's default.</summary>
    public string? Finish { get; }

    public FakeToolCall? ToolCall { get; }

    /// <summary>Gets the chunks of a stream, one token each: pieces of the text, or of the tool's arguments.</summary>
    public IReadOnlyList<string> Pieces { get; }

    /// <summary>Gets or sets the bytes before and after the text of each piece, which the dialect caches here.</summary>
    public (byte[] Before, byte[] After)? PieceFrame { get; set; }

    public string Text => string.Concat(Pieces);

    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Unescaped))
            write(json);
        return buffer.ToArray();
    }

    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string[] Fragments(string text)
    {
        const int length = 8;
        var fragments = new string[Math.Max(1, (text.Length + length - 1) / length)];
        for (var i = 0; i < fragments.Length; i++)
            fragments[i] = text.Substring(i * length, Math.Min(length, text.Length - i * length));
        return fragments;
    }
}
