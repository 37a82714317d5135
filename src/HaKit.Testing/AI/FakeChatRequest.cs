using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>A call as a <see cref="FakeChatClient"/> received it. Immutable, but for what the caller shares.</summary>
/// <param name="Messages">The messages.</param>
/// <param name="Options">The options.</param>
/// <param name="IsStream">Was a stream asked for?</param>
public sealed record FakeChatRequest(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options, bool IsStream)
{
    /// <summary>The text of the last message.</summary>
    public string Prompt => Messages.Count == 0 ? "" : Messages[^1].Text;
}
