namespace HaKit.Testing;

/// <summary>The place where requests of one endpoint are worked on: independently, sharing the speed, or one after another.</summary>
internal abstract class Station
{
    public static Station For(ServiceModel model, ManualTimeProvider time, Alarms alarms)
    {
        if (model.Capacity > 0)
            return new SharingStation(model.Capacity, time);
        return model.Servers > 0 ? new QueueingStation(model.Servers, alarms) : new FreeStation(alarms);
    }

    /// <summary>Adds a request. The task completes when the request's turn has come.</summary>
    public virtual ValueTask EnterAsync(CancellationToken cancellationToken) => default;

    /// <summary>Works on the request for a period of the endpoint's own time.</summary>
    public abstract ValueTask WorkAsync(TimeSpan work, CancellationToken cancellationToken);

    /// <summary>Removes a request that is complete or cancelled.</summary>
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
            // The server takes one request after another and skips cancelled requests.
            while (_queue.First is { } next)
            {
                _queue.RemoveFirst();
                if (next.Value.TrySetResult())
                    return;
            }
            _busy--;
        }
    }

    /// <summary>
    /// A station in which all requests progress equally. One progress clock serves all of them, and the end of a request on that clock does not change when
    /// requests arrive or leave.
    /// </summary>
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
                _timer.Change(TimeSpan.FromTicks((long)Math.Min(Math.Max(0, next - _progress) / Speed * TimeSpan.TicksPerSecond + 1, ArgumentRange.LongestWork.Ticks)), Timeout.InfiniteTimeSpan);
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
