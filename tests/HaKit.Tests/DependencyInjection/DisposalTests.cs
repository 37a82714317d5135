using HaKit.DependencyInjection;
using HaKit.Testing;
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

    [Fact]
    public void A_pool_whose_registration_fails_after_its_creation_leaves_no_timer()
    {
        var time = new ManualTimeProvider();
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time);
        services.AddHaEndpointPool("models", o => o.Endpoints.Add(new() { Name = "a", Address = "http://127.0.0.1:1/v1" }));
        services.AddSingleton<EndpointPoolSection>(_ => throw new InvalidOperationException("PLANTED"));
        using var provider = services.BuildServiceProvider();
        provider.Invoking(static p => p.GetRequiredKeyedService<EndpointPool>("models")).Should().Throw<InvalidOperationException>().WithMessage("PLANTED");
        time.ArmedTimers.Should().Be(0);
    }
}
