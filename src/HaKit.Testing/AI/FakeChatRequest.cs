using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>
/// A call as a <see cref="FakeChatClient"/> received it. Immutable, except for the objects of the caller that it refers to, such as the messages.
/// </summary>
/// <param name="Messages">The messages of the call.</param>
/// <param name="Options">The options of the call; null when the caller passed none.</param>
/// <param name="IsStream">True if the caller asked for a stream.</param>
public sealed record FakeChatRequest(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options, bool IsStream)
{
    /// <summary>Gets the text of the last message. If the last message is the beginning of the answer, it is the text of the message before it.</summary>
    public string Prompt => Messages.Count == 0 ? "" : Messages[Beginning is null || Messages.Count == 1 ? ^1 : ^2].Text;

    /// <summary>Gets the beginning of the answer: the text of the last message when it is an assistant message; null otherwise.</summary>
    public string? Beginning => Messages.Count > 0 && Messages[^1].Role == ChatRole.Assistant ? Messages[^1].Text : null;
}
