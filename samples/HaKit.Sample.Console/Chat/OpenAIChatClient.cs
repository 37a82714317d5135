using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace HaKit.Sample.Chat;

/// <summary>
/// The thinnest <see cref="IChatClient"/> over the official OpenAI SDK's chat client: text, tools, usage, finish reasons. An application would take the one that is
/// published for it (Microsoft.Extensions.AI.OpenAI), which maps more; failures are the SDK's either way.
/// </summary>
internal sealed class OpenAIChatClient(ChatClient client, string model) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var completion = (await client.CompleteChatAsync(messages.Select(Map), Map(options), cancellationToken).ConfigureAwait(false)).Value;
        List<AIContent> contents = [.. completion.Content.Select(c => new TextContent(c.Text))];
        contents.AddRange(completion.ToolCalls.Select(c => Call(c.Id, c.FunctionName, c.FunctionArguments)));
        return new ChatResponse(new ChatMessage(Microsoft.Extensions.AI.ChatRole.Assistant, contents))
        {
            ResponseId = completion.Id,
            ModelId = completion.Model,
            FinishReason = Map(completion.FinishReason),
            Usage = Map(completion.Usage),
        };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var calls = new SortedDictionary<int, ToolCall>();
        await foreach (var update in client.CompleteChatStreamingAsync(messages.Select(Map), Map(options), cancellationToken))
        {
            List<AIContent> contents = [.. update.ContentUpdate.Select(c => new TextContent(c.Text))];
            if (update.Usage is { } usage)
                contents.Add(new UsageContent(Map(usage)!));
            foreach (var piece in update.ToolCallUpdates)
                (calls.TryGetValue(piece.Index, out var call) ? call : calls[piece.Index] = new()).Add(piece);
            if (update.FinishReason is not null)
                contents.AddRange(calls.Values.Select(c => Call(c.Id, c.Name, c.Arguments)));
            yield return new ChatResponseUpdate(Microsoft.Extensions.AI.ChatRole.Assistant, contents)
            {
                ResponseId = update.CompletionId,
                ModelId = update.Model,
                FinishReason = update.FinishReason is { } reason ? Map(reason) : null,
            };
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai", null, model) : serviceType == typeof(ChatClient) ? client : null;

    public void Dispose()
    {
    }

    // A tool call is streamed in pieces, and of use when it is whole.
    private sealed class ToolCall
    {
        private readonly StringBuilder _arguments = new();

        public string Id { get; private set; } = "";

        public string Name { get; private set; } = "";

        public BinaryData Arguments => BinaryData.FromString(_arguments.ToString());

        public void Add(StreamingChatToolCallUpdate piece)
        {
            Id = piece.ToolCallId ?? Id;
            Name = piece.FunctionName ?? Name;
            _arguments.Append(piece.FunctionArgumentsUpdate is { IsEmpty: false } more ? more.ToString() : "");
        }
    }

    private static OpenAI.Chat.ChatMessage Map(ChatMessage message) => message.Role.Value switch
    {
        "system" => new SystemChatMessage(message.Text),
        "assistant" when message.Contents.OfType<FunctionCallContent>().ToArray() is { Length: > 0 } calls =>
            new AssistantChatMessage(calls.Select(c => ChatToolCall.CreateFunctionToolCall(c.CallId, c.Name, BinaryData.FromObjectAsJson(c.Arguments)))),
        "assistant" => new AssistantChatMessage(message.Text),
        "tool" => message.Contents.OfType<FunctionResultContent>().Select(r => new ToolChatMessage(r.CallId, $"{r.Result}")).Single(),
        _ => new UserChatMessage(message.Text),
    };

    private static ChatCompletionOptions Map(ChatOptions? options)
    {
        var mapped = new ChatCompletionOptions { MaxOutputTokenCount = options?.MaxOutputTokens, Temperature = options?.Temperature };
        foreach (var tool in options?.Tools?.OfType<AIFunctionDeclaration>() ?? [])
            mapped.Tools.Add(ChatTool.CreateFunctionTool(tool.Name, tool.Description, BinaryData.FromString(tool.JsonSchema.GetRawText())));
        return mapped;
    }

    private static FunctionCallContent Call(string id, string name, BinaryData arguments) =>
        new(id, name, JsonSerializer.Deserialize<Dictionary<string, object?>>(arguments));

    private static UsageDetails? Map(ChatTokenUsage? usage) =>
        usage is null ? null : new() { InputTokenCount = usage.InputTokenCount, OutputTokenCount = usage.OutputTokenCount };

    private static ChatFinishReason Map(OpenAI.Chat.ChatFinishReason reason) => reason switch
    {
        OpenAI.Chat.ChatFinishReason.Length => ChatFinishReason.Length,
        OpenAI.Chat.ChatFinishReason.ContentFilter => ChatFinishReason.ContentFilter,
        OpenAI.Chat.ChatFinishReason.ToolCalls or OpenAI.Chat.ChatFinishReason.FunctionCall => ChatFinishReason.ToolCalls,
        _ => ChatFinishReason.Stop,
    };
}
