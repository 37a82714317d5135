using System.ClientModel;
using Anthropic;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;

namespace HaKit.AI.Tests;

public sealed class DocumentationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>Runs the code of docs/ai.md. Each line of it must be in this file.</summary>
    [Fact]
    public async Task The_code_of_the_page_runs()
    {
        using var gpt = new FakeChatClient("gpt");
        using var claude = new FakeChatClient("claude");
        using var llama = new FakeChatClient("llama");
        await WithContainer(gpt, claude);
        await WithoutContainer(gpt, claude, llama);
        await Vectors(new FakeEmbeddingGenerator("one") { Model = "text-embedding-3-small" }, new FakeEmbeddingGenerator("two"));
        Sdks(new ApiKeyCredential("k"));
    }

    [Fact]
    public void Each_line_of_its_code_stands_here()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "HaKit.sln")))
            folder = folder.Parent;
        var here = File.ReadAllText(Path.Combine(folder.FullName, "tests", "HaKit.AI.Tests", "DocumentationTests.cs"));
        var blocks = File.ReadAllText(Path.Combine(folder.FullName, "docs", "ai.md")).Split("```csharp").Skip(1).Select(b => b[..b.IndexOf("```", StringComparison.Ordinal)]).ToArray();

        blocks.Should().HaveCount(4);
        foreach (var line in blocks.SelectMany(b => b.Split('\n')).Select(l => l.Split("//")[0].Trim()).Where(l => l.Length > 0))
            here.Should().Contain(line);
    }

    private static async Task WithContainer(IChatClient gpt, IChatClient claude)
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationManager { ["Chat:Heartbeat:Enabled"] = "false" };
        services.AddHaEndpointPool("chat", configuration.GetSection("Chat"))
            .AddEndpoint("gpt", gpt, e => { e.Provider = "openai"; e.ContextWindow = 128_000; })
            .AddEndpoint("claude", _ => claude, e => { e.Provider = "anthropic"; e.Tier = 1; });
        services.AddHaChatClient("chat");
        using var fake = new FakeChatClient("fake");
        services.PostConfigure<EndpointPoolOptions>("chat", o => o.AddEndpoint("gpt", fake));
        services.AddLogging();
        await using var provider = services.BuildServiceProvider();
        (await provider.GetRequiredService<IChatClient>().GetResponseAsync("hi", null, Ct)).GetServingEndpoint().Should().Be("gpt");
        fake.Requests.Should().ContainSingle();
    }

    private static async Task WithoutContainer(IChatClient gpt, IChatClient claude, IChatClient llama)
    {
        var pool = new EndpointPool("chat", new EndpointPoolOptions()
            .AddEndpoint("gpt", gpt)
            .AddEndpoint("claude", claude));
#pragma warning disable CA1859 // as users write it
        IChatClient chat = pool.AsChatClient();
#pragma warning restore CA1859
        pool.AddEndpoint("llama", llama);
        (await chat.GetResponseAsync("hi", null, Ct)).Text.Should().Be(FakeAnswers.AnswerTo("hi"));
        await pool.DisposeAsync();
    }

    private static void Sdks(ApiKeyCredential key)
    {
        var openAI = new OpenAIClient(key, new OpenAIClientOptions().UseHaEndpoint("gpt"));
        var anthropic = new AnthropicClient
        {
            MaxRetries = 0,
            Timeout = TimeSpan.FromHours(1),
            HttpClient = EndpointFaultHandler.CreateHttpClient("claude"),
        };
        openAI.Should().NotBeNull();
        anthropic.MaxRetries.Should().Be(0);
    }

    private static async Task Vectors(IEmbeddingGenerator<string, Embedding<float>> one, IEmbeddingGenerator<string, Embedding<float>> two)
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("vectors", _ => { }).AddEndpoint("one", one).AddEndpoint("two", two);
        services.AddHaEmbeddingGenerator("vectors", o => o.Model = "text-embedding-3-small");
        services.AddLogging();
        await using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().Should().BeOfType<EndpointPoolEmbeddingGenerator>();
    }
}
