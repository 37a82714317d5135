using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HaKit.Continuity;

/// <summary>
/// Saves and prunes at the configured or computed interval, ± 10 %. Reports the age of each destination's last good snapshot. A failed save is logged, and the
/// next save follows after the interval.
/// </summary>
internal sealed partial class VaultSchedule : BackgroundService, IHealthCheck, IStatusPanel
{
    private readonly string _name;
    private readonly Vault _vault;
    private readonly VaultOptions _options;
    private readonly ILogger<VaultSchedule> _log;
    private readonly SnapshotAges _ages;
    private readonly Meter? _meter;
    private long _tookTicks;

    public VaultSchedule(string name, Vault vault, VaultOptions options, ILogger<VaultSchedule> log, IMeterFactory? meters = null)
    {
        (_name, _vault, _options, _log) = (name, vault, options, log);
        _ages = new SnapshotAges([.. options.Destinations.Select(static d => d.Name)], vault.Pool.Time);
        _meter = meters?.Create("HaKit.Continuity");
        _meter?.CreateObservableGauge("hakit.vault.snapshot.age", Measure, "s", "The age of the newest good snapshot of a destination. Absent if the destination has no good snapshot.");
    }

    private bool HasSchedule => (_options.Every ?? _options.MeanTimeToLoss) is not null;

    private TimeSpan Interval => _options.Every ?? SaveInterval.Compute(new SaveIntervalInputs(
        LastTook,
        _options.MeanTimeToLoss!.Value,
        SaveInterval.Observed(_vault.Pool.GetAvailabilityReport(), _options.Copies),
        _options.MaxAge));

    private TimeSpan LastTook => TimeSpan.FromTicks(Interlocked.Read(ref _tookTicks));

    private TimeSpan MaxAge => _options.MaxAge ?? Interval * 3;

    public StatusPanel Read() => _ages.ToPanel($"vault {_name}", HasSchedule ? MaxAge : null);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!HasSchedule)
        {
            return Task.FromResult(HealthCheckResult.Healthy("The vault has no schedule."));
        }
        var panel = Read();
        var status = panel.State == HealthStatus.Unhealthy ? context.Registration.FailureStatus : panel.State;
        var data = new Dictionary<string, object> { ["ageSeconds"] = _ages.Youngest.TotalSeconds };
        foreach (var (destination, age) in _ages.Read())
        {
            // A destination without a snapshot has no age. An infinite number would break health endpoints that write JSON.
            if (age is { } known)
            {
                data[$"ageSeconds.{destination}"] = known.TotalSeconds;
            }
        }
        return Task.FromResult(new HealthCheckResult(status, panel.Summary, data: data));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await ReadNewestAsync(stoppingToken);
        if (!HasSchedule)
        {
            return;
        }
        var jitter = new Random(HashCode.Combine(_name, _vault.Pool.Time.GetTimestamp()));
        while (!stoppingToken.IsCancellationRequested)
        {
            if (await TryAsync(SaveAsync, e => LogFailed(e, _ages.Youngest.TotalMinutes), stoppingToken))
                await TryAsync(PruneAsync, LogPruneFailed, stoppingToken);
            using var timer = new PeriodicTimer(SaveInterval.Vary(Interval, _options.MaxAge, LastTook, jitter.NextDouble()), _vault.Pool.Time);
            try
            {
                await timer.WaitForNextTickAsync(stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    public override void Dispose()
    {
        _meter?.Dispose();
        base.Dispose();
    }

    // Reads the ages of snapshots that earlier processes saved.
    private async Task ReadNewestAsync(CancellationToken stoppingToken)
    {
        try
        {
            foreach (var snapshot in await _vault.ListAsync(stoppingToken))
            {
                _ages.RecordSnapshot(snapshot);
            }
        }
        catch (VaultException)
        {
            // The vault is new, or no destination can be read. In the second case the first save reports the failure.
        }
        catch (OperationCanceledException)
        {
            // The application is stopping.
        }
    }

    private async Task SaveAsync(CancellationToken stoppingToken)
    {
        var began = _vault.Pool.Time.GetTimestamp();
        var saved = await _vault.SaveAsync(_options.Source!, _options.Copies, stoppingToken);
        Interlocked.Exchange(ref _tookTicks, _vault.Pool.Time.GetElapsedTime(began).Ticks);
        _ages.RecordSnapshot(saved);
        LogSaved(saved.Number, saved.Files, saved.Destinations.Count);
    }

    private async Task PruneAsync(CancellationToken stoppingToken)
    {
        if (_options.KeepLast is null && _options.KeepDays is null)
            return;
        var pruned = await _vault.PruneAsync(new VaultPruneOptions { KeepLast = _options.KeepLast, KeepDays = _options.KeepDays }, stoppingToken);
        foreach (var problem in pruned.Problems)
            LogNotPruned(problem);
    }

    private static async Task<bool> TryAsync(Func<CancellationToken, Task> step, Action<Exception> log, CancellationToken stoppingToken)
    {
        try
        {
            await step(stoppingToken);
            return true;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false; // the application stops
        }
#pragma warning disable CA1031 // The schedule outlives every failure; the next turn tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            log(e);
            return false;
        }
    }

    private IEnumerable<Measurement<double>> Measure()
    {
        foreach (var (destination, age) in _ages.Read())
        {
            if (age is { } known)
            {
                yield return new(known.TotalSeconds, new KeyValuePair<string, object?>("hakit.pool.name", _vault.Pool.Name), new("hakit.endpoint.name", destination));
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Snapshot {Number} with {Files} files is on {Destinations} destinations.")]
    private partial void LogSaved(long number, int files, int destinations);

    [LoggerMessage(3, LogLevel.Warning, "The scheduled prune could not delete everything: {Problem}")]
    private partial void LogNotPruned(string problem);

    [LoggerMessage(4, LogLevel.Error, "The scheduled prune failed; the next one follows the next save.")]
    private partial void LogPruneFailed(Exception exception);

    [LoggerMessage(2, LogLevel.Error, "The scheduled save failed; the last good snapshot is {Minutes:0} min old.")]
    private partial void LogFailed(Exception exception, double minutes);
}
