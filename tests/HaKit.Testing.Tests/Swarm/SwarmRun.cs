using System.Globalization;
using System.Net;
using System.Text;
using HaKit.Faults;
using HaKit.Health;
using HaKit.Heartbeats;

namespace HaKit.Testing.Tests.Swarm;

/// <summary>Runs one case: the real pool over scripted endpoints. Records every attempt and every end, so that the promises can be checked.</summary>
internal sealed class SwarmRun
{
    private static readonly TimeSpan OwnWait = new HealthOptions().MaxThrottleCooldown;

    private readonly TestPool _test;
    private readonly Random _random;
    private readonly StringBuilder? _log;
    private readonly Dictionary<string, int> _index = [];
    private long _open;
    private ulong _digest = 14695981039346656037;

    private SwarmRun(SwarmCase @case, bool log)
    {
        Case = @case;
        _random = new Random(~@case.Seed);
        _log = log ? new StringBuilder() : null;
        _test = TestPools.Create(@case.Endpoints.Select(e => e.Name), @case.Configure, Parts, @case.Seed);
        _test.Time.ConfineToCurrentThread();
        Closures = [.. @case.Endpoints.Select(_ => new List<(TimeSpan, TimeSpan)>())];
        Throttled = [.. @case.Endpoints.Select(_ => new List<(TimeSpan, TimeSpan)>())];
        foreach (var endpoint in _test.Endpoints)
        {
            _index.Add(endpoint.Name, endpoint.Index);
            endpoint.Service = @case.Endpoints[endpoint.Index].Service;
            endpoint.HasRefused = Refused;
        }
        foreach (var fault in @case.Faults)
        {
            foreach (var endpoint in _test.Endpoints)
            {
                if (fault.Endpoint is null || fault.Endpoint == endpoint.Name)
                    endpoint.Faults.Add(new FaultRule(fault.Fault) { From = fault.From, Until = fault.Until, Probability = fault.Probability, Where = fault.Probes ? static _ => true : null });
            }
        }

        _test.Events.Happened = Happened;
    }

    public SwarmCase Case { get; }

    public List<SwarmCall> Calls { get; } = [];

    public List<SwarmAttempt> Attempts { get; } = [];

    /// <summary>
    /// Gets, for each endpoint, the periods for which a server asked that no request be sent: the endpoint itself, or an endpoint that shares the domain of the
    /// refusal.
    /// </summary>
    public List<(TimeSpan From, TimeSpan Until)>[] Closures { get; }

    /// <summary>Gets the same for servers that throttle and name no time. The period is then the pool's own wait, at its longest.</summary>
    public List<(TimeSpan From, TimeSpan Until)>[] Throttled { get; }

    /// <summary>Gets the broken promises, in order.</summary>
    public List<string> Violations { get; } = [];

    public List<(TimeSpan At, int Endpoint, PoolEvent Event)> Events { get; } = [];

    public string Log => _log?.ToString() ?? "";

    public ulong Digest => _digest;

    public static SwarmRun Of(SwarmCase @case, bool log = false)
    {
        var run = new SwarmRun(@case, log);
        try
        {
            run.Live();
            Promises.Check(run);
        }
        finally
        {
            run._test.Dispose();
        }
        return run;
    }

    private void Parts(EndpointPoolParts parts)
    {
        // Like a TCP connection, the probe clears no cooldown. It brings back only an endpoint that could not be reached.
        if (parts.Probe is { } given)
        {
            parts.Probe = endpoint => new WatchedProbe(
                new ScriptedProbe(((ScriptedProbe)given(endpoint)!).Faults) { Level = ProbeLevel.Reachable }, fault => ProbeRefused(_index[endpoint.Name], fault));
        }

        Case.PlantedParts?.Invoke(parts);
    }

