using System.Globalization;
using System.Security.Cryptography;
using HaKit.Peers;
using StackExchange.Redis;

namespace HaKit.Redis;

/// <summary>
/// What the link asks of a store, in commands that Redis, Valkey and Garnet share: no Lua and no streams. Each fact is a member of a sorted set whose
/// score is the store's time at which it ends; <c>ZADD GT</c> keeps the maximum, so that a late or repeated message shortens nothing. Thread-safe.
/// </summary>
internal sealed class RedisStore : IDisposable
{
    private static readonly TimeSpan FactsExpire = TimeSpan.FromHours(2);
    private static readonly TimeSpan OrdersExpire = TimeSpan.FromDays(91);
    private static readonly TimeSpan LifeExpires = TimeSpan.FromHours(1);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private readonly RedisKeys _keys;
    private readonly ConfigurationOptions? _options;
    private IConnectionMultiplexer? _connection;
    private ISubscriber? _subscriber;
    private Action<ReadOnlyMemory<byte>>? _received;
    // Grows with each loss and each return of a connection: the user is verified once for each value, because the client logs in anew and says nothing of a refusal.
    private int _connections;
    private int _verified = -1;
    private bool _isDisposed;

    public RedisStore(RedisKeys keys, IConnectionMultiplexer connection)
    {
        _keys = keys;
        WatchConnection(connection);
    }

    public RedisStore(RedisKeys keys, ConfigurationOptions options) => (_keys, _options) = (keys, options);

    /// <summary>A connection was lost and is back: what was published meanwhile was missed.</summary>
    public event Action? Restored;

    /// <summary>Connects and subscribes, if that is still to be done. A store that is not there yet is tried again by the next round.</summary>
    public async Task ConnectAsync(Action<ReadOnlyMemory<byte>> received)
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
    }

    /// <summary>The store's time in milliseconds, and its life: whether it still is the store that it was.</summary>
    public async Task<(long Now, string Life)> LookAsync()
    {
        var database = _connection!.GetDatabase();
        var time = database.ExecuteAsync("TIME");
        var life = (string?)await database.StringGetAsync(_keys.Life).ConfigureAwait(false);
        if (life is null)
        {
            // The first of those that find none gives the word.
            await database.StringSetAsync(_keys.Life, Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), LifeExpires, When.NotExists).ConfigureAwait(false);
            life = (string?)await database.StringGetAsync(_keys.Life).ConfigureAwait(false) ?? "";
        }
        var parts = (RedisValue[])(await time.ConfigureAwait(false))!;
        return ((long)parts[0] * 1000 + (long)parts[1] / 1000, life);
    }

    /// <summary>Everything that holds.</summary>
    public async Task<List<PeerFact>> ReadAllAsync(Func<long> now)
    {
        var database = _connection!.GetDatabase();
        var facts = database.SortedSetRangeByScoreWithScoresAsync(_keys.Facts, now());
        var orders = database.SortedSetRangeByScoreWithScoresAsync(_keys.Orders, now());
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

    /// <summary>Writes and publishes, as one batch. False: the store took the message and refused to write.</summary>
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
        await published.ConfigureAwait(false);
        try
        {
            await Task.WhenAll(writes).ConfigureAwait(false);
            return true;
        }
        catch (RedisServerException)
        {
            return false;
        }
    }

    /// <summary>Two replicas may lead for the length of one lease, because extending is not atomic without a script.</summary>
    public async Task<TimeSpan> LeadAsync(string role, string replica)
    {
        if (_connection?.GetDatabase() is not { } database)
            return TimeSpan.Zero;
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
        // An application's connection lives on, without our handler.
        _ = _subscriber?.UnsubscribeAsync(_keys.Channel, OnMessage, CommandFlags.FireAndForget);
        DisposeOfOwn();
    }

    private void WatchConnection(IConnectionMultiplexer connection)
    {
        connection.ConnectionFailed += OnFailed;
        connection.ConnectionRestored += OnRestored;
        _connection = connection;
    }

    // Nothing is written to a server, and nothing that it sends is believed, before this has been asked since the connection came.
    private async Task VerifyUserAsync()
    {
        var connections = Volatile.Read(ref _connections);
        if (Volatile.Read(ref _verified) == connections)
            return;
        await RefuseForeignUserAsync().ConfigureAwait(false);
        Volatile.Write(ref _verified, connections);
    }

    // A client whose credentials are refused goes on as the server's default user, if that one is open, and nothing says so.
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
            // A user that may not run ACL WHOAMI is not the open default user.
        }
    }

    private void OnMessage(RedisChannel channel, RedisValue message)
    {
        if (Volatile.Read(ref _verified) == Volatile.Read(ref _connections))
            _received?.Invoke((ReadOnlyMemory<byte>)message);
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e) => Interlocked.Increment(ref _connections);

    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        Interlocked.Increment(ref _connections);
        Restored?.Invoke();
    }

    private void DisposeOfOwn()
    {
        if (_options is not null)
            _connection?.Dispose();
    }
}

/// <summary>The store refused the credentials that were configured.</summary>
internal sealed class RedisCredentialsException(string message) : Exception(message);
