using System.Runtime.CompilerServices;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>
/// Turns each exception of a store into <see cref="BatchStoreException"/>. A store can be the application's own code, and may throw any exception, such as the
/// exception of a database driver. A run must not take that exception for the failure of a call, because an item would then fail, or be called again.
/// </summary>
/// <remarks>
/// Two exceptions pass unchanged: <see cref="BatchStoreException"/>, and a cancellation that the caller asked for. The message of the new exception does not
/// contain the message of the old exception, because the old message may contain a connection string. Thread-safe.
/// </remarks>
internal sealed class GuardedStore(IBatchStore store) : IBatchStore
{
    public string Name => store.Name;

    public IReadOnlyList<string> Notices => store.Notices;

    public TimeSpan? Lease
    {
        get
        {
            try
            {
                return store.Lease;
            }
            catch (Exception exception) when (IsUnknown(exception, CancellationToken.None))
            {
                throw NewException(nameof(Lease), exception);
            }
        }
    }

    public ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default) =>
        GuardAsync(0, static (store, _, token) => store.CountAsync(token), cancellationToken);

    public ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default) =>
        GuardAsync((inputs, replaceChanged), static (store, state, token) => store.AddAsync(state.inputs, state.replaceChanged, token), cancellationToken);

    public ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default) =>
        GuardAsync((count, mayRepeat), static (store, state, token) => store.ClaimAsync(state.count, state.mayRepeat, token), cancellationToken);

    public ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default) =>
        GuardAsync((claim, start), static (store, state, token) => store.StartAsync(state.claim, state.start, token), cancellationToken);

    public ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default) =>
        GuardAsync((claim, outcome), static (store, state, token) => store.CommitAsync(state.claim, state.outcome, token), cancellationToken);

    public ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default) =>
        GuardAsync((claim, cost), static (store, state, token) => store.EndAsync(state.claim, state.cost, token), cancellationToken);

    public ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default) =>
        GuardAsync(claims, static (store, claims, token) => store.ReleaseAsync(claims, token), cancellationToken);

    public ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default) =>
        GuardAsync(claims, static (store, claims, token) => store.RenewAsync(claims, token), cancellationToken);

    public ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default) =>
        GuardAsync(finished, static (store, finished, token) => store.RedoAsync(finished, token), cancellationToken);

    // An iterator cannot yield inside a try block with a catch clause, so each step of the enumeration is guarded by itself.
    public async IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        const string Member = nameof(ReadFinishedAsync);
        IAsyncEnumerator<BatchStored>? items = null;
        try
        {
            items = await GuardAsync(content, static (store, content, token) => new ValueTask<IAsyncEnumerator<BatchStored>>(store.ReadFinishedAsync(content, token).GetAsyncEnumerator(token)), cancellationToken, Member).ConfigureAwait(false);
            while (await GuardAsync(items, static (_, items, _) => items.MoveNextAsync(), cancellationToken, Member).ConfigureAwait(false))
                yield return items.Current;
        }
        finally
        {
            if (items is not null)
                await GuardAsync(items, static (_, items, _) => items.DisposeAsync(), cancellationToken, Member).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => GuardAsync(0, static (store, _, _) => store.DisposeAsync(), CancellationToken.None);

    private async ValueTask<TResult> GuardAsync<TState, TResult>(
        TState state, Func<IBatchStore, TState, CancellationToken, ValueTask<TResult>> call, CancellationToken cancellationToken, [CallerMemberName] string member = "")
    {
        try
        {
            return await call(store, state, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUnknown(exception, cancellationToken))
        {
            throw NewException(member, exception);
        }
    }

    private async ValueTask GuardAsync<TState>(
        TState state, Func<IBatchStore, TState, CancellationToken, ValueTask> call, CancellationToken cancellationToken, [CallerMemberName] string member = "")
    {
        try
        {
            await call(store, state, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUnknown(exception, cancellationToken))
        {
            throw NewException(member, exception);
        }
    }

    private static bool IsUnknown(Exception exception, CancellationToken cancellationToken) =>
        exception is not BatchStoreException && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested);

    private BatchStoreException NewException(string member, Exception exception) =>
        new($"Batch '{store.Name}': {member} of the store threw {exception.GetType().Name}. The inner exception has the cause.", exception);
}
