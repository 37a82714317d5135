using System.Diagnostics.CodeAnalysis;

namespace HaKit.Testing;

/// <summary>Runs one scenario: sends the calls, moves the clock, and counts.</summary>
internal sealed class SimulationRun
{
    private const int MostIntervals = 3600;
    private static readonly TimeSpan Settling = TimeSpan.FromHours(6);

    private readonly TestPool _test;
    private readonly TimeSpan _length;
    private readonly TimeSpan _interval;
    private readonly Func<long, RequestProfile?> _profile;
    private readonly FaultWatch _watch;
    private readonly double _streamedShare;
    private readonly Random _random;
    private readonly Stack<SimulatedCall> _idle = new();
    private readonly SortedDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly EndpointTally[] _tallies;
    private readonly long[] _lost;
    private readonly Histogram _latency = new();
    private readonly Histogram _firstContent = new();
    private readonly Histogram _seamTimes = new();
    private long _continued;
    private long _continuedTokens;
    private long _calls;
    private long _succeeded;
    private long _inFlight;
    private long _streams;
    private ulong _digest = 14695981039346656037;

    public SimulationRun(TestPool test, TimeSpan length, Func<long, RequestProfile?> profile, FaultWatch watch, double streamedShare, int seed)
    {
        (_test, _length, _profile, _watch, _streamedShare) = (test, length, profile, watch, streamedShare);
        // The choice of streamed calls has its own random source, so that it does not change the arrival times.
        _random = new Random(~seed);
        _interval = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(length.TotalSeconds / MostIntervals)));
        var intervals = (int)(length / _interval) + 1;
        _lost = new long[intervals];
        _tallies = [.. test.Endpoints.Select(_ => new EndpointTally(intervals))];
        foreach (var endpoint in test.Endpoints)
            _index.Add(endpoint.Name, _index.Count);
        test.Events.Happened = RecordEvent;
    }

    public SimulationResult Run(IEnumerable<Arrival> arrivals, (TimeSpan At, Action<TestPool> Do)[] schedule)
    {
        var next = 0;
        foreach (var arrival in arrivals)
        {
            if (arrival.At >= _length)
                break;
            for (; next < schedule.Length && schedule[next].At <= arrival.At; next++)
                Happen(schedule[next]);
            MoveTo(arrival.At);
            _ = CallAsync(arrival, _calls++);
        }
        for (; next < schedule.Length && schedule[next].At <= _length; next++)
            Happen(schedule[next]);
        MoveTo(_length);
        var end = _length + Settling;
        while (_inFlight > 0 && _test.Time.Elapsed < end && _test.Time.AdvanceToNextTimer())
        {
        }
        _test.Time.Advance(TimeSpan.Zero);
        return Result();
    }

    private void Happen((TimeSpan At, Action<TestPool> Do) scheduled)
    {
        MoveTo(scheduled.At);
        scheduled.Do(_test);
    }

    private void MoveTo(TimeSpan at)
    {
        var by = at - _test.Time.Elapsed;
        _test.Time.Advance(by > TimeSpan.Zero ? by : TimeSpan.Zero);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Each exception that ends a call is a result.")]
    private async Task CallAsync(Arrival arrival, long number)
    {
        if (!_idle.TryPop(out var call))
            call = new SimulatedCall();
        call.Begin(arrival.InputTokens, arrival.OutputTokens, _test.Time.Elapsed);
        _inFlight++;
        var succeeded = false;
        try
        {
            var profile = _profile(number) ?? RequestProfile.Default;
            if (_streamedShare > 0 && _random.NextDouble() < _streamedShare)
                succeeded = await ReadAsync(profile, call).ConfigureAwait(false);
            else if (!(succeeded = await _test.Pool.ExecuteAsync(profile, (Run: this, call), static (attempt, s, token) => s.Run.AttemptAsync(attempt, s.call, token)).ConfigureAwait(false)))
                Fail("Returned");
        }
        catch (Exception exception)
        {
            Fail(exception.GetType().Name);
        }
        _inFlight--;
        var took = _test.Time.Elapsed - call.Began;
        Digest((ulong)number, (ulong)_test.Time.Elapsed.Ticks, succeeded ? 1u : 0u);
        if (!succeeded)
        {
            _lost[Math.Min((int)(call.Began / _interval), _lost.Length - 1)]++;
            return;
        }
        _succeeded++;
        if (call.FailedOn != 0)
            _watch.Served(call, _test.Time.Elapsed);
        _latency.Add(took);
        _firstContent.Add(call.FirstContentAt - call.Began);
        // A failed call is not reused, because an attempt that was not awaited may still use it.
        _idle.Push(call);
    }

    // A stream succeeds when each chunk of content arrives once, in order and from one attempt, up to the end.
    private async ValueTask<bool> ReadAsync(RequestProfile profile, SimulatedCall call)
    {
        var (attempt, next, last) = (-1L, 0, StreamSignal.None);
        var answer = await _test.Pool.StreamAsync(
            profile, (Run: this, call), static (attempt, s, token) => new(s.Run.OpenStream(attempt, s.call, 0, token)), SimulatedItemReader.Instance,
            _test.Pool.MayContinue(profile) ? ContinueAsync : null).ConfigureAwait(false);
        await using var _ = ((IAsyncDisposable)answer).ConfigureAwait(false);
        while (await answer.MoveNextAsync().ConfigureAwait(false))
        {
            var item = answer.Current;
            last = item.Signal;
            if (item.Index < 0)
                continue;
            if (attempt < 0)
                attempt = item.Attempt;
            if (item.Attempt == attempt && item.Index == next++)
                continue;
            Fail("Replayed");
            return false;
        }
        NoteSeams(answer.Detail.Seams);
        if (last.HasFlag(StreamSignal.End))
            return true;
        Fail("LookedWhole");
        return false;

        // After a continuation, the chunks come from another attempt.
        async ValueTask<IAsyncEnumerable<SimulatedItem>?> ContinueAsync(PartialResponseException cut, CancellationToken token)
        {
            var rest = await _test.Pool.ContinueAsync(
                profile, cut, new AnswerSoFar(next, null), (Run: this, call, next), static (attempt, s, token) => new(s.Run.OpenStream(attempt, s.call, s.next, token)),
                SimulatedItemReader.Instance, token).ConfigureAwait(false);
            _continuedTokens += call.InputTokens + ScriptedStreams.TokensOf(call, next);
            attempt = -1;
            return rest;
        }
    }

    private void NoteSeams(IReadOnlyList<StreamSeam> seams)
    {
        _continued += Math.Min(1, seams.Count);
        foreach (var seam in seams)
            _seamTimes.Add(seam.Took);
    }

    private IAsyncEnumerable<SimulatedItem> OpenStream(EndpointAttempt attempt, SimulatedCall call, int from, CancellationToken cancellationToken)
    {
        CountAttempt(attempt);
        return _test[attempt.Endpoint.Name].Streams.StreamAsync(attempt, call, _streams++, from, cancellationToken);
    }

    private ValueTask<bool> AttemptAsync(EndpointAttempt attempt, SimulatedCall call, CancellationToken cancellationToken)
    {
        CountAttempt(attempt);
        return _test.ServeAsync(attempt, call, cancellationToken);
    }

    private void CountAttempt(EndpointAttempt attempt)
    {
        var index = _index[attempt.Endpoint.Name];
        _tallies[index].Attempt((int)Math.Min(_test.Time.Elapsed / _interval, int.MaxValue));
        Digest((ulong)index, (ulong)_test.Time.Elapsed.Ticks, (ulong)attempt.Number);
    }

    private void Fail(string what) => _failures[what] = _failures.GetValueOrDefault(what) + 1;

    private void RecordEvent(PoolEvent happened)
    {
        if (happened is not EndpointChanged change || !_index.TryGetValue(change.Endpoint, out var index))
            return;
        _tallies[index].RecordChange(change);
        _watch.RecordChange(index, change, _test.Time.Elapsed);
    }

    // FNV-1a over words of eight bytes. The checksum covers the events of the run in their order.
    private void Digest(params ReadOnlySpan<ulong> values)
    {
        foreach (var value in values)
            _digest = (_digest ^ value) * 1099511628211;
    }

    private SimulationResult Result() => new()
    {
        Calls = _calls,
        Succeeded = _succeeded,
        Unfinished = _inFlight,
        Failures = _failures,
        Endpoints = [.. _test.Endpoints.Select((endpoint, i) => _tallies[i].Result(endpoint, _test.Options.Endpoints[i]))],
        LostPerInterval = _lost,
        Faults = _watch.Faults,
        Interval = _interval,
        Events = _test.Events.All,
        EventCount = _test.Events.Seen,
        Digest = _digest,
        Latencies = _latency,
        FirstContents = _firstContent,
        Continued = _continued,
        ContinuedTokens = _continuedTokens,
        SeamTimes = _seamTimes,
    };
}

