using System.Text;
using System.Text.RegularExpressions;
using HaKit.Sample.Tests;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenAI.Chat;

namespace HaKit.Tests.Docs;

/// <summary>The statements of docs/http.md and the settings of docs/migration.md agree with the code.</summary>
public sealed partial class HttpPageTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_code_on_the_page_is_the_code_compiled_here()
    {
        var source = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "HaKit.OpenAI.Tests", "Docs", "HttpSnippets.cs"), Ct);
        var compiled = Snippet().Matches(source).Select(m => Flat(m.Groups[1].Value));

        Blocks("csharp").Select(Flat).Should().BeEquivalentTo(compiled);
    }

    [Fact]
    public void A_section_written_for_the_standard_handler_carries_over()
    {
        var section = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Blocks("json", "migration.md").Single()))).Build();
        var options = new EndpointPoolOptions();
        section.Bind(options);

        options.TotalRequestTimeout.Timeout.Should().Be(TimeSpan.FromMinutes(1));
        options.AttemptTimeout!.Timeout.Should().Be(TimeSpan.FromSeconds(20));
        (options.Retry.MaxRetryAttempts, options.Retry.Delay, options.Retry.MaxDelay).Should().Be((4, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(10)));
        (options.CircuitBreaker.FailureRatio, options.CircuitBreaker.MinimumThroughput).Should().Be((0.2, 50));
        (options.CircuitBreaker.SamplingDuration, options.CircuitBreaker.BreakDuration).Should().Be((TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void The_defaults_on_the_page_are_the_defaults()
    {
        var options = new EndpointPoolOptions();

        options.TotalRequestTimeout.Timeout.Should().Be(TimeSpan.FromSeconds(100));
        options.AttemptTimeout.Should().BeNull();
        (options.Retry.MaxRetryAttempts, options.Retry.Delay, options.Retry.MaxDelay).Should().Be(((int?)null, TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(8)));
        (options.CircuitBreaker.FailureRatio, options.CircuitBreaker.MinimumThroughput).Should().Be((0.5, 10));
        (options.CircuitBreaker.SamplingDuration, options.CircuitBreaker.BreakDuration).Should().Be((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5)));
        (options.Hedging.Enabled, options.Hedging.MaxShare).Should().Be((false, 0.05));
        options.ConnectTimeout.Should().Be(TimeSpan.FromSeconds(2));
        (options.Http.MaxReplayBytes, options.Http.MaxAnswerBytes).Should().Be((4 << 20, 64 << 20));
        (options.Http.AllowPlainHttp, options.Http.KeepStandbysWarm).Should().Be((false, false));
    }

    [Fact]
    public async Task The_code_on_the_page_works()
    {
        await using var first = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "vault" }, cancellationToken: Ct);
        await using var second = await FakeAiServer.StartAsync(new FakeAiOptions { ApiKey = "entra" }, cancellationToken: Ct);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:Heartbeat:Enabled"] = "false",
            ["Models:Selection:Preset"] = "RoundRobin",
            ["Models:Endpoints:0:Name"] = "openai",
            ["Models:Endpoints:0:Address"] = first.OpenAIAddress.ToString(),
            ["Models:Endpoints:1:Name"] = "azure",
            ["Models:Endpoints:1:Address"] = second.OpenAIAddress.ToString(),
            ["Secrets:OpenAI"] = "vault",
        }).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration).AddSingleton(new HttpSnippets.TokenSource());
        HttpSnippets.Credentials(services, configuration);
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        await using var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredKeyedService<EndpointPool>("models");

        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
        string[] asked = [await TellAsync(client), await TellAsync(client)];
        asked.Should().OnlyContain(e => e == "openai" || e == "azure");
        using var alone = HttpSnippets.Alone(pool);
        await TellAsync(alone);
        for (var i = 0; i < 2; i++)
            (await HttpSnippets.OpenAI(pool).GetChatClient("m").CompleteChatAsync([new UserChatMessage("hi")], cancellationToken: Ct)).Value.Content[0].Text.Should().Be(FakeAnswers.AnswerTo("hi"));
        (first.Counts.AnsweredWhole + second.Counts.AnsweredWhole).Should().Be(5);
        HttpSnippets.Anthropic(pool).MaxRetries.Should().Be(0);

        static Task<string> TellAsync(HttpClient client) => HttpSnippets.TellAsync(client,
            new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", Encoding.UTF8, "application/json"));
    }

    [Fact]
    public async Task Two_lines_are_enough_with_a_container()
    {
        var services = new ServiceCollection();
        HttpSnippets.Container(services, new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:Heartbeat:Enabled"] = "false",
            ["Models:Endpoints:0:Name"] = "a",
            ["Models:Endpoints:0:Address"] = "http://127.0.0.1:9/v1",
        }).Build());
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");
        (client.BaseAddress, client.Timeout).Should().Be((new Uri("http://127.0.0.1:9/v1/"), Timeout.InfiniteTimeSpan));
    }

    private static IEnumerable<string> Blocks(string language, string page = "http.md") =>
        Regex.Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", page)), $"```{language}\n(.*?)\n```", RegexOptions.Singleline).Select(m => m.Groups[1].Value);

    private static string Flat(string code) => string.Join('\n', code.Trim().Split('\n').Select(l => l.Trim()));

    [GeneratedRegex(@"#region [^\n]+\n(.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
