using System.Threading.Tasks.Sources;

namespace HaKit.Testing;

/// <summary>
/// Reusable waits on the virtual clock, so that a long simulation does not allocate. A wait resumes on the thread that moves the clock or cancels the token.
/// </summary>
internal sealed class Alarms(TimeProvider time)
{
    private readonly Stack<Alarm> _idle = new();

    public ValueTask WaitAsync(TimeSpan span, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (span <= TimeSpan.Zero)
            return default;
        Alarm? alarm;
        lock (_idle)
        {
            if (!_idle.TryPop(out alarm))
                alarm = new Alarm(this, time);
        }

        return alarm.WaitAsync(span, cancellationToken);
    }

    private void Return(Alarm alarm)
    {
        lock (_idle)
            _idle.Push(alarm);
    }

    private sealed class Alarm : IValueTaskSource
    {
        private readonly Alarms _owner;
        private readonly ITimer _timer;
        private ManualResetValueTaskSourceCore<bool> _core;
        private CancellationTokenRegistration _registration;
        private int _isOver = 1;

        public Alarm(Alarms owner, TimeProvider time)
        {
            _owner = owner;
            var suppressed = ExecutionContext.IsFlowSuppressed();
            if (!suppressed)
                ExecutionContext.SuppressFlow();
            try
            {
                _timer = time.CreateTimer(static alarm => ((Alarm)alarm!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
            finally
            {
                if (!suppressed)
                    ExecutionContext.RestoreFlow();
            }
        }

        public ValueTask WaitAsync(TimeSpan span, CancellationToken cancellationToken)
        {
            _core.Reset();
            Volatile.Write(ref _isOver, 0);
            var version = _core.Version;
            _timer.Change(span, Timeout.InfiniteTimeSpan);
            _registration = cancellationToken.UnsafeRegister(static (alarm, token) => ((Alarm)alarm!).Cancel(token), this);
            return new ValueTask(this, version);
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);

        public void GetResult(short token)
        {
            try
            {
                _core.GetResult(token);
            }
            finally
            {
                _registration.Dispose();
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _owner.Return(this);
            }
        }

        private void Ring()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
                _core.SetResult(true);
        }

        private void Cancel(CancellationToken token)
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
                _core.SetException(new OperationCanceledException(token));
        }
    }
}