/// <summary>The counters of one endpoint.</summary>
internal sealed class EndpointTally(int intervals)
{
    private readonly long[] _perInterval = new long[intervals];
    private readonly List<TimeSpan> _breaks = [];
    private long _ejections;
    private long _trials;
    private long _changes;

    public void Attempt(int interval) => _perInterval[Math.Min(interval, _perInterval.Length - 1)]++;

    public void RecordChange(EndpointChanged change)
    {
        if (change.After.Status != change.Before.Status)
            _changes++;
        if (change.After.Status == Health.EndpointHealthStatus.Trial && change.Before.Status != Health.EndpointHealthStatus.Trial)
            _trials++;
        if (change is not EndpointEjected)
            return;
        _ejections++;
        if (_breaks.Count < 1000 && change.After.Until is { } until)
            _breaks.Add(until - change.After.Since);
    }

    public SimulatedEndpointResult Result(ScriptedEndpoint endpoint, EndpointOptions options) => new()
    {
        Name = endpoint.Name,
        Attempts = endpoint.Attempts,
        Answered = endpoint.Answered,
        Refused = endpoint.Refused,
        EarlySends = endpoint.EarlySends,
        WastedInputTokens = endpoint.WastedInputTokens,
        WastedOutputTokens = endpoint.WastedOutputTokens,
        WastedMoney = (endpoint.WastedInputTokens * options.InputTokenPrice + endpoint.WastedOutputTokens * options.OutputTokenPrice) / 1e6,
        PeakInFlight = endpoint.PeakInFlight,
        Ejections = _ejections,
        Trials = _trials,
        StatusChanges = _changes,
        Breaks = _breaks,
        AttemptsPerInterval = _perInterval,
    };
}
