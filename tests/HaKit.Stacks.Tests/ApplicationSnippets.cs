using System.ClientModel;
using System.Text;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.SemanticKernel;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>The code that docs/in-your-application.md shows, compiled.</summary>
internal static class ApplicationSnippets
{
    public static void Registered(HostApplicationBuilder builder)
    {
        builder.Services.AddHaOpenAIClient("openai", builder.Configuration.GetSection("OpenAI"));
        builder.Services.AddSingleton(provider => provider.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4.1"));
    }

    public static async Task SaidAsync(EndpointPool pool, ChatClient chat, OpenAI.Chat.ChatMessage[] messages, string conversation)
    {
        using (pool.With(new RequestProfile { AffinityKey = conversation, Priority = 1, MayRepeat = false }))
            await chat.CompleteChatAsync(messages);
    }

    public static (Kernel, ChatClientAgent) Frameworks(OpenAIClient openAIClient)
    {
        var kernel = Kernel.CreateBuilder().AddOpenAIChatCompletion("gpt-4.1", openAIClient).Build();
        var agent = new ChatClientAgent(openAIClient.GetChatClient("gpt-4.1").AsIChatClient(), instructions: "…");
        return (kernel, agent);
    }

    public static async Task<string> ReadAsync(IChatClient chat, Microsoft.Extensions.AI.ChatMessage[] messages)
    {
        var (text, note) = (new StringBuilder(), "");
        try
        {
            await foreach (var update in chat.GetStreamingResponseAsync(messages))
                text.Append(update.Text);
        }
        catch (PartialResponseException)
        {
            note = "The answer broke off.";
        }
        return text + note;
    }

    public static OpenAIClient Before(EndpointPoolOptions options, ApiKeyCredential credential)
    {
        var pool = new EndpointPool("models", options);
        var client = new OpenAIClient(credential, new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));
        return client;
    }
}
