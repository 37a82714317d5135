using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <content>Handles the outcomes of earlier runs, and the leases of this run's items.</content>
internal sealed partial class BatchRun<TItem, TResult>
{
    private const int RedoAtOnce = 1000;
    private TimeSpan? _renewAt;
    private bool _hasLostClaim;

    // A changed prompt must not return old answers. So before the first result is returned, every stored fingerprint is compared with the fingerprint of the
    // current request.
    private async ValueTask CheckEarlierAsync(CancellationToken cancellationToken)
    {
        var redo = new List<BatchStored>();
        var changed = 0L;
        (string Id, string What)? first = null;
        await foreach (var stored in _store.ReadFinishedAsync(BatchContent.Input, cancellationToken).ConfigureAwait(false))
        {
            var isFailed = stored.Outcome.State == BatchItemState.Failed;
            var item = _batch.ItemOf(stored.Input);
            var difference = stored.Outcome.State == BatchItemState.Unknown ? null : _work.FingerprintOf(item, stored.Input).FirstDifference(stored.Outcome.Request);
            KeepAsControl(item, stored.Outcome.State, difference);
            if (difference is not null)
            {
                changed++;
                first ??= (stored.Id, difference);
            }
            if (isFailed && _options.RedoFailed || difference is not null && _options.OnChanged == OnChanged.Redo)
                redo.Add(stored with { Input = default });
            else if (isFailed)
                _failedItems++;
        }
        if (changed > 0 && _options.OnChanged == OnChanged.Refuse)
            throw new BatchChangedException(_batch.Name, changed, first!.Value.Id, first.Value.What);
        foreach (var chunk in redo.Chunk(RedoAtOnce))
            await _store.RedoAsync(chunk, cancellationToken).ConfigureAwait(false);
    }

    // Another worker, which may run an older version of the program, can store outcomes between the check and the reading.
    private bool IsStillCurrent(BatchStored stored, TItem item)
    {
        if (_store.Lease is null || _options.OnChanged == OnChanged.Keep || stored.Outcome.State == BatchItemState.Unknown)
            return true;
        if (_work.FingerprintOf(item, stored.Input).FirstDifference(stored.Outcome.Request) is not { } difference)
            return true;
        return _options.OnChanged == OnChanged.Redo ? false : throw new BatchChangedException(_batch.Name, 1, stored.Id, difference);
    }

    private void KeepAsControl(TItem item, BatchItemState state, string? difference)
    {
        if (state == BatchItemState.Succeeded && difference is null)
            _control ??= new Control(item);
    }

    private BatchResult<TItem, TResult> ResultOf(BatchStored stored, TItem item, bool isEarlier)
    {
        var outcome = stored.Outcome;
        return new BatchResult<TItem, TResult>
        {
            Id = stored.Id,
            Item = item,
            State = outcome.State,
            Result = outcome.State == BatchItemState.Succeeded ? _work.Read(outcome.Result) : default,
            Endpoint = outcome.Endpoint,
            Error = outcome.Error,
            Attempts = outcome.Attempts,
            Cost = outcome.Cost,
            InputTokens = outcome.InputTokens,
            OutputTokens = outcome.OutputTokens,
            At = outcome.At,
            IsEarlier = isEarlier,
        };
    }

    private async ValueTask RenewAsync()
    {
        if (_store.Lease is not { } lease)
            return;
        var now = Now;
        if (_renewAt is { } at && at > now && !Interlocked.Exchange(ref _hasLostClaim, false))
            return;
        _renewAt = now + lease / 3;
        List<BatchClaim> held;
        lock (_lock)
            held = [.. _ready.Concat(_putBack).Concat(_undecided).Concat(_underWay).SelectMany(static u => u.Parts).Select(static p => p.Claim)];
        if (held.Count == 0)
            return;
        var lost = (await _store.RenewAsync(held).ConfigureAwait(false)).ToHashSet();
        if (lost.Count == 0)
            return;
        // This process was paused for longer than its leases. Calls in flight continue, because they are billed anyway, but the store refuses their outcomes.
        lock (_lock)
        {
            Drop(_ready, lost);
            Drop(_putBack, lost);
            Drop(_undecided, lost);
        }

        static void Drop(Queue<BatchUnit<TItem>> units, HashSet<BatchClaim> lost)
        {
            for (var i = units.Count; i > 0; i--)
            {
                if (units.Dequeue() is var unit && unit.Parts.Where(p => !lost.Contains(p.Claim)).ToArray() is { Length: > 0 } kept)
                    units.Enqueue(kept.Length == unit.Parts.Count ? unit : new BatchUnit<TItem>(kept) { Tries = unit.Tries, IsSuspect = unit.IsSuspect, FailedAt = unit.FailedAt });
            }
        }
    }
}
