using System.ClientModel;
using System.Collections.Concurrent;
using Anthropic;
using HaKit.AI;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenAI;

namespace HaKit.Release.Tests;

/// <summary>Tests the results of the recipes of docs/recipes.md. RecipePageTests builds the code of the page.</summary>
public sealed class RecipeSnippets
{
    private readonly CancellationToken cancellationToken = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Azure_and_OpenAI()
    {
        await using var azure = await FakeAiServer.StartAsync(cancellationToken: cancellationToken);
        await using var openAI = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "of openai", Models = ["gpt-4o"] }, cancellationToken: cancellationToken);
        await azure.StopAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Page.Blocks("docs/recipes.md", "json")[0])));
        builder.Configuration["Models:Endpoints:0:Address"] = azure.OpenAIAddress.AbsoluteUri;
        builder.Configuration["Models:Endpoints:1:Address"] = openAI.OpenAIAddress.AbsoluteUri;
        builder.Configuration["OpenAI:ApiKey"] = "of openai";
        builder.Configuration["Azure:ApiKey"] = "of azure";

        builder.Services.AddHaOpenAIClient("models", builder.Configuration.GetSection("Models"))
            .UseCredentialFromConfiguration("azure", "Azure:ApiKey")
            .UseCredentialFromConfiguration("openai", "OpenAI:ApiKey");
        builder.Services.AddSingleton<IChatClient>(provider => provider.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4o").AsIChatClient());

        using var app = builder.Build();
        var answer = await app.Services.GetRequiredService<OpenAIClient>().GetChatClient("whatever").CompleteChatAsync("Are you there?");
        answer.Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("Are you there?"));
        app.Services.GetRequiredService<IChatClient>().Should().NotBeNull();
    }

    [Theory]
    [InlineData(true, "cloud")]
    [InlineData(false, "local")]
    public async Task Ollama_as_the_last_resort(bool isCloudUp, string serving)
    {
        await using var cloud = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "of the cloud", Models = ["gpt-4o"] }, cancellationToken: cancellationToken);
        await using var local = await FakeAiServer.StartAsync(new FakeAiOptions { Models = ["llama3.2"] }, cancellationToken: cancellationToken);
        if (!isCloudUp)
            await cloud.StopAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Page.Blocks("docs/recipes.md", "json").Single(block => block.Contains("Ollama", StringComparison.Ordinal)))));
        builder.Configuration["Models:Endpoints:0:Address"] = cloud.OpenAIAddress.AbsoluteUri;
        builder.Configuration["Models:Endpoints:0:Credential"] = "of the cloud";
        builder.Configuration["Models:Endpoints:1:Address"] = local.OpenAIAddress.AbsoluteUri;
        var log = new LogRecorder();
        builder.Services.AddLogging(logging => logging.AddProvider(log));
        builder.Services.AddHaOpenAIClient("models", builder.Configuration.GetSection("Models"));
        using var app = builder.Build();

        for (var i = 0; i < 3; i++)
            (await app.Services.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4o").CompleteChatAsync("Are you there?")).Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("Are you there?"));

        (cloud.Counts.AnsweredWhole, local.Counts.AnsweredWhole).Should().Be(serving == "cloud" ? (3L, 0L) : (0L, 3L));
        log.Entries.Should().NotContain(entry => entry.Message.Contains("credential", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OpenAI_and_Anthropic()
    {
        var (openAIKey, anthropicKey) = ("k1", "k2");
        var openAI = new OpenAIClient(new ApiKeyCredential(openAIKey), new OpenAIClientOptions().UseHaEndpoint("gpt"));
        var anthropic = new AnthropicClient { ApiKey = anthropicKey, MaxRetries = 0, HttpClient = EndpointFaultHandler.CreateHttpClient("claude") };
        var options = new EndpointPoolOptions()
            .AddEndpoint("gpt", openAI.GetChatClient("gpt-4o").AsIChatClient(), e => { e.Provider = "openai"; e.ContextWindow = 128_000; })
            .AddEndpoint("claude", anthropic.AsIChatClient("claude-sonnet-4-5", 4096), e => { e.Provider = "anthropic"; e.Tier = 1; });
        await using var pool = new EndpointPool("chat", options);
        using var chat = pool.AsChatClient();

        (await chat.GetResponseAsync("Are you there?", cancellationToken: cancellationToken)).GetServingEndpoint().Should().Be("gpt");

        var parts = new EndpointPoolParts();
        parts.Probe = endpoint => new DelegateProbe(async (endpoint, token) => await IsUpAsync(endpoint.Name, token)) { Level = ProbeLevel.Reachable };
        parts.Probe(pool.Endpoints[0])!.Level.Should().Be(ProbeLevel.Reachable);
    }

    private static ValueTask<bool> IsUpAsync(string name, CancellationToken token) => new(name.Length > 0);

    [Fact]
    public void VLLM_with_a_standby()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("OpenAI:ApiKey", "of openai")]).Build());
        services.AddHaEndpointPool("models", options =>
        {
            foreach (var name in (string[])["gpu1", "gpu2"])
                options.Endpoints.Add(new() { Name = name, Address = $"http://{name}:8000/v1", Dialect = WireDialect.Vllm, Provider = "rack", Model = "llama-3.3-70b", Limits = new() { MaxConcurrency = 64 } });
            options.Endpoints.Add(new() { Name = "cloud", Address = "https://api.openai.com/v1", Dialect = WireDialect.OpenAI, Provider = "openai", Model = "gpt-4o-mini", Tier = 1 });
            options.Selection.StrictTiers = true;
            options.Http.AllowPlainHttp = true;
        })
        .AddProbe(endpoint => endpoint.Dialect == WireDialect.Vllm ? new VllmMetricsProbe() : null)
        .UseCredentialFromConfiguration("cloud", "OpenAI:ApiKey");
        services.ReplaceHaEndpoints("models");
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<EndpointPool>().Endpoints.Should().HaveCount(3);
    }

    [Fact]
    public void Several_regions()
    {
        var options = new EndpointPoolOptions();
        options.Selection.Zone = "westeurope";
        options.Endpoints.Add(new() { Name = "west", Address = "https://west.openai.azure.com/openai/v1", Dialect = WireDialect.AzureOpenAI, Model = "our-gpt-4o", Zone = "westeurope", Region = "westeurope", Residency = "eu", Account = "team" });
        options.Endpoints.Add(new() { Name = "north", Address = "https://north.openai.azure.com/openai/v1", Dialect = WireDialect.AzureOpenAI, Model = "our-gpt-4o", Zone = "northeurope", Region = "northeurope", Residency = "eu", Account = "team" });
        options.Endpoints.Add(new() { Name = "us", Address = "https://us.openai.azure.com/openai/v1", Dialect = WireDialect.AzureOpenAI, Model = "our-gpt-4o", Zone = "eastus", Region = "eastus", Residency = "us", Account = "team" });

        var personal = new RequestProfile { Residency = "eu" };
        using var test = TestPools.Create([], o => (o.Endpoints, o.Selection) = (options.Endpoints, options.Selection));
        for (var i = 0; i < 50; i++)
            test.Call(personal).Endpoint.Should().Be("west", "it is near and idle");
    }

    [Fact]
    public async Task Vectors()
    {
        using var east = new FakeEmbeddingGenerator("east") { Model = "text-embedding-3-small", Dimensions = 1536 };
        using var west = new FakeEmbeddingGenerator("west") { Model = "text-embedding-3-small", Dimensions = 1536 };
        east.Faults.Always(FakeFault.Refused);
        string[] texts = ["one", "two"];

        await using var pool = new EndpointPool("vectors", new EndpointPoolOptions()
            .AddEndpoint("east", east, e => e.Model = "text-embedding-3-small")
            .AddEndpoint("west", west, e => e.Model = "text-embedding-3-small"));
        using var generator = pool.AsEmbeddingGenerator(o => o.Dimensions = 1536);
        var vectors = await generator.GenerateAsync(texts, cancellationToken: cancellationToken);

        vectors.Should().HaveCount(2).And.OnlyContain(v => v.Vector.Length == 1536);
    }

    [Fact]
    public async Task Batches()
    {
        await using var pool = new EndpointPool("models", new EndpointPoolOptions { Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a", Limits = new() { MaxConcurrency = 2 } } } });
        string[] questions = [.. Enumerable.Range(0, 40).Select(i => $"question {i}")];
        var answers = new ConcurrentDictionary<string, string>();

        var patient = new RequestProfile { Deadline = TimeSpan.FromMinutes(30), Priority = -1, MayHedge = false };
        await Parallel.ForEachAsync(questions, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken }, async (question, token) =>
            answers[question] = await pool.ExecuteAsync(patient, question, AskEndpointAsync, token));

        answers.Should().HaveCount(40);
    }

    private static async ValueTask<string> AskEndpointAsync(EndpointAttempt attempt, string question, CancellationToken token)
    {
        await Task.Yield();
        return question;
    }

    [Fact]
    public async Task Behind_abstractions()
    {
        var services = new ServiceCollection();
        services.AddSingleton(new OpenAIClient(new ApiKeyCredential("k")));
        services.AddKeyedSingleton<IChatClient>("claude", new FakeChatClient("claude"));
        services.AddHaEndpointPool("chat", options => options.CircuitBreaker.FailuresToEject = 3)
            .AddEndpoint("gpt", provider => provider.GetRequiredService<OpenAIClient>().GetChatClient("gpt-4o").AsIChatClient())
            .AddKeyedChatEndpoint("claude", configure: e => e.Tier = 1);
        services.AddHaChatClient("chat");

        await using var provider = services.BuildServiceProvider();
        var response = await provider.GetRequiredService<IChatClient>().GetResponseAsync("Are you there?", cancellationToken: cancellationToken);
        response.GetServingEndpoint().Should().Be("gpt");
    }

    [Fact]
    public async Task Over_the_SDKs()
    {
        await using var server = await FakeAiServer.StartAsync(cancellationToken: cancellationToken);
        await using var pool = new EndpointPool("models", new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = server.OpenAIAddress.AbsoluteUri } } });
        (await OpenAI().GetChatClient("m").CompleteChatAsync("hi")).Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("hi"));
        using var anthropic = Anthropic();
        anthropic.MaxRetries.Should().Be(0);

        OpenAIClient OpenAI()
        {
            var options = new OpenAIClientOptions { Endpoint = pool.Origin }.UseHaEndpointPool(pool);
            var client = new OpenAIClient(new ApiKeyCredential("unused"), options);
            return client;
        }

        AnthropicClient Anthropic()
        {
            var client = new AnthropicClient
            {
                ApiKey = "unused",
                BaseUrl = pool.Origin.ToString(),
                HttpClient = pool.CreateHttpClient(),
                MaxRetries = 0,                       // its two retries would multiply the pool's
                Timeout = TimeSpan.FromHours(1),      // its ten minutes would end a long stream
            };
            return client;
        }
    }

    [Fact]
    public void Personal_data_stays_in_Europe_even_when_Europe_is_down()
    {
        using var test = TestPools.Create([], OurPool.Describe);
        test["west"].Faults.Always(FakeFault.Refused);
        test["north"].Faults.Always(FakeFault.Refused);

        test.Invoking(t => t.Call(new RequestProfile { Residency = "eu" })).Should().Throw<EndpointPoolException>();
        test["us"].Attempts.Should().Be(0);
    }

    private static class OurPool
    {
        public static void Describe(EndpointPoolOptions pool) => pool.Endpoints = [
            new() { Name = "west", Residency = "eu" }, new() { Name = "north", Residency = "eu" }, new() { Name = "us", Residency = "us" },
        ];
    }
}

/// <summary>Stands in for the method of this name in the package Microsoft.Extensions.AI.OpenAI.</summary>
internal static class OpenAIChatClientStandIn
{
    public static IChatClient AsIChatClient(this OpenAI.Chat.ChatClient client) => new FakeChatClient(client is null ? "nobody" : "gpt");
}
