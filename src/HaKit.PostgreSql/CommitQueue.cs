using HaKit.Batch;
using HaKit.Batch.Stores;
using Npgsql;
using NpgsqlTypes;

namespace HaKit.PostgreSql;

/// <summary>
/// Stores outcomes in groups: outcomes that arrive during a commit are committed together next. If the database is not available for a short time, the commit
/// is retried until the leases end. The fence refuses an outcome that comes too late. Thread-safe.
/// </summary>
internal sealed class CommitQueue(NpgsqlDataSource dataSource, int batchId, string worker, PayloadSeal seal, TimeSpan patience)
{
    private const int MostAtOnce = 500;

    private readonly Lock _lock = new();
    private Queue<Waiting> _queue = new();
    private bool _isRunning;

    /// <summary>Stores an outcome. False if the fence refused it.</summary>
    public Task<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, double reserved)
    {
#pragma warning disable RS0030 // A continuation of a commit must not run within the loop that commits for other callers.
        var waiting = new Waiting(claim, outcome, reserved, new(TaskCreationOptions.RunContinuationsAsynchronously));
#pragma warning restore RS0030
        bool begin;
        lock (_lock)
        {
            _queue.Enqueue(waiting);
            begin = !_isRunning;
            _isRunning = true;
        }
        if (begin)
            _ = RunAsync();
        return waiting.Done.Task;
    }

    private async Task RunAsync()
    {
        while (TakeSome() is { } group)
        {
            try
            {
                await CommitAsync(group).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // The waiting callers get the exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                foreach (var waiting in group)
                    waiting.Done.TrySetException(new BatchStoreException($"{exception.Message} {group.Count} outcomes are not stored.", exception));
            }
        }
    }

    private List<Waiting>? TakeSome()
    {
        lock (_lock)
        {
            if (_queue.Count == 0)
            {
                _isRunning = false;
                return null;
            }
            var group = new List<Waiting>();
            while (group.Count < MostAtOnce && _queue.TryDequeue(out var waiting))
                group.Add(waiting);
            group.Sort(static (a, b) => a.Claim.Ordinal.CompareTo(b.Claim.Ordinal)); // all workers lock rows in the same order
            return group;
        }
    }

    private async ValueTask CommitAsync(List<Waiting> group)
    {
        var stored = await Patience.TryAsync(() => StoreAsync(group), patience, CancellationToken.None).ConfigureAwait(false);
        foreach (var waiting in group)
            waiting.Done.TrySetResult(stored.Contains(waiting.Claim.Ordinal));
    }

    private async Task<HashSet<long>> StoreAsync(List<Waiting> group)
    {
        var command = dataSource.CreateCommand(Sql.Commit);
        await using var end = command.ConfigureAwait(false);
        var p = command.Parameters;
        p.Add(new() { Value = batchId });
        p.Add(new() { Value = worker });
        Add(NpgsqlDbType.Bigint, static w => w.Claim.Ordinal);
        Add(NpgsqlDbType.Bigint, static w => w.Claim.Fence);
        Add(NpgsqlDbType.Smallint, static w => (short)w.Outcome.State);
        Add(NpgsqlDbType.Bytea, static w => w.Outcome.Request.ToArray());
        Add(NpgsqlDbType.Bytea, w => w.Outcome.State == BatchItemState.Succeeded ? seal.Seal(w.Claim.Id, 'r', w.Outcome.Result.Span) : null);
        Add(NpgsqlDbType.Text, static w => Storable(w.Outcome.Endpoint));
        Add(NpgsqlDbType.Text, static w => Storable(w.Outcome.Error));
        Add(NpgsqlDbType.Integer, static w => w.Outcome.Attempts);
        Add(NpgsqlDbType.Double, static w => w.Outcome.Cost);
        Add(NpgsqlDbType.Bigint, static w => w.Outcome.InputTokens);
        Add(NpgsqlDbType.Bigint, static w => w.Outcome.OutputTokens);
        Add(NpgsqlDbType.Double, static w => w.Reserved);
        var stored = new HashSet<long>(group.Count);
        var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        await using var endOfReader = reader.ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
            stored.Add(reader.GetInt64(0));
        return stored;

        void Add<T>(NpgsqlDbType type, Func<Waiting, T> value) => p.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = group.Select(value).ToArray() });
    }

    // PostgreSQL refuses a text with U+0000, and with it all outcomes of the statement. The text may be a server's error code or the name of an endpoint.
    private static string? Storable(string? text) => text?.Replace('\0', '\uFFFD');

    private sealed record Waiting(BatchClaim Claim, BatchOutcome Outcome, double Reserved, TaskCompletionSource<bool> Done);
}
