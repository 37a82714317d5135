using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Reads the meaning of the updates of a streamed chat answer.</summary>
/// <param name="hasTools">
/// True if the call has tools. Clients then yield an update without content for each piece of a tool call's arguments, and yield the tool call when it is
/// complete. Some clients yield the tool call after the finish reason that announces it.
/// </param>
internal sealed class ChatUpdateReader(bool hasTools) : StreamItemReader<ChatResponseUpdate>
{
    /// <summary>
    /// Marks the end of an answer if the end is determined by other signs than a finish reason, such as a complete tool call. Never delivered to the caller.
    /// </summary>
    public static readonly ChatResponseUpdate End = new();

    public static readonly ChatUpdateReader Instance = new(hasTools: false);

    public static readonly ChatUpdateReader WithTools = new(hasTools: true);

    private const int BytesOfUpdate = 128;

    public override StreamSignal Read(ChatResponseUpdate item)
    {
        if (ReferenceEquals(item, End))
            return StreamSignal.End;
        var contents = item.Contents;
        var signal = StreamSignal.None;
        for (var i = 0; i < contents.Count; i++)
            signal |= Read(contents[i]);
        if ((signal & StreamSignal.Error) != 0 && ChatFaults.ErrorIn(contents) is null)
            signal = signal & ~StreamSignal.Error | StreamSignal.Content;
        if (item.FinishReason is { } reason)
        {
            var meaning = FinishReasons.MeaningOf(reason.Value);
            if (meaning == FinishMeaning.Failure)
                return StreamSignal.Error;
            if (meaning != FinishMeaning.None && !(hasTools && reason == ChatFinishReason.ToolCalls))
                signal |= StreamSignal.End;
        }
        return hasTools && signal == StreamSignal.None ? StreamSignal.Progress : signal;
    }

    public override int SizeOf(ChatResponseUpdate item)
    {
        long bytes = BytesOfUpdate;
        var contents = item.Contents;
        for (var i = 0; i < contents.Count; i++)
            bytes += Prompt.BytesOf(contents[i]);
        return (int)Math.Min(bytes, int.MaxValue / 2);
    }

    public override Fault FaultOf(ChatResponseUpdate item)
    {
        if (ChatFaults.ErrorIn(item.Contents) is { } error)
            return ChatFaults.FaultOf(error);
        return item.FinishReason is null ? new Fault(FaultKind.Unknown) : ChatFaults.Failed;
    }

    public override bool TryGetUsage(ChatResponseUpdate item, out long? inputTokens, out long? outputTokens)
    {
        inputTokens = outputTokens = null;
        var contents = item.Contents;
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is UsageContent usage)
            {
                inputTokens = ChatFaults.ToCount(usage.Details.InputTokenCount) ?? inputTokens;
                outputTokens = ChatFaults.ToCount(usage.Details.OutputTokenCount) ?? outputTokens;
            }
        }

        return inputTokens is not null || outputTokens is not null;
    }

    public override long? CachedTokensOf(ChatResponseUpdate item)
    {
        long? cached = null;
        foreach (var content in item.Contents)
        {
            if (content is UsageContent usage)
                cached = ChatFaults.ToCount(usage.Details.CachedInputTokenCount) ?? cached;
        }

        return cached;
    }

    /// <summary>Checks whether the item contains a part of the answer.</summary>
    public static bool HasContent(ChatResponseUpdate item) => (Instance.Read(item) & StreamSignal.Content) != 0;

    /// <summary>Checks whether the item calls a tool of the application or the provider.</summary>
    public static bool HasCall(ChatResponseUpdate item)
    {
        var contents = item.Contents;
        for (var i = 0; i < contents.Count; i++)
        {
            if (contents[i] is ToolCallContent)
                return true;
        }

        return false;
    }

    private static StreamSignal Read(AIContent content) => content switch
    {
        TextContent text => text.Text.Length > 0 ? StreamSignal.Content : StreamSignal.None,
        TextReasoningContent reasoning => reasoning.Text.Length > 0 || reasoning.ProtectedData is { Length: > 0 } ? StreamSignal.Content : StreamSignal.None,
        UsageContent => StreamSignal.None,
        ErrorContent => StreamSignal.Error,
        _ => StreamSignal.Content,
    };
}
