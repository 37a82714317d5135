using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>
/// Links one pool to the other replicas. A timer sends a request to the store once a second, one request at a time, with a timeout of one second. So a frozen
/// store is detected, although the client raises no event for it. Calls of the pool never use the link. Thread-safe.
/// </summary>
internal sealed class RedisPeerLink : IPeerLink
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LeastClockJump = TimeSpan.FromSeconds(1);

    // Replicas that lost the store at the same time must not all read it at the same moment, so each replica waits a random time up to this value. The link
    // checks the store once a second. So all replicas have read the store within three seconds after its return.
    private static readonly TimeSpan RereadSpread = TimeSpan.FromSeconds(2);

    // A message may be lost without a sign. So each replica reads all facts again after a random time between half of this value and one and a half times this
    // value.
    private static readonly TimeSpan RereadInterval = TimeSpan.FromSeconds(20);

    private readonly Lock _gate = new();
    private readonly PeerScope _scope;
    private readonly RedisStore _store;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly Random _random;
    private readonly ITimer _timer;
    private readonly ITimer _sendTimer;
    private readonly Dictionary<(PeerFactKind, string), (PeerFact Fact, TimeSpan Until)> _unsent = [];
    private readonly Dictionary<(PeerFactKind, string), string> _written = [];
    private NewsQueue? _news;
    private long? _offset;
    private string? _life;
    private string? _problem;
    private TimeSpan? _answered;
    private TimeSpan? _lag;
    private TimeSpan? _readAt;
    private bool _isBusy;
    private bool _isConnected;
    private bool _isDisposed;

    public RedisPeerLink(PeerScope scope, RedisStore store)
    {
        (_scope, _store, _time) = (scope, store, scope.Time);
        _origin = _time.GetTimestamp();
        _random = new Random(scope.Replica.Aggregate(17, static (hash, c) => unchecked(hash * 31 + c)));
        _problem = $"The store at {store.Servers} was not reached yet. Correct host and port of the connection if this lasts.";
        store.Missed += ReadAgain;
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            _timer = _time.CreateTimer(static link => ((RedisPeerLink)link!).StartRound(checksStore: true), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _sendTimer = _time.CreateTimer(static link => ((RedisPeerLink)link!).StartRound(checksStore: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public PeerLinkStatus Status
    {
        get
        {
            lock (_gate)
                return new PeerLinkStatus { IsConnected = _isConnected, Age = Now - _answered, Lag = _lag, Problem = _isConnected ? null : _problem };
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    public void Start(Action<PeerNews> listener)
    {
        _news = new NewsQueue(_time, listener);
        _readAt = TimeSpan.Zero;
        _timer.Change(TimeSpan.Zero, CheckInterval);
    }

    public void Publish(IReadOnlyList<PeerFact> facts)
    {
        lock (_gate)
        {
            foreach (var fact in facts)
                _unsent[(fact.Kind, fact.Subject)] = (fact, Now + fact.Left);
            // The timer's thread sends the facts, so that publishing does not delay the pool.
            if (!_isDisposed && _isConnected)
                _sendTimer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    public async ValueTask<TimeSpan> LeadAsync(string role, CancellationToken cancellationToken)
    {
        if (!Status.IsConnected)
            return TimeSpan.Zero;
        var asked = Now;
        var lease = await RedisStore.Observed(_store.LeadAsync(role, _scope.Replica)).WaitAsync(RequestTimeout, _time, cancellationToken).ConfigureAwait(false);
        return lease > Now - asked ? lease - (Now - asked) : TimeSpan.Zero;
    }

    /// <summary>Sends the last facts, if the store is connected, and closes the link. A store that does not answer delays this method by less than a second.</summary>
    public void Dispose()
    {
        bool hasLast;
        lock (_gate)
        {
            hasLast = !_isDisposed && _isConnected && _unsent.Count > 0;
            _isDisposed = true;
        }
        _timer.Dispose();
        _sendTimer.Dispose();
        // The commands are in the connection's queue when this call returns. The connection sends its queue before it closes.
        if (hasLast)
            _ = RedisStore.Observed(SendAsync(hasJumped: false));
        _news?.Dispose();
        _store.Missed -= ReadAgain;
        _store.Dispose();
    }

    private void ReadAgain()
    {
        lock (_gate)
            ReadAgainWhileLocked();
    }

    private void ReadAgainWhileLocked()
    {
        var at = Now + RereadSpread * _random.NextDouble();
        if (!(_readAt < at))
            _readAt = at;
    }

    // Only one round runs at a time. Facts that are published during a round are sent with the next round.
    private void StartRound(bool checksStore)
    {
        lock (_gate)
        {
            if (_isConnected && Now - _answered > LongestSilence)
                (_isConnected, _problem) = (false, "The store does not answer.");
            if (_isBusy || _isDisposed || _news is null)
                return;
            _isBusy = true;
        }
        _ = RoundAsync(checksStore);
    }

    private async Task RoundAsync(bool checksStore)
    {
        var isDone = false;
        try
        {
            if (checksStore)
                await CheckStoreAsync().ConfigureAwait(false);
            else
                await SendAsync(hasJumped: false).ConfigureAwait(false);
            await ReadIfDueAsync().ConfigureAwait(false);
            isDone = true;
        }
#pragma warning disable CA1031 // Any exception of the Redis client, such as RedisCommandException for a command that a proxy lacks, is the problem of this round.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                if (Now - _answered is not { } age || age > LongestSilence || exception is RedisCredentialsException or RedisServerException)
                    (_isConnected, _problem) = (false, ProblemOf(exception));
            }
        }
        finally
        {
            lock (_gate)
            {
                _isBusy = false;
                if (isDone && !_isDisposed && NextRoundWhileLocked() is { } next)
                    _sendTimer.Change(next, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private async Task CheckStoreAsync()
    {
        await WithTimeout(_store.ConnectAsync(Receive)).ConfigureAwait(false);
        var asked = Now;
        var (storeNow, life) = await WithTimeout(_store.CheckAsync()).ConfigureAwait(false);
        var hasJumped = RecordAnswer(asked, storeNow, life);
        var mayWrite = await SendAsync(hasJumped).ConfigureAwait(false);
        lock (_gate)
            (_isConnected, _problem) = (true, mayWrite ? null : "The store refuses to write.");
    }

    // Unsent facts start the next round at once. If a read is due before the next check, the next round starts at that time.
    private TimeSpan? NextRoundWhileLocked()
    {
        if (_unsent.Count > 0)
            return TimeSpan.Zero;
        return _isConnected && _readAt is { } at && at > Now ? TimeSpan.FromMilliseconds(Math.Ceiling((at - Now).TotalMilliseconds)) : null;
    }

    private async Task ReadIfDueAsync()
    {
        lock (_gate)
        {
            if (!_isConnected || !(_readAt <= Now))
                return;
            // _readAt is set before the read, so that a message that is lost during the read causes another read.
            _readAt = Now + RereadInterval * (0.5 + _random.NextDouble());
        }
        List<PeerFact> facts;
        try
        {
            facts = await WithTimeout(_store.ReadAllAsync(StoreNow)).ConfigureAwait(false);
        }
        catch
        {
            ReadAgain();
            throw;
        }
        PublishNews(new PeerNews(facts, IsComplete: true));
    }

    // Records the store's answer, and returns whether the store's clock has jumped since this replica wrote its facts. The store is assumed to have read its
    // clock in the middle of the request.
    private bool RecordAnswer(TimeSpan asked, long storeNow, string life)
    {
        lock (_gate)
        {
            var now = Now;
            var wasSilent = !_isConnected;
            (_lag, _answered) = (now - asked, now);
            var offset = storeNow - (long)((asked + now).TotalMilliseconds / 2);
            var hasJumped = _offset is { } before && Math.Abs(offset - before) > LeastClockJump.TotalMilliseconds;
            var isOther = _life is not null && _life != life;
            (_offset, _life) = (offset, life);
            if (hasJumped || isOther || wasSilent)
                ReadAgainWhileLocked();
            return hasJumped;
        }
    }

    private async Task<bool> SendAsync(bool hasJumped)
    {
        List<(StoredFact Fact, bool IsOrder)> facts = [];
        List<(string Identity, bool IsOrder)> replaced = [];
        KeyValuePair<(PeerFactKind, string), (PeerFact Fact, TimeSpan Until)>[] taken;
        lock (_gate)
        {
            // The expiry times that were computed with the earlier clock are now too late or too early.
            if (hasJumped)
            {
                replaced.AddRange(_written.Select(static w => (w.Value, w.Key.Item1 == PeerFactKind.Order)));
                _written.Clear();
            }
            taken = [.. _unsent];
            _unsent.Clear();
            foreach (var (key, fact) in taken)
            {
                if (fact.Until <= Now)
                    continue;
                var identity = PeerFactFormat.Identity(fact.Fact);
                facts.Add((new StoredFact(identity, (long)fact.Until.TotalMilliseconds + _offset!.Value), key.Item1 == PeerFactKind.Order));
                if (fact.Fact.ReplacesPrevious && _written.TryGetValue(key, out var old) && old != identity)
                    replaced.Add((old, false));
                _written[key] = identity;
            }
        }
        if (facts.Count + replaced.Count == 0)
            return true;
        try
        {
            return await WithTimeout(_store.WriteAsync(_scope.Replica, facts, replaced, StoreNow())).ConfigureAwait(false);
        }
        catch
        {
            lock (_gate)
            {
                foreach (var (key, fact) in taken)
                    _unsent.TryAdd(key, fact);
            }

            throw;
        }
    }

    private void Receive(ReadOnlyMemory<byte> message)
    {
        lock (_gate)
        {
            if (_isDisposed || _offset is null)
                return;
        }

        if (RedisMessage.Read(message, _scope.Replica, StoreNow()) is { Count: > 0 } facts)
            PublishNews(new PeerNews(facts, IsComplete: false));
    }

    private void PublishNews(PeerNews news)
    {
        if (!_news!.TryAdd(news))
            ReadAgain();
    }

    private long StoreNow()
    {
        lock (_gate)
            return (long)Now.TotalMilliseconds + (_offset ?? 0);
    }

    // A request that timed out may still fail later, and its exception must be observed.
    private Task WithTimeout(Task task) => RedisStore.Observed(task).WaitAsync(RequestTimeout, _time);

    private Task<T> WithTimeout<T>(Task<T> task) => RedisStore.Observed(task).WaitAsync(RequestTimeout, _time);

    // The message of the Redis client is not used, because it contains the configuration.
    private string ProblemOf(Exception exception) => exception switch
    {
        RedisCredentialsException => exception.Message,
        RedisServerException server when server.Message.StartsWith("WRONGPASS", StringComparison.Ordinal) || server.Message.Contains("AUTH", StringComparison.Ordinal) => "The store refuses the credentials.",
        RedisServerException server when server.Message.StartsWith("NOPERM", StringComparison.Ordinal) => "The store's user lacks a right.",
        RedisCommandException => "The store, or a proxy before it, does not allow a command that the link needs.",
        _ when _answered is null => $"The store at {_store.Servers} was never reached ({exception.GetType().Name}). Correct host and port of the connection, or start the store.",
        TimeoutException or RedisTimeoutException => "The store does not answer.",
        _ => $"The store is not reached ({exception.GetType().Name}).",
    };
}
