using System.Diagnostics;
using HaKit.Faults;

namespace HaKit.Failover;

/// <summary>
/// Handles the cuts of one answer: it requests the rest, and keeps the exception of the first cut for the case that there is no rest. If the application's own
/// function has supplied a rest, and this rest is cut too, no further rest is requested. Used by one reader.
/// </summary>
internal sealed class Seams<T>(FailoverEngine engine, TimeSpan deadline, Func<PartialResponseException, CancellationToken, ValueTask<IAsyncEnumerable<T>?>> continueWith)
{
    private readonly List<string> _cutBy = [];
    private readonly List<StreamSeam> _made = [];
    private AttemptTotals _attempts = AttemptTotals.None;
    private PartialResponseException? _first;
    private NotContinuedReason _reason;
    private RestCancellation? _cancellation;
    private bool _isOwnRest;
    private int _isCancelled;

    /// <summary>Gets the seams so far.</summary>
    public IReadOnlyList<StreamSeam> Made => _made;

    /// <summary>Cancels the request for the rest, and the rest itself. Any thread may call this method.</summary>
    public void Cancel()
    {
        Interlocked.Exchange(ref _isCancelled, 1); // pairs with the exchange in BeginRequest: this thread sees the new cancellation, or BeginRequest sees the flag
        Volatile.Read(ref _cancellation)?.Cancel();
    }

    /// <summary>Records that the answer was read to its end, so that its rest is over too.</summary>
    public void Close() => Volatile.Read(ref _cancellation)?.Close();

    /// <summary>Requests the rest of the answer.</summary>
    /// <param name="cut">The cut.</param>
    /// <param name="span">The call's span. Null if the call is not traced.</param>
    /// <param name="callerToken">The token of the call.</param>
    /// <param name="readerToken">The token of the reader.</param>
    /// <returns>The rest of the answer; null if there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled, or disposed the answer.</exception>
    public async ValueTask<IAsyncEnumerator<T>?> ContinueAsync(PartialResponseException cut, Activity? span, CancellationToken callerToken, CancellationToken readerToken)
    {
        if (RecordCut(cut) is { } reason)
        {
            _reason = reason;
            return null;
        }
        var cancellation = BeginRequest(callerToken);
        using var reader = cancellation.Register(readerToken);
        var token = cancellation.Token;
        // The call's span is current while the rest is requested. Afterwards the reader's own span is current again.
        if (span is { IsStopped: false })
            Activity.Current = span;
        var began = engine.Clock.Now;
        IAsyncEnumerator<T>? items = null;
        try
        {
            _reason = NotContinuedReason.Failed;
            token.ThrowIfCancellationRequested();
            if (await continueWith(cut, token).ConfigureAwait(false) is not { } rest)
                return null;
            // The code of the application may throw here too. Such a rest cannot be read, so the caller gets the exception of the cut.
            items = rest.GetAsyncEnumerator(token);
            _isOwnRest = rest is not StreamedAnswer<T> { AfterCharacters: not null };
            Add(cut, rest as StreamedAnswer<T>, span, began);
            return items;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            throw;
        }
        catch (NotContinuedException exception)
        {
            _reason = exception.Reason;
            _attempts = _attempts.Add(exception.Attempts);
        }
        catch (EndpointPoolException exception)
        {
            _attempts = _attempts.Add(AttemptTotals.ReadFrom(exception));
        }
#pragma warning disable CA1031 // A failure of the continuation must not hide the first cut.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        if (items is not null)
            Discards.DisposeResult(items);
        if (_reason == NotContinuedReason.Failed)
            engine.Telemetry.RecordNotContinued(cut.Endpoint, cut.Fault.KindName);
        return null;
    }

    /// <summary>Creates the exception for the caller when there is no rest: the first cut, with all attempts.</summary>
    /// <param name="delivered">The number of items with content that the caller has received.</param>
    public PartialResponseException Failure(int delivered) => new(
        _first!.Pool, _first.Endpoint, _first.Fault, delivered, _attempts, _first.RetryAfter, _first.InnerException, _reason);

    // Records a cut. Gets the reason for which no rest is requested; null if the rest is requested.
    private NotContinuedReason? RecordCut(PartialResponseException cut)
    {
        var attempts = AttemptTotals.ReadFrom(cut);
        _attempts = _first is null ? attempts : _attempts.Add(attempts);
        _first ??= cut;
        _cutBy.Add(cut.Endpoint);
        (cut.CutBy, cut.Deadline) = ([.. _cutBy], deadline);
        // The application's own function supplied the rest that was cut. The exception does not contain the delivered text, so a function that uses only the
        // exception would return the same rest again.
        if (_isOwnRest)
            return NotContinuedReason.Failed;
        return _cutBy.Count > ContinuationCase.MostSeams ? NotContinuedReason.TooManySeams : null;
    }

    private RestCancellation BeginRequest(CancellationToken callerToken)
    {
        var cancellation = _cancellation ?? new RestCancellation(callerToken);
        Interlocked.Exchange(ref _cancellation, cancellation);
        if (Volatile.Read(ref _isCancelled) != 0)
            cancellation.Cancel();
        return cancellation;
    }

    private void Add(PartialResponseException cut, StreamedAnswer<T>? rest, Activity? span, TimeSpan began)
    {
        var seam = new StreamSeam
        {
            AfterCharacters = rest?.AfterCharacters,
            From = cut.Endpoint,
            To = rest?.Detail.Endpoint,
            Why = cut.Fault,
            Took = engine.Clock.Now - began,
        };
        _made.Add(seam);
        engine.Telemetry.RecordContinued(span, _made.Count, seam.From, seam.To, cut.Fault.KindName);
        engine.SeamMade?.Invoke(seam);
    }
}
