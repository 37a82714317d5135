using System.Runtime.CompilerServices;
using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Failover;
using HaKit.Faults;
using HaKit.Telemetry;

namespace HaKit;

/// <summary>
/// Represents an answer whose first content has arrived: from here on, the rest comes from this endpoint, or the stream ends with an exception. For one
/// reader at a time. Dispose it unless you read it to its end; until then it counts as load on its endpoint.
/// </summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed class StreamedAnswer<T> : IAsyncEnumerable<T>, IAsyncEnumerator<T>
{
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(1);

    private readonly Lease _lease;
    private readonly StreamItemReader<T> _reader;
    private readonly FailoverEngine _engine;
    private readonly AsyncSignal _signal;
    private readonly List<T> _held = [];
    private readonly CancellationToken _callerToken;
    private StreamSource<T> _source;
    private CancellationToken _readerToken;
    private Seams<T>? _seams;
    private TimeSpan? _spanStarted;
    private ValueTask _leaving;
    private Exception? _cut;
    private TimeSpan _silence;
    private TimeSpan? _waitedSince;
    private int _next;
    private int _delivered;
    private bool _ended;
    private bool _over;
    private bool _isHeld;
    private bool _watchesItself;

    internal StreamedAnswer(FailoverEngine engine, Lease lease, IAsyncEnumerator<T> source, StreamItemReader<T> reader, CancellationToken callerToken)
    {
        _engine = engine;
        _lease = lease;
        _reader = reader;
        _callerToken = callerToken;
        _signal = new AsyncSignal(engine.Clock.Time);
        _source = new StreamSource<T>(source, _signal);
        Current = default!;
    }

    /// <summary>Frees the place on the endpoint if the stream was dropped without being disposed.</summary>
    ~StreamedAnswer()
    {
        if (_lease.Complete(_ended ? null : KnownFaults.CallerCancelled, _engine.Clock.Now))
            _engine.Results.ReleaseWaiterLater();
    }

    /// <inheritdoc/>
    public T Current { get; private set; }

    /// <summary>Gets the details of the call up to the first content, and the seams so far if other endpoints continued the answer.</summary>
    public CallDetail Detail { get; internal set; } = null!;

    /// <summary>Gets or sets the callback for each new <see cref="Detail"/> after a seam.</summary>
    internal Action<CallDetail>? DetailChanged { get; set; }

    /// <summary>Gets or sets, for the rest of a cut answer, how many characters had been delivered before it.</summary>
    internal int? AfterCharacters { get; set; }

    /// <summary>Gets whether the held items contain the end mark.</summary>
    internal bool HasEnded => _ended;

    internal void ContinueWith(Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>>? how) =>
        _seams = how is null ? null : new Seams<T>(_engine, _lease.Deadline, how);

    /// <summary>Gets the one reader.</summary>
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

    /// <summary>Reads up to the first content, the end, or the limit on what may be held. A failure until then is a failure of the attempt.</summary>
    internal async ValueTask CommitAsync()
    {
        var settings = _engine.Settings.Streaming;
        var bytes = 0L;
        var items = _source.Items;
        while (await items.MoveNextAsync().ConfigureAwait(false))
        {
            // The attempt was given up. Without this check, a source that ignores its token would be read and held without end.
            _lease.Token.ThrowIfCancellationRequested();
            var item = items.Current;
            var signal = _reader.Read(item);
            if ((signal & StreamSignal.Error) != 0)
                throw Refused(_reader.FaultOf(item));
            RecordItem(item, signal);
            _held.Add(item);
            bytes += _reader.SizeOf(item);
            if ((signal & ~StreamSignal.Progress) != 0)
            {
                if (settings.HoldUntil == HoldUntil.End && !_ended)
                    await HoldAsync(bytes, settings.HoldBytes).ConfigureAwait(false);
                return;
            }
            // The endpoint works on the request, so no other endpoint is asked only because this one takes long.
            if (signal == StreamSignal.Progress && _held.Count > 1 && !_lease.Progressed(_engine.Clock.Now))
                return;
            // The number of items without content never decides; the time limits do. Only a flood is limited, by its bytes.
            if (bytes < settings.HoldBytes)
                continue;
            if (signal != StreamSignal.Progress && _lease.Owner?.HasUntried(_engine.Clock.Now) == true)
                throw Refused(KnownFaults.FirstContentTimeout);
            return;
        }
        if (_reader.MarksEnd)
            throw Refused(new Fault(FaultKind.BrokenBody));
        _over = true;
    }

    // Holds the answer to its end: a failure on the way is a failure of the attempt, and another endpoint is asked.
    private async ValueTask HoldAsync(long bytes, int most)
    {
        _isHeld = true;
        while (!_ended && await MoveSourceAsync().ConfigureAwait(false))
        {
            _lease.Token.ThrowIfCancellationRequested();
            _held.Add(Current);
            bytes += _reader.SizeOf(Current);
            if (bytes < most || _ended)
                continue;
            _engine.HeldTooLong?.Invoke(_lease.State.Endpoint.Name, bytes);
            break;
        }
        _isHeld = false;
    }

    /// <summary>Closes a stream that failed before its first content; the attempt's guard completes the lease.</summary>
    internal ValueTask DropAsync()
    {
#pragma warning disable CA1816 // It is disposing, by another name.
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
        return _source.LeaveAsync();
    }

    private EndpointFaultException Refused(Fault fault)
    {
        _lease.Declared = fault;
        return new EndpointFaultException(_lease.State.Endpoint.Name, fault);
    }

    /// <inheritdoc/>
    public ValueTask<bool> MoveNextAsync()
    {
        if (_next < _held.Count)
        {
            Current = _held[_next++];
            if (_next == _held.Count)
            {
                _held.Clear();
                _next = 0;
            }
            return new(true);
        }
        if (_over)
            return _cut is null ? new(Finish()) : ValueTask.FromException<bool>(_cut); // a caller that reads on must not take the cut for an end
        return MoveSourceAsync();
    }

    private ValueTask<bool> MoveSourceAsync()
    {
        bool more;
        try
        {
            var move = _source.Items.MoveNextAsync();
            // A source whose read is over, with success or not, is not awaited: an awaited continuation could run on another thread.
            if (!move.IsCompleted)
                return WaitAsync(move);
            more = move.Result;
        }
#pragma warning disable CA1031 // A source that throws failed like any other.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return CutAsync(null, exception);
        }
        return more ? TakeItem() : EndOfSource();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // Some readers stop at the end mark. The answer is complete even if what follows the mark was not read.
        var isWhole = _over || _ended;
        Complete(isWhole ? null : KnownFaults.CallerCancelled, _engine.Clock.Now);
        if (!isWhole && !_source.IsLeft)
            _lease.Cancel(KnownFaults.CallerCancelled);
        if (!isWhole)
            _cut ??= new ObjectDisposedException(nameof(StreamedAnswer<T>));
        _over = true;
        EndSpan(isWhole ? null : nameof(FaultKind.CallerCancelled));
        var left = _source.LeaveAsync();
        _signal.Dispose();
        return _cut is PartialResponseException ? AfterCutAsync(left) : left;
    }

    // The caller already knows about the cut, so an exception from closing the source must not replace it.
    private async ValueTask AfterCutAsync(ValueTask left)
    {
        try
        {
            await left.ConfigureAwait(false);
            await _leaving.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // What a source throws while it is closed after a cut changes nothing.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private ValueTask<bool> TakeItem()
    {
        var item = _source.Items.Current;
        var signal = _reader.Read(item);
        if ((signal & StreamSignal.Error) != 0)
            return CutAsync(_reader.FaultOf(item), null);
        RecordItem(item, signal);
        Current = item;
        return new(true);
    }

    private void RecordItem(T item, StreamSignal signal)
    {
        if (_reader.TryGetUsage(item, out var input, out var output) && !_lease.IsCompleted)
            _lease.CountTokens(input, output, _reader.CachedTokensOf(item));
        var waitedSince = _waitedSince;
        _waitedSince = null;
        if (signal == StreamSignal.None)
        {
            if (waitedSince is { } since)
                _silence += _engine.Clock.Now - since;
            return;
        }
        _silence = default;
        if ((signal & StreamSignal.Content) != 0)
            _delivered++;
        if ((signal & StreamSignal.End) != 0)
            _ended = true;
        if (signal != StreamSignal.Progress && _lease.FirstContentAt is null)
            _lease.FirstContent(_engine.Clock.Now);
    }

    private ValueTask<bool> EndOfSource() =>
        _ended || !_reader.MarksEnd ? new(Finish()) : CutAsync(new Fault(FaultKind.PartialResponse), null);

    private bool Finish()
    {
        _over = true;
        if (_isHeld)
            return false; // the attempt is still running
        Complete(null, _engine.Clock.Now);
        EndSpan(null);
        return false;
    }

    // If the answer may have seams, the call's span continues across them.
    private void EndSpan(string? error)
    {
        if (_spanStarted is not { } began)
            return;
        _spanStarted = null;
        PoolTelemetry.EndSpan(_lease.CallSpan!, _engine.Clock.Now - began, error);
    }

    // The place on the endpoint is free; a waiting call may take it.
    private void Complete(Fault? fault, TimeSpan now)
    {
        if (_lease.Complete(fault, now))
            _engine.Results.ReleaseWaiter();
    }

    // This also covers a stream that is disposed while it is read: that code gives up the reading, and the disposal is often caused by a cancellation.
    private OperationCanceledException Cancelled() => new(_callerToken.IsCancellationRequested ? _callerToken : _readerToken);

    // The source has no item yet. Waits for it, for the caller's cancellation, or for a silence that is too long.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(ValueTask<bool> move)
    {
        var clock = _engine.Clock;
        var idle = _watchesItself ? TimeSpan.MaxValue : _engine.Settings.Streaming.IdleTimeout;
        var began = clock.Now;
        var now = began;
        // Another thread disposed the stream while the source began its read.
        var source = _source;
        if (!source.TryFollow(move))
            throw Cancelled();
        var caller = _callerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), _signal);
        var reader = _readerToken.UnsafeRegister(static signal => ((AsyncSignal)signal!).Set(), _signal);
        Exception? failure = null;
        Fault? fault = null;
        var more = false;
        try
        {
            while (!source.HasMoved)
            {
                if (source.IsLeft)
                    throw Cancelled();
                var silence = _silence + (now - began);
                if (_callerToken.IsCancellationRequested || _readerToken.IsCancellationRequested)
                {
                    if (EndWith(KnownFaults.CallerCancelled, now))
                        throw _cut = Cancelled();
                    break;
                }
                if (silence >= idle && clock.StoodStillSince(began, now))
                {
                    began = now; // data that was sent while this process was paused may be waiting
                    _silence = default;
                    continue;
                }
                if (silence >= idle)
                {
                    if (EndWith(new Fault(FaultKind.IdleTimeout), now))
                    {
                        fault = new Fault(FaultKind.IdleTimeout);
                        goto cut;
                    }
                    break;
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
        _waitedSince = began; // the clock is read only if the item is not content
        if (!source.TryTake())
            throw Cancelled();
        try
        {
            more = move.GetAwaiter().GetResult();
        }
#pragma warning disable CA1031 // Every exception of the source is evidence.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }
        if (failure is null)
            return more ? await TakeItem().ConfigureAwait(false) : await EndOfSource().ConfigureAwait(false);
    cut:
        return await CutAsync(fault, failure).ConfigureAwait(false);
    }

    // False if the source's read has ended after all.
    private bool EndWith(Fault why, TimeSpan now)
    {
        _lease.Cancel(why);
        if (!_source.TryLeaveMoving())
            return false;
        if (_isHeld)
            return true; // the attempt's guard completes it
        _over = true;
        if (why.Blame == FaultBlame.Caller)
        {
            Complete(_ended ? null : why, now);
            EndSpan(why.KindName);
        }
        return true;
    }

    // The answer was cut. After its end mark this changes nothing. Before the end mark the caller must know, unless another endpoint continues the answer.
    private async ValueTask<bool> CutAsync(Fault? fault, Exception? exception)
    {
        if (_ended)
            return Finish();
        if (_isHeld)
            throw HeldFailure(fault, exception);
        var now = _engine.Clock.Now;
        // A stream that is disposed while it is read comes here too: the disposal cancels the attempt for the caller, and may end the read before the reader
        // notices.
        if (exception is OperationCanceledException && (IsCancelled || _lease.CancelledFor is { Blame: FaultBlame.Caller }))
            throw CancelledAt(now);
        var partial = await ToPartialAsync(fault, exception, now).ConfigureAwait(false);
        _over = true;
        if (_seams is null)
            throw _cut = partial;
        if (await ContinueAsync(partial).ConfigureAwait(false) is not { } rest)
        {
            EndSpan(partial.Fault.KindName);
            throw _cut = _seams.Failure(_delivered);
        }
        _source = new StreamSource<T>(rest.GetAsyncEnumerator(_callerToken), _signal);
        _watchesItself = rest is StreamedAnswer<T>;
        (_over, _silence) = (false, default);
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
        Complete(KnownFaults.CallerCancelled, now);
        EndSpan(nameof(FaultKind.CallerCancelled));
        var cancelled = Cancelled();
        _cut = cancelled;
        return cancelled;
    }

    private Exception HeldFailure(Fault? fault, Exception? exception) =>
        exception ?? Refused(fault is { Kind: FaultKind.PartialResponse } ? new Fault(FaultKind.BrokenBody) : fault!);

    // The rest of an answer has its own attempts, which have reported what happened to them.
    private async ValueTask<PartialResponseException> ToPartialAsync(Fault? fault, Exception? exception, TimeSpan now)
    {
        if (exception is PartialResponseException rest && _watchesItself)
        {
            await LeaveSourceAsync(now).ConfigureAwait(false);
            return rest;
        }
        fault ??= exception is OperationCanceledException && _lease.CancelledFor is { } why ? why : _engine.Outcomes.Classify(exception!, _lease.State.Endpoint);
        var evidence = fault with { Applied = FaultApplied.Partial };
        var attempts = _lease.IsCompleted ? [] : AttemptsUpTo(evidence, now);
        if (_seams is not null && !_lease.IsCompleted)
            KeepBooks();
        Complete(evidence, now);
        var disposal = await LeaveSourceAsync(now).ConfigureAwait(false);
        var inner = exception is not null && disposal is not null ? new AggregateException(exception, disposal) : exception ?? disposal;
        return new PartialResponseException(_engine.Settings.Pool, _lease.State.Endpoint.Name, evidence, _delivered, attempts, fault.RetryAfter, inner);
    }

    // The provider bills the part that it sent, and reports usage only at the end. The call continues.
    private void KeepBooks()
    {
        if (_lease.OutputTokens is null)
            _lease.CountTokens(_lease.InputTokens ?? (_lease.EstimatedInputTokens > 0 ? _lease.EstimatedInputTokens : null), _delivered);
        (_spanStarted, _lease.CallStarted) = (_lease.CallStarted, null);
    }

    // The attempt that served up to the first content has failed after all.
    private IReadOnlyList<AttemptRecord> AttemptsUpTo(Fault cut, TimeSpan now) =>
        Detail is null ? [] : [.. Detail.Attempts.Select(a => a.Fault is null ? a with { Fault = cut, Duration = now - _lease.Started } : a)];

    // An exception from closing the source belongs to the cut. A source that takes long to close is not awaited, because the cut must be reported.
    private async ValueTask<Exception?> LeaveSourceAsync(TimeSpan now)
    {
        try
        {
            var leaving = _source.LeaveAsync().Preserve();
            if (!leaving.IsCompleted)
            {
                _leaving = leaving;
                var until = now + LongestFarewell;
                leaving.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_signal.Setter);
                while (!leaving.IsCompleted && now < until)
                {
                    _signal.Arm(until, now);
                    await _signal.WaitAsync().ConfigureAwait(false);
                    now = _engine.Clock.Now;
                }
                if (!leaving.IsCompleted)
                    return null;
            }
            await leaving.ConfigureAwait(false);
            return null;
        }
#pragma warning disable CA1031 // It is told with the cut.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    private async ValueTask<IAsyncEnumerable<T>?> ContinueAsync(PartialResponseException partial)
    {
        using var both = _callerToken.CanBeCanceled && _readerToken.CanBeCanceled && _callerToken != _readerToken
            ? CancellationTokenSource.CreateLinkedTokenSource(_callerToken, _readerToken) : null;
        var token = both?.Token ?? (_callerToken.CanBeCanceled ? _callerToken : _readerToken);
        try
        {
            return await _seams!.ContinueAsync(partial, _lease.CallSpan, token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (IsCancelled)
        {
            throw CancelledAt(_engine.Clock.Now);
        }
    }
}
