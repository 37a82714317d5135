using HaKit.Faults;
using HaKit.Limits;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Release.Tests;

/// <summary>The code of the pages on faults, health, limits and configuration.</summary>
public sealed class PartSnippets
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, "azure")]
    [InlineData(false, "small")]
    public void A_used_up_quota_holds_back_whoever_shares_the_account_and_a_throttle_whoever_shares_the_rate_limit(bool isQuota, string next)
    {
        using var test = TestPools.Create([], options =>
        {
            options.Endpoints.Add(new EndpointOptions { Name = "large", Address = "https://api.openai.com/v1", Provider = "openai", Account = "team", Model = "gpt-4o" });
            options.Endpoints.Add(new EndpointOptions { Name = "small", Address = "https://api.openai.com/v1", Provider = "openai", Account = "team", Model = "gpt-4o-mini" });
            options.Endpoints.Add(new EndpointOptions { Name = "azure", Address = "https://example.openai.azure.com/openai/v1", Provider = "azure", Account = "azure", Dialect = WireDialect.AzureOpenAI });
            options.Endpoints[2].Tier = 1;
            options.Selection.StrictTiers = true;
        });
        test["large"].Faults.Always(isQuota ? FakeFaults.OpenAI.QuotaExhausted() : FakeFaults.OpenAI.RateLimited(TimeSpan.FromHours(1)));
        while (test["large"].Attempts == 0)
            test.Call();
        var before = test["small"].Attempts;

        for (var i = 0; i < 10; i++)
            test.Call().Endpoint.Should().Be(next);

        test["large"].Attempts.Should().Be(1, "one refusal was enough");
        test["small"].Attempts.Should().Be(before + (isQuota ? 0 : 10));
    }

    [Fact]
    public async Task A_classifier_of_ones_own_is_asked_first()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:Endpoints:0:Name"] = "gateway",
            ["Models:Endpoints:0:Address"] = "https://gateway.example/v1",
            ["Models:Endpoints:1:Name"] = "direct",
            ["Models:Endpoints:1:Address"] = "https://direct.example/v1",
            ["Models:Endpoints:1:Tier"] = "1",
        }).Build();
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", configuration.GetSection("Models")).AddFaultClassifier(new OurGateway());
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        using var gateway = new FakeHttpEndpoint();
        using var direct = new FakeHttpEndpoint();
        gateway.Faults.Always(FakeFault.Status(499));
        services.ReplaceHaEndpoints("models", ("gateway", gateway), ("direct", direct));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");

        using var response = await client.PostAsync("chat/completions", new StringContent("""{"model":"m","messages":[{"role":"user","content":"hi"}]}"""), Ct);

        response.EnsureSuccessStatusCode();
        response.RequestMessage!.Options.TryGetValue(EndpointPoolHandler.DetailKey, out var detail).Should().BeTrue();
        detail!.Attempts[0].Fault.Should().Be(new Fault(FaultKind.Overloaded) { RetryAfter = TimeSpan.FromSeconds(5) }, "a 499 would otherwise be the request's own fault");
    }

    [Fact]
    public void Health_can_be_read()
    {
        using var test = TestPools.Create(2);
        var pool = test.Pool;
        foreach (var endpoint in pool.GetStatus().Endpoints)
            Console.WriteLine($"{endpoint.Endpoint.Name}: {endpoint.Health.Status}, cause: {endpoint.Health.Cause?.ToString() ?? "none"}, serves: {endpoint.Serves}");
        pool.GetStatus().Serving.Should().Be(2);
    }

    [Fact]
    public async Task An_endpoint_is_taken_out_for_maintenance_and_brought_back()
    {
        using var test = TestPools.Create(["west", "east"]);
        var (pool, cancellationToken) = (test.Pool, Ct);
        await pool.DrainAsync("west", cancellationToken);

        test.Call().Endpoint.Should().Be("east");
        pool.GetStatus().Endpoints[0].Health.Status.ToString().Should().Be("Draining");

        await pool.BringUpAsync("west");

        pool.GetStatus().Endpoints[0].Health.Status.ToString().Should().NotBe("Draining");
    }

    [Fact]
    public void Limits_are_options()
    {
        var options = new EndpointPoolOptions();
        options.Endpoints.Add(new EndpointOptions
        {
            Name = "azure",
            Address = "https://example.openai.azure.com/openai/v1",
            Dialect = WireDialect.AzureOpenAI,
            Model = "our-gpt-4o",
            Account = "team",
            Limits = new LimitOptions { MaxConcurrency = 50, RequestsPerMinute = 600, TokensPerMinute = 120_000 },
        });
        options.AccountLimits["team"] = new LimitOptions { TokensPerMinute = 200_000 };

        options.Validate("models").Should().BeEmpty();
        options.AccountLimits["nobody's"] = new LimitOptions();
        options.Validate("models").Should().ContainSingle().Which.Should().Contain("nobody's");
    }

    [Fact]
    public async Task Credentials_come_from_where_secrets_are_kept()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Models:Endpoints:0:Name"] = "openai",
            ["Models:Endpoints:0:Address"] = "https://openai.example/v1",
            ["Models:Endpoints:1:Name"] = "azure",
            ["Models:Endpoints:1:Address"] = "https://azure.example/v1",
            ["Models:Endpoints:1:Dialect"] = "AzureOpenAI",
            ["Models:Endpoints:1:Tier"] = "1",
            ["OpenAI:ApiKey"] = "of openai",
        }).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton<ITokens, Tokens>();
        services.AddHaEndpointPool("models", configuration.GetSection("Models"))
            .UseCredentialFromConfiguration("openai", "OpenAI:ApiKey")
            .UseCredential("azure", (provider, token) => provider.GetRequiredService<ITokens>().GetAsync(token));
        services.AddHttpClient("llm").AddHaEndpointPoolHandler("models");
        List<string?> keys = [];
        using var openAI = new FakeHttpEndpoint(new FakeAiOptions { Observe = r => keys.Add(r.ApiKey) });
        using var azure = new FakeHttpEndpoint(new FakeAiOptions { Observe = r => keys.Add(r.Headers.GetValueOrDefault("api-key")) });
        openAI.Faults.Always(FakeFault.Status(503));
        services.ReplaceHaEndpoints("models", ("openai", openAI), ("azure", azure));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("llm");

        using var response = await client.PostAsync("chat/completions", new StringContent("""{"model":"m","messages":[]}"""), Ct);

        keys.Should().Equal("of openai", "of azure");
    }

    [Theory]
    [InlineData("30", 30 * 24 * 3600)]
    [InlineData("00:00:30", 30)]
    [InlineData("00:00:00.25", 0.25)]
    public void A_bare_number_is_days(string written, double seconds)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["TotalRequestTimeout:Timeout"] = written }).Build();
        configuration.Get<EndpointPoolOptions>()!.TotalRequestTimeout.Timeout.TotalSeconds.Should().Be(seconds);
    }

    [Fact]
    public void A_standby_takes_over_by_and_by_below_71_percent()
    {
        using var test = TestPools.Create(["a", "b", "z"], o => o.Endpoints[2].Tier = 1);
        for (var i = 0; i < 200; i++)
            test.Call();
        test["z"].Attempts.Should().Be(0);
        test.Pool.ForceDownAsync("a").AsTask().IsCompletedSuccessfully.Should().BeTrue();
        for (var i = 0; i < 400; i++)
            test.Call();
        test["z"].Attempts.Should().BeInRange(80, 160, "half of the first tier is worth 70 % of the traffic");
    }

    private interface ITokens
    {
        ValueTask<string?> GetAsync(CancellationToken cancellationToken);
    }

    private sealed class Tokens : ITokens
    {
        public ValueTask<string?> GetAsync(CancellationToken cancellationToken) => new("of azure");
    }
}

public sealed class OurGateway : IFaultClassifier
{
    public Fault? Classify(in FaultEvidence evidence) =>
        evidence.StatusCode == 499 ? new Fault(FaultKind.Overloaded) { RetryAfter = TimeSpan.FromSeconds(5) } : null;
}
