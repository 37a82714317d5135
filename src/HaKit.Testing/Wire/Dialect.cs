namespace HaKit.Testing.Wire;

/// <summary>One wire format of chat answers. Stateless.</summary>
internal abstract class Dialect
{
    public static Dialect Of(FakeRequest request) => request.IsAnthropic ? AnthropicDialect.Instance : OpenAIDialect.Instance;

    /// <summary>The whole answer as one JSON body.</summary>
    public abstract byte[] Whole(ChatReply reply);

    /// <summary>What opens a stream before any content.</summary>
    public abstract byte[] Opening(ChatReply reply);

    /// <summary>One content of a stream.</summary>
    public abstract byte[] Piece(ChatReply reply, int index);

    /// <summary>What ends a stream, its finish marker included.</summary>
    public abstract byte[] Closing(ChatReply reply);

    /// <summary>An error as an event within a stream.</summary>
    public abstract byte[] ErrorEvent(string json);

    public abstract byte[] Models(IReadOnlyList<string> models, DateTimeOffset created);
}
