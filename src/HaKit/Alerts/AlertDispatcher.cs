using HaKit.Telemetry;
using Microsoft.Extensions.Logging;

namespace HaKit.Alerts;

/// <summary>
/// Listens to pools and sends alerts to the receivers, each at its own pace. A slow receiver delays no other receiver; it loses the oldest messages.
/// Thread-safe.
/// </summary>
internal sealed partial class AlertDispatcher : IDisposable
{
    private const int KeptMessages = 256;

    private static readonly TimeSpan s_panelInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly AlertOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AlertBook _book;
    private readonly EventRing<AlertMessage>[] _rings;
    private readonly List<PoolEventSubscription> _subscriptions = [];
    private readonly List<ITimer> _timers = [];
    private readonly HashSet<EndpointPool> _behind = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationToken _end;
    private readonly ITimer _timer;
    private bool _isArmed;
    private volatile bool _isEnded;

    public AlertDispatcher(AlertOptions options, TimeProvider time, ILogger logger)
    {
        // The application's log provider may throw. Its exception must not end the alerts of a receiver, or the process if the exception occurs in a timer.
        (_options, _time, _logger) = (options, time, new SafeLogger(logger));
        _end = _ending.Token;
        _book = new AlertBook(options.Quiet, time);
        foreach (var webhook in options.Webhooks)
            webhook.Time = time;
        _rings = [.. options.Sinks.Select(_ => new EventRing<AlertMessage>(KeptMessages, time))];
        _timer = time.NewTimer(static dispatcher => ((AlertDispatcher)dispatcher!).Flush(), this);
        for (var i = 0; i < _rings.Length; i++)
            _ = DeliverAsync(_rings[i], options.Sinks[i]);
    }

    public void Watch(EndpointPool pool)
    {
        var events = pool.Events.Subscribe(1024);
        lock (_gate)
        {
            _subscriptions.Add(events);
            // The first alerts come from the status of the pool, because the subscription has no earlier events.
            _behind.Add(pool);
            Arm();
        }
        _ = ReadAsync(events, pool);
        WatchRedundancy(pool);
    }

    private void WatchRedundancy(EndpointPool pool)
    {
        if (_options.RedundancyInterval is { } interval)
            RunEvery(interval, () => ReadRedundancy(pool));
    }

    /// <summary>Reads a panel every 30 s.</summary>
    public void Watch(IStatusPanel panel) => RunEvery(s_panelInterval, () => ReadPanel(panel));

    private void RunEvery(TimeSpan interval, Action action)
    {
        var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        using (flow)
        {
            var timer = _time.CreateTimer(_ => action(), null, interval, interval);
            lock (_gate)
                _timers.Add(timer);
        }
    }

    private void ReadPanel(IStatusPanel panel)
    {
        try
        {
            var read = panel.Read();
            lock (_gate)
            {
                if (_isEnded)
                    return;
                _book.RecordEvent(new PanelRead { Pool = read.Name, At = _time.GetUtcNow(), Panel = read });
                Arm();
            }
        }
#pragma warning disable CA1031 // A panel is the application's code, and an exception of a timer would end the process.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            PanelFailed(_logger, failure);
        }
    }

    private void ReadRedundancy(EndpointPool pool)
    {
        var report = pool.GetRedundancy();
        lock (_gate)
        {
            if (_isEnded)
                return;
            _book.RecordEvent(new RedundancyRead
            {
                Pool = pool.Name,
                At = _time.GetUtcNow(),
                Losses = [.. report.Domains.Where(static loss => !loss.IsWholePool)],
                // If calls find no capacity even now, there is an outage or an overload, which other alerts report.
                MostLost = report.LostShareNow > _options.RedundancyLostShare ? null : _options.RedundancyLostShare,
            });
            Arm();
        }
    }

    private void Arm()
    {
        if (!_isArmed)
            _timer.Change(_options.Window, Timeout.InfiniteTimeSpan);
        _isArmed = true;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isEnded)
                return;
            _isEnded = true;
            _timer.Dispose();
            _timers.ForEach(static t => t.Dispose());
        }
        foreach (var events in _subscriptions)
            events.Dispose();
        foreach (var ring in _rings)
            ring.Complete();
        try
        {
            _ending.Cancel();
        }
#pragma warning disable CA1031 // A receiver's own registration on the token threw an exception.
        catch
#pragma warning restore CA1031
        {
        }
        foreach (var webhook in _options.Webhooks)
            webhook.Dispose();
        _ending.Dispose();
    }

    private async Task ReadAsync(PoolEventSubscription events, EndpointPool pool)
    {
        await foreach (var happened in events.ConfigureAwait(false))
        {
            lock (_gate)
            {
                if (_isEnded)
                    return;
                _book.RecordEvent(happened);
                if (happened is EventsDropped)
                    _behind.Add(pool);
                Arm();
            }
        }
    }

    private void Flush()
    {
        ReadStatusOfPoolsBehind();
        lock (_gate)
        {
            if (_isEnded)
                return;
            var now = _time.GetUtcNow();
            var (notices, checkIn) = _book.Due();
            _isArmed = false;
            if (checkIn is { } later)
                _timer.Change(later, Timeout.InfiniteTimeSpan);
            if (_behind.Count > 0)
                Arm(); // a pool has fallen behind since its status was read above
            if (notices.Count > _options.DigestAbove)
            {
                Send(new AlertMessage(notices, now));
            }
            else
            {
                foreach (var notice in notices)
                    Send(new AlertMessage([notice], now));
            }
        }
    }

    // Some events of these pools were not read, so their alerts are set from the pools themselves. The events that are read later lead to the same alerts in
    // the end.
    private void ReadStatusOfPoolsBehind()
    {
        EndpointPool[] behind;
        lock (_gate)
        {
            behind = [.. _behind];
            _behind.Clear();
        }
        foreach (var pool in behind)
        {
            var status = pool.GetStatus();
            var read = new StatusRead
            {
                Pool = pool.Name,
                At = status.At,
                Status = status,
                Budget = pool.Owners.Objective.Alerts,
                OutageSince = pool.Owners.Heartbeats.OutageSince is { } since ? status.At - (status.Now - since) : null,
            };
            lock (_gate)
                _book.RecordEvent(read);
        }
    }

    private void Send(AlertMessage message)
    {
        foreach (var ring in _rings)
            ring.Add(message);
    }

    private async Task DeliverAsync(EventRing<AlertMessage> ring, Func<AlertMessage, CancellationToken, ValueTask> sink)
    {
        while (!_isEnded && await ring.WaitAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (!_isEnded && ring.TryRead(out var message, out var dropped))
            {
                if (dropped > 0)
                    Dropped(_logger, dropped);
                await DeliverAsync(message!, sink).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask DeliverAsync(AlertMessage message, Func<AlertMessage, CancellationToken, ValueTask> sink)
    {
        try
        {
            await sink(message, _end).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_isEnded)
        {
            // The application is stopping.
        }
#pragma warning disable CA1031 // A receiver that fails must not end the alerts.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            NotDelivered(_logger, failure, message.Notices.Count);
        }
    }

    [LoggerMessage(52, LogLevel.Error, "A status panel could not be read.")]
    private static partial void PanelFailed(ILogger logger, Exception failure);

    [LoggerMessage(50, LogLevel.Error, "{Count} alerts could not be delivered.")]
    private static partial void NotDelivered(ILogger logger, Exception failure, int count);

    [LoggerMessage(51, LogLevel.Error, "A receiver of alerts is too slow: {Count} messages were dropped.")]
    private static partial void Dropped(ILogger logger, long count);
}
