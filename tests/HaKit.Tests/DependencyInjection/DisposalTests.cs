using Microsoft.Extensions.DependencyInjection;

namespace HaKit.Tests.DependencyInjection;

public sealed class DisposalTests
{
    [Fact]
    public void A_container_with_a_pool_may_be_disposed_of_synchronously()
    {
        var services = new ServiceCollection();
        services.AddHaEndpointPool("models", o => o.Endpoints.Add(new() { Name = "a", Address = "http://127.0.0.1:1/v1" }));
        var provider = services.BuildServiceProvider();
        var pool = provider.GetRequiredService<EndpointPool>();
        provider.Invoking(p => p.Dispose()).Should().NotThrow();
        pool.Invoking(p => p.Dispose()).Should().NotThrow("twice is once");
    }
}
