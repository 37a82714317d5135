namespace HaKit.Testing;

/// <summary>Where requests of one endpoint are worked on: alone, sharing its speed, or one after the other.</summary>
internal abstract class Station
{
    public static Station For(ServiceModel model, ManualTimeProvider time, Alarms alarms)
    {
        if (model.Capacity > 0)
            return new SharingStation(model.Capacity, time);
        return model.Servers > 0 ? new QueueingStation(model.Servers, alarms) : new FreeStation(alarms);
    }

    /// <summary>A request comes in; completes when its turn has come.</summary>
    public virtual ValueTask EnterAsync(CancellationToken cancellationToken) => default;

    /// <summary>Works on it for so long (of its own time).</summary>
    public abstract ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken);

    /// <summary>It is done with, or was given up.</summary>
    public virtual void Release()
    {
    }

    private sealed class FreeStation(Alarms alarms) : Station
    {
        public override ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken) => alarms.WaitAsync(work, cancellationToken);
    }

    private sealed class QueueingStation(int servers, Alarms alarms) : Station
    {
        private readonly LinkedList<TaskCompletionSource> _queue = [];
        private int _busy;

        public override async ValueTask EnterAsync(CancellationToken cancellationToken)
        {
            if (_busy < servers)
            {
                _busy++;
                return;
            }
            var turn = _queue.AddLast(new TaskCompletionSource());
            using var registration = cancellationToken.UnsafeRegister(static (turn, token) => ((TaskCompletionSource)turn!).TrySetCanceled(token), turn.Value);
            await turn.Value.Task.ConfigureAwait(false);
        }

        public override ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken) => alarms.WaitAsync(work, cancellationToken);

        public override void Release()
        {
            // The server takes one request after the other; requests that were given up meanwhile are skipped.
            while (_queue.First is { } next)
            {
                _queue.RemoveFirst();
                if (next.Value.TrySetResult())
                    return;
            }
            _busy--;
        }
    }

    /// <summary>All requests progress equally, so one progress clock serves all of them, and a milestone does not move when requests come and go.</summary>
    private sealed class SharingStation : Station
    {
        private readonly double _capacity;
        private readonly ManualTimeProvider _time;
        private readonly PriorityQueue<TaskCompletionSource, double> _milestones = new();
        private readonly ITimer _timer;
        private double _progress;
        private TimeSpan _at;
        private int _jobs;

        public SharingStation(double capacity, ManualTimeProvider time)
        {
            (_capacity, _time) = (capacity, time);
            _timer = time.CreateTimer(static station => ((SharingStation)station!).Beat(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        private double Speed => Math.Min(1, _capacity / Math.Max(1, _jobs));

        public override ValueTask EnterAsync(CancellationToken cancellationToken)
        {
            Advance();
            _jobs++;
            Arm();
            return default;
        }

        public override async ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken)
        {
            Advance();
            var reached = new TaskCompletionSource();
            _milestones.Enqueue(reached, _progress + work.TotalSeconds);
            Arm();
            using var registration = cancellationToken.UnsafeRegister(static (reached, token) => ((TaskCompletionSource)reached!).TrySetCanceled(token), reached);
            await reached.Task.ConfigureAwait(false);
        }

        public override void Release()
        {
            Advance();
            _jobs--;
            Arm();
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
                _timer.Change(TimeSpan.FromTicks((long)(Math.Max(0, next - _progress) / Speed * TimeSpan.TicksPerSecond) + 1), Timeout.InfiniteTimeSpan);
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
}
