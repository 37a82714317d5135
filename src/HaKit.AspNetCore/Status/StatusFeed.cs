using System.Text.Json;

namespace HaKit.AspNetCore.Status;

/// <summary>
/// Observes all pools for the dashboards. It samples the status of each pool at the interval <see cref="EndpointPoolPagesOptions.Step"/>, keeps the latest
/// samples and events, and sends new ones to open dashboards. A message is serialized once for all dashboards, and only if a dashboard is open. Thread-safe.
/// </summary>
internal sealed class StatusFeed(Func<EndpointPool[]> pools, IReadOnlyList<IStatusPanel> panels, TimeProvider time, EndpointPoolPagesOptions options)
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly EventLog _events = new(options.Events);
    private readonly List<StatusViewer> _viewers = [];
    private PoolWatch[] _watches = [];
    private ITimer? _stepTimer;
    private ITimer? _refreshTimer;
    private long _point;
    private bool _isStopped;

    public IEnumerable<EndpointPool> Pools => Volatile.Read(ref _watches).Select(static w => w.Pool);

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
        lock (_gate)
            return JsonSerializer.SerializeToUtf8Bytes(View(isWhole: true), StatusJson.Default.StatusView);
    }

    /// <summary>Gets the periodic update of an open page as JSON.</summary>
    public byte[] Tick()
    {
        lock (_gate)
            return JsonSerializer.SerializeToUtf8Bytes(View(isWhole: false), StatusJson.Default.StatusView);
    }

    /// <summary>
    /// Adds a viewer. It gets the whole status, and then all updates and events, as server-sent events. Null before the start and after the end.
    /// </summary>
    /// <param name="client">The address of the viewer.</param>
    public StatusViewer? Join(string client)
    {
        var viewer = new StatusViewer(client);
        StatusViewer? crowded = null;
        lock (_gate)
        {
            if (_refreshTimer is not { } refresh || _isStopped)
                return null;
            if (_viewers.Count >= options.MaxViewers)
                crowded = RemoveOldestWhileLocked();
            viewer.TrySend(Message("status", WriteWhole()));
            _viewers.Add(viewer);
            if (_viewers.Count == 1)
                refresh.Change(options.Refresh, options.Refresh);
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
                RecordEvent(happened);
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
            _refreshTimer!.Change(AtOnce, options.Refresh);
        }
    }

    private void Step()
    {
        lock (_gate)
        {
            _point++;
            foreach (var watch in _watches)
                watch.Step();
        }
    }

    private void Refresh()
    {
        lock (_gate)
        {
            if (_viewers.Count > 0)
                Send(Message("tick", Tick()));
        }
    }

    private void Send(byte[] message)
    {
        foreach (var viewer in _viewers)
            viewer.TrySend(message);
    }

    private StatusView View(bool isWhole) => new()
    {
        At = time.GetUtcNow(),
        Step = options.Step.TotalSeconds,
        Refresh = options.Refresh.TotalSeconds,
        Point = _point,
        Pools = Array.ConvertAll(_watches, w => w.View(isWhole)),
        Panels = panels.Count == 0 ? null : [.. panels.Select(static p => PanelView.Create(p.Read()))],
        Events = isWhole ? _events.Views : null,
    };

    private static byte[] Message(string name, byte[] json) => [.. "event: "u8, .. System.Text.Encoding.UTF8.GetBytes(name), .. "\ndata: "u8, .. json, .. "\n\n"u8];
}
