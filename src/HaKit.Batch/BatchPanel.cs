using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HaKit.Batch;

/// <summary>Shows a batch on the dashboard. Thread-safe.</summary>
internal sealed class BatchPanel(string name, Func<(BatchProgress Progress, bool IsRunning)> read) : IStatusPanel
{
    public StatusPanel Read()
    {
        var (progress, isRunning) = read();
        return Describe(name, progress, isRunning);
    }

    /// <summary>Describes a batch. The state is good if the batch runs or is done, and no item has failed.</summary>
    public static StatusPanel Describe(string name, BatchProgress progress, bool isRunning)
    {
        var (state, summary) = DescribeState(progress, isRunning);
        return new StatusPanel($"batch {name}", state, summary, [.. RowsOf(progress, isRunning)]);
    }

    private static (HealthStatus State, string Summary) DescribeState(BatchProgress progress, bool isRunning)
    {
        var counts = progress.Counts;
        if (counts.Total == 0)
            return (HealthStatus.Degraded, "No run has begun in this process.");
        if (counts.Finished < counts.Total)
        {
            if (!isRunning)
                return (HealthStatus.Degraded, "The batch does not run in this process, and some items have no outcome. The next run processes them.");
            if (progress.OutageFor is { } outage)
                return (HealthStatus.Unhealthy, $"The batch has waited for {BatchProgress.Text(outage)}, because no endpoint can serve. No item fails because of this.");
        }
        if (counts.Failed + counts.Unknown > 0)
            return (HealthStatus.Degraded, $"{progress}.");
        return (HealthStatus.Healthy, counts.Finished == counts.Total ? "All items have a result." : $"{progress}.");
    }

    private static IEnumerable<StatusPanelRow> RowsOf(BatchProgress progress, bool isRunning)
    {
        var counts = progress.Counts;
        if (counts.Total == 0)
            yield break;
        yield return new("results", HealthStatus.Healthy, Text($"{counts.Succeeded:N0} of {counts.Total:N0} items"));
        if (counts.Failed > 0)
            yield return new("failed", HealthStatus.Degraded, Text($"{counts.Failed:N0} items; each has its own reason"));
        if (counts.Unknown > 0)
            yield return new("unknown", HealthStatus.Degraded, Text($"the outcome of {counts.Unknown:N0} items was lost"));
        if (counts.Finished < counts.Total)
        {
            var left = progress.Left is { } time ? BatchProgress.Text(time) : "not known";
            yield return new("time left", isRunning && progress.OutageFor is null ? HealthStatus.Healthy : HealthStatus.Degraded, Text($"{left}, at {progress.PerSecond:0.#} items/s here; {progress.Calls:N0} calls in flight"));
        }
        if (counts.LostCalls > 0)
            yield return new("lost calls", HealthStatus.Degraded, Text($"{counts.LostCalls:N0} calls ended with their process, and may be billed twice"));
        if (progress.HasPrices)
            yield return new("cost", HealthStatus.Healthy, Text($"{counts.Spent:0.00} {progress.Currency}"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
