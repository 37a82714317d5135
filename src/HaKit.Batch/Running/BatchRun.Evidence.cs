using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <content>Finds out whether items or an outage are the reason for failures.</content>
#pragma warning disable CA1001 // the signal is disposed where the run ends
internal sealed partial class BatchRun<TItem, TResult>
#pragma warning restore CA1001
{
    // If this many items in a row are refused, their content is probably not the reason.
    private const int MostLasting = 10;

    private long _position;
    private long _servedBegan;
    private long _lastFailure;
    private long _failureBefore; // the position of the latest failure of another unit
    private BatchUnit<TItem>? _lastFailed;
    private int _lasting;
    private Control? _control;

    private CallBegin BeginCall()
    {
        lock (_lock)
            return new(++_position, Now, _servedBegan, _served);
    }

    // Returns whether the item fails while other items are served.
    private bool RecordFailure(BatchUnit<TItem> unit, bool isPatient, in CallBegin call)
    {
        lock (_lock)
        {
            if (_lastFailed != unit)
                (_lastFailed, _failureBefore) = (unit, _lastFailure);
            var facts = new FailureFacts
            {
                PreviousFailure = unit.FailedAt,
                ServedBefore = call.ServedBegan,
                ServedNow = _servedBegan,
                OtherFailure = _failureBefore,
                IsPatient = isPatient,
            };
            unit.FailedAt = _lastFailure = ++_position;
            if (FailureEvidence.CountsAsTry(in facts))
                unit.Tries++;
            var failsAlone = FailureEvidence.FailsAlone(in facts);
            unit.IsSuspect |= failsAlone;
            return failsAlone;
        }
    }

    // Checks whether a failure ends the run. It may do so only if waiting does not help, and if no call was served since this call began. The item may still be
    // the reason, for example if it asks for something that the key does not allow. So the pool must also have tried no endpoint, or many items in a row must
    // have failed like this.
    private bool EndsRun(in CallFailure failure, in CallBegin call)
    {
        lock (_lock)
        {
            _lasting = failure.LastsUntilRepaired ? _lasting + 1 : 0;
            return failure.LastsUntilRepaired && _served == call.Served && (failure.Attempts == 0 || _lasting >= MostLasting);
        }
    }

    // Must be called with the lock. The call that began at this position was served, so items that failed before it began may be tried again.
    private void RecordServedPosition(long began)
    {
        _servedBegan = Math.Max(_servedBegan, began);
        for (var i = _undecided.Count; i > 0; i--)
            Requeue(_undecided.Dequeue());
    }

    // Must be called with the lock.
    private void Requeue(BatchUnit<TItem> unit)
    {
        if (unit.FailedAt > _servedBegan)
            _undecided.Enqueue(unit);
        else if (unit.IsSuspect)
            _putBack.Enqueue(unit);
        else
            _ready.Enqueue(unit);
    }

    // Repeats a request that was served before, as a control. If this request is served again, the endpoints serve, so the failed items may be tried again. The
    // unit is an item that waits for the result of the control. The control's cost is added to the cost of this item, because the cost limit knows only items.
    // The loop does not await this task, so this method must not throw. An exception inside it ends the run.
    private async Task ControlAsync(BatchUnit<TItem> unit, CancellationToken cancellationToken)
    {
        var item = _control!.Item;
        var claim = unit.Parts[0].Claim;
        try
        {
            var prepared = _work.Prepare([item]);
            var estimate = EstimateOf(prepared.Tokens[0]);
            var call = BeginCall();
            if (await _store.StartAsync(claim, new BatchStart(estimate, _options.MaxCost, _options.MayRepeat), CancellationToken.None).ConfigureAwait(false))
            {
                await ControlAsync(item, prepared, claim, estimate, call, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                lock (_lock)
                    _stopped ??= BatchStopReason.MaxCost; // no other call is in flight, so no estimate can become a lower cost
            }
        }
#pragma warning disable CA1031 // The store or a function of the application failed, which ends the run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SetFailure(exception);
        }
        EndUnit(unit, isPatient: true, putBack: true);
    }

    private async ValueTask ControlAsync(TItem item, PreparedCall<TResult> prepared, BatchClaim claim, double estimate, CallBegin call, CancellationToken cancellationToken)
    {
        double cost;
        try
        {
            var answer = await AskAsync(prepared, isPatient: true, cancellationToken).ConfigureAwait(false);
            RecordServed(answer, in call, item, isPatient: true);
            cost = CostOf(answer, estimate);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            cost = estimate; // the call may have reached an endpoint
        }
#pragma warning disable CA1031 // Every exception of a client is a failure of the call.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var failure = CallFailure.FromException(exception);
            RecordRefused(in failure, isPatient: true, call.Time);
            if (failure.LastsUntilRepaired)
                SetFailure(exception); // a request that was served before is refused now, and waiting does not change that
            if (failure.IsOwnFault)
                _control = null;
            cost = failure.PerhapsBilled * estimate;
        }
        await _store.EndAsync(claim, cost, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Holds the item of a request that was served, so that the request can be repeated as a control.</summary>
    private sealed record Control(TItem Item);

    /// <summary>Holds what is known when a call begins.</summary>
    /// <param name="Position">The call's position in the order in which the calls of the run begin and fail.</param>
    /// <param name="Time">The time.</param>
    /// <param name="ServedBegan">The highest position of a call that was served so far.</param>
    /// <param name="Served">The number of calls that were served so far.</param>
    private readonly record struct CallBegin(long Position, TimeSpan Time, long ServedBegan, long Served);
}
