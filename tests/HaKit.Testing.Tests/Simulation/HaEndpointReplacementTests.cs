using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Testing.Tests;

public sealed class HaEndpointReplacementTests
{
    [Fact]
    public async Task An_applications_own_registration_is_answered_by_fakes()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", options =>
        {
            options.Endpoints.Add(new() { Name = "main", Address = "https://main.example/v1" });
            options.Endpoints.Add(new() { Name = "standby", Address = "https://standby.example/v1", Tier = 1 });
        });
        services.AddHttpClient("ai").AddHaEndpointPoolHandler("chat");

        var main = new FakeHttpEndpoint();
        var standby = new FakeHttpEndpoint();
        services.ReplaceHaEndpoints("chat", ("main", main), ("standby", standby));
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("ai");

        await AskAsync(client);
        main.Counts.AnsweredWhole.Should().Be(1);
        main.Faults.Always(FakeFaults.OpenAI.QuotaExhausted());
        await AskAsync(client);
        standby.Counts.AnsweredWhole.Should().Be(1);
    }

    [Fact]
    public async Task An_endpoint_without_a_fake_cannot_be_reached()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("chat", options =>
        {
            options.Endpoints.Add(new() { Name = "main", Address = "https://main.example/v1" });
            options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(0.2);
        });
        services.AddHttpClient("ai").AddHaEndpointPoolHandler("chat");
        services.ReplaceHaEndpoints("chat");
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("ai");
        await client.Awaiting(AskAsync).Should().ThrowAsync<EndpointPoolException>();
    }

    [Fact]
    public async Task Pools_whose_long_names_begin_alike_reach_their_own_fakes()
    {
        var services = new ServiceCollection();
        string[] names = ["the-models-of-the-customer-service-in-europe", "the-models-of-the-customer-service-in-asia"];
        FakeHttpEndpoint[] fakes = [new(), new()];
        for (var i = 0; i < names.Length; i++)
        {
            services.AddHaEndpointPool(names[i], options => options.Endpoints.Add(new() { Name = "main", Address = "https://main.example/v1" }));
            services.AddHttpClient(names[i]).AddHaEndpointPoolHandler(names[i]);
            services.ReplaceHaEndpoints(names[i], ("main", fakes[i]));
        }
        await using var provider = services.BuildServiceProvider();
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient(names[1]);

        await AskAsync(client);

        fakes.Select(static f => f.Counts.AnsweredWhole).Should().Equal(0, 1);
    }

    private static async Task AskAsync(HttpClient client)
    {
        using var response = await client.PostAsJsonAsync(
            "chat/completions", new { model = "m", messages = new[] { new { role = "user", content = "Hello" } } }, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
