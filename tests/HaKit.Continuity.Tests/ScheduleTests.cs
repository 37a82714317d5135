using System.Collections.Concurrent;
using System.Text.Json;
using HaKit.Availability;
using HaKit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit.Continuity.Tests;

/// <summary>Tests how often the schedule saves, and what it reports about its destinations.</summary>
public sealed class ScheduleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vault-schedule-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Timeout = 10_000)]
    [InlineData(10, 30 * 24 * 60, 1.0, null, 120)] // √(2 · 10 s · 30 d) = 7,200 s
    [InlineData(40, 30 * 24 * 60, 1.0, null, 240)] // four times the cost, twice the interval
    [InlineData(10, 30 * 24 * 60, 0.5, null, 60)] // half of the saves fail: good snapshots are as far apart as before
    [InlineData(10, 30 * 24 * 60, 1.0, 60.0, 59.83)] // the objective: 60 min with the save itself
    [InlineData(10, 30 * 24 * 60, 0.5, 60.0, 29.92)]
    [InlineData(0, 1, 1.0, null, 1)] // a save of no time counts as 1 s; never more often than once a minute
    [InlineData(600, 365 * 24 * 60, 1.0, null, 24 * 60)] // at least once a day
    public async Task The_interval_is_Youngs_within_the_objective(double seconds, double meanMinutes, double available, double? mostMinutes, double minutes)
    {
        await Task.CompletedTask;
        var inputs = new SaveIntervalInputs(
            TimeSpan.FromSeconds(seconds), TimeSpan.FromMinutes(meanMinutes), AvailabilityRatio.From(available), mostMinutes is { } most ? TimeSpan.FromMinutes(most) : null);
        SaveInterval.Compute(inputs).TotalMinutes.Should().BeApproximately(minutes, 0.01);
    }

    [Theory]
    [InlineData(60, 60, 0)]
    [InlineData(60, 61, 10)]
    [InlineData(60, 60, 10)]
    [InlineData(60, 240, 10)]
    [InlineData(1, 1.5, 1)]
    public void No_varied_interval_makes_the_newest_snapshot_older_than_its_objective(double minutes, double mostMinutes, double seconds)
    {
        var (interval, most, took) = (TimeSpan.FromMinutes(minutes), TimeSpan.FromMinutes(mostMinutes), TimeSpan.FromSeconds(seconds));
        for (var dice = 0.0; dice <= 1; dice += 0.01)
        {
            var varied = SaveInterval.Vary(interval, most, took, dice);
            (varied + took).Should().BeLessThanOrEqualTo(most);
            varied.Should().BeGreaterThanOrEqualTo(0.9 * interval);
            SaveInterval.Vary(interval, null, took, dice).Should().BeCloseTo((0.9 + 0.2 * dice) * interval, TimeSpan.FromTicks(1));
        }

        SaveInterval.Vary(interval, TimeSpan.FromSeconds(1), took, 1).Should().Be(0.9 * interval, "an objective that cannot be reached does not make the saves follow at once");
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(60, false)]
    public void An_objective_that_is_shorter_than_the_shortest_computed_interval_is_refused(double seconds, bool isRefused) =>
        VaultSettings.Problems(new VaultOptions { MeanTimeToLoss = TimeSpan.FromDays(1), MaxAge = TimeSpan.FromSeconds(seconds) })
            .Any(p => p.Contains("shorter than the shortest interval of MeanTimeToLoss, 60 s", StringComparison.Ordinal)).Should().Be(isRefused);

    [Fact(Timeout = 60_000)]
    public async Task The_schedule_saves_at_the_chosen_interval_and_tells_the_age_of_each_destination()
    {
        var time = new ManualTimeProvider();
        var (disk, share) = (new MemoryDestination(), new MemoryDestination());
        File.WriteAllText(Path.Combine(_folder, "state"), "kept");
        using var host = Start(time, disk, share, o => (o.MeanTimeToLoss, o.MaxAge) = (TimeSpan.FromDays(30), TimeSpan.FromHours(2)));
        await host.StartAsync(Token);
        var panel = host.Services.GetRequiredService<IStatusPanel>();
        await UntilAsync(() => panel.Read().Rows.All(r => r.State == HealthStatus.Healthy));

        share.Failure = new IOException("gone");
        // A save takes no virtual time, which counts as 1 s: √(2 · 1 s · 30 d) = 2,277 s, ± 10 %.
        var before = Snapshots(disk);
        time.Advance(TimeSpan.FromSeconds(2277 * 0.89));
        Snapshots(disk).Should().Be(before);
        time.Advance(TimeSpan.FromSeconds(2277 * 0.22));
        await UntilAsync(() => panel.Read().State == HealthStatus.Degraded, () => time.Advance(TimeSpan.FromSeconds(1)));
        panel.Read().Rows.Single(r => r.Name == "share").Text.Should().EndWith("the last save could not reach it");
        (await CheckAsync(host)).Status.Should().Be(HealthStatus.Degraded);

        disk.Failure = new IOException("gone");
        time.Advance(TimeSpan.FromHours(3));
        (await CheckAsync(host)).Status.Should().Be(HealthStatus.Unhealthy);
        panel.Read().Summary.Should().Contain("the objective is");
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_earlier_processes_saved_counts_for_the_age()
    {
        var time = new ManualTimeProvider();
        var disk = new MemoryDestination();
        File.WriteAllText(Path.Combine(_folder, "state"), "kept");
        using (var first = Start(time, disk, new MemoryDestination(), o => o.Every = TimeSpan.FromHours(1)))
        {
            await first.StartAsync(Token);
            await UntilAsync(() => Snapshots(disk) == 1);
            await first.StopAsync(Token);
        }
        time.Advance(TimeSpan.FromHours(10));
        disk.Room = 0;
        using var second = Start(time, disk, new MemoryDestination { Failure = new IOException("gone") }, o => o.Every = TimeSpan.FromHours(1));
        await second.StartAsync(Token);
        await UntilAsync(() => second.Services.GetRequiredService<IStatusPanel>().Read().Summary.StartsWith("The last good snapshot is 10 h old", StringComparison.Ordinal), () => time.Advance(TimeSpan.FromMilliseconds(200)));
        var result = await CheckAsync(second);
        result.Status.Should().Be(HealthStatus.Unhealthy);
        result.Data.Should().ContainKey("ageSeconds.disk").And.NotContainKey("ageSeconds.share", "it has no snapshot");
        await second.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_prune_that_fails_is_not_reported_as_a_save_that_failed()
    {
        var (disk, share, log) = (new MemoryDestination(), new MemoryDestination(), new LogLines());
        File.WriteAllText(Path.Combine(_folder, "state"), "kept");
        // Both destinations are gone when the save has ended, which is when it takes back its announcement.
        disk.Trouble = share.Trouble = o =>
        {
            if (o.StartsWith("delete i/", StringComparison.Ordinal))
                disk.Failure = share.Failure = new UnauthorizedAccessException("gone");
            return null;
        };
        using var host = Start(new ManualTimeProvider(), disk, share, static o => (o.Every, o.KeepLast) = (TimeSpan.FromHours(1), 1), log);
        await host.StartAsync(Token);
        await UntilAsync(() => log.Lines.Count >= 2);
        await host.StopAsync(Token);
        log.Lines.Should().HaveCount(2).And.ContainInOrder("Snapshot 1 with 1 files is on 2 destinations.", "The scheduled prune failed; the next one follows the next save.");
    }

    [Fact(Timeout = 10_000)]
    public async Task An_interval_is_either_given_or_chosen()
    {
        await Task.CompletedTask;
        var options = new VaultOptions { Every = TimeSpan.FromHours(1), MeanTimeToLoss = TimeSpan.FromDays(1), MaxAge = TimeSpan.Zero };
        VaultSettings.Problems(options).Should().Contain(p => p.StartsWith("Every and MeanTimeToLoss are both set", StringComparison.Ordinal)).And.Contain(p => p.StartsWith("MaxAge is", StringComparison.Ordinal));
        options.Every = null;
        VaultSettings.Problems(options).Should().Contain("MeanTimeToLoss is set and Source is not: the schedule needs something to save.");
    }

    private static int Snapshots(MemoryDestination place) => place.Objects.Keys.Count(k => k[0] == 's');

    private static async Task UntilAsync(Func<bool> isSo, Action? meanwhile = null)
    {
        while (!isSo())
        {
            meanwhile?.Invoke();
            await Task.Delay(5, Token);
        }
    }

    private static async Task<HealthCheckResult> CheckAsync(IHost host)
    {
        var schedule = host.Services.GetRequiredKeyedService<VaultSchedule>("state");
        var registration = new HealthCheckRegistration("vault-state", schedule, HealthStatus.Unhealthy, null);
        var result = await schedule.CheckHealthAsync(new HealthCheckContext { Registration = registration }, Token);
        // Health endpoints write the data as JSON, which has no infinite number.
        JsonSerializer.Serialize(result.Data).Should().Contain("ageSeconds");
        return result;
    }

    private IHost Start(TimeProvider time, MemoryDestination disk, MemoryDestination share, Action<VaultOptions> configure, LogLines? log = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(time);
        if (log is not null)
            builder.Services.AddSingleton<ILoggerProvider>(log);
        builder.Services.AddHaVault("state", o =>
        {
            o.Destinations.Add(new VaultDestinationOptions { Name = "disk" }.Use(disk));
            o.Destinations.Add(new VaultDestinationOptions { Name = "share" }.Use(share));
            o.Keys["1"] = VaultWork.Key;
            (o.Source, o.OperationTimeout) = (Path.Combine(_folder, "state"), TimeSpan.FromSeconds(2));
            configure(o);
        });
        return builder.Build();
    }

    /// <summary>Keeps the lines of the schedule.</summary>
    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => categoryName.EndsWith(nameof(VaultSchedule), StringComparison.Ordinal) ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