    private void Live()
    {
        var time = _test.Time;
        var nextLook = TimeSpan.Zero;
        var paused = Case.Pause is null;
        foreach (var arrival in Workload.Poisson(Case.Rate).Arrivals(new Random(Case.Seed)))
        {
            if (arrival.At >= Case.Length)
                break;
            for (; nextLook < arrival.At; nextLook += TimeSpan.FromSeconds(1))
            {
                MoveTo(nextLook);
                Look();
                if (!paused && Case.Pause <= nextLook)
                {
                    paused = true;
                    time.Pause(TimeSpan.FromSeconds(5));
                }
            }
            MoveTo(arrival.At);
            Begin();
        }
        MoveTo(Case.Length);
        // All endpoints have recovered, and nothing else happens. So every waiting call ends.
        foreach (var endpoint in _test.Endpoints)
            endpoint.Faults.Clear();
        var end = time.Elapsed + Case.Deadline + TimeSpan.FromSeconds(120);
        while (_open > 0 && time.Elapsed < end && time.AdvanceToNextTimer())
        {
        }
        if (_open > 0)
            Broken($"{_open} calls never end");
        Settle();
    }

    // Makes some quiet traffic, and gives orders for endpoints whose server named no time. Then all endpoints must be back, and no earlier state may remain.
    private void Settle()
    {
        foreach (var endpoint in _test.Endpoints)
        {
            if (Closures[endpoint.Index].Any(c => c.Until == TimeSpan.MaxValue))
                _test.Time.Run(() => _test.Pool.BringUpAsync(endpoint.Name).AsTask());
        }
        // The pool's own longest wait for a server that throttles and names no time is a minute.
        _test.Time.Advance(TimeSpan.FromSeconds(65));
        for (var i = 0; i < 120; i++)
        {
            _test.Time.Advance(TimeSpan.FromSeconds(6));
            _ = QuietAsync();
        }
        _test.Time.Advance(TimeSpan.FromSeconds(60));
        foreach (var e in _test.Pool.Explain(RequestProfile.Default))
        {
            if (e.InFlight != 0)
                Broken($"{e.Endpoint} has {e.InFlight} attempts in flight long after the last call");
            if (_test[e.Endpoint].InFlight != 0)
                Broken($"{e.Endpoint} still works on {_test[e.Endpoint].InFlight} attempts long after the last call");
            // A standby gets calls only when it is needed.
            if (!e.Health.Admits(_test.Time.Elapsed) && !e.Health.IsTrialReady(_test.Time.Elapsed))
                Broken($"{e.Endpoint} is {e.Health.Status} though it has been well for ten minutes");
        }
    }

    private async Task QuietAsync()
    {
        var call = new SimulatedCall();
        call.Begin(10, 10, _test.Time.Elapsed);
        try
        {
            if (!await _test.Pool.ExecuteAsync((_test, call), static (attempt, s, token) => s._test.ServeAsync(attempt, s.call, token)))
                Broken("a quiet call was handed a failure");
        }
        catch (Exception exception)
        {
            Broken($"a quiet call ended with {exception.Message}");
        }
    }

    private void MoveTo(TimeSpan at)
    {
        if (at > _test.Time.Elapsed)
            _test.Time.Advance(at - _test.Time.Elapsed);
    }

    private void Begin()
    {
        var call = new SwarmCall
        {
            Number = Calls.Count,
            Began = _test.Time.Elapsed,
            IsStream = _random.NextDouble() < Case.Streams,
            IsBad = _random.NextDouble() < Case.BadRequests,
            CancelAt = _random.NextDouble() < Case.Cancelled ? _test.Time.Elapsed + TimeSpan.FromSeconds(_random.NextDouble() * 3) : null,
        };
        call.Simulated.Begin(10, 10, call.Began);
        Calls.Add(call);
        Note('b', call.Number);
        _ = CallAsync(call);
    }

