using System.Text;
using Microsoft.Extensions.AI;

namespace HaKit.AI;

/// <summary>Estimates the number of tokens of a prompt, and checks whether the prompt contains images.</summary>
internal static class Prompt
{
    private const int BytesPerToken = 4;
    private const int TokensPerMessage = 4;
    private const int TokensPerImage = 1000;
    private const int TokensPerTool = 150;
    private const int BytesOfUnknown = 200;

    public static int EstimateTokens(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        long bytes = BytesOf(options?.Instructions);
        long tokens = (options?.Tools?.Count ?? 0) * (long)TokensPerTool + messages.Count * (long)TokensPerMessage;
        for (var i = 0; i < messages.Count; i++)
        {
            var contents = messages[i].Contents; // a foreach over the interface would allocate an enumerator
            for (var j = 0; j < contents.Count; j++)
            {
                if (IsImage(contents[j]))
                    tokens += TokensPerImage;
                else
                    bytes += BytesOf(contents[j]);
            }
        }
        return (int)Math.Min(int.MaxValue / 2, tokens + (bytes + BytesPerToken - 1) / BytesPerToken);
    }

    public static bool HasImage(IReadOnlyList<ChatMessage> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            var contents = messages[i].Contents;
            for (var j = 0; j < contents.Count; j++)
            {
                if (IsImage(contents[j]))
                    return true;
            }
        }
        return false;
    }

    private static bool IsImage(AIContent content) => content switch
    {
        DataContent data => data.HasTopLevelMediaType("image"),
        UriContent uri => uri.HasTopLevelMediaType("image"),
        _ => false,
    };

    public static long BytesOf(AIContent content) => content switch
    {
        TextContent text => BytesOf(text.Text),
        TextReasoningContent reasoning => BytesOf(reasoning.Text),
        DataContent data => data.Data.Length,
        FunctionResultContent { Result: string result } => BytesOf(result),
        UsageContent => 0,
        _ => BytesOfUnknown,
    };

    private static long BytesOf(string? text) => string.IsNullOrEmpty(text) ? 0 : Encoding.UTF8.GetByteCount(text);
}
