using System.Runtime.CompilerServices;
using System.Threading.Channels;
using HaKit.Batch.Stores;

namespace HaKit.Batch.Running;

/// <summary>
/// Runs a batch once in one process. A single loop decides (<see cref="RunDecision"/>) and starts calls. Each call commits its outcome before its result is
/// returned.
/// </summary>
/// <remarks>
/// The calls of a batch must not fill the pool's queue, because the pool would then refuse the calls of users. So all calls except one do not wait in the pool.
/// If such a call cannot start an attempt at once, it ends, and its item is put back. The one patient call waits like a user's call. When the patient call is
/// served, the pool has capacity again.
/// </remarks>
internal sealed partial class BatchRun<TItem, TResult>
{
    private const int MostUndelivered = 1000;
    private const int MostClaimed = 100;
    private const int MostCalls = 1000;
    private static readonly TimeSpan CostHold = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PatientRestMost = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookForItems = TimeSpan.FromSeconds(1);

    private readonly Batch<TItem> _batch;
    private readonly GuardedStore _store;
    private readonly BatchWork<TItem, TResult> _work;
    private readonly BatchRunOptions _options;
    private readonly PriceBook _prices;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly BatchWindow _window;
    private readonly ProgressMeter _progress;
    private readonly RunSignal _signal;
    private readonly BatchMeter _meter;
    private readonly Channel<BatchResult<TItem, TResult>> _results =
        Channel.CreateUnbounded<BatchResult<TItem, TResult>>(new() { SingleReader = true, AllowSynchronousContinuations = true });

    // The lock guards all data that the calls and the loop share.
    private readonly Lock _lock = new();
    private readonly Queue<BatchUnit<TItem>> _ready = new();
    private readonly Queue<BatchUnit<TItem>> _putBack = new();
    private readonly Queue<BatchUnit<TItem>> _undecided = new();
    private readonly HashSet<BatchUnit<TItem>> _underWay = [];
    private readonly List<BatchStored> _unsaved = [];
    private IReadOnlyList<BatchClaim> _unread = []; // claims whose items are not in a queue yet
    private int _isBegun;
    private int _handingOver;
    private int _undelivered;
    private bool _hasPatient;
    private long _served;
    private TimeSpan _heldUntil;
    private TimeSpan _patientAt;
    private TimeSpan _patientRest = TimeSpan.FromSeconds(1);
    private TimeSpan? _claimAt;
    private TimeSpan? _failingSince;
    private bool _isExhausted;
    private Exception? _failure;
    private BatchStopReason? _stopped;
    private long _failedItems;

    public BatchRun(Batch<TItem> batch, BatchWork<TItem, TResult> work, BatchRunOptions options)
    {
        options.Validate();
        (_batch, _store, _work, _options) = (batch, new GuardedStore(batch.Store), work, options);
        _prices = new PriceBook(work.Pool);
        if (options.MaxCost is not null)
            _prices.RequirePrices();
        _time = work.Pool?.Time ?? TimeProvider.System;
        _began = _time.GetTimestamp();
        var most = options.MaxConcurrency ?? MostCalls;
        _window = new BatchWindow(Math.Max(4, 2 * (work.Pool?.Endpoints.Count ?? 1)), most);
        _progress = new ProgressMeter(options.Currency, _prices.HasPrices);
        _signal = new RunSignal(_time);
        _meter = BatchMeter.For(batch.Name);
    }

    private TimeSpan Now => _time.GetElapsedTime(_began);

