using System.ClientModel;
using System.Text;
using Anthropic;
using Anthropic.Models.Messages;
using Azure.AI.OpenAI;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using OllamaSharp;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>Describes one way in which applications call a model.</summary>
/// <param name="AskAsync">Sends "hi" through the pool and returns the whole text.</param>
/// <param name="StreamAsync">Does the same with a stream.</param>
internal sealed record Stack(Func<EndpointPool, CancellationToken, Task<string>> AskAsync, Func<EndpointPool, CancellationToken, Task<string>> StreamAsync);

/// <summary>Creates the client stacks over a pool's client, each as its documentation says.</summary>
internal static class Stacks
{
    private const string Prompt = "hi";

    public static IReadOnlyDictionary<string, Stack> ByName { get; } = new Dictionary<string, Stack>
    {
        ["OpenAI"] = new(
            async (pool, token) => (await OpenAI(pool).CompleteChatAsync([new UserChatMessage(Prompt)], cancellationToken: token)).Value.Content[0].Text,
            (pool, token) => TextAsync(OpenAI(pool).CompleteChatStreamingAsync([new UserChatMessage(Prompt)], cancellationToken: token), u => string.Concat(u.ContentUpdate.Select(p => p.Text)), token)),
        ["Microsoft.Extensions.AI.OpenAI"] = OfChatClient(pool => OpenAI(pool).AsIChatClient()),
        ["ChatClientBuilder with everything"] = OfChatClient(pool => new ChatClientBuilder(OpenAI(pool).AsIChatClient())
            .UseLogging(NullLoggerFactory.Instance).UseOpenTelemetry().UseFunctionInvocation().Build()),
        ["Azure.AI.OpenAI"] = new(
            async (pool, token) => (await Azure(pool).CompleteChatAsync([new UserChatMessage(Prompt)], cancellationToken: token)).Value.Content[0].Text,
            (pool, token) => TextAsync(Azure(pool).CompleteChatStreamingAsync([new UserChatMessage(Prompt)], cancellationToken: token), u => string.Concat(u.ContentUpdate.Select(p => p.Text)), token)),
        ["Anthropic"] = new(
            async (pool, token) => string.Concat((await Anthropic(pool).Messages.Create(AnthropicAsk, token)).Content.Select(b => b.TryPickText(out var text) ? text.Text : "")),
            (pool, token) => TextAsync(Anthropic(pool).Messages.CreateStreaming(AnthropicAsk, token), u => u.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece) ? piece.Text : "", token)),
        ["Semantic Kernel"] = new(
            async (pool, token) => (await Kernel(pool).GetChatMessageContentAsync(new ChatHistory(Prompt), cancellationToken: token)).Content ?? "",
            (pool, token) => TextAsync(Kernel(pool).GetStreamingChatMessageContentsAsync(new ChatHistory(Prompt), cancellationToken: token), u => u.Content, token)),
        ["Agent Framework"] = new(
            async (pool, token) => (await Agent(pool).RunAsync(Prompt, cancellationToken: token)).Text,
            (pool, token) => TextAsync(Agent(pool).RunStreamingAsync(Prompt, cancellationToken: token), u => u.Text, token)),
        ["OllamaSharp"] = OfChatClient(pool => new OllamaApiClient(Ollama(pool), "m")),
    };

    private static MessageCreateParams AnthropicAsk => new() { Model = "m", MaxTokens = 20, Messages = [new UserMessageParam(Prompt)] };

    private static Stack OfChatClient(Func<EndpointPool, IChatClient> make) => new(
        async (pool, token) => (await make(pool).GetResponseAsync(Prompt, cancellationToken: token)).Text,
        (pool, token) => TextAsync(make(pool).GetStreamingResponseAsync(Prompt, cancellationToken: token), u => u.Text, token));

    private static ChatClient OpenAI(EndpointPool pool) => OpenAIClient(pool).GetChatClient("m");

    private static OpenAIClient OpenAIClient(EndpointPool pool) =>
        new(new ApiKeyCredential("each endpoint has its own"), new OpenAIClientOptions { Endpoint = new Uri(pool.Origin, "v1") }.UseHaEndpointPool(pool));

    private static ChatClient Azure(EndpointPool pool) =>
        new AzureOpenAIClient(pool.Origin, new ApiKeyCredential("each endpoint has its own"), new AzureOpenAIClientOptions().UseHaEndpointPool(pool)).GetChatClient("m");

    private static AnthropicClient Anthropic(EndpointPool pool) =>
        new() { ApiKey = "each endpoint has its own", BaseUrl = pool.Origin.ToString(), HttpClient = pool.CreateHttpClient(), MaxRetries = 0, Timeout = TimeSpan.FromHours(1) };

    private static IChatCompletionService Kernel(EndpointPool pool) =>
        Microsoft.SemanticKernel.Kernel.CreateBuilder().AddOpenAIChatCompletion("m", OpenAIClient(pool)).Build().GetRequiredService<IChatCompletionService>();

    private static ChatClientAgent Agent(EndpointPool pool) => new(OpenAI(pool).AsIChatClient(), instructions: "Answer.");

    private static HttpClient Ollama(EndpointPool pool) =>
        new(new EndpointPoolHandler(pool) { InnerHandler = new OllamaServer { InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false } } })
        {
            BaseAddress = pool.Origin,
            Timeout = Timeout.InfiniteTimeSpan,
        };

    private static async Task<string> TextAsync<T>(IAsyncEnumerable<T> updates, Func<T, string?> textOf, CancellationToken token)
    {
        var text = new StringBuilder();
        await foreach (var update in updates.WithCancellation(token))
            text.Append(textOf(update));
        return text.ToString();
    }
}
