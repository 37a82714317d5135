using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HaKit.Continuity;

/// <summary>Saves at the configured interval, ± 10 %, prunes, and tells how old the last good snapshot is. A failed save is logged and tried again at the next turn.</summary>
internal sealed partial class VaultSchedule : BackgroundService, IHealthCheck
{
    private readonly Vault _vault;
    private readonly VaultOptions _options;
    private readonly ILogger<VaultSchedule> _log;
    private readonly long _started;
    private readonly Meter? _meter;
    private VaultSnapshot? _last;
    private long _savedAt;

    public VaultSchedule(Vault vault, VaultOptions options, ILogger<VaultSchedule> log, IMeterFactory? meters = null)
    {
        (_vault, _options, _log) = (vault, options, log);
        _started = vault.Pool.Time.GetTimestamp();
        _meter = meters?.Create("HaKit.Continuity");
        _meter?.CreateObservableGauge(
            "hakit.vault.snapshot.age", () => new Measurement<double>(Age.TotalSeconds, new KeyValuePair<string, object?>("hakit.pool.name", vault.Pool.Name)),
            "s", "How old the last good snapshot is; since the start where there is none yet.");
    }

    /// <summary>Since the last good save of this process, or since its start.</summary>
    private TimeSpan Age => _vault.Pool.Time.GetElapsedTime(_last is null ? _started : Volatile.Read(ref _savedAt));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (_options.Every is not { } every)
            return Task.FromResult(HealthCheckResult.Healthy("The vault has no schedule."));
        var age = Age;
        var data = new Dictionary<string, object> { ["ageSeconds"] = age.TotalSeconds, ["missing"] = _last?.Missed.Keys.ToArray() ?? [] };
        if (age > (_options.MaxAge ?? every * 3))
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, $"The last good snapshot is {age.TotalMinutes:0} min old.", data: data));
        return Task.FromResult(_last is { Missed.Count: > 0 }
            ? HealthCheckResult.Degraded($"The newest snapshot is missing on {string.Join(", ", _last.Missed.Keys)}.", data: data)
            : HealthCheckResult.Healthy(data: data));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.Every is not { } every)
            return;
        var jitter = new Random(HashCode.Combine(_vault.Pool.Name, _started));
        while (!stoppingToken.IsCancellationRequested)
        {
            await SaveAsync(stoppingToken);
            using var timer = new PeriodicTimer(every * (0.9 + 0.2 * jitter.NextDouble()), _vault.Pool.Time);
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

    private async Task SaveAsync(CancellationToken stoppingToken)
    {
        try
        {
            _last = await _vault.SaveAsync(_options.Source!, _options.Copies, stoppingToken);
            Volatile.Write(ref _savedAt, _vault.Pool.Time.GetTimestamp());
            LogSaved(_last.Number, _last.Files, _last.Destinations.Count);
            if (_options.KeepLast is not null)
                await _vault.PruneAsync(new VaultPruneOptions { KeepLast = _options.KeepLast }, stoppingToken);
        }
#pragma warning disable CA1031 // The schedule outlives every failure; the next turn tries again.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(e, Age.TotalMinutes);
        }
        catch (OperationCanceledException)
        {
            // The application stops.
        }
    }

    public override void Dispose()
    {
        _meter?.Dispose();
        base.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "Snapshot {Number} with {Files} files is on {Destinations} destinations.")]
    private partial void LogSaved(long number, int files, int destinations);

    [LoggerMessage(2, LogLevel.Error, "The scheduled save failed; the last good snapshot is {Minutes:0} min old.")]
    private partial void LogFailed(Exception exception, double minutes);
}
