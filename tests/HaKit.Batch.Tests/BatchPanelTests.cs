using HaKit.Batch.Stores;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Batch.Tests;

/// <summary>Tests the dashboard's panel of a batch in each state of a batch.</summary>
public sealed class BatchPanelTests
{
    private static StatusPanel Describe(long total, long succeeded = 0, long failed = 0, long unknown = 0, bool isRunning = true, double? outage = null) => BatchPanel.Describe(
        "nightly", new() { Counts = new() { Total = total, Succeeded = succeeded, Failed = failed, Unknown = unknown }, PerSecond = 2, OutageFor = outage is { } s ? TimeSpan.FromSeconds(s) : null }, isRunning);

    [Fact]
    public void A_batch_that_makes_progress_or_is_done_is_green_and_nothing_else_is()
    {
        Describe(1000, 400).State.Should().Be(HealthStatus.Healthy);
        Describe(1000, 1000, isRunning: false).State.Should().Be(HealthStatus.Healthy);
        Describe(0, isRunning: false).State.Should().Be(HealthStatus.Degraded, "nothing is known of it");
        Describe(1000, 400, isRunning: false).State.Should().Be(HealthStatus.Degraded, "nothing goes on");
        Describe(1000, 400, failed: 1).State.Should().Be(HealthStatus.Degraded);
        Describe(1000, 999, unknown: 1, isRunning: false).State.Should().Be(HealthStatus.Degraded);
        Describe(1000, 400, outage: 90).State.Should().Be(HealthStatus.Unhealthy);
    }

    [Fact]
    public void An_outage_says_for_how_long_and_that_no_item_is_lost()
    {
        var panel = Describe(10_000, 400, outage: 75);
        panel.Name.Should().Be("batch nightly");
        panel.Summary.Should().Be("The batch has waited for 75 s, because no endpoint can serve. No item fails because of this.");
        panel.Rows.Should().ContainEquivalentOf(new StatusPanelRow("results", HealthStatus.Healthy, "400 of 10,000 items"));
        panel.Rows.Should().Contain(r => r.Name == "time left" && r.State == HealthStatus.Degraded);
    }

    [Fact]
    public async Task The_panel_of_a_batch_follows_its_run()
    {
        var folder = Directory.CreateTempSubdirectory("batch-panel-").FullName;
        await using var pool = new EndpointPool("p", new EndpointPoolOptions { Heartbeat = { Enabled = false }, Endpoints = { new EndpointOptions { Name = "a" } } });
        await using (var batch = await BatchJournal.OpenAsync<string>(Path.Combine(folder, "b.journal"), cancellationToken: TestContext.Current.CancellationToken))
        {
            batch.Panel.Read().State.Should().Be(HealthStatus.Degraded);
            await batch.AddAsync(["x", "y", "z"], static x => x, cancellationToken: TestContext.Current.CancellationToken);
            await foreach (var done in pool.RunBatchAsync(batch, static (_, item, _) => ValueTask.FromResult(item), cancellationToken: TestContext.Current.CancellationToken))
                done.Id.Should().NotBeNull();
            batch.Panel.Read().Should().BeEquivalentTo(new { Name = "batch b.journal", State = HealthStatus.Healthy, Summary = "All items have a result." });
        }
        Directory.Delete(folder, recursive: true);
    }
}
