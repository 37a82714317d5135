using HaKit.Peers;
using HaKit.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HaKit.Release.Tests;

/// <summary>The code of the page on fleets.</summary>
public sealed class FleetSnippets
{
    [Fact]
    public void A_pool_that_shares()
    {
        var services = new ServiceCollection();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Pools:chat:Endpoints:0:Name", "a"), new("Pools:chat:Endpoints:0:Address", "https://a.example")]).Build();
        services.AddHaEndpointPool("chat", configuration.GetSection("Pools:chat"))
            .ShareThroughRedis(); // package HaKit.Redis
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IOptionsFactory<EndpointPoolOptions>>().Create("chat").Endpoints.Should().ContainSingle();
    }

    [Fact]
    public async Task An_order()
    {
        using var test = TestPools.Create(["west", "east"]);
        var pool = test.Pool;
        await pool.ForceDownAsync("west", new OrderNote("ada", "new firmware"));
        test.Call().Endpoint.Should().Be("east");
    }
}
