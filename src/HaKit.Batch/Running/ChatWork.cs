using System.Text.Json;
using HaKit.AI;
using Microsoft.Extensions.AI;

namespace HaKit.Batch.Running;

/// <summary>Makes chat calls through a chat client, of a pool or any other.</summary>
internal sealed class ChatWork<TItem>(IChatClient chat, Func<TItem, IEnumerable<ChatMessage>> messages, ChatBatchOptions options) : BatchWork<TItem, ChatResponse>
{
    private const int BytesPerToken = 4;

    // The pool's own client returns the details of each call; a client that wraps it has them in the answer's properties.
    private readonly EndpointPoolChatClient? _own = chat as EndpointPoolChatClient;

    public override EndpointPool? Pool { get; } = chat.GetService(typeof(EndpointPool)) as EndpointPool;

    private IEnumerable<ChatMessage> MessagesOf(TItem item) =>
        messages(item) ?? throw new InvalidOperationException("RunBatchAsync: the function for the messages of an item returned null. Return at least one message.");

    public override RequestFingerprint FingerprintOf(TItem item, ReadOnlyMemory<byte> input) => ChatFingerprint.Compute(MessagesOf(item), options.Chat);

    public override PreparedCall<ChatResponse> Prepare(IReadOnlyList<TItem> items)
    {
        List<ChatMessage> prompt = [.. MessagesOf(items[0])];
        var input = prompt.Sum(static m => m.Contents.Sum(static c => (long)(c is TextContent text ? text.Text.Length : 800))) / BytesPerToken + 10;
        return new([(input, options.Chat?.MaxOutputTokens ?? 0)], (profile, token) => CallAsync(prompt, profile, token));
    }

    private async ValueTask<CallAnswer<ChatResponse>> CallAsync(List<ChatMessage> prompt, RequestProfile profile, CancellationToken cancellationToken)
    {
        var asked = (options.Chat?.Clone() ?? new ChatOptions()).UseHaProfile(profile);
        if (_own is not null)
        {
            var (response, detail) = await _own.GetResponseWithDetailAsync(prompt, asked, cancellationToken).ConfigureAwait(false);
            return detail.Answer<ChatResponse>([response]) with { InputTokens = CallDetails.Plausible(response.Usage?.InputTokenCount) ?? detail.InputTokens, OutputTokens = CallDetails.Plausible(response.Usage?.OutputTokenCount) ?? detail.OutputTokens };
        }
        if (Pool is null)
            asked = options.Chat; // the profile is for a pool; another client would send it to its server
        var answer = await chat.GetResponseAsync(prompt, asked, cancellationToken).ConfigureAwait(false);
        return CallDetails.ReadAnswer<ChatResponse>([answer], answer.AdditionalProperties) with
        {
            Endpoint = answer.GetServingEndpoint(),
            InputTokens = CallDetails.Plausible(answer.Usage?.InputTokenCount),
            OutputTokens = CallDetails.Plausible(answer.Usage?.OutputTokenCount),
        };
    }

    public override byte[] Write(ChatResponse result)
    {
        var raw = result.RawRepresentation;
        result.RawRepresentation = null; // an object of an SDK, which cannot be read back
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(result, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatResponse)));
        }
        finally
        {
            result.RawRepresentation = raw;
        }
    }

    public override ChatResponse Read(ReadOnlyMemory<byte> bytes) =>
        (ChatResponse)JsonSerializer.Deserialize(bytes.Span, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatResponse)))!;
}
