using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing.Tests;

/// <summary>Runs the registration of an ordinary application through the matrix, and finds its mutations.</summary>
public sealed class HaDrillTests
{
    private const string Configuration = """
        { "chat": { "Endpoints": [
            { "Name": "openai", "Address": "https://api.openai.com/v1" },
            { "Name": "azure", "Address": "https://example.openai.azure.com/openai/v1" },
            { "Name": "standby", "Address": "https://llm.internal.example/v1", "Tier": 1 } ] } }
        """;

    [Fact(Timeout = 120_000)]
    public async Task The_chat_survives_an_outage_of_any_endpoint()
    {
        var result = await HaDrill.SurvivesAsync(Application(), "chat", options => options.Tiers = [["openai", "azure"], ["standby"]]);

        TestContext.Current.TestOutputHelper?.WriteLine(result.ToString());
        result.Rows.Should().HaveCount(1 + DrillFaults.All.Count + 1);
        result.Rows.Where(r => r.Fault is not ("none" or "first-tier-lost")).Should().OnlyContain(r => r.Met > 0, "a drill whose faults strike nothing shows nothing");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_application_whose_SDK_runs_over_the_pool_needs_no_HTTP_client_for_the_drill()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", options => options.Endpoints = [new() { Name = "main", Address = "https://main.example/v1" }, new() { Name = "standby", Address = "https://standby.example/v1", Tier = 1 }]);

        var result = await HaDrill.SurvivesAsync(services, "chat", options => options.Faults = [DrillFaults.Refused]);

        result.Rows.Should().ContainSingle(r => r.Fault == "refused").Which.Met.Should().BePositive();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_misspelt_pool_is_refused_with_the_names_that_are_registered()
    {
        var drill = () => HaDrill.SurvivesAsync(Application(), "chatt");

        (await drill.Should().ThrowAsync<InvalidOperationException>()).WithMessage("There is no pool 'chatt' among the services: AddHaEndpointPool has registered 'chat'.");
    }

    internal static IServiceCollection Application(Action<IDictionary<string, string?>>? mutate = null, Action<IHttpClientBuilder>? client = null)
    {
        var json = new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Configuration))).Build();
        var settings = json.AsEnumerable().Where(s => s.Value is not null).ToDictionary(s => s.Key, s => s.Value);
        mutate?.Invoke(settings);
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("chat"));
        var builder = services.AddHttpClient("ai");
        client?.Invoke(builder);
        builder.AddHaEndpointPoolHandler("chat");
        return services;
    }
}
