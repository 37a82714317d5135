using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HaKit.AspNetCore.Status;

/// <summary>
/// Observes all pools for the dashboards. It samples the status of each pool at the interval <see cref="EndpointPoolPagesOptions.Step"/>, keeps the latest
/// samples and events, and sends new ones to open dashboards. A message is serialized once for all dashboards, and only if a dashboard is open. Thread-safe.
/// </summary>
internal sealed partial class StatusFeed(
    Func<EndpointPool[]> pools, IReadOnlyList<IStatusPanel> panels, TimeProvider time, EndpointPoolPagesOptions options, ILogger? log = null)
{
    // An update follows an event after this time, so that events that happen together cause one update.
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(50);

    // The shortest time between an update and the next update that follows an event.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly ILogger _log = log ?? NullLogger.Instance;
    private readonly PanelReader _panels = new(panels, time, log ?? NullLogger.Instance);
    private readonly long _origin = time.GetTimestamp();
    private readonly EventLog _events = new(options.Events);
    private readonly List<StatusViewer> _viewers = [];
    private PoolWatch[] _watches = [];
    private ITimer? _stepTimer;
    private ITimer? _refreshTimer;
    private TimeSpan _updatedAt = TimeSpan.MinValue / 2;
    private TimeSpan _updateDue;
    private long _point;
    private bool _isStopped;
    private bool _hasFailed;

    public IEnumerable<EndpointPool> Pools => Volatile.Read(ref _watches).Select(static w => w.Pool);

    private TimeSpan Now => time.GetElapsedTime(_origin);

    public EndpointPool? Pool(string name) => Pools.FirstOrDefault(p => p.Name == name);

    /// <summary>Starts to observe the pools.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_stepTimer is not null || _isStopped)
                return;
            Volatile.Write(ref _watches, Array.ConvertAll(pools(), static p => new PoolWatch(p)));
            _stepTimer = time.CreateTimer(static feed => ((StatusFeed)feed!).Step(), this, options.Step, options.Step);
            _refreshTimer = time.CreateTimer(static feed => ((StatusFeed)feed!).Refresh(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            foreach (var watch in _watches)
                _ = ReadAsync(watch.Pool.Events.Subscribe());
        }
    }

    public void Stop()
    {
        StatusViewer[] viewers;
        lock (_gate)
        {
            _isStopped = true;
            _stepTimer?.Dispose();
            _refreshTimer?.Dispose();
            viewers = [.. _viewers];
            _viewers.Clear();
        }
        foreach (var viewer in viewers)
            viewer.Complete();
    }

    /// <summary>Gets the whole status as JSON.</summary>
    public byte[] WriteWhole()
    {
        var read = _panels.Read();
        lock (_gate)
            return WriteWhileLocked(isWhole: true, read);
    }

    /// <summary>Gets the periodic update of an open page as JSON.</summary>
    public byte[] Tick()
    {
        var read = _panels.Read();
        lock (_gate)
            return WriteWhileLocked(isWhole: false, read);
    }

    /// <summary>
    /// Adds a viewer. It gets the whole status, and then all updates and events, as server-sent events. Null before the start and after the end.
    /// </summary>
    /// <param name="client">The address of the viewer.</param>
    public StatusViewer? Join(string client)
    {
        var viewer = new StatusViewer(client);
        var read = _panels.Read();
        StatusViewer? crowded = null;
        lock (_gate)
        {
            if (_refreshTimer is not { } refresh || _isStopped)
                return null;
            viewer.TrySend(Message("status", WriteWhileLocked(isWhole: true, read)));
            if (_viewers.Count >= options.MaxViewers)
                crowded = RemoveOldestWhileLocked();
            _viewers.Add(viewer);
            if (_viewers.Count == 1)
            {
                _updateDue = Now + options.Refresh;
                refresh.Change(options.Refresh, options.Refresh);
            }
        }
        crowded?.Close(); // outside the lock, because the viewer's request ends here
        return viewer;
    }

    public void RemoveViewer(StatusViewer viewer)
    {
        lock (_gate)
        {
            if (_viewers.Remove(viewer) && _viewers.Count == 0 && !_isStopped)
                _refreshTimer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    // Removes the oldest viewer of the address with the most viewers, so that idle viewers on one machine cannot displace an operator on another machine.
    private StatusViewer RemoveOldestWhileLocked()
    {
        var crowd = _viewers.GroupBy(static v => v.Client).MaxBy(static g => g.Count())!.Key;
        var oldest = _viewers.First(v => v.Client == crowd);
        _viewers.Remove(oldest);
        return oldest;
    }

    private async Task ReadAsync(PoolEventSubscription events)
    {
        await foreach (var happened in events.ConfigureAwait(false))
        {
            if (PoolWatch.IsOfNote(happened))
                RunSafely(() => RecordEvent(happened));
        }
    }

    private void RecordEvent(PoolEvent happened)
    {
        lock (_gate)
        {
            var view = _events.Add(happened);
            if (_viewers.Count == 0)
                return;
            Send(Message("event", JsonSerializer.SerializeToUtf8Bytes(view, StatusJson.Default.EventView)));
            UpdateSoonWhileLocked();
        }
    }

    // An update that is due sooner keeps its time. Otherwise a fast series of events would postpone the update until the series ends.
    private void UpdateSoonWhileLocked()
    {
        var now = Now;
        var due = _updatedAt + Pause > now + AtOnce ? _updatedAt + Pause : now + AtOnce;
        if (due >= _updateDue)
            return;
        _updateDue = due;
        _refreshTimer!.Change(due - now, options.Refresh);
    }

    private void Step() => RunSafely(() =>
    {
        lock (_gate)
        {
            _point++;
            foreach (var watch in _watches)
                watch.Step();
        }
    });

    private void Refresh() => RunSafely(() =>
    {
        lock (_gate)
        {
            (_updatedAt, _updateDue) = (Now, Now + options.Refresh);
            if (_viewers.Count == 0)
                return;
        }
        // A panel is the application's code and may block. So it is read outside the lock.
        var read = _panels.Read();
        lock (_gate)
        {
            if (_viewers.Count > 0)
                Send(Message("tick", WriteWhileLocked(isWhole: false, read)));
        }
    });

    // This runs on a timer's thread, where an exception would end the process, or in the loop that reads a pool's events, where it would end the loop.
    private void RunSafely(Action update)
    {
        try
        {
            update();
            Volatile.Write(ref _hasFailed, false);
        }
#pragma warning disable CA1031 // A panel is the application's code: its failure is logged, and the other panels still work.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (!Interlocked.Exchange(ref _hasFailed, true))
                UpdateFailed(_log, failure);
        }
    }

    private void Send(byte[] message)
    {
        foreach (var viewer in _viewers)
            viewer.TrySend(message);
    }

    private byte[] WriteWhileLocked(bool isWhole, IReadOnlyList<PanelView>? read) =>
        JsonSerializer.SerializeToUtf8Bytes(ViewWhileLocked(isWhole, read), StatusJson.Default.StatusView);

    private StatusView ViewWhileLocked(bool isWhole, IReadOnlyList<PanelView>? read) => new()
    {
        At = time.GetUtcNow(),
        Step = options.Step.TotalSeconds,
        Refresh = options.Refresh.TotalSeconds,
        Point = _point,
        Pools = Array.ConvertAll(_watches, w => w.View(isWhole)),
        Panels = read,
        Events = isWhole ? _events.Views : null,
    };

    private static byte[] Message(string name, byte[] json) => [.. "event: "u8, .. System.Text.Encoding.UTF8.GetBytes(name), .. "\ndata: "u8, .. json, .. "\n\n"u8];

    [LoggerMessage(45, LogLevel.Error, "The dashboard could not be updated. Calls are not affected.")]
    private static partial void UpdateFailed(ILogger logger, Exception failure);
}