    public async IAsyncEnumerable<BatchResult<TItem, TResult>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isBegun, 1) != 0)
        {
            // This object has the state of one run. Each further enumeration is a run of its own.
            await foreach (var result in new BatchRun<TItem, TResult>(_batch, _work, _options).RunAsync(cancellationToken).ConfigureAwait(false))
                yield return result;
            yield break;
        }

        _batch.BeginRun();
        using var ended = new Ending(_batch);
        _batch.ProgressSource = Progress;
        await SampleAsync(cancellationToken).ConfigureAwait(false);
        await CheckEarlierAsync(cancellationToken).ConfigureAwait(false);
        if (!_options.OnlyNew)
        {
            await foreach (var stored in _store.ReadFinishedAsync(BatchContent.All, cancellationToken).ConfigureAwait(false))
            {
                var item = _batch.ItemOf(stored.Input);
                if (IsStillCurrent(stored, item))
                    yield return ResultOf(stored, item, isEarlier: true);
            }
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var signalled = stop.Token.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), _signal);
        var loop = LoopAsync(stop.Token);
        var isWhole = false;
        try
        {
            while (await _results.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                while (_results.Reader.TryRead(out var result))
                {
                    if (Interlocked.Decrement(ref _undelivered) == MostUndelivered - 1)
                        _signal.Set();
                    yield return result;
                }
            }

            isWhole = true;
        }
        finally
        {
            // The consumer has left the loop, so calls in flight are cancelled. The next run first returns the committed results.
            if (!isWhole)
                stop.Cancel();
            await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _signal.Dispose();
        }
        await loop.ConfigureAwait(false);
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        await TryAsync(async () =>
        {
            while (await StepAsync(cancellationToken).ConfigureAwait(false))
            {
            }
        }).ConfigureAwait(false);
        await DrainAsync().ConfigureAwait(false);
        if (_failure is not BatchStoreException)
        {
            await TryAsync(async () =>
            {
                await ReleaseAllAsync().ConfigureAwait(false);
                await SampleAsync(CancellationToken.None).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        _results.Writer.Complete();
        if (_failure is BatchStoreException lost)
            lost.Unsaved = _unsaved;
        if (_failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
        cancellationToken.ThrowIfCancellationRequested();
        if (_stopped is { } reason && !(reason == BatchStopReason.StopAt && Progress().Counts is { Total: var total } counts && counts.Finished == total))
            throw new BatchStoppedException(reason, $"Batch '{_batch.Name}' ended because of {reason}: {Progress()}. The next run processes the remaining items.");
    }

    private async ValueTask<bool> TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
            return true;
        }
#pragma warning disable CA1031 // The exception is thrown again when all results have been handed over.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            SetFailure(exception);
            return false;
        }
    }

    // The calls in flight are billed anyway, so their outcomes are committed, or returned with the failure. Their leases are renewed meanwhile. Otherwise another
    // worker would take over the items, and the outcomes would be refused.
    private async ValueTask DrainAsync()
    {
        var renews = _renewAt is not null && _failure is not BatchStoreException; // without leases, or without the store, nothing is renewed
        while (true)
        {
            lock (_lock)
            {
                if (_underWay.Count == 0 && _handingOver == 0)
                    return;
            }

            renews = renews && await TryAsync(async () => await RenewAsync().ConfigureAwait(false)).ConfigureAwait(false);
            await _signal.WaitAsync(renews ? _renewAt - Now : null).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> StepAsync(CancellationToken cancellationToken)
    {
        if (_progress.IsDue(Now))
            await SampleAsync(CancellationToken.None).ConfigureAwait(false);
        await RenewAsync().ConfigureAwait(false);
        RunDecision decision;
        lock (_lock)
            decision = RunDecision.Decide(ReadFacts(cancellationToken));
        switch (decision.Action)
        {
            case RunAction.End:
                return false;
            case RunAction.Claim:
                await ClaimAsync().ConfigureAwait(false);
                return true;
            case RunAction.Start or RunAction.StartPatient:
                _ = RunUnitAsync(DequeueUnit(decision.Action), decision.Action == RunAction.StartPatient, cancellationToken);
                return true;
            case RunAction.StartControl:
                _ = ControlAsync(DequeueUnit(decision.Action), cancellationToken);
                return true;
            default:
                await _signal.WaitAsync(WakeIn(decision.Until)).ConfigureAwait(false);
                return true;
        }
    }

    private RunFacts ReadFacts(CancellationToken cancellationToken)
    {
        var now = Now;
        if (_stopped is null && _options.StopAt is { } stopAt && _time.GetUtcNow() >= stopAt && !_isExhausted)
            _stopped = BatchStopReason.StopAt;
        if (_stopped is null && _failedItems > _options.MaxFailures)
            _stopped = BatchStopReason.MaxFailures;
        if (_stopped is null && _failingSince is { } since && now - since >= _options.MaxOutage)
            _stopped = BatchStopReason.MaxOutage;
        return new RunFacts
        {
            Now = now,
            Calls = _underWay.Count,
            Window = _window.Limit,
            HasPatient = _hasPatient,
            Ready = _ready.Count,
            PutBack = _putBack.Count,
            Undecided = _undecided.Count,
            HasControl = _control is not null && _options.MayRepeat,
            IsFailing = _failingSince is not null,
            HeldUntil = _heldUntil,
            PatientAt = _patientAt,
            ClaimAt = _claimAt,
            IsExhausted = _isExhausted,
            IsStopping = cancellationToken.IsCancellationRequested || _failure is not null || _stopped is not null,
            IsBacklogFull = Volatile.Read(ref _undelivered) >= MostUndelivered,
            IsHandingOver = _handingOver > 0,
        };
    }

    private BatchUnit<TItem> DequeueUnit(RunAction action)
    {
        lock (_lock)
        {
            var unit = QueueFor(action).Dequeue();
            _underWay.Add(unit);
            _hasPatient |= action != RunAction.Start;
            if (_underWay.Count >= _window.Limit)
                _window.RecordFull();
            return unit;
        }
    }

    private Queue<BatchUnit<TItem>> QueueFor(RunAction action)
    {
        if (action == RunAction.StartPatient && _putBack.Count > 0)
            return _putBack;
        return action == RunAction.StartControl || _ready.Count == 0 ? _undecided : _ready;
    }

    private async ValueTask ClaimAsync()
    {
        int wanted;
        lock (_lock)
            wanted = (int)Math.Min(int.MaxValue, (long)Math.Clamp(_window.Limit - _underWay.Count, 1, MostClaimed) * _work.GroupSize);
        var claims = await _store.ClaimAsync(wanted, _options.MayRepeat, CancellationToken.None).ConfigureAwait(false);
        if (claims.Count == 0)
        {
            var counts = await _store.CountAsync(CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                // With a lease, another worker may stop and leave its items, so the run waits for them. A journal has no other workers.
                _isExhausted = counts.Finished == counts.Total || _store.Lease is null && _underWay.Count + _putBack.Count + _ready.Count + _undecided.Count == 0;
                _claimAt = Now + LookForItems;
            }
            return;
        }
        _unread = claims;
        var units = new List<BatchUnit<TItem>>();
        foreach (var group in claims.Chunk(_work.GroupSize))
            units.Add(new BatchUnit<TItem>([.. group.Select(PartOf)]));
        lock (_lock)
        {
            _claimAt = null;
            foreach (var unit in units)
                _ready.Enqueue(unit);
        }
        _unread = [];
    }

    private BatchUnit<TItem>.Part PartOf(BatchClaim claim)
    {
        var item = _batch.ItemOf(claim.Input);
        return new(claim, item, _work.FingerprintOf(item, claim.Input));
    }

    private async ValueTask ReleaseAllAsync()
    {
        List<BatchClaim> left;
        lock (_lock)
        {
            left = [.. _unread, .. _ready.Concat(_putBack).Concat(_undecided).SelectMany(static u => u.Parts).Select(static p => p.Claim)];
            _ready.Clear();
            _putBack.Clear();
            _undecided.Clear();
        }
        if (left.Count > 0)
            await _store.ReleaseAsync(left, CancellationToken.None).ConfigureAwait(false);
    }

    private TimeSpan? WakeIn(TimeSpan until)
    {
        var now = Now;
        if (_renewAt is { } renew && renew < until)
            until = renew;
        if (_options.StopAt is { } stopAt && _stopped is null && now + (stopAt - _time.GetUtcNow()) is var stop && stop < until)
            until = stop;
        return until == TimeSpan.MaxValue ? null : until - now;
    }

    private async ValueTask SampleAsync(CancellationToken cancellationToken) => _progress.Sample(Now, await _store.CountAsync(cancellationToken).ConfigureAwait(false));

    // Ends a run in all cases: all items have an outcome, the consumer leaves, or an exception is thrown.
    private sealed class Ending(Batch<TItem> batch) : IDisposable
    {
        public void Dispose() => batch.EndRun();
    }

    private BatchProgress Progress()
    {
        // A journal's counts are available at once; the loop asks a database once a second.
        if (_store.Lease is null && _store.CountAsync().AsTask() is { IsCompletedSuccessfully: true } counts)
            _progress.Sample(Now, counts.Result);
        lock (_lock)
            return _progress.At(Now, _underWay.Count, _failingSince is { } since ? Now - since : null);
    }
}
