using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Heartbeats;
using HaKit.Testing;

namespace HaKit.Tool.WhatIf;

/// <summary>An endpoint that answers as the recording predicts, for one run in virtual time. For use on one thread.</summary>
internal sealed class PlayedEndpoint : IProbe, IDisposable
{
    private readonly EndpointTrack _track;
    private readonly ManualTimeProvider _time;
    private readonly Unknown _unknown;
    private readonly Random _random;
    private readonly SharedServer _server;
    private double _level;
    private TimeSpan _levelAt;

    public PlayedEndpoint(EndpointTrack track, ProbeLevel level, ManualTimeProvider time, Unknown unknown, int seed)
    {
        (_track, Level, _time, _unknown, _random) = (track, level, time, unknown, new Random(seed));
        // More concurrent requests than were ever observed may or may not slow the endpoint down.
        var capacity = track.Work.Capacity;
        _server = new SharedServer(double.IsInfinity(capacity) && unknown == Unknown.IsDown ? Math.Max(1, track.Work.Peak) : capacity, time);
        _level = track.Quota?.PerMinute ?? 0;
    }

    public ProbeLevel Level { get; }

    public long Attempts { get; private set; }

    /// <summary>Gets the number of attempts whose answers are assumptions.</summary>
    public long Assumed { get; private set; }

    public double InputTokens { get; private set; }

    public double OutputTokens { get; private set; }

    /// <summary>Serves one attempt. Returns false when it failed; the attempt then contains the fault.</summary>
    public async ValueTask<bool> ServeAsync(EndpointAttempt attempt, PastCall call, CancellationToken cancellationToken)
    {
        if (await RefusesAsync(attempt, call, cancellationToken) is not { } answer)
            return false;
        _server.BeginJob();
        try
        {
            await _server.WorkAsync(answer.First, cancellationToken);
            attempt.ReportFirstContent();
            await _server.WorkAsync(answer.Rest, cancellationToken);
            attempt.ReportUsage(call.InputTokens, call.OutputTokens);
            OutputTokens += call.OutputTokens;
            return true;
        }
        finally
        {
            _server.EndJob();
        }
    }

    /// <summary>Serves one attempt as a stream of two items: the first content and the end.</summary>
    public async IAsyncEnumerable<StreamSignal> StreamAsync(EndpointAttempt attempt, PastCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await RefusesAsync(attempt, call, cancellationToken) is not { } answer)
            throw new HttpRequestException("The endpoint was seen to refuse it.");
        _server.BeginJob();
        try
        {
            await _server.WorkAsync(answer.First, cancellationToken);
            yield return StreamSignal.Content;
            await _server.WorkAsync(answer.Rest, cancellationToken);
            OutputTokens += call.OutputTokens;
            yield return StreamSignal.Content | StreamSignal.End;
        }
        finally
        {
            _server.EndJob();
        }
    }

    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        var (fault, isSilent, after) = _track.ProbeAt(_time.Elapsed, Level, _unknown);
        if (isSilent)
            await VirtualWait.ForEverAsync(cancellationToken);
        await VirtualWait.ForAsync(_time, after, cancellationToken);
        return new ProbeResult(fault);
    }

    public void Dispose() => _server.Dispose();

    // Returns null when the endpoint refused the attempt; otherwise the predicted answer.
    private async ValueTask<PredictedAnswer?> RefusesAsync(EndpointAttempt attempt, PastCall call, CancellationToken cancellationToken)
    {
        Attempts++;
        if (call.Refusal is { } own)
            return Refused(attempt, own);
        var answer = _track.At(_time.Elapsed, call.InputTokens, call.OutputTokens, _unknown, _random);
        Assumed += answer.IsAssumed ? 1 : 0;
        if (answer.IsSilent)
            await VirtualWait.ForEverAsync(cancellationToken);
        if (answer.Fault is { } fault)
        {
            if (answer.ContentBeforeFault is { } content)
            {
                await VirtualWait.ForAsync(_time, content, cancellationToken);
                attempt.ReportFirstContent();
            }
            await VirtualWait.ForAsync(_time, answer.After - (answer.ContentBeforeFault ?? default), cancellationToken);
            return Refused(attempt, fault);
        }
        if (TakeQuota(call) is { } wait)
            return Refused(attempt, new Fault(FaultKind.Throttled) { StatusCode = 429, RetryAfter = wait });
        InputTokens += call.InputTokens;
        return answer;
    }

    private static PredictedAnswer? Refused(EndpointAttempt attempt, Fault fault)
    {
        attempt.ReportFault(fault);
        return null;
    }

    // Returns null when the quota accepts the attempt; otherwise the whole seconds until it would.
    private TimeSpan? TakeQuota(PastCall call)
    {
        if (_track.Quota is not { } quota)
            return null;
        var now = _time.Elapsed;
        _level = Math.Min(quota.PerMinute, _level + quota.PerMinute / 60 * (now - _levelAt).TotalSeconds);
        _levelAt = now;
        var need = quota.OfTokens ? call.InputTokens + call.OutputTokens : 1;
        if (need <= _level)
        {
            _level -= need;
            return null;
        }
        return TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling((Math.Min(need, quota.PerMinute) - _level) * 60 / quota.PerMinute)));
    }
}

/// <summary>Reads the items of a simulated stream, which contain their meaning.</summary>
internal sealed class SignalReader : StreamItemReader<StreamSignal>
{
    public static SignalReader Instance { get; } = new();

    public override StreamSignal Read(StreamSignal item) => item;
}
