using System.ClientModel;
using System.Text;
using Azure.AI.OpenAI;
using HaKit.AI;
using HaKit.Testing;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using OpenAI;
using OpenAI.Chat;

namespace HaKit.Tests;

/// <summary>The code that docs/in-your-application.md shows, and the recipe of AzureOpenAIClient in docs/recipes.md.</summary>
public sealed class ApplicationSnippets
{
    [Fact]
    public async Task Azure_and_OpenAI_serve_one_chat_client()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await FakeAiServer.StartAsync(cancellationToken: cancellationToken);
        var (azureAddress, azureKey, openAIKey) = (server.OpenAIAddress, new ApiKeyCredential("k1"), new ApiKeyCredential("k2"));

        var azure = new AzureOpenAIClient(azureAddress, azureKey, new AzureOpenAIClientOptions().UseHaEndpoint("azure"));
        var openAI = new OpenAIClient(openAIKey, new OpenAIClientOptions().UseHaEndpoint("openai"));
        var options = new EndpointPoolOptions()
            .AddEndpoint("azure", azure.GetChatClient("our-gpt-4o").AsIChatClient(), e => { e.Provider = "azure"; e.Region = "westeurope"; })
            .AddEndpoint("openai", openAI.GetChatClient("gpt-4o").AsIChatClient(), e => { e.Provider = "openai"; e.Tier = 1; });
        await using var pool = new EndpointPool("chat", options);
        using var chat = pool.AsChatClient();

        (await chat.GetResponseAsync("Are you there?", cancellationToken: cancellationToken)).GetServingEndpoint().Should().Be("azure");
    }

    internal static void Registered(HostApplicationBuilder builder)
    {
        builder.Services.AddHaOpenAIClient("openai", builder.Configuration.GetSection("OpenAI"));
        builder.Services.AddSingleton(provider => provider.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4.1"));
    }

    internal static async Task SaidAsync(EndpointPool pool, ChatClient chat, OpenAI.Chat.ChatMessage[] messages, string conversation)
    {
        using (pool.With(new RequestProfile { AffinityKey = conversation, Priority = 1, MayRepeat = false }))
            await chat.CompleteChatAsync(messages);
    }

    internal static (Kernel, ChatClientAgent) Frameworks(OpenAIClient openAIClient)
    {
        var kernel = Kernel.CreateBuilder().AddOpenAIChatCompletion("gpt-4.1", openAIClient).Build();
        var agent = new ChatClientAgent(openAIClient.GetChatClient("gpt-4.1").AsIChatClient(), instructions: "…");
        return (kernel, agent);
    }

    [Fact]
    public async Task A_kernel_takes_a_pool_of_several_providers_as_its_chat_completion_service()
    {
        using var gpt = new FakeChatClient("gpt");
        using var claude = new FakeChatClient("claude");
        gpt.Faults.Always(FakeFault.Status(503));
        await using var pool = new EndpointPool("chat", new EndpointPoolOptions().AddEndpoint("gpt", gpt).AddEndpoint("claude", claude, e => e.Tier = 1));
        using var chat = pool.AsChatClient();

        var builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton(chat.AsChatCompletionService());

        (await builder.Build().InvokePromptAsync("Are you there?", cancellationToken: TestContext.Current.CancellationToken)).ToString().Should().Be(FakeAnswers.AnswerTo("Are you there?"));
        claude.Requests.Should().ContainSingle();
    }

    [Fact]
    public void A_pool_without_a_container_reads_its_options_from_a_file()
    {
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), """{ "Models": { "Endpoints": [ { "Name": "a", "Address": "https://a.example/v1" } ] } }""");

        var configuration = new ConfigurationBuilder().AddJsonFile("appsettings.json").AddEnvironmentVariables().Build();
        var options = configuration.GetSection("Models").Get<EndpointPoolOptions>(binder => binder.ErrorOnUnknownConfiguration = true)!;

        options.Endpoints.Should().ContainSingle().Which.Name.Should().Be("a");
    }

    internal static async Task<string> ReadAsync(IChatClient chat, Microsoft.Extensions.AI.ChatMessage[] messages)
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

    internal static OpenAIClient Before(EndpointPoolOptions options, ApiKeyCredential credential)
    {
        var pool = new EndpointPool("models", options);
        var client = new OpenAIClient(credential, new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool));
        return client;
    }
}
