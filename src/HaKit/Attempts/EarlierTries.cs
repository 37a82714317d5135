using HaKit.Faults;

namespace HaKit.Attempts;

/// <summary>
/// What the tries of one request have found out, where something above the pool sends the request again or sends a copy of it beside the first. Lies in the
/// options of the request, so that copies share it. Belongs to the first pool that uses it: with any other it stays empty. Bounded. Thread-safe.
/// </summary>
internal sealed class EarlierTries
{
    private const int MostKept = 64;

    private readonly Lock _gate = new();
    private readonly List<EarlierAttempt> _attempts = [];
    private object? _pool;
    private long _requestNumber;

    /// <summary>An attempt begins. The answer is to be handed to <see cref="Ended"/>.</summary>
    /// <param name="pool">The pool that makes it.</param>
    /// <param name="lease">The attempt's lease.</param>
    public EarlierAttempt? Began(object pool, Lease lease)
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

    /// <summary>An attempt has failed, or its call was left.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fault">What went wrong.</param>
    /// <param name="now">The time on the pool's clock.</param>
    public void Ended(EarlierAttempt attempt, Fault fault, TimeSpan now)
    {
        lock (_gate)
        {
            (attempt.Fault, attempt.Ended) = (fault, now);
        }
    }

    /// <summary>The number of the first call that was made for the request; null where the pool has made none.</summary>
    /// <param name="pool">The pool whose call begins.</param>
    public long? RequestNumberIn(object pool)
    {
        lock (_gate)
        {
            return _pool == pool && _attempts.Count > 0 ? _requestNumber : null;
        }
    }

    /// <summary>The caller has an answer: what it sends now is another request.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _attempts.Clear();
        }
    }

    /// <summary>Adds what is known so far to the history of a call that begins. Gives whether one of the attempts is still under way.</summary>
    /// <param name="pool">The pool whose call it is.</param>
    /// <param name="history">The history.</param>
    /// <param name="now">The time on the pool's clock.</param>
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

/// <summary>One attempt of an earlier try of the same request.</summary>
internal sealed class EarlierAttempt(EndpointState state, PoolEndpoint endpoint, TimeSpan started)
{
    public EndpointState State { get; } = state;

    public PoolEndpoint Endpoint { get; } = endpoint;

    public TimeSpan Started { get; } = started;

    /// <summary>What went wrong; null while it is under way.</summary>
    public Fault? Fault { get; set; }

    public TimeSpan Ended { get; set; }
}
