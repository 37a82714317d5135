using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;

namespace HaKit;

/// <summary>
/// Represents an answer whose first content has arrived. If the answer is cut later and cannot be continued, the enumeration throws <see
/// cref="PartialResponseException"/>. Only one reader at a time may use the answer. Dispose the answer unless you read it to its end: until then, the answer
/// counts as load on its endpoint.
/// </summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed class StreamedAnswer<T> : IAsyncEnumerable<T>, IAsyncEnumerator<T>
{
    // Errors after the end mark are skipped, but at most this many. If the next item has already arrived, it is read by a recursive call, so each skipped error
    // may deepen the stack.
    private const int MostSkipped = 32;

    private readonly Lease _lease;
    private readonly StreamItemReader<T> _reader;
    private readonly FailoverEngine _engine;
    private readonly AsyncSignal _signal;
    private readonly CancellationToken _callerToken;
    private HeldItems<T> _held = new();
    private StreamProgress<T> _progress;
    private AnswerLease _answer;
    private StreamSource<T> _source;
    private CancellationToken _readerToken;
    private Seams<T>? _seams;
    private ValueTask _leaving;
    private Exception? _cut;
    private bool _over;
    private bool _isHeld;
    private bool _watchesItself;
    private bool _isDisposed;
    private int _skipped;

    internal StreamedAnswer(FailoverEngine engine, Lease lease, IAsyncEnumerator<T> source, StreamItemReader<T> reader, CancellationToken callerToken)
    {
        _engine = engine;
        _lease = lease;
        _reader = reader;
        _callerToken = callerToken;
        _progress = new StreamProgress<T>(reader, lease);
        _answer = new AnswerLease(engine, lease);
        _signal = new AsyncSignal(engine.Clock.Time);
        _source = new StreamSource<T>(source, _signal);
        Current = default!;
    }

    /// <summary>Releases the endpoint's capacity if the stream was abandoned without being disposed.</summary>
    ~StreamedAnswer()
    {
        if (!_lease.IsCompleted)
            _engine.Results.CompleteLater(_lease, _progress.HasEnded ? null : KnownFaults.CallerCancelled);
    }

    /// <inheritdoc/>
    public T Current { get; private set; }

    /// <summary>Gets the details of the call up to the first content. If other endpoints continued the answer, the details contain the seams so far.</summary>
    public CallDetail Detail { get; internal set; } = null!;

    /// <summary>Gets or sets the callback for each new <see cref="Detail"/> after a seam.</summary>
    internal Action<CallDetail>? DetailChanged { get; set; }

    /// <summary>Gets or sets, if this stream is the rest of a cut answer, how many characters were delivered before the cut.</summary>
    internal int? AfterCharacters { get; set; }

    /// <summary>Gets whether the pool has read the end mark. The caller may not have received it yet, because the pool may still hold items.</summary>
    internal bool HasEnded => _progress.HasEnded;

    internal void ContinueWith(Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>>? how) =>
        _seams = how is null ? null : new Seams<T>(_engine, _lease.Deadline, how);

    /// <summary>Gets the only reader of the answer.</summary>
    /// <param name="cancellationToken">Cancels the reading, like the token of the call.</param>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        _readerToken = cancellationToken;
        return this;
    }

    /// <summary>Reads the next item, for a reader that passes a token to each read.</summary>
    internal ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        _readerToken = cancellationToken;
        return MoveNextAsync();
    }

    /// <summary>
    /// Reads up to the first content, the end, or the limit on held bytes; with <see cref="HoldUntil.End"/>, up to the end mark or that limit. A failure before
    /// that point is a failure of the attempt.
    /// </summary>
    internal async ValueTask CommitAsync()
    {
        var settings = _engine.Settings.Streaming;
        var bytes = 0L;
        var items = _source.Items;
        while (await items.MoveNextAsync().ConfigureAwait(false))
        {
            // The attempt was cancelled. Without this check, a source that ignores its token would be read and held without end.
            _lease.Token.ThrowIfCancellationRequested();
            var item = items.Current;
            var signal = _reader.Read(item);
            if ((signal & StreamSignal.Error) != 0)
                throw _answer.DeclareFault(_reader.FaultOf(item));
            _progress.RecordItem(item, signal);
            _held.Add(item);
            bytes += _reader.SizeOf(item);
            if ((signal & ~StreamSignal.Progress) != 0)
            {
                if (settings.HoldUntil == HoldUntil.End && !_progress.HasEnded)
                    await HoldAsync(bytes, settings.HoldBytes).ConfigureAwait(false);
                return;
            }
            // A sign of progress restarts the limit on silence, so that an endpoint that works on the request is not given up. When three quarters of the
            // attempt's time have passed, another attempt would not have enough time, so the caller gets this stream before its first content.
            if (signal == StreamSignal.Progress && _held.Count > 1 && !_lease.RecordProgress(_engine.Clock.Now))
                return;
            // The number of items without content is not limited, because the time limits apply. Only their bytes are limited.
            if (bytes < settings.HoldBytes)
                continue;
            if (signal != StreamSignal.Progress && _lease.Owner?.HasUntried(_engine.Clock.Now) == true)
                throw _answer.DeclareFault(KnownFaults.FirstContentTimeout);
            return;
        }
        _lease.Token.ThrowIfCancellationRequested(); // a source may end without an exception because its token is cancelled
        if (_reader.MarksEnd)
            throw _answer.DeclareFault(new Fault(FaultKind.BrokenBody));
        _over = true;
    }

    // Holds the answer up to its end or up to the limit on held bytes. A failure before that point is a failure of the attempt, and the call moves on to
    // another endpoint.
    private async ValueTask HoldAsync(long bytes, int most)
    {
        _isHeld = true;
        while (!_progress.HasEnded && await MoveSourceAsync().ConfigureAwait(false))
        {
            _lease.Token.ThrowIfCancellationRequested();
            _held.Add(Current);
            bytes += _reader.SizeOf(Current);
            if (bytes < most || _progress.HasEnded)
                continue;
            _engine.HeldTooLong?.Invoke(_lease.State.Endpoint.Name, bytes);
            break;
        }
        if (!_progress.HasEnded)
            _lease.Token.ThrowIfCancellationRequested();
        _isHeld = false;
    }

    /// <summary>Closes a stream that failed before its first content. <see cref="EndpointGuard"/> completes the lease.</summary>
    internal ValueTask DropAsync()
    {
#pragma warning disable CA1816 // This method disposes the stream, although it is not named Dispose.
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
        return _source.LeaveAsync();
    }

    /// <inheritdoc/>
    public ValueTask<bool> MoveNextAsync()
    {
        if (_held.TryTake(out var held))
        {
            Current = held;
            return new(true);
        }
        if (_over)
            return _cut is null ? new(Finish()) : ValueTask.FromException<bool>(_cut); // a caller that reads on after the exception must not get a normal end
        return MoveSourceAsync();
    }

    private ValueTask<bool> MoveSourceAsync()
    {
        ValueTask<bool> move;
        try
        {
            move = _source.Items.MoveNextAsync();
        }
#pragma warning disable CA1031 // An exception of the source is a failure of the source.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return CutAsync(null, exception);
        }
        // If the read is already over, with success or not, its result is taken at once: after an await, the code could continue on another thread.
        return move.IsCompleted ? TakeMoved(move) : WaitAsync(move);
    }

    // The read is over, with success or not.
    private ValueTask<bool> TakeMoved(ValueTask<bool> move)
    {
        bool more;
        try
        {
            more = move.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // Every exception of the source is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return CutAsync(null, exception);
        }
        if (more)
            return TakeItem();
        // The source may have ended without an exception because the pool has cancelled it. Such an answer is not complete.
        if (!_progress.HasEnded && !_lease.IsCompleted && _lease.CancelledFor is { } why)
            return CutAsync(why, null);
        return _progress.HasEnded || !_reader.MarksEnd ? new(Finish()) : CutAsync(new Fault(FaultKind.PartialResponse), null);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _isDisposed = true;
        Interlocked.MemoryBarrier(); // pairs with the barrier in CutAsync: this thread sees the new _source, or CutAsync sees _isDisposed
        // Some readers stop at the end mark. The answer is complete even if the items after the mark were not read.
        var isWhole = _progress.HasEnded || _over && _cut is null;
        _answer.Complete(isWhole ? null : KnownFaults.CallerCancelled, _engine.Clock.Now);
        if (!isWhole && !_source.IsLeft)
            _lease.Cancel(KnownFaults.CallerCancelled);
        if (!isWhole)
            _cut ??= new ObjectDisposedException(nameof(StreamedAnswer<T>));
        _over = true;
        _answer.EndSpan(isWhole ? null : nameof(FaultKind.CallerCancelled));
        var left = _source.LeaveAsync();
        CloseSeams(cancels: !isWhole); // LeaveAsync comes first, so that the end of a running read does not count as a cut
        _signal.Dispose();
        return _cut is PartialResponseException ? StreamSource.CloseAfterCutAsync(left, _leaving) : left;
    }

    private ValueTask<bool> TakeItem()
    {
        T item;
        Fault? fault = null;
        try
        {
            item = _source.Items.Current;
            var signal = _reader.Read(item);
            if ((signal & StreamSignal.Error) == 0)
                _progress.RecordItem(item, signal);
            else if (!_progress.HasEnded)
                fault = _reader.FaultOf(item);
            else
                return SkipError();
        }
#pragma warning disable CA1031 // The reader may be the application's own. An item that it cannot classify must not be left out.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return CutAsync(null, exception);
        }
        if (fault is not null)
            return CutAsync(fault, null);
        Current = item;
        return new(true);
    }

    // The answer is whole, so its caller must not get an error. The items after the error may still report the usage, or contain the end mark that the client
    // waits for.
    private ValueTask<bool> SkipError() => _skipped++ < MostSkipped ? MoveSourceAsync() : new(Finish());

    private bool Finish()
    {
        _over = true;
        if (_isHeld)
            return false; // EndpointGuard completes the lease
        _answer.Complete(null, _engine.Clock.Now);
        _answer.EndSpan(null);
        CloseSeams(cancels: false);
        return false;
    }

    private void CloseSeams(bool cancels)
    {
        if (cancels)
            _seams?.Cancel();
        else
            _seams?.Close();
    }

    // Creates the exception for a read that was cancelled. If another thread disposes the stream during a read, the read ends with this exception too, because
    // a cancellation is the usual cause of such a disposal.
    private OperationCanceledException Cancelled() => new(_callerToken.IsCancellationRequested ? _callerToken : _readerToken);

    // The source has no item yet. Waits for it, for the caller's cancellation, or for a silence that is too long.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(ValueTask<bool> move)
    {
        var clock = _engine.Clock;
        var idle = _watchesItself ? TimeSpan.MaxValue : _engine.Settings.Streaming.IdleTimeout;
        var began = clock.Now;
        var now = began;
        var source = _source;
        // TryFollow fails only if another thread has disposed the stream after MoveNextAsync was called on the source.
        if (!source.TryFollow(move))
            throw Cancelled();
        var caller = _callerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), _signal);
        var reader = _readerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), _signal);
        Fault? givenUpFor = null;
        try
        {
            while (givenUpFor is null && !source.HasMoved)
            {
                if (source.IsLeft)
                    throw Cancelled();
                var silence = _progress.Silence + (now - began);
                if (IsCancelled)
                {
                    if (EndWith(KnownFaults.CallerCancelled, now))
                        throw _cut = Cancelled();
                    break;
                }
                if (silence >= idle && clock.WasPausedSince(began, now))
                {
                    began = now; // data that was sent while this process was paused may be waiting
                    _progress.ResetSilence();
                    continue;
                }
                if (silence >= idle)
                {
                    if (!EndWith(new Fault(FaultKind.IdleTimeout), now))
                        break;
                    givenUpFor = new Fault(FaultKind.IdleTimeout);
                    continue;
                }
                var left = idle - silence;
                _signal.Arm(left < TimeSpan.MaxValue - now ? now + left : TimeSpan.MaxValue, now);
                await _signal.WaitAsync().ConfigureAwait(false);
                if (!source.HasMoved)
                    now = clock.Now;
            }
        }
        finally
        {
            caller.Dispose();
            reader.Dispose();
        }
        if (givenUpFor is not null)
            return await CutAsync(givenUpFor, null).ConfigureAwait(false);
        _progress.BeginItem(began);
        if (!source.TryTake())
            throw Cancelled();
        return await TakeMoved(move).ConfigureAwait(false);
    }

    // Ends the stream, and cancels its attempt. False if the source's read has ended in the meantime; then the result of the read counts.
    private bool EndWith(Fault why, TimeSpan now)
    {
        _lease.Cancel(why);
        if (!_source.TryLeaveMoving())
            return false;
        if (_isHeld)
            return true; // EndpointGuard completes the lease
        if (why.Blame == FaultBlame.Caller)
        {
            _over = true;
            CloseSeams(cancels: true);
            _answer.Complete(_progress.HasEnded ? null : why, now);
            _answer.EndSpan(why.KindName);
        }
        return true;
    }

    // Handles a cut. A cut after the end mark ends the stream normally, because the answer is complete. After a cut before the end mark, the caller gets an
    // exception, unless another endpoint continues the answer.
    private async ValueTask<bool> CutAsync(Fault? fault, Exception? exception)
    {
        if (_progress.HasEnded)
            return Finish();
        if (_isHeld)
            throw HeldFailure(fault, exception);
        var now = _engine.Clock.Now;
        // After a cancellation by the caller, the source may end with any exception, or without one. A disposal by another thread during a read counts as such a
        // cancellation (KnownFaults.CallerCancelled), and may end the source's read before WaitAsync detects the disposal.
        if (exception is not null && IsCancelled || _lease.CancelledFor is { Blame: FaultBlame.Caller })
            throw CancelledAt(now);
        var partial = await ToPartialAsync(fault, exception, now).ConfigureAwait(false);
        // Until the rest has arrived, every read fails with the exception of the cut, even if the code of the application throws.
        _cut = partial;
        _over = true;
        if (_seams is null)
            throw partial;
        if (await ContinueAsync(partial).ConfigureAwait(false) is not { } rest)
        {
            CloseSeams(cancels: true);
            _answer.EndSpan(partial.Fault.KindName);
            throw _cut = _seams.Failure(_progress.Delivered);
        }
        _source = new StreamSource<T>(rest, _signal);
        _watchesItself = rest is StreamedAnswer<T>;
        (_over, _cut) = (false, null);
        Interlocked.MemoryBarrier();
        if (_isDisposed)
        {
            _source.LeaveSource();
            _over = true;
            throw _cut = Cancelled();
        }
        _progress.ResetSilence();
        if (Detail is not null)
        {
            Detail = Detail with { Seams = [.. _seams.Made] };
            DetailChanged?.Invoke(Detail);
        }
        return await MoveNextAsync().ConfigureAwait(false);
    }

    private bool IsCancelled => _callerToken.IsCancellationRequested || _readerToken.IsCancellationRequested;

    private OperationCanceledException CancelledAt(TimeSpan now)
    {
        _over = true;
        CloseSeams(cancels: true);
        _answer.Complete(KnownFaults.CallerCancelled, now);
        _answer.EndSpan(nameof(FaultKind.CallerCancelled));
        var cancelled = Cancelled();
        _cut = cancelled;
        return cancelled;
    }

    private Exception HeldFailure(Fault? fault, Exception? exception) =>
        exception ?? _answer.DeclareFault(fault is { Kind: FaultKind.PartialResponse } ? new Fault(FaultKind.BrokenBody) : fault!);

    // The rest of an answer has its own attempts, which have already reported their outcomes.
    private async ValueTask<PartialResponseException> ToPartialAsync(Fault? fault, Exception? exception, TimeSpan now)
    {
        if (exception is PartialResponseException rest && _watchesItself)
        {
            await CloseSourceAsync(now).ConfigureAwait(false);
            return rest;
        }
        var cut = new StreamCut(_engine, _lease, fault, exception);
        // The attempt that served up to the first content has failed after all.
        var attempts = _lease.IsCompleted ? AttemptTotals.None : cut.AttemptsOf(Detail, now);
        if (_seams is not null && !_lease.IsCompleted)
            _answer.PrepareSeam(_progress.Delivered);
        _answer.Complete(cut.Evidence, now);
        return cut.ToException(attempts, _progress.Delivered, await CloseSourceAsync(now).ConfigureAwait(false));
    }

    // Closes the source. Returns the exception of the disposal, if there is one, so that the exception for the cut can contain it.
    private async ValueTask<Exception?> CloseSourceAsync(TimeSpan now)
    {
        (var failure, _leaving) = await _source.CloseAsync(_engine.Clock, now, _leaving).ConfigureAwait(false);
        return failure;
    }

    private async ValueTask<IAsyncEnumerator<T>?> ContinueAsync(PartialResponseException partial)
    {
        try
        {
            return await _seams!.ContinueAsync(partial, _lease.CallSpan, _callerToken, _readerToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (IsCancelled || _isDisposed)
        {
            throw CancelledAt(_engine.Clock.Now);
        }
    }
}
