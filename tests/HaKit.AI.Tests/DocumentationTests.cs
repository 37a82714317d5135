using System.ClientModel;
using System.Text.Json;
using Anthropic;
using HaKit.Faults;
using HaKit.Health;
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

        blocks.Should().HaveCount(5);
        foreach (var line in blocks.SelectMany(b => b.Split('\n')).Select(l => l.Split("//")[0].Trim()).Where(l => l.Length > 0))
            here.Should().Contain(line);
    }

    [Fact]
    public async Task A_call_moves_on_from_an_answer_that_is_no_JSON_and_its_endpoint_stays_healthy()
    {
        using var gpt = new FakeChatClient("gpt") { Answer = _ => new(new ChatMessage(ChatRole.Assistant, "Sure! Here is your JSON: {")) };
        using var claude = new FakeChatClient("claude") { Answer = _ => new(new ChatMessage(ChatRole.Assistant, "{}")) };
        await using var pool = CheckedPool(gpt, claude);
        using var chat = pool.AsChatClient();
        var json = new ChatOptions { ResponseFormat = ChatResponseFormat.Json };

        for (var i = 0; i < 20; i++)
            (await chat.GetResponseAsync("hi", json, Ct)).GetServingEndpoint().Should().Be("claude");
        gpt.Requests.Should().HaveCount(20, "its answers count neither for nor against it");
        pool.GetStatus().Endpoints.Should().OnlyContain(e => e.Health.Status == EndpointHealthStatus.Healthy);
        (await chat.GetResponseAsync("hi", cancellationToken: Ct)).GetServingEndpoint().Should().Be("gpt", "this call asks for no JSON");
    }

    [Fact]
    public async Task If_no_endpoint_answers_with_JSON_each_is_asked_once_and_the_caller_gets_the_fault()
    {
        using var gpt = new FakeChatClient("gpt");
        using var claude = new FakeChatClient("claude");
        await using var pool = CheckedPool(gpt, claude);
        using var chat = pool.AsChatClient();

        var call = () => chat.GetResponseAsync("hi", new() { ResponseFormat = ChatResponseFormat.Json }, Ct);

        (await call.Should().ThrowAsync<EndpointFaultException>()).Which.Endpoint.Should().Be("gpt");
        gpt.Requests.Should().ContainSingle();
        claude.Requests.Should().ContainSingle();
    }

    private static EndpointPool CheckedPool(IChatClient gpt, IChatClient claude) => new("chat", new EndpointPoolOptions { Heartbeat = { Enabled = false } }
        .AddEndpoint("gpt", new JsonOnly("gpt", gpt))
        .AddEndpoint("claude", new JsonOnly("claude", claude), e => e.Tier = 1));

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

public sealed class JsonOnly(string endpoint, IChatClient inner) : DelegatingChatClient(inner)
{
    private static readonly Fault NoJson = new(FaultKind.BrokenBody) { Blame = FaultBlame.Request, SecondOpinion = SecondOpinion.Each };

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = await base.GetResponseAsync(messages, options, cancellationToken);
        return options?.ResponseFormat is not ChatResponseFormatJson || IsJson(response.Text) ? response : throw new EndpointFaultException(endpoint, NoJson);
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
