namespace HaKit.Tool.WhatIf;

/// <summary>Waits on a virtual clock. Continuations run on the thread that moves the clock.</summary>
internal static class VirtualWait
{
    public static async ValueTask ForAsync(TimeProvider time, TimeSpan span, CancellationToken cancellationToken)
    {
        if (span <= TimeSpan.Zero)
            return;
        var over = new TaskCompletionSource();
        await using var timer = time.CreateTimer(static over => ((TaskCompletionSource)over!).TrySetResult(), over, span, Timeout.InfiniteTimeSpan);
        using var registration = Cancel(over, cancellationToken);
        await over.Task;
    }

    public static async ValueTask ForEverAsync(CancellationToken cancellationToken)
    {
        var never = new TaskCompletionSource();
        using var registration = Cancel(never, cancellationToken);
        await never.Task;
    }

    public static CancellationTokenRegistration Cancel(TaskCompletionSource waiting, CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static (waiting, token) => ((TaskCompletionSource)waiting!).TrySetCanceled(token), waiting);
}

/// <summary>
/// The processing of an endpoint. Up to the capacity, concurrent requests run at full speed. If there are more requests, all of them share the total speed at
/// the capacity. All requests progress equally, so one progress clock serves all of them, and the end of a request on that clock does not change when other
/// requests arrive or leave. For use on one thread.
/// </summary>
internal sealed class SharedServer : IDisposable
{
    private readonly double _capacity;
    private readonly Testing.ManualTimeProvider _time;
    private readonly PriorityQueue<TaskCompletionSource, double> _milestones = new();
    private readonly ITimer? _timer;
    private double _progress;
    private TimeSpan _at;
    private int _jobs;

    public SharedServer(double capacity, Testing.ManualTimeProvider time)
    {
        (_capacity, _time) = (capacity, time);
        if (!double.IsInfinity(capacity))
            _timer = time.CreateTimer(static server => ((SharedServer)server!).Beat(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Jobs => _jobs;

    private double Speed => Math.Min(1, _capacity / Math.Max(1, _jobs));

    public void BeginJob()
    {
        Advance();
        _jobs++;
        Arm();
    }

    public void EndJob()
    {
        Advance();
        _jobs--;
        Arm();
    }

    public ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken) =>
        _timer is null ? VirtualWait.ForAsync(_time, work, cancellationToken) : ShareAsync(work, cancellationToken);

    public void Dispose() => _timer?.Dispose();

    private async ValueTask ShareAsync(TimeSpan work, CancellationToken cancellationToken)
    {
        Advance();
        var reached = new TaskCompletionSource();
        _milestones.Enqueue(reached, _progress + work.TotalSeconds);
        Arm();
        using var registration = VirtualWait.Cancel(reached, cancellationToken);
        await reached.Task;
    }

    private void Advance()
    {
        var now = _time.Elapsed;
        if (_jobs > 0)
            _progress += (now - _at).TotalSeconds * Speed;
        _at = now;
    }

    private void Arm()
    {
        while (_milestones.TryPeek(out var reached, out _) && reached.Task.IsCompleted)
            _milestones.Dequeue();
        if (_milestones.TryPeek(out _, out var next))
            _timer?.Change(TimeSpan.FromTicks((long)(Math.Max(0, next - _progress) / Speed * TimeSpan.TicksPerSecond) + 1), Timeout.InfiniteTimeSpan);
    }

    private void Beat()
    {
        Advance();
        while (_milestones.TryPeek(out var reached, out var at) && at <= _progress + 1e-9)
        {
            _milestones.Dequeue();
            reached.TrySetResult();
        }
        Arm();
    }
}
