using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
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
        FunctionResultContent result => BytesOfValue(result.Result),
        FunctionCallContent call => BytesOf(call.Name) + BytesOf(call.Arguments),
        UsageContent => 0,
        _ => BytesOfUnknown,
    };

    // Function invocation stores the result of a tool as JSON by default, and clients parse the arguments of a call into JSON too.
    private static long BytesOfValue(object? value) => value switch
    {
        null => 0,
        string text => BytesOf(text),
        JsonElement { ValueKind: JsonValueKind.Undefined } => 0,
        JsonElement json => JsonMarshal.GetRawUtf8Value(json).Length,
        AIContent content => IsImage(content) ? TokensPerImage * BytesPerToken : BytesOf(content),
        IEnumerable<AIContent> contents => contents.Sum(BytesOfValue),
        _ => BytesOfUnknown,
    };

    private static long BytesOf(IDictionary<string, object?>? arguments)
    {
        long bytes = 0;
        if (arguments is not null)
        {
            foreach (var (name, value) in arguments)
                bytes += BytesOf(name) + BytesOfValue(value);
        }
        return bytes;
    }

    private static long BytesOf(string? text) => string.IsNullOrEmpty(text) ? 0 : Encoding.UTF8.GetByteCount(text);
}
