namespace HaKit.Tool.Rehearsals;

/// <summary>The outcome of a call.</summary>
internal enum CallOutcome
{
    /// <summary>The call has not ended.</summary>
    Open,

    /// <summary>The call returned the complete, correct answer to its prompt.</summary>
    Served,

    /// <summary>A stream was cut, and the cut was reported with a typed exception.</summary>
    Cut,

    /// <summary>The call reported success, but its answer was not whole.</summary>
    Wrong,

    /// <summary>The call returned no answer.</summary>
    Lost,
}

/// <summary>The outcome of an attempt.</summary>
internal enum AttemptOutcome
{
    /// <summary>The attempt has not ended.</summary>
    Open,

    /// <summary>The server answered with a status.</summary>
    Answered,

    /// <summary>There was no connection, so the server did not see the attempt.</summary>
    Refused,

    /// <summary>The attempt broke or was cancelled after the connection was open. The server may have seen it.</summary>
    Broken,
}

/// <summary>One attempt, as the client observed it.</summary>
internal sealed class Attempt(string endpoint, TimeSpan started)
{
    public string Endpoint { get; } = endpoint;
    public TimeSpan Started { get; } = started;
    public TimeSpan Ended { get; set; }
    public AttemptOutcome Outcome { get; set; }
    public int Status { get; set; }
    public bool IsGood => Outcome == AttemptOutcome.Answered && Status < 300;
}

/// <summary>One call, as the client observed it.</summary>
internal sealed class Call(TimeSpan started)
{
    public TimeSpan Started { get; } = started;
    public TimeSpan Ended { get; set; }
    public CallOutcome Outcome { get; set; }
    public string? ServedBy { get; set; }
    public string? Why { get; set; }
    public List<Attempt> Attempts { get; } = new(1);
    public TimeSpan Duration => Ended - Started;
}

/// <summary>The client's record of calls and attempts. Thread-safe; read a call's details under <see cref="Read{T}"/> or after the run.</summary>
internal sealed class Ledger(TimeProvider time)
{
    // An attempt runs at an unknown depth below its call, in any pipeline of the pool. Its call is found by the execution context.
    private static readonly AsyncLocal<Call?> Current = new();
    private readonly Lock _lock = new();
    private readonly List<Call> _calls = [];
    private readonly long _origin = time.GetTimestamp();
    private int _openAttempts;

    public TimeSpan Now => time.GetElapsedTime(_origin);

    public bool HasOpenAttempts => Volatile.Read(ref _openAttempts) > 0;

    public T Read<T>(Func<IReadOnlyList<Call>, T> read)
    {
        lock (_lock)
            return read(_calls);
    }

    /// <summary>Starts a call for all code that runs below the caller.</summary>
    public Call BeginCall()
    {
        var call = new Call(Now);
        Current.Value = call;
        lock (_lock)
            _calls.Add(call);
        return call;
    }

    public void EndCall(Call call, CallOutcome outcome, string? servedBy = null, string? why = null)
    {
        lock (_lock)
        {
            (call.Ended, call.Outcome, call.ServedBy, call.Why) = (Now, outcome, servedBy, why);
            // An attempt at a stream succeeds when the stream begins. The end of the stream is known only to its reader.
            if (outcome != CallOutcome.Served && call.Attempts is [.., { IsGood: true } last])
                last.Outcome = AttemptOutcome.Broken;
        }
    }

    public Attempt BeginAttempt(string endpoint)
    {
        var attempt = new Attempt(endpoint, Now);
        Interlocked.Increment(ref _openAttempts);
        lock (_lock)
            Current.Value!.Attempts.Add(attempt);
        return attempt;
    }

    public void EndAttempt(Attempt attempt, AttemptOutcome outcome, int status)
    {
        lock (_lock)
            (attempt.Ended, attempt.Outcome, attempt.Status) = (Now, outcome, status);
        Interlocked.Decrement(ref _openAttempts);
    }
}
