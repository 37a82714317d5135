using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>
/// Sends the link's requests to a store, with commands that Redis, Valkey and Garnet share: no Lua and no streams. Each fact is a member of a sorted set. Its
/// score is the store's time at which the fact ends. <c>ZADD GT</c> keeps the maximum, so that a late or repeated message does not shorten a fact. Thread-safe.
/// </summary>
internal sealed class RedisStore : IDisposable
{
    private static readonly TimeSpan FactsExpire = TimeSpan.FromHours(2);
    private static readonly TimeSpan OrdersExpire = TimeSpan.FromDays(91);
    private static readonly TimeSpan LifeExpires = TimeSpan.FromHours(1);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestClosing = TimeSpan.FromSeconds(0.5);

    private readonly RedisKeys _keys;
    private readonly ConfigurationOptions? _options;
    private IConnectionMultiplexer? _connection;
    private ISubscriber? _subscriber;
    private Action<ReadOnlyMemory<byte>>? _received;
    // Increases with each loss and each return of a connection. The user is verified once for each value, because the client logs in again and does not
    // report a refusal.
    private int _connections;
    private int _verified = -1;
    private volatile bool _isDisposed;
    private Task? _connecting;

    public RedisStore(RedisKeys keys, IConnectionMultiplexer connection)
    {
        _keys = keys;
        WatchConnection(connection);
    }

    public RedisStore(RedisKeys keys, ConfigurationOptions options) => (_keys, _options) = (keys, options);

    /// <summary>Gets the hosts and ports of the store, for messages.</summary>
    public string Servers => string.Join(", ", (_options?.EndPoints ?? (IEnumerable<EndPoint>?)_connection?.GetEndPoints(configuredOnly: true) ?? []).Select(static e => $"'{EndPointCollection.ToString(e)}'"));

    /// <summary>
    /// Occurs when messages may be missing: a lost connection is back, or a message came before the user was verified on a new connection and was not used.
    /// </summary>
    public event Action? Missed;

    /// <summary>
    /// Connects and subscribes, if this is not done yet. If the store is not available, the next round tries again. A round waits for a shorter time than a
    /// connection may need, so the next round continues to wait for the same connection. Otherwise each round would open one more connection. The caller makes
    /// one call at a time.
    /// </summary>
    public Task ConnectAsync(Action<ReadOnlyMemory<byte>> received)
    {
        if (_connecting is null or { IsCompleted: true })
            _connecting = ConnectOnceAsync(received);
        return _connecting;
    }

