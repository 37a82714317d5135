using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <content>Runs one call, from its start to its commit.</content>
#pragma warning disable CA1001 // the signal is disposed where the run ends
internal sealed partial class BatchRun<TItem, TResult>
#pragma warning restore CA1001
{
    // The loop does not await this task, so an exception must not leave this method. An exception of the call is a failure of the unit's items. Any other
    // exception, of the store or of a function of the application, ends the run.
    private async Task RunUnitAsync(BatchUnit<TItem> unit, bool isPatient, CancellationToken cancellationToken)
    {
        try
        {
            await RunCallAsync(unit, isPatient, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The loop throws the exception when all results have been handed over.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SetFailure(exception);
            EndUnit(unit, isPatient, putBack: true);
        }
    }

    private async ValueTask RunCallAsync(BatchUnit<TItem> unit, bool isPatient, CancellationToken cancellationToken)
    {
        var prepared = _work.Prepare([.. unit.Parts.Select(static p => p.Item)]);
        var call = BeginCall();
        if (!await ReserveAsync(unit, prepared.Tokens).ConfigureAwait(false))
        {
            EndUnit(unit, isPatient, putBack: true);
            return;
        }
        CallAnswer<TResult> answer;
        try
        {
            answer = await AskAsync(prepared, isPatient, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The call may have reached an endpoint, so it counts with its full estimate.
            await HandleLostAsync(unit, isPatient, unit.Estimate, "The run was cancelled while the call was in flight.").ConfigureAwait(false);
            return;
        }
#pragma warning disable CA1031 // Every exception of a client is a failure of the call.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await HandleFailureAsync(unit, isPatient, exception, call).ConfigureAwait(false);
            return;
        }
        RecordServed(answer, in call, unit.Parts[0].Item, isPatient);
        await HandleServedAsync(unit, isPatient, answer).ConfigureAwait(false);
    }

    private double EstimateOf((long Input, long Output) tokens) => _prices.Estimate(tokens.Input, tokens.Output);

    // The estimate of each item of the unit is reserved. If one estimate does not fit, no estimate is reserved.
    private async ValueTask<bool> ReserveAsync(BatchUnit<TItem> unit, IReadOnlyList<(long Input, long Output)> tokens)
    {
        unit.Estimate = 0;
        for (var i = 0; i < unit.Parts.Count; i++)
        {
            var estimate = EstimateOf(tokens[i]);
            if (await _store.StartAsync(unit.Parts[i].Claim, new BatchStart(estimate, _options.MaxCost, _options.MayRepeat)).ConfigureAwait(false))
            {
                unit.Estimate += estimate;
                continue;
            }
            for (var j = 0; j < i; j++)
                await _store.EndAsync(unit.Parts[j].Claim, 0).ConfigureAwait(false);
            // A claim that another worker has taken over cannot start either. The next renewal removes its item from the queues.
            if (_store.Lease is not null && (await _store.RenewAsync([unit.Parts[i].Claim]).ConfigureAwait(false)).Count > 0)
            {
                Volatile.Write(ref _hasLostClaim, true);
                return false;
            }
            lock (_lock)
            {
                // Other calls in flight may cost less than their estimates. If no other call is in flight, the estimate will not fit later either.
                if (_underWay.Count <= 1)
                    _stopped ??= BatchStopReason.MaxCost;
                _heldUntil = Now + CostHold;
            }
            return false;
        }
        return true;
    }

    // Under a cost limit, a call with an unknown cost counts with its estimate. Otherwise a server that reports no usage would have no limit.
    private double CostOf(CallAnswer<TResult> answer, double estimate)
    {
        var (cost, isKnown) = _prices.PriceOf(answer.Endpoint, answer.InputTokens, answer.OutputTokens);
        return (_options.MaxCost is null || isKnown ? cost : Math.Max(cost, estimate)) + answer.PerhapsBilled * estimate;
    }

    private ValueTask<CallAnswer<TResult>> AskAsync(PreparedCall<TResult> prepared, bool isPatient, CancellationToken cancellationToken)
    {
        var profile = _options.MayRepeat ? _options.Profile : _options.Profile with { MayRepeat = false, MayHedge = false };
        if (!isPatient)
            profile = BatchProfiles.WithoutWaiting(profile);
        return prepared.CallAsync(profile, cancellationToken);
    }

    private void RecordServed(CallAnswer<TResult> answer, in CallBegin call, TItem item, bool isPatient)
    {
        lock (_lock)
        {
            _served++;
            _lasting = 0;
            _control = new Control(item);
            RecordServedPosition(call.Position);
            _failingSince = null;
            _heldUntil = default;
            if (isPatient)
            {
                _patientAt = default;
                _patientRest = TimeSpan.FromSeconds(1);
            }
            if (answer.WasThrottled)
                _window.RecordThrottle(Now);
            else if (!isPatient)
                _window.RecordServed(Now - call.Time); // a patient call may wait through an outage, so its time says nothing about the speed
        }
    }

    private async ValueTask HandleServedAsync(BatchUnit<TItem> unit, bool isPatient, CallAnswer<TResult> answer)
    {
        var cost = CostOf(answer, unit.Estimate);
        byte[][] results;
        try
        {
            results = [.. answer.Results.Select(_work.Write)];
        }
#pragma warning disable CA1031 // A function of the application failed, which ends the run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SetFailure(exception);
            await HandleLostAsync(unit, isPatient, cost, "The result of the call could not be written.").ConfigureAwait(false);
            return;
        }
        await CommitAsync(unit, answer, results, cost).ConfigureAwait(false);
        EndUnit(unit, isPatient, putBack: false);
    }

    private async ValueTask CommitAsync(BatchUnit<TItem> unit, CallAnswer<TResult> answer, byte[][] results, double cost)
    {
        var count = unit.Parts.Count;
        var commits = new Task[count];
        for (var i = 0; i < count; i++)
        {
            commits[i] = CommitAsync(unit, unit.Parts[i], answer.Results[i], new BatchOutcome
            {
                State = BatchItemState.Succeeded,
                Request = unit.Parts[i].Request,
                Result = results[i],
                Endpoint = answer.Endpoint,
                Attempts = answer.Attempts,
                Cost = cost / count,
                InputTokens = (answer.InputTokens ?? 0) / count,
                OutputTokens = (answer.OutputTokens ?? 0) / count,
                At = _time.GetUtcNow(),
            });
        }

        await Task.WhenAll(commits).ConfigureAwait(false);
    }

    private async Task CommitAsync(BatchUnit<TItem> unit, BatchUnit<TItem>.Part part, TResult? result, BatchOutcome outcome)
    {
        try
        {
            if (!await _store.CommitAsync(part.Claim, outcome).ConfigureAwait(false))
                return; // another worker took the item over, and that worker's outcome counts
        }
        catch (BatchStoreException)
        {
            lock (_lock)
                _unsaved.Add(new BatchStored(part.Claim.Ordinal, part.Claim.Id, part.Claim.Input, outcome));
            throw;
        }
        _progress.Finished();
        lock (_lock)
        {
            unit.HasOutcome = true;
            _handingOver++;
            if (outcome.State == BatchItemState.Failed)
                _failedItems++;
        }
        Interlocked.Increment(ref _undelivered);
        _results.Writer.TryWrite(new BatchResult<TItem, TResult>
        {
            Id = part.Claim.Id,
            Item = part.Item,
            State = outcome.State,
            Result = result,
            Endpoint = outcome.Endpoint,
            Error = outcome.Error,
            Attempts = outcome.Attempts,
            Cost = outcome.Cost,
            InputTokens = outcome.InputTokens,
            OutputTokens = outcome.OutputTokens,
            At = outcome.At,
        });
        lock (_lock)
            _handingOver--;
        _signal.Set();
        try
        {
            _meter.Count(outcome);
        }
#pragma warning disable CA1031 // A listener of the application may throw anything. The run ends with its exception, but the other parts of the unit are committed first.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SetFailure(exception);
        }
    }

    private async ValueTask HandleFailureAsync(BatchUnit<TItem> unit, bool isPatient, Exception exception, CallBegin call)
    {
        var failure = CallFailure.FromException(exception);
        if (failure.IsOwnFault && unit.Parts.Count > 1)
        {
            await SplitAsync(unit, isPatient).ConfigureAwait(false);
            return;
        }
        var failsAlone = failure.Attempts > 0 && RecordFailure(unit, isPatient, in call);
        var verdict = ItemVerdicts.Decide(in failure, _options.MayRepeat, unit.Tries, _options.MaxTries);
        var cost = failure.PerhapsBilled * unit.Estimate;
        if (verdict != ItemVerdict.PutBack)
        {
            var state = verdict == ItemVerdict.Fail ? BatchItemState.Failed : BatchItemState.Unknown;
            await EndItemsAsync(unit, isPatient, state, failure.Reason, failure.Attempts, cost).ConfigureAwait(false);
            return;
        }
        foreach (var part in unit.Parts)
            await _store.EndAsync(part.Claim, cost / unit.Parts.Count).ConfigureAwait(false);
        RecordRefused(in failure, isPatient, call.Time);
        if (isPatient && !failsAlone && EndsRun(in failure, in call))
            SetFailure(exception); // no call is served, and waiting does not change that
        EndUnit(unit, isPatient, putBack: true);
    }

    private async ValueTask EndItemsAsync(BatchUnit<TItem> unit, bool isPatient, BatchItemState state, string reason, int attempts, double cost)
    {
        foreach (var part in unit.Parts)
        {
            await CommitAsync(unit, part, default, new BatchOutcome
            {
                State = state,
                Request = part.Request,
                Error = reason,
                Attempts = attempts,
                Cost = cost / unit.Parts.Count,
                At = _time.GetUtcNow(),
            }).ConfigureAwait(false);
        }

        EndUnit(unit, isPatient, putBack: false);
    }

    // One text of the group is wrong, and the answer does not show which text. So each text is sent alone.
    private async ValueTask SplitAsync(BatchUnit<TItem> unit, bool isPatient)
    {
        foreach (var part in unit.Parts)
            await _store.EndAsync(part.Claim, 0).ConfigureAwait(false);
        lock (_lock)
        {
            foreach (var part in unit.Parts)
                _ready.Enqueue(new BatchUnit<TItem>([part]));
        }

        EndUnit(unit, isPatient, putBack: false);
    }

    private void RecordRefused(in CallFailure failure, bool isPatient, TimeSpan began)
    {
        lock (_lock)
        {
            var now = Now;
            if (failure.WasThrottled)
                _window.RecordThrottle(now);
            _failingSince ??= began;
            if (isPatient)
            {
                // A patient call should wait for an endpoint. If it failed at once instead, the next patient call must not follow immediately.
                var isQuick = now - began < _patientRest;
                _patientAt = isQuick ? now + _patientRest : now;
                _patientRest = isQuick ? TimeSpan.FromTicks(Math.Min(2 * _patientRest.Ticks, PatientRestMost.Ticks)) : TimeSpan.FromSeconds(1);
                return;
            }
            if (failure.Attempts == 0 && _underWay.Count > 1)
                _window.RecordPoolFull(_underWay.Count - 1);
        }
    }

    // Handles a call that may have been served, but whose result is lost.
    private async ValueTask HandleLostAsync(BatchUnit<TItem> unit, bool isPatient, double cost, string reason)
    {
        if (!_options.MayRepeat)
        {
            await EndItemsAsync(unit, isPatient, BatchItemState.Unknown, reason, attempts: 1, cost).ConfigureAwait(false);
            return;
        }
        foreach (var part in unit.Parts)
            await _store.EndAsync(part.Claim, cost / unit.Parts.Count).ConfigureAwait(false);
        EndUnit(unit, isPatient, putBack: true);
    }

    private void EndUnit(BatchUnit<TItem> unit, bool isPatient, bool putBack)
    {
        lock (_lock)
        {
            _underWay.Remove(unit);
            if (isPatient)
                _hasPatient = false;
            if (putBack && !unit.HasOutcome)
                Requeue(unit);
        }
        _signal.Set();
    }

    private void SetFailure(Exception exception)
    {
        lock (_lock)
        {
            // A BatchStoreException contains the results that were not saved, so it replaces an earlier failure of another kind.
            if (_failure is null || exception is BatchStoreException && _failure is not BatchStoreException)
                _failure = exception;
        }
    }
}
