using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// Records the attempts of all tries of one request, for handlers above the pool that retry the request or send a hedged copy. It is stored in the options of
/// the request, so that copies share it. It belongs to the first pool that uses it; other pools see no attempts. Bounded. Thread-safe.
/// </summary>
internal sealed class EarlierTries
{
    private const int MostKept = 64;

    private readonly Lock _gate = new();
    private readonly List<EarlierAttempt> _attempts = [];
    private object? _pool;
    private long _requestNumber;

    /// <summary>Records that an attempt begins. Pass the result to <see cref="RecordEnd"/>.</summary>
    /// <param name="pool">The pool that makes the attempt.</param>
    /// <param name="lease">The attempt's lease.</param>
    public EarlierAttempt? RecordStart(object pool, Lease lease)
    {
        lock (_gate)
        {
            if ((_pool ??= pool) != pool || _attempts.Count == MostKept)
            {
                return null;
            }
            if (_attempts.Count == 0)
            {
                _requestNumber = lease.RequestNumber;
            }
            var attempt = new EarlierAttempt(lease.State, lease.State.Endpoint, lease.Started);
            _attempts.Add(attempt);
            return attempt;
        }
    }

    /// <summary>Records that an attempt has failed, or that its call was abandoned.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordEnd(EarlierAttempt attempt, Fault fault, TimeSpan now)
    {
        lock (_gate)
        {
            (attempt.Fault, attempt.Ended) = (fault, now);
        }
    }

    /// <summary>Gets the number of the first call that was made for the request. Null if the pool has made none.</summary>
    /// <param name="pool">The pool whose call begins.</param>
    public long? RequestNumberIn(object pool)
    {
        lock (_gate)
        {
            return _pool == pool && _attempts.Count > 0 ? _requestNumber : null;
        }
    }

    /// <summary>Clears the record, because the caller has an answer. If the caller sends the message again, that is a new request.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _attempts.Clear();
        }
    }

    /// <summary>Adds the known attempts to the history of a call that begins. Returns whether one of them is still running.</summary>
    /// <param name="pool">The pool of the call.</param>
    /// <param name="history">The history.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool AddTo(object pool, AttemptHistory history, TimeSpan now)
    {
        lock (_gate)
        {
            if (_pool != pool)
            {
                return false;
            }
            var isUnderWay = false;
            foreach (var attempt in _attempts)
            {
                history.Inherit(attempt, now);
                isUnderWay |= attempt.Fault is null;
            }
            return isUnderWay;
        }
    }
}

/// <summary>Describes one attempt of an earlier try of the same request.</summary>
internal sealed class EarlierAttempt(EndpointState state, PoolEndpoint endpoint, TimeSpan started)
{
    public EndpointState State { get; } = state;

    public PoolEndpoint Endpoint { get; } = endpoint;

    public TimeSpan Started { get; } = started;

    /// <summary>Gets or sets the fault; null while the attempt is running.</summary>
    public Fault? Fault { get; set; }

    public TimeSpan Ended { get; set; }
}
