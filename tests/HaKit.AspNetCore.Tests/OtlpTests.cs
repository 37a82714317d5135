using System.Text;

namespace HaKit.AspNetCore.Tests;

/// <summary>Tests the data that reaches a collector through the official OpenTelemetry packages.</summary>
[Collection("OpenTelemetry")]
public sealed class OtlpTests
{
    [Fact]
    public async Task A_collector_receives_the_metrics_and_the_spans_of_a_call_that_failed_over()
    {
        await using var collector = await Collector.StartAsync();
        await using var pool = new EndpointPool("otlp-pool", new EndpointPoolOptions
        {
            Heartbeat = { Enabled = false },
            Endpoints = [new EndpointOptions { Name = "first", Address = "https://first.test/v1", Model = "model-1" }, new EndpointOptions { Name = "second", Tier = 1 }],
        });
        (await pool.ExecuteAsync(0, static (attempt, _, _) => attempt.Endpoint.Name == "first"
            ? throw new HttpRequestException(HttpRequestError.ConnectionError)
            : new ValueTask<int>(7), TestContext.Current.CancellationToken)).Should().Be(7);
        collector.Flush();
        var metrics = Text(collector, "/v1/metrics");
        metrics.Should().ContainAll("hakit.call.duration", "hakit.attempt.duration", "hakit.failovers", "hakit.endpoint.state", "hakit.slo.budget_left", "otlp-pool", "ConnectFailed", "first.test", "model-1");
        var traces = Text(collector, "/v1/traces");
        traces.Should().ContainAll("call otlp-pool", "attempt first", "attempt second", "failover", "error.type", "ConnectFailed", "hakit.outcome", "served");
    }

    private static string Text(Collector collector, string path) =>
        string.Concat(collector.Received.Where(r => r.Path == path).Select(r => Encoding.UTF8.GetString(r.Body)));
}
