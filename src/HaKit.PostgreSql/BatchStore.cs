using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using HaKit.Batch;
using HaKit.Batch.Stores;
using Npgsql;

namespace HaKit.PostgreSql;

/// <summary>Represents a batch in PostgreSQL for one worker.</summary>
internal sealed class BatchStore : IBatchStore
{
    private readonly NpgsqlDataSource _dataSource;
    private readonly int _batchId;
    private readonly string _worker;
    private readonly TimeSpan _lease;
    private readonly PayloadSeal _seal;
    private readonly CommitQueue _commits;
    private readonly ConcurrentDictionary<(long Ordinal, long Fence), double> _reserved = new();

    private BatchStore(NpgsqlDataSource dataSource, string name, int batchId, PostgreSqlBatchOptions options, PayloadSeal seal, IReadOnlyList<string> notices)
    {
        (_dataSource, Name, _batchId, _lease, _seal, Notices) = (dataSource, name, batchId, options.Lease, seal, notices);
        _worker = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        _commits = new CommitQueue(dataSource, batchId, _worker, seal, options.Lease);
    }

    public string Name { get; }

    public IReadOnlyList<string> Notices { get; }

    public TimeSpan? Lease => _lease;

    public static async ValueTask<BatchStore> OpenAsync(NpgsqlDataSource dataSource, string name, PostgreSqlBatchOptions options, CancellationToken cancellationToken)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var command = Command(dataSource, Sql.OpenBatch, name, salt, (object?)new PayloadSeal(options.SealKey, salt).Check ?? DBNull.Value);
        await using var end = command.ConfigureAwait(false);
        command.Parameters[2].NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea;
        var (batchId, check) = (0, (byte[]?)null);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            batchId = reader.GetInt32(0);
            salt = reader.GetFieldValue<byte[]>(1);
            check = await reader.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false) ? null : reader.GetFieldValue<byte[]>(2);
        }
        var seal = new PayloadSeal(options.SealKey, salt);
        if (check is null != seal.Check is null)
            throw new BatchStoreException(check is null ? $"The batch '{name}' is not sealed, and a key was given." : $"The batch '{name}' is sealed: its key is needed.");
        if (check is not null && !check.AsSpan().SequenceEqual(seal.Check))
            throw new BatchStoreException($"The batch '{name}' is sealed with another key.");
        var store = new BatchStore(dataSource, name, batchId, options, seal, await NoticesAsync(dataSource, cancellationToken).ConfigureAwait(false));
        await store.RunAsync(Sql.OpenWorker, cancellationToken, batchId, store._worker).ConfigureAwait(false);
        return store;
    }

    public async ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default)
    {
        var command = Command(_dataSource, Sql.Count, _batchId);
        await using var end = command.ConfigureAwait(false);
        var reader = await ReaderAsync(command, cancellationToken).ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new BatchCounts
        {
            Total = reader.GetInt64(0),
            Succeeded = reader.GetInt64(1),
            Failed = reader.GetInt64(2),
            Unknown = reader.GetInt64(3),
            UnderWay = reader.GetInt64(4),
            Calls = reader.GetInt64(5),
            LostCalls = reader.GetInt64(6),
            Spent = reader.GetDouble(7),
            Reserved = reader.GetDouble(8),
        };
    }

    public async ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var ids = inputs.Select(static i => i.Id).ToArray();
        if (Array.FindIndex(ids, static id => id.Contains('\0')) is >= 0 and var wrong)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Batch '{Name}': the id of item {wrong + 1} contains the character U+0000, which PostgreSQL does not store. Give the item another id. No item of this part was added."), nameof(inputs));
        var hashes = inputs.Select(i => _seal.HashOf(i.Payload.Span)).ToArray();
        var sealedInputs = inputs.Select(i => _seal.Seal(i.Id, 'i', i.Payload.Span)).ToArray();
        var added = await ScalarAsync(Sql.Add, cancellationToken, _batchId, _worker, ids, sealedInputs, hashes).ConfigureAwait(false);
        if (added == inputs.Count)
            return new(added, 0, null);
        var changed = await IdsAsync(Sql.Changed, ids, hashes, cancellationToken).ConfigureAwait(false);
        if (replaceChanged && changed.Count > 0)
        {
            await RunAsync(Sql.Replace, cancellationToken, _batchId, _worker, ids, sealedInputs, hashes).ConfigureAwait(false);
            // After a crash these are the items that were in progress. They are free when their leases end.
            if (await IdsAsync(Sql.UnderWay, ids, hashes, cancellationToken).ConfigureAwait(false) is { Count: > 0 } busy)
                throw new BatchStoreException($"Item '{busy[0]}'{(busy.Count == 1 ? " is" : $" and {busy.Count - 1} more are")} being worked on: {(busy.Count == 1 ? "its input" : "their inputs")} cannot be replaced now. The others were added. Try again when the other worker has ended, or after {_lease.TotalSeconds:0} s (the lease) if it has crashed.");
        }
        return new(added, changed.Count, changed.Count == 0 ? null : changed[0]);
    }

    private async ValueTask<List<string>> IdsAsync(string sql, string[] ids, byte[][] hashes, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        var command = Command(_dataSource, sql, _batchId, ids, hashes);
        await using var endOfCommand = command.ConfigureAwait(false);
        var reader = await ReaderAsync(command, cancellationToken).ConfigureAwait(false);
        await using var end = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            found.Add(reader.GetString(0));
        return found;
    }

    public async ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default)
    {
        var command = Command(_dataSource, Sql.Claim, _batchId, _worker, (long)count, _lease);
        await using var end = command.ConfigureAwait(false);
        var reader = await ReaderAsync(command, cancellationToken).ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        var claims = new List<BatchClaim>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var id = reader.GetString(1);
            claims.Add(new BatchClaim(reader.GetInt64(0), id, _seal.Open(id, 'i', reader.GetFieldValue<byte[]>(2)), reader.GetInt64(3)));
        }
        return claims;
    }

    public async ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (start.MaxCost is null && start.MayRepeat)
            return true; // no record of the start is needed, because the item may be claimed again if the worker stops
        var started = await RetryAsync(async () =>
        {
            var connection = await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var end = connection.ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using var endOfTransaction = transaction.ConfigureAwait(false);
            // Workers decide about the cost one after another, so the second statement sees the commits of the other workers.
            if (start.MaxCost is not null)
            {
                var wait = Command(connection, Sql.CostLock, _batchId);
                await using var endOfWait = wait.ConfigureAwait(false);
                await wait.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            var command = Command(connection, Sql.Start, _batchId, _worker, claim.Ordinal, claim.Fence, start.Estimate, !start.MayRepeat, (object?)start.MaxCost ?? DBNull.Value);
            command.Parameters[6].NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Double;
            await using var endOfCommand = command.ConfigureAwait(false);
            var done = await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is 1;
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return done;
        }, cancellationToken).ConfigureAwait(false);
        if (started)
            _reserved[(claim.Ordinal, claim.Fence)] = start.Estimate;
        return started;
    }

    public async ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(outcome);
        return await _commits.CommitAsync(claim, outcome, ReservedFor(claim)).ConfigureAwait(false);
    }

    public async ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        await RunAsync(Sql.End, cancellationToken, _batchId, _worker, claim.Ordinal, claim.Fence, cost, ReservedFor(claim)).ConfigureAwait(false);
    }

    public async ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claims);
        await RunAsync(Sql.Release, cancellationToken, _batchId, _worker, Ordinals(claims), Fences(claims)).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claims);
        var command = Command(_dataSource, Sql.Renew, _batchId, _lease, Ordinals(claims), Fences(claims));
        await using var end = command.ConfigureAwait(false);
        var reader = await ReaderAsync(command, cancellationToken).ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        var kept = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            kept.Add(reader.GetInt64(0));
        return [.. claims.Where(c => !kept.Contains(c.Ordinal))];
    }

    public async IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = 0L;
        while (await PageAsync(content, last, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var stored in page)
                yield return stored;
            last = page[^1].Ordinal;
        }
    }

    public async ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(finished);
        await RunAsync(Sql.Redo, cancellationToken, _batchId, _worker, finished.Select(static f => f.Ordinal).ToArray(),
            finished.Select(static f => f.Outcome.Request.Equals(RequestFingerprint.None) ? null : f.Outcome.Request.ToArray()).ToArray(),
            finished.Select(static f => (short)f.Outcome.State).ToArray(), finished.Select(static f => f.Outcome.At.ToUniversalTime()).ToArray()).ConfigureAwait(false);
    }

    /// <summary>Does nothing, because the application owns the data source.</summary>
    public ValueTask DisposeAsync() => default;

    private async ValueTask<List<BatchStored>> PageAsync(BatchContent content, long after, CancellationToken cancellationToken)
    {
        var command = Command(_dataSource, Sql.Finished, _batchId, (content & BatchContent.Input) != 0, (content & BatchContent.Result) != 0, after);
        await using var end = command.ConfigureAwait(false);
        var reader = await ReaderAsync(command, cancellationToken).ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        var page = new List<BatchStored>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var id = reader.GetString(1);
            page.Add(new BatchStored(reader.GetInt64(0), id, _seal.Open(id, 'i', Bytes(reader, 2)), new BatchOutcome
            {
                State = (BatchItemState)reader.GetInt16(3),
                Request = Bytes(reader, 4) is { Length: > 0 } request ? RequestFingerprint.FromBytes(request) : RequestFingerprint.None,
                Result = _seal.Open(id, 'r', Bytes(reader, 5)),
                Endpoint = Text(reader, 6),
                Error = Text(reader, 7),
                Attempts = reader.GetInt32(8),
                Cost = reader.GetDouble(9),
                InputTokens = reader.GetInt64(10),
                OutputTokens = reader.GetInt64(11),
                At = reader.GetFieldValue<DateTimeOffset>(12),
            }));
        }
        return page;

        static byte[] Bytes(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? [] : reader.GetFieldValue<byte[]>(column);

        static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }

    private double ReservedFor(BatchClaim claim) => _reserved.TryRemove((claim.Ordinal, claim.Fence), out var reserved) ? reserved : 0;

    private static async ValueTask<IReadOnlyList<string>> NoticesAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var notices = new List<string>();
        var command = dataSource.CreateCommand("select current_setting('synchronous_commit'), current_setting('fsync')");
        await using var end = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.GetString(0) == "off")
            notices.Add("synchronous_commit is off: results that were returned can be lost when the database server crashes.");
        if (reader.GetString(1) == "off")
            notices.Add("fsync is off: the whole database can be lost when the database server's machine crashes.");
        return notices;
    }

    private static long[] Ordinals(IReadOnlyCollection<BatchClaim> claims) => [.. claims.OrderBy(static c => c.Ordinal).Select(static c => c.Ordinal)];

    private static long[] Fences(IReadOnlyCollection<BatchClaim> claims) => [.. claims.OrderBy(static c => c.Ordinal).Select(static c => c.Fence)];

    private static NpgsqlCommand Command(NpgsqlDataSource dataSource, string sql, params ReadOnlySpan<object> values) => Filled(dataSource.CreateCommand(sql), values);

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values) => Filled(new NpgsqlCommand(sql, connection), values);

    private static NpgsqlCommand Filled(NpgsqlCommand command, ReadOnlySpan<object> values)
    {
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private async ValueTask<NpgsqlDataReader> ReaderAsync(NpgsqlCommand command, CancellationToken cancellationToken) =>
        await RetryAsync(async () => await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    private async ValueTask RunAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        var command = Command(_dataSource, sql, values);
        await using var end = command.ConfigureAwait(false);
        await RetryAsync(async () => await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<int> ScalarAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        var command = Command(_dataSource, sql, values);
        await using var end = command.ConfigureAwait(false);
        return await RetryAsync(async () => (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!, cancellationToken).ConfigureAwait(false);
    }

    // If the database is not available for a short time (a restart, a failover), the statement is retried until the leases end.
    private ValueTask<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken) => Patience.TryAsync(work, _lease, cancellationToken);
}
