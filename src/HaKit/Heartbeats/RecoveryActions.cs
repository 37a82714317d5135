using HaKit.Attempts;
using HaKit.Estimates;

namespace HaKit.Heartbeats;

/// <summary>
/// Runs the actions that try to bring ejected endpoints back. An action runs on a timer's thread and not on the thread that recorded the ejection, at most once
/// per period and endpoint, and with a timeout. Thread-safe.
/// </summary>
internal sealed class RecoveryActions(
    PoolClock clock, Func<EjectionEvidence, CancellationToken, ValueTask>[] actions, Action<EjectionEvidence, Exception?> ended)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TimeSpan> _lastRuns = new(StringComparer.Ordinal);

    public bool IsEmpty => actions.Length == 0;

    public void Run(EjectionEvidence evidence, RecoveryOptions options, TimeSpan now)
    {
        lock (_gate)
        {
            if (_lastRuns.TryGetValue(evidence.Endpoint.Name, out var last) && now - last < options.Period)
                return;
            // Endpoints of service discovery come and go under new names. A run that is older than the period has no effect, so it is forgotten.
            foreach (var (name, at) in _lastRuns)
            {
                if (now - at >= options.Period)
                    _lastRuns.Remove(name);
            }

            _lastRuns[evidence.Endpoint.Name] = now;
        }
        foreach (var action in actions)
            new Attempt(action, evidence, options.Timeout, ended).Start(clock.Time);
    }

    /// <summary>Represents one run of one action. One timer first starts the run and is then its timeout.</summary>
#pragma warning disable CA1001 // A token source without a timer of its own holds nothing that needs disposing.
    private sealed class Attempt(
        Func<EjectionEvidence, CancellationToken, ValueTask> action, EjectionEvidence evidence, TimeSpan timeout, Action<EjectionEvidence, Exception?> ended)
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource _cancellation = new();
        private ITimer? _timer;
        private int _isStarted;
        private int _isEnded;

        public void Start(TimeProvider time)
        {
            _timer = time.NewTimer(static attempt => ((Attempt)attempt!).Tick(), this);
            _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }

        private void Tick()
        {
            if (Interlocked.Exchange(ref _isStarted, 1) == 0)
            {
                _timer!.Change(timeout, Timeout.InfiniteTimeSpan);
                _ = RunAsync();
                return;
            }
            End(new TimeoutException($"The recovery action took longer than its timeout of {DurationText.OfSetting(timeout)}."));
            try
            {
                _cancellation.Cancel();
            }
#pragma warning disable CA1031 // The action's own registration on the token threw an exception.
            catch
#pragma warning restore CA1031
            {
            }
        }

        private async Task RunAsync()
        {
            Exception? failure = null;
            try
            {
                await action(evidence, _cancellation.Token).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // An exception of a user's action is the failure of this action only.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = exception;
            }
            End(failure);
        }

        private void End(Exception? failure)
        {
            if (Interlocked.Exchange(ref _isEnded, 1) != 0)
                return;
            _timer!.Dispose();
            ended(evidence, failure);
        }
    }
}
