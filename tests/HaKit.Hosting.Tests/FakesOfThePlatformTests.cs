using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace HaKit.Hosting.Tests;

/// <summary>The platform's own fakes work with a pool: time, logs and metrics (docs/testing.md).</summary>
public sealed class FakesOfThePlatformTests
{
    [Fact(Timeout = 30_000)]
    public async Task Time_logs_and_metrics_of_the_platforms_fakes()
    {
        var services = new ServiceCollection().AddMetrics().AddFakeLogging();
        var time = new FakeTimeProvider();
        services.AddSingleton<TimeProvider>(time);
        services.AddHaEndpointPool("models", o =>
        {
            (o.Seed, o.Heartbeat.Enabled) = (1, false);
            o.Endpoints = [new() { Name = "a", Address = "http://127.0.0.1:9/v1" }, new() { Name = "b", Address = "http://127.0.0.1:10/v1", Tier = 1 }];
        });
        await using var provider = services.BuildServiceProvider();
        using var failovers = new MetricCollector<long>(provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), "HaKit", "hakit.failovers", time);
        var pool = provider.GetRequiredService<EndpointPool>();

        for (var i = 0; i < 5; i++)
            await pool.ExecuteAsync(0, static (attempt, _, _) => attempt.Endpoint.Name == "b" ? new ValueTask<int>(1) : throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"), TestContext.Current.CancellationToken);

        failovers.GetMeasurementSnapshot().EvaluateAsCounter().Should().BeInRange(1, 5);
        provider.GetFakeLogCollector().GetSnapshot().Should().Contain(l => l.Message.Contains("ejected", StringComparison.OrdinalIgnoreCase));
        time.Advance(TimeSpan.FromMinutes(10));
        pool.Explain(RequestProfile.Default)[0].Health.Until.Should().NotBeNull();
        (await pool.ExecuteAsync(0, static (attempt, _, _) => new ValueTask<string>(attempt.Endpoint.Name), TestContext.Current.CancellationToken)).Should().Be("a", "its time is over on the fake clock");
    }
}
