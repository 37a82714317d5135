using HaKit.Faults;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Says what the updates of a streamed chat answer mean.</summary>
internal sealed class ChatUpdateReader : StreamItemReader<ChatResponseUpdate>
{
    /// <summary>Stands at the end of a stream whose client does not say why it ended. Never delivered.</summary>
    public static readonly ChatResponseUpdate End = new();

    public static readonly ChatUpdateReader Instance = new();

    public override StreamSignal Read(ChatResponseUpdate item)
    {
        if (ReferenceEquals(item, End))
            return StreamSignal.End;
        var contents = item.Contents;
        var signal = item.FinishReason is null ? StreamSignal.None : StreamSignal.End;
        for (var i = 0; i < contents.Count; i++)
            signal |= Read(contents[i]);
        return (signal & StreamSignal.Error) != 0 && ChatFaults.ErrorIn(contents) is null ? signal & ~StreamSignal.Error | StreamSignal.Content : signal;
    }

    public override Fault FaultOf(ChatResponseUpdate item) =>
        ChatFaults.ErrorIn(item.Contents) is { } error ? ChatFaults.Of(error) : new Fault(FaultKind.Unknown);

    public override bool TryGetUsage(ChatResponseUpdate item, out long? inputTokens, out long? outputTokens)
    {
        inputTokens = outputTokens = null;
        var contents = item.Contents;
        for (var i = 0; i < contents.Count; i++)
            if (contents[i] is UsageContent usage)
            {
                inputTokens = ChatFaults.Count(usage.Details.InputTokenCount) ?? inputTokens;
                outputTokens = ChatFaults.Count(usage.Details.OutputTokenCount) ?? outputTokens;
            }
        return inputTokens is not null || outputTokens is not null;
    }

    /// <summary>Does the item show any of the answer?</summary>
    public static bool HasContent(ChatResponseUpdate item) => (Instance.Read(item) & StreamSignal.Content) != 0;

    private static StreamSignal Read(AIContent content) => content switch
    {
        TextContent text => text.Text.Length > 0 ? StreamSignal.Content : StreamSignal.None,
        TextReasoningContent reasoning => reasoning.Text.Length > 0 || reasoning.ProtectedData is { Length: > 0 } ? StreamSignal.Content : StreamSignal.None,
        UsageContent => StreamSignal.None,
        ErrorContent => StreamSignal.Error,
        _ => StreamSignal.Content,
    };
}
