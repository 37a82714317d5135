using Microsoft.Extensions.AI;

namespace HaKit.Testing;

/// <summary>A call as a <see cref="FakeChatClient"/> received it. Immutable, but for what the caller shares.</summary>
/// <param name="Messages">The messages.</param>
/// <param name="Options">The options.</param>
/// <param name="IsStream">Was a stream asked for?</param>
public sealed record FakeChatRequest(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options, bool IsStream)
{
    /// <summary>The text of the last message that is not the beginning of the answer.</summary>
    public string Prompt => Messages.Count == 0 ? "" : Messages[Beginning is null || Messages.Count == 1 ? ^1 : ^2].Text;

    /// <summary>The beginning of the answer, where the messages end with an assistant's; null where they do not.</summary>
    public string? Beginning => Messages.Count > 0 && Messages[^1].Role == ChatRole.Assistant ? Messages[^1].Text : null;
}
