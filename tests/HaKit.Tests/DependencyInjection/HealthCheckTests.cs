using HaKit.Faults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HaKit.Tests.DependencyInjection;

public sealed class HealthCheckTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static ServiceProvider Services(int endpoints = 3, int minimum = 2, HealthStatus? failureStatus = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddHaEndpointPool("chat", o =>
        {
            o.Heartbeat.Enabled = false;
            for (var i = 0; i < endpoints; i++)
                o.Endpoints.Add(new EndpointOptions { Name = $"{(char)('a' + i)}", Tier = i == 2 ? 1 : 0 });
        });
        services.AddHealthChecks().AddHaEndpointPoolCheck("chat", minimum, failureStatus, ["ready"]);
        return services.BuildServiceProvider();
    }

    private static async Task<HealthReportEntry> CheckAsync(ServiceProvider provider) =>
        (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(r => r.Tags.Contains("ready"), Ct)).Entries["chat"];

    [Fact]
    public async Task All_well_is_healthy_and_says_how_each_is()
    {
        await using var provider = Services();
        var entry = await CheckAsync(provider);
        entry.Status.Should().Be(HealthStatus.Healthy);
        entry.Data["serving"].Should().Be(3);
        entry.Data["endpoint.a"].Should().BeOfType<string>().Which.Should().StartWith("Healthy, since 20");
    }

    [Fact]
    public async Task Fewer_than_wanted_is_degraded_and_says_why_each_is_out()
    {
        await using var provider = Services();
        var pool = provider.GetRequiredService<EndpointPool>();
        for (var i = 0; i < 5; i++)
        {
            await pool.ExecuteAsync(new RequestProfile { Endpoints = ["a"], MayRepeat = false }, 0, static (attempt, _, _) =>
            {
                attempt.ReportFault(new Fault(FaultKind.ServerError) { StatusCode = 500 });
                return new ValueTask<int>(0);
            }, Ct);
        }

        await pool.ForceDownAsync("c");
        var entry = await CheckAsync(provider);
        entry.Status.Should().Be(HealthStatus.Degraded);
        entry.Description.Should().Be("Pool 'chat': 1 of 3 endpoints serve; 2 are wanted.");
        entry.Data["endpoint.a"].Should().BeOfType<string>().Which.Should().MatchRegex(@"^Ejected because of ServerError \(500\), since .*Z$");
        entry.Data["endpoint.c"].Should().BeOfType<string>().Which.Should().StartWith("Forced down by an operator");
    }

    [Fact]
    public async Task A_lower_tier_that_serves_is_degraded_and_a_promoted_one_is_not()
    {
        await using var provider = Services(minimum: 1);
        var pool = provider.GetRequiredService<EndpointPool>();
        await pool.ForceDownAsync("a");
        await pool.ForceDownAsync("b");
        (await CheckAsync(provider)).Description.Should().Be("Pool 'chat': tier 1 serves in place of tier 0.");
        await pool.PromoteAsync(1);
        (await CheckAsync(provider)).Status.Should().Be(HealthStatus.Healthy);
    }

    [Theory]
    [InlineData(null, HealthStatus.Unhealthy)]
    [InlineData(HealthStatus.Degraded, HealthStatus.Degraded)]
    public async Task Nobody_serving_is_unhealthy_unless_told_otherwise(HealthStatus? failureStatus, HealthStatus expected)
    {
        await using var provider = Services(1, failureStatus: failureStatus);
        (await CheckAsync(provider)).Status.Should().Be(HealthStatus.Healthy, "a pool of one has all it can have");
        await provider.GetRequiredService<EndpointPool>().ForceDownAsync("a");
        var entry = await CheckAsync(provider);
        entry.Status.Should().Be(expected);
        entry.Description.Should().Be("Pool 'chat': none of its endpoints (1) can take traffic.");
    }

    [Fact]
    public async Task A_check_of_an_unknown_pool_is_refused_when_the_application_starts()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddHealthChecks().AddHaEndpointPoolCheck("chta");
        await using var provider = services.BuildServiceProvider();
        var start = async () =>
        {
            foreach (var hosted in provider.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
                await hosted.StartingAsync(Ct);
        };
        (await start.Should().ThrowAsync<OptionsValidationException>()).Which.Message.Should().Contain("Health check 'chta' uses the pool 'chta', which is not registered.");
    }
}
