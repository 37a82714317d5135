using HaKit.Tests.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.DependencyInjection;

/// <summary>The message about a mistake in a configuration names the mistake, its place and its remedy.</summary>
public sealed class MistakeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Hartbeat:Interval", "Heartbeat")]
    [InlineData("TotalRequestTimout:Timeout", "TotalRequestTimeout")]
    [InlineData("Endpoints:0:Adress", "Address")]
    [InlineData("Endpoints:0:Teir", "Tier")]
    [InlineData("CircuitBreaker:BreakDuraton", "BreakDuration")]
    [InlineData("Selection:Presset", "Preset")]
    [InlineData("retry:maxretryattempt", "MaxRetryAttempts")]
    public void A_misspelt_setting_is_refused_with_the_name_that_was_meant(string setting, string meant) =>
        Refusals(("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "http://127.0.0.1:1/v1"), (setting, "1")).Should().ContainSingle(f => f.Contains("is no setting of a pool", StringComparison.Ordinal))
            .Which.Should().EndWith($"Did you mean '{meant}'?");

    [Fact]
    public void A_name_that_is_near_to_none_is_refused_without_a_guess() =>
        Refusals(("Endpoints:0:Name", "a"), ("Endpoints:0:Address", "http://127.0.0.1:1/v1"), ("Zebra", "1")).Should().ContainSingle().Which.Should().EndWith("is no setting of a pool. docs/configuration.md of HaKit lists all settings.");

    public static TheoryData<string> BreakerTimes => [.. typeof(HaKit.Health.HealthOptions).GetProperties().Where(p => p.PropertyType == typeof(TimeSpan)).Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(BreakerTimes))]
    public void A_time_of_the_breaker_that_no_clock_can_hold_is_refused(string setting)
    {
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a" } } };
        typeof(HaKit.Health.HealthOptions).GetProperty(setting)!.SetValue(options.CircuitBreaker, TimeSpan.MaxValue);
        FluentActions.Invoking(() => new EndpointPool("p", options)).Should().Throw<OptionsValidationException>().WithMessage($"*CircuitBreaker:{setting} is more than 1000 years: *10 years is needed*");
    }

    [Theory]
    [InlineData("x ha", "1")]
    [InlineData("x:ha", "1")]
    [InlineData("größe", "1")]
    [InlineData("x-ha", "größe")]
    [InlineData("x-ha", "a\u0001b")]
    [InlineData("x-ha", "a\nb")]
    [InlineData("x-ha", "\U0001F600")]
    [InlineData("", "1")]
    public void A_header_that_cannot_be_sent_is_refused(string name, string value)
    {
        var options = new EndpointPoolOptions { Endpoints = { new EndpointOptions { Name = "a", Address = "http://127.0.0.1:1/v1", Headers = { [name] = value } } } };
        FluentActions.Invoking(() => new EndpointPool("p", options)).Should().Throw<OptionsValidationException>().WithMessage("*Endpoints:0:Headers of 'a'*cannot be sent*");
    }

    [Fact]
    public void A_credential_for_an_endpoint_that_the_pool_does_not_have_is_refused()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new EndpointOptions { Name = "openai", Address = "http://127.0.0.1:1/v1" })).UseCredential("opneai", (_, _) => new("k"));
        using var provider = services.BuildServiceProvider();
        provider.Invoking(p => p.GetRequiredService<EndpointPool>()).Should().Throw<OptionsValidationException>()
            .WithMessage("Pool 'chat': UseCredential names the endpoint 'opneai', which the pool does not have. Did you mean 'openai'? It has 'openai'.");
    }

    [Theory]
    [InlineData("Secrets:A", null, "the configuration has no value for 'Secrets:A', which UseCredentialFromConfiguration names as the credential of endpoint 'a'.*environment variable 'Secrets__A'")]
    [InlineData("Secrets:A", "", "the configuration has no value for 'Secrets:A'*")]
    [InlineData("Secrets:A", " ", "the configuration has no value for 'Secrets:A'*")]
    [InlineData("Secrets:A", "<your key>", "'Secrets:A' in the configuration, the credential of endpoint 'a', is a placeholder*Put the key itself there*")]
    [InlineData("Secrets:A", "sk-1\n", "'Secrets:A' in the configuration, the credential of endpoint 'a', has characters that no header may have*Remove them.")]
    [InlineData("Secrets:B", null, "the configuration has no value for 'Secrets:B'*")]
    [InlineData("Secrets:Othr", null, "*Did you mean 'Other'?")]
    [InlineData("Secrets", null, "*'Secrets' is a section: name the setting in it that has the key, such as 'Secrets:A'.")]
    public void A_key_that_the_configuration_does_not_have_is_refused_by_name(string key, string? value, string message)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Secrets:Other", "k"), new("Secrets:A", key == "Secrets:A" ? value : "k")]).Build();
        FluentActions.Invoking(() => WithCredential(configuration, key)).Should().Throw<OptionsValidationException>().Which.Failures.Should().ContainSingle().Which.Should().Match("Pool 'chat': " + message.TrimEnd('*') + "*");
    }

    [Fact]
    public void A_key_in_place_of_the_name_of_its_setting_is_refused_and_not_shown() =>
        FluentActions.Invoking(() => WithCredential(new ConfigurationBuilder().Build(), "sk-planted")).Should().Throw<OptionsValidationException>()
            .WithMessage("*the name of the setting*").Which.Message.Should().NotContain("planted");

    [Fact]
    public void Only_the_last_source_of_a_credential_must_have_one() =>
        WithCredential(new ConfigurationBuilder().AddInMemoryCollection([new("Secrets:A", "k")]).Build(), "Missing", "Secrets:A").Should().NotBeNull();

    private static EndpointPool WithCredential(IConfiguration configuration, params string[] keys)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        var builder = services.AddHaEndpointPool("chat", o => o.Endpoints.Add(new EndpointOptions { Name = "a", Address = "http://127.0.0.1:1/v1" }));
        foreach (var key in keys)
            builder.UseCredentialFromConfiguration("a", key);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<EndpointPool>();
    }

    [Fact]
    public void The_same_address_under_two_names_is_named_once()
    {
        var lines = new Lines();
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } };
        foreach (var (name, model) in new[] { ("a", "m"), ("b", "m"), ("c", "other") })
        {
            options.Endpoints.Add(new EndpointOptions { Name = name, Address = "http://127.0.0.1:1/v1", Model = model });
        }
        using var pool = new EndpointPool("chat", options, new EndpointPoolParts { LoggerFactory = lines });
        using var client = pool.CreateHttpClient();
        using var another = pool.CreateHttpClient();
        lines.All.Where(l => l.Contains("same address", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().Contain("'a', 'b'").And.NotContain("'c'");
    }

    public static TheoryData<RequestProfile, string> Needs => new()
    {
        { new RequestProfile { Model = "gpt-x" }, "the model 'gpt-x'" },
        { new RequestProfile { Residency = "us" }, "the residency 'us'" },
        { new RequestProfile { Tags = ["fast", "gpu"] }, "the tag 'gpu'" },
        { new RequestProfile { Vision = true }, "vision" },
        { new RequestProfile { Tools = true, Tags = ["fast"] }, "tools, the tag 'fast', all at one endpoint" },
        { new RequestProfile { Endpoints = ["z"] }, "one of the endpoints 'z' (the pool has 'a', 'b')" },
        { new RequestProfile { InputTokens = 1_000_000 }, "room for 1000000 tokens in a context window" },
        { new RequestProfile { Vision = true, InputTokens = 1_000_000 }, "vision, room for 1000000 tokens in a context window" },
        { new RequestProfile { Tools = true, Residency = "eu", InputTokens = 1_000_000 }, "room for 1000000 tokens in a context window" },
        { new RequestProfile { Tools = true, InputTokens = 1500 }, "tools, room for 1500 tokens in a context window, all at one endpoint" },
    };

    [Theory]
    [MemberData(nameof(Needs), DisableDiscoveryEnumeration = true)]
    public async Task A_capability_that_no_endpoint_has_is_named(RequestProfile profile, string missing)
    {
        var options = new EndpointPoolOptions { Heartbeat = { Enabled = false } };
        options.Endpoints.Add(new EndpointOptions { Name = "a", Model = "m", Residency = "eu", Vision = false, ContextWindow = 1000 });
        options.Endpoints.Add(new EndpointOptions { Name = "b", Model = "n", Residency = "eu", Vision = false, Tools = false, Tags = ["fast"], ContextWindow = 2000 });
        await using var pool = new EndpointPool("p", options);
        (await FluentActions.Awaiting(() => pool.ExecuteAsync(profile, (_, _) => new ValueTask<int>(1), Ct).AsTask()).Should().ThrowAsync<EndpointPoolException>())
            .WithMessage($"*no endpoint has the capabilities that the request needs: {missing}.*");
    }

    private static IEnumerable<string> Refusals(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", StartUpTests.Section(settings));
        using var provider = services.BuildServiceProvider();
        return provider.Invoking(p => p.GetRequiredService<EndpointPool>()).Should().Throw<OptionsValidationException>().Which.Failures;
    }
}
