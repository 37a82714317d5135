using System.Runtime.CompilerServices;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Tests.Running;

/// <summary>Stands for an application's own store: it wraps a journal, and fails in one member as an application's code may fail.</summary>
internal sealed class FailingStore(IBatchStore inner) : IBatchStore
{
    /// <summary>Gets or sets the failure of a member: thrown when the member is called, or put into its task. Null: no failure.</summary>
    public Func<string, (Exception Exception, bool IsThrownAtOnce)?> FailureOf { get; set; } = static _ => null;

    public TimeSpan? OwnLease { get; init; }

    /// <summary>Gets or sets whether another worker takes over the first item that is claimed, before its call begins. That worker returns the item as soon as this one has noticed.</summary>
    public bool TakesOverFirst { get; init; }

    private BatchClaim? _lost;
    private int _renewals;

    public string Name => inner.Name;

    public IReadOnlyList<string> Notices => inner.Notices;

    public TimeSpan? Lease => FailureOf(nameof(Lease)) is { } failure ? throw failure.Exception : OwnLease;

    public ValueTask<BatchCounts> CountAsync(CancellationToken cancellationToken = default) => Call(() => inner.CountAsync(cancellationToken));

    public ValueTask<BatchAdded> AddAsync(IReadOnlyList<BatchInput> inputs, bool replaceChanged, CancellationToken cancellationToken = default) => inner.AddAsync(inputs, replaceChanged, cancellationToken);

    public ValueTask<IReadOnlyList<BatchClaim>> ClaimAsync(int count, bool mayRepeat, CancellationToken cancellationToken = default) => Call(() => inner.ClaimAsync(count, mayRepeat, cancellationToken));

    public ValueTask<bool> StartAsync(BatchClaim claim, BatchStart start, CancellationToken cancellationToken = default) => Call(() => IsLost(claim) ? new ValueTask<bool>(false) : inner.StartAsync(claim, start, cancellationToken));

    public ValueTask<bool> CommitAsync(BatchClaim claim, BatchOutcome outcome, CancellationToken cancellationToken = default) => Call(() => inner.CommitAsync(claim, outcome, cancellationToken));

    public ValueTask EndAsync(BatchClaim claim, double cost, CancellationToken cancellationToken = default) => Call(() => inner.EndAsync(claim, cost, cancellationToken));

    public ValueTask ReleaseAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default) => Call(() => inner.ReleaseAsync(claims, cancellationToken));

    public ValueTask<IReadOnlyCollection<BatchClaim>> RenewAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken = default) => Call(() => RenewedAsync(claims, cancellationToken));

    public IAsyncEnumerable<BatchStored> ReadFinishedAsync(BatchContent content, CancellationToken cancellationToken = default)
    {
        var failure = FailureOf(nameof(ReadFinishedAsync));
        return failure is { IsThrownAtOnce: true } ? throw failure.Value.Exception : ReadAsync(content, failure?.Exception, cancellationToken);
    }

    public ValueTask RedoAsync(IReadOnlyList<BatchStored> finished, CancellationToken cancellationToken = default) => Call(() => inner.RedoAsync(finished, cancellationToken));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async IAsyncEnumerable<BatchStored> ReadAsync(BatchContent content, Exception? failure, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var stored in inner.ReadFinishedAsync(content, cancellationToken).ConfigureAwait(false))
            yield return stored;
        if (failure is not null)
            throw failure;
    }

    private bool IsLost(BatchClaim claim) => TakesOverFirst && ReferenceEquals(claim, _lost ??= claim);

    private async ValueTask<IReadOnlyCollection<BatchClaim>> RenewedAsync(IReadOnlyCollection<BatchClaim> claims, CancellationToken cancellationToken)
    {
        if (_lost is not { } lost || !claims.Contains(lost))
            return await inner.RenewAsync(claims, cancellationToken).ConfigureAwait(false);
        if (++_renewals == 2)
            await inner.ReleaseAsync([lost], cancellationToken).ConfigureAwait(false);
        return [lost];
    }

    private ValueTask<T> Call<T>(Func<ValueTask<T>> call, [CallerMemberName] string member = "")
    {
        if (FailureOf(member) is not { } failure)
            return call();
        return failure.IsThrownAtOnce ? throw failure.Exception : ValueTask.FromException<T>(failure.Exception);
    }

    private ValueTask Call(Func<ValueTask> call, [CallerMemberName] string member = "")
    {
        if (FailureOf(member) is not { } failure)
            return call();
        return failure.IsThrownAtOnce ? throw failure.Exception : ValueTask.FromException(failure.Exception);
    }
}
