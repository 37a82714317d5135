namespace HaKit.Testing.Wire;

/// <summary>
/// Represents an answer in progress: the steps for the transport, and the outcome. One transport executes the steps and records the outcome exactly once.
/// </summary>
internal sealed class Reply(FakeRequest request, FakeFault fault, Tally tally, TimeProvider time) : IDisposable
{
    private readonly long _started = time.GetTimestamp();
    private int _settled;
    private int _tokens;
    private bool _isWhole;
    private bool _hasStarted;

    public int Status { get; init; }

    public string ContentType { get; init; } = "application/json";

    public List<KeyValuePair<string, string>> Headers { get; } = [];

    /// <summary>Gets the body's length when it is known before the body is sent; null otherwise.</summary>
    public long? Length { get; init; }

    public TimeSpan HeadersDue { get; init; }

    /// <summary>Gets whether the answer is successful if it is sent to its end.</summary>
    public bool IsGood { get; init; }

    public IEnumerator<Step> Steps { get; init; } = Enumerable.Empty<Step>().GetEnumerator();

    /// <summary>Gets whether the fake never answers.</summary>
    public bool IsSilent => fault.Ending?.Kind == FakeEndingKind.Hang;

    public TimeProvider Time => time;

    /// <summary>Returns the exception that an in-memory handler throws in place of an answer. A server on a real socket resets the connection in this case.</summary>
    public Exception? ToException() => fault.Exception?.Invoke();

    public TimeSpan Remaining(TimeSpan due) => due - time.GetElapsedTime(_started);

    /// <summary>Records that the status line is being sent or was sent.</summary>
    public void Start() => _hasStarted = true;

    /// <summary>Records that the bytes of a step were sent.</summary>
    public void Delivered(in Step step)
    {
        _tokens += step.Tokens;
        if (step.IsFinal)
            _isWhole = true;
    }

    public void RecordOutcome(bool clientLeft)
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
            return;
        tally.RecordOutcome(request, OutcomeNow(clientLeft), _hasStarted ? Status : 0, _tokens);
    }

    public void Dispose() => Steps.Dispose();

    private Outcome OutcomeNow(bool clientLeft)
    {
        if (_isWhole && IsGood)
            return Outcome.Whole;
        if (clientLeft && IsGood)
            return Outcome.Abandoned;
        return _tokens > 0 ? Outcome.Cut : Outcome.Failed;
    }
}