    private async Task CallAsync(SwarmCall call)
    {
        _open++;
        using var cancellation = call.CancelAt is null ? null : new CancellationTokenSource();
        using var timer = cancellation is null ? null : _test.Time.CreateTimer(
            static source => ((CancellationTokenSource)source!).Cancel(), cancellation, call.CancelAt!.Value - call.Began, Timeout.InfiniteTimeSpan);
        var token = cancellation?.Token ?? default;
        try
        {
            if (call.IsStream)
                await ReadAsync(call, token);
            else
                call.Outcome = await _test.Pool.ExecuteAsync((this, call), static (attempt, s, token) => s.Item1.AttemptAsync(attempt, s.call, token), token) ? "served" : "returned";
        }
        catch (Exception exception)
        {
            (call.Outcome, call.Exception) = (exception.GetType().Name, exception);
        }
        call.Ended = _test.Time.Elapsed;
        _open--;
        Note(call.Outcome == "served" ? 's' : call.Outcome[0], call.Number);
        _log?.Append(CultureInfo.InvariantCulture, $"{_test.Time.Elapsed} call {call.Number} {call.Outcome} {call.Exception?.Message}\n");
    }

    private async Task ReadAsync(SwarmCall call, CancellationToken cancellationToken)
    {
        var answer = await _test.Pool.StreamAsync(
            RequestProfile.Default, (this, call), static (attempt, s, token) => new(s.Item1.Open(attempt, s.call, token)), SimulatedItemReader.Instance, cancellationToken);
        await using var _ = ((IAsyncDisposable)answer).ConfigureAwait(false);
        call.FirstItemAt = _test.Time.Elapsed;
        var (attempt, next, last) = (-1L, 0, StreamSignal.None);
        while (await answer.MoveNextAsync())
        {
            var item = answer.Current;
            last = item.Signal;
            if (item.Index < 0)
                continue;
            if (attempt < 0)
                attempt = item.Attempt;
            Attempts[(int)item.Attempt].ShowedContent = true;
            if (item.Attempt != attempt || item.Index != next++)
                Broken($"call {call.Number} was given content {item.Index} of attempt {item.Attempt} after {next - 1} of attempt {attempt}");
        }
        if (!last.HasFlag(StreamSignal.End))
            Broken($"call {call.Number} was given half an answer that looks whole");
        call.Outcome = "served";
    }

    private async ValueTask<bool> AttemptAsync(EndpointAttempt attempt, SwarmCall call, CancellationToken cancellationToken)
    {
        var sent = Sent(attempt, call);
        try
        {
            if (call.IsBad)
                await RefuseAsBadAsync(cancellationToken);
            var served = await _test.ServeAsync(attempt, call.Simulated, cancellationToken);
            // A plain answer that was handed over belongs to the caller, with its content. A callback that fails after content hands over nothing.
            sent.ShowedContent = served;
            return served;
        }
        finally
        {
            sent.Ended = _test.Time.Elapsed;
        }
    }

    private async IAsyncEnumerable<SimulatedItem> Open(
        EndpointAttempt attempt, SwarmCall call, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sent = Sent(attempt, call);
        try
        {
            if (call.IsBad)
                await RefuseAsBadAsync(cancellationToken);
            await foreach (var item in _test[attempt.Endpoint.Name].Streams.StreamAsync(attempt, call.Simulated, sent.Number, from: 0, cancellationToken))
                yield return item;
        }
        finally
        {
            sent.Ended = _test.Time.Elapsed;
        }
    }

    private async Task RefuseAsBadAsync(CancellationToken cancellationToken)
    {
        await Wire.Waits.DelayAsync(_test.Time, TimeSpan.FromMilliseconds(20), cancellationToken);
        throw new HttpRequestException("a bad request", null, HttpStatusCode.BadRequest);
    }