    /// <summary>Gets the store's time in milliseconds, and a random word (<c>Life</c>). If the word changes, the store has lost its content.</summary>
    public async Task<(long Now, string Life)> CheckAsync()
    {
        var database = _connection!.GetDatabase();
        var time = Observed(database.ExecuteAsync("TIME"));
        var life = (string?)await database.StringGetAsync(_keys.Life).ConfigureAwait(false);
        if (life is null)
        {
            // If there is no word, the first replica writes one.
            await database.StringSetAsync(_keys.Life, Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), LifeExpires, When.NotExists).ConfigureAwait(false);
            life = (string?)await database.StringGetAsync(_keys.Life).ConfigureAwait(false) ?? "";
        }
        var parts = (RedisValue[])(await time.ConfigureAwait(false))!;
        return ((long)parts[0] * 1000 + (long)parts[1] / 1000, life);
    }

    /// <summary>Reads all facts that have not ended.</summary>
    public async Task<List<PeerFact>> ReadAllAsync(Func<long> now)
    {
        var database = _connection!.GetDatabase();
        var facts = Observed(database.SortedSetRangeByScoreWithScoresAsync(_keys.Facts, now()));
        var orders = Observed(database.SortedSetRangeByScoreWithScoresAsync(_keys.Orders, now()));
        var all = new List<PeerFact>();
        foreach (var set in new[] { await facts.ConfigureAwait(false), await orders.ConfigureAwait(false) })
        {
            foreach (var entry in set)
            {
                if (RedisMessage.Fact((byte[])entry.Element!, (long)entry.Score, now()) is { } fact)
                    all.Add(fact);
            }
        }

        return all;
    }

    /// <summary>Writes and publishes, as one batch. False if the store has published the message but refused to write the facts.</summary>
    public async Task<bool> WriteAsync(string replica, IReadOnlyList<(StoredFact Fact, bool IsOrder)> facts, IReadOnlyList<(string Identity, bool IsOrder)> replaced, long now)
    {
        await VerifyUserAsync().ConfigureAwait(false);
        var batch = _connection!.GetDatabase().CreateBatch();
        var writes = new List<Task>();
        foreach (var (fact, isOrder) in facts)
            writes.Add(batch.SortedSetAddAsync(isOrder ? _keys.Orders : _keys.Facts, fact.Identity, fact.Until, SortedSetWhen.GreaterThan));
        foreach (var (identity, isOrder) in replaced)
            writes.Add(batch.SortedSetRemoveAsync(isOrder ? _keys.Orders : _keys.Facts, identity));
        writes.Add(batch.SortedSetRemoveRangeByScoreAsync(_keys.Facts, double.NegativeInfinity, now));
        writes.Add(batch.KeyExpireAsync(_keys.Facts, FactsExpire));
        writes.Add(batch.KeyExpireAsync(_keys.Life, LifeExpires));
        if (facts.Any(static f => f.IsOrder))
        {
            writes.Add(batch.SortedSetRemoveRangeByScoreAsync(_keys.Orders, double.NegativeInfinity, now));
            writes.Add(batch.KeyExpireAsync(_keys.Orders, OrdersExpire));
        }
        var published = facts.Count == 0 ? Task.CompletedTask : batch.PublishAsync(_keys.Channel, RedisMessage.Write(replica, [.. facts.Select(static f => f.Fact)]));
        batch.Execute();
        var written = Observed(Task.WhenAll(writes));
        await published.ConfigureAwait(false);
        try
        {
            await written.ConfigureAwait(false);
            return true;
        }
        catch (RedisServerException)
        {
            return false;
        }
    }

    /// <summary>
    /// Takes or extends the lease of a role, and returns its length. Returns zero if another replica has the role. Without a script, extending is not atomic,
    /// so two replicas may hold the role for the length of one lease.
    /// </summary>
    public async Task<TimeSpan> LeadAsync(string role, string replica)
    {
        if (_connection?.GetDatabase() is not { } database)
            return TimeSpan.Zero;
        await VerifyUserAsync().ConfigureAwait(false);
        var key = _keys.Leader(role);
        if (await database.StringSetAsync(key, replica, Lease, When.NotExists).ConfigureAwait(false))
            return Lease;
        if ((string?)await database.StringGetAsync(key).ConfigureAwait(false) != replica)
            return TimeSpan.Zero;
        await database.KeyExpireAsync(key, Lease).ConfigureAwait(false);
        return Lease;
    }

    public void Dispose()
    {
        _isDisposed = true;
        if (_connection is { } connection)
        {
            connection.ConnectionFailed -= OnFailed;
            connection.ConnectionRestored -= OnRestored;
        }
        // The application's connection stays open, without HaKit's handler.
        if (_subscriber is { } subscriber)
            Unsubscribe(subscriber);
        DisposeOfOwn();
    }

    /// <summary>Observes a failure of a task that may be awaited by no code, because an earlier request failed or its time was over.</summary>
    internal static T Observed<T>(T task)
        where T : Task
    {
        _ = task.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    private async Task ConnectOnceAsync(Action<ReadOnlyMemory<byte>> received)
    {
        if (_connection is null)
            WatchConnection(await ConnectionMultiplexer.ConnectAsync(_options!).ConfigureAwait(false));
        if (_isDisposed)
        {
            DisposeOfOwn();
            return;
        }
        await VerifyUserAsync().ConfigureAwait(false);
        if (_subscriber is not null)
            return;
        _received = received;
        var subscriber = _connection!.GetSubscriber();
        await subscriber.SubscribeAsync(_keys.Channel, OnMessage).ConfigureAwait(false);
        _subscriber = subscriber;
        if (_isDisposed)
            Unsubscribe(subscriber);
    }

    private void Unsubscribe(ISubscriber subscriber) => Observed(UnsubscribeAsync(subscriber));

    // If the application has disposed its connection, some versions of the client throw at the call, and not in its task. Nothing is left to do then.
    private async Task UnsubscribeAsync(ISubscriber subscriber) =>
        await subscriber.UnsubscribeAsync(_keys.Channel, OnMessage, CommandFlags.FireAndForget).ConfigureAwait(false);

    private void WatchConnection(IConnectionMultiplexer connection)
    {
        connection.ConnectionFailed += OnFailed;
        connection.ConnectionRestored += OnRestored;
        _connection = connection;
    }

    // The link does not write to a server and does not use its data before the user is verified on the current connection.
    private async Task VerifyUserAsync()
    {
        var connections = Volatile.Read(ref _connections);
        if (Volatile.Read(ref _verified) == connections)
            return;
        await RefuseForeignUserAsync().ConfigureAwait(false);
        Volatile.Write(ref _verified, connections);
    }

    // If the server refuses the credentials, the Redis client continues without a message as the server's default user, if this user needs no password.
    private async Task RefuseForeignUserAsync()
    {
        var options = _options ?? ConfigurationOptions.Parse(_connection!.Configuration);
        if (options.User is null && options.Password is null)
            return;
        var database = _connection!.GetDatabase();
        if (_options is { Password: { Length: > 0 } password })
            await database.ExecuteAsync("AUTH", options.User is { } name ? [name, password] : [password]).ConfigureAwait(false);
        try
        {
            var user = (string?)await database.ExecuteAsync("ACL", "WHOAMI").ConfigureAwait(false);
            if (options.User is { } wanted && !string.Equals(user, wanted, StringComparison.Ordinal))
                throw new RedisCredentialsException(string.Create(CultureInfo.InvariantCulture, $"The store does not know the user '{wanted}'."));
        }
        catch (RedisServerException)
        {
            // A user without permission for ACL WHOAMI is not the default user without password.
        }
    }

    private void OnMessage(RedisChannel channel, RedisValue message)
    {
        if (Volatile.Read(ref _verified) == Volatile.Read(ref _connections))
            _received?.Invoke((ReadOnlyMemory<byte>)message);
        else
            Missed?.Invoke();
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e) => Interlocked.Increment(ref _connections);

    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        Interlocked.Increment(ref _connections);
        Missed?.Invoke();
    }

    // The client sends the commands in its queue, and waits for their answers before it closes: up to 5 s if the store is frozen. The end of the application must
    // not be delayed for so long, so after a short time the client goes on closing in the background.
    private void DisposeOfOwn()
    {
        if (_options is not null && _connection is { } own)
            Task.WhenAny(Observed(own.DisposeAsync().AsTask())).Wait(LongestClosing); // this task never fails
    }
}

/// <summary>Thrown if the store refuses the configured credentials.</summary>
internal sealed class RedisCredentialsException(string message) : Exception(message);