    private SwarmAttempt Sent(EndpointAttempt attempt, SwarmCall call)
    {
        var index = _index[attempt.Endpoint.Name];
        var sent = new SwarmAttempt { Number = Attempts.Count, Call = call, Endpoint = index, Began = _test.Time.Elapsed };
        Attempts.Add(sent);
        call.Attempts.Add(sent);
        Note('a', index);
        _log?.Append(CultureInfo.InvariantCulture, $"{_test.Time.Elapsed} call {call.Number} attempt {attempt.Number} on {attempt.Endpoint.Name}\n");
        foreach (var (from, until) in Closures[index])
        {
            // A key that has served gets a trial after 5 s, a quota after a minute.
            if (sent.Began > from && sent.Began < (until == TimeSpan.MaxValue ? from + TimeSpan.FromSeconds(4) : until))
                Broken($"call {call.Number} was sent to e{index} at {sent.Began.TotalSeconds:0.000} s, which was to be left alone from {from.TotalSeconds:0.000} s to {(until == TimeSpan.MaxValue ? "further notice" : $"{until.TotalSeconds:0.000} s")}");
        }

        return sent;
    }

    // The true fault comes from the domains of the case and the built-in classification of the answer, even if the pool got another classification.
    private void Refused(ScriptedEndpoint endpoint, Fault fault)
    {
        var forGood = fault.UntilCleared || fault.RetryAfter is null && fault.Kind is FaultKind.QuotaExhausted or FaultKind.Unauthorized;
        if (!forGood && fault.RetryAfter is null && fault.Blame != FaultBlame.Throttle)
            return;
        var now = _test.Time.Elapsed;
        var until = forGood ? TimeSpan.MaxValue : now + fault.RetryAfter;
        foreach (var i in ConcernedBy(endpoint.Index, fault))
        {
            if (until is { } known)
                Closures[i].Add((now, known));
            else
                Throttled[i].Add((now, now + OwnWait));
        }
    }

    // A probe that gets a Retry-After starts a cooldown of its endpoint, as a call does.
    private void ProbeRefused(int endpoint, Fault fault)
    {
        if (fault.RetryAfter is null && fault.Blame != FaultBlame.Throttle)
            return;
        var now = _test.Time.Elapsed;
        foreach (var i in ConcernedBy(endpoint, fault))
            Throttled[i].Add((now, now + (fault.RetryAfter ?? OwnWait)));
    }

    private IEnumerable<int> ConcernedBy(int endpoint, Fault fault) =>
        Enumerable.Range(0, Case.Endpoints.Count).Where(i =>
            i == endpoint || fault.Reach != FaultReach.Endpoint && Case.Endpoints[endpoint].Domains.Shares(Case.Endpoints[i].Domains, fault.Reach));

    private void Happened(PoolEvent happened)
    {
        if (happened is not EndpointChanged change)
            return;
        Events.Add((_test.Time.Elapsed, _index[change.Endpoint], change));
        Note('e', _index[change.Endpoint] * 16 + (int)change.After.Status);
        _log?.Append(CultureInfo.InvariantCulture, $"{_test.Time.Elapsed} {change.Endpoint} {change.Before.Status} -> {change.After.Status} ({change.Source}, {change.Fault})\n");
    }

    private void Look()
    {
        foreach (var e in _test.Pool.Explain(RequestProfile.Default))
        {
            if (e.Health.Status == EndpointHealthStatus.Trial && e.InFlight == 0)
                Broken($"{e.Endpoint} has a trial at {_test.Time.Elapsed.TotalSeconds:0} s, but nothing is in flight on it");
        }
    }

    public void Broken(FormattableString what) => Broken(what.ToString(CultureInfo.InvariantCulture));

    public void Broken(string what)
    {
        if (Violations.Count < 20)
            Violations.Add(what);
        _log?.Append(CultureInfo.InvariantCulture, $"{_test.Time.Elapsed} BROKEN {what}\n");
    }

    private void Note(char kind, int what)
    {
        foreach (var value in (ReadOnlySpan<ulong>)[kind, (ulong)what, (ulong)_test.Time.Elapsed.Ticks])
            _digest = (_digest ^ value) * 1099511628211;
    }

    private sealed class WatchedProbe(ScriptedProbe inner, Action<Fault> refused) : IProbe
    {
        public ProbeLevel Level => inner.Level;

        public ProbePace Pace => inner.Pace;

        public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
        {
            var result = await inner.ProbeAsync(context, cancellationToken);
            if (result.Fault is { } fault)
                refused(fault);
            return result;
        }
    }
}
