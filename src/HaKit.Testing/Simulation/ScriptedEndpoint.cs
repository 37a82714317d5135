using System.Globalization;
using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// An endpoint of a <see cref="TestPool"/> or a <see cref="Simulation"/>: takes its time as its <see cref="ServiceModel"/> says, and goes wrong as
/// <see cref="Faults"/> says. An error status is read by HaKit's own classifier, headers and body included, as a real answer would be. For one thread.
/// </summary>
public sealed partial class ScriptedEndpoint
{
    private static readonly FakeRequest Request = new(FakeOperation.Callback);

    private readonly ManualTimeProvider _time;
    private readonly Alarms _alarms;
    private readonly Random _random;
    private readonly List<(TimeSpan From, TimeSpan Until, double Factor)> _slow = [];
    private Station _station;
    private ServiceModel _service;
    private ServerQuota _quota;
    private TimeSpan _closedUntil;
    private TimeSpan _awakeAt;
    private TimeSpan? _restsSince;

    internal ScriptedEndpoint(string name, ManualTimeProvider time, Alarms alarms, int seed, ServiceModel? service = null)
    {
        (Name, _time, _alarms) = (name, time, alarms);
        Faults = new FaultScript(time, seed);
        _random = new Random(seed);
        _service = service ?? ServiceModel.Fixed(TimeSpan.FromMilliseconds(100));
        _station = Station.For(_service, time, alarms);
        _quota = new ServerQuota(_service);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; }

    /// <summary>How long it works; default 100 ms. A change holds for the requests that come after it.</summary>
    public ServiceModel Service
    {
        get => _service;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            (_service, _station, _quota) = (value, Station.For(value, _time, _alarms), new ServerQuota(value));
        }
    }

    /// <summary>Attempts that reached it.</summary>
    public long Attempts { get; private set; }

    /// <summary>Attempts that it answered well.</summary>
    public long Answered { get; private set; }

    /// <summary>Attempts that it refused because of its <see cref="ServiceModel.Quota"/>.</summary>
    public long Refused { get; private set; }

    /// <summary>Attempts that came before the time that one of its earlier answers had named (Retry-After).</summary>
    public long EarlySends { get; private set; }

    /// <summary>Attempts on it at this moment.</summary>
    public int InFlight { get; private set; }

    /// <summary>The most attempts that were on it at once.</summary>
    public int PeakInFlight { get; private set; }

    /// <summary>Tokens of prompts that it read for attempts that were given up or broke, and so served no call.</summary>
    public long WastedInputTokens { get; private set; }

    /// <summary>Tokens of answers that it wrote for them.</summary>
    public long WastedOutputTokens { get; private set; }

    /// <summary>Its place in the pool.</summary>
    internal int Index { get; init; }

    internal Action<ScriptedEndpoint>? WasAnswered { get; set; }

    internal Action<ScriptedEndpoint, Fault>? HasRefused { get; set; }

    /// <summary>Is slower for requests that come within a period.</summary>
    /// <param name="factor">How many times the usual work; more than 0.</param>
    /// <param name="from">Begin of the period, on the test's clock.</param>
    /// <param name="until">Its end, exclusive; default never.</param>
    public void SlowDown(double factor, TimeSpan from = default, TimeSpan? until = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(factor);
        _slow.Add((from, until ?? TimeSpan.MaxValue, factor));
    }

    /// <summary>Serves one attempt.</summary>
    /// <returns>False when it failed; the attempt was told how.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<bool> ServeAsync(EndpointAttempt attempt, SimulatedCall call, CancellationToken cancellationToken)
    {
        Arrive();
        var served = false;
        try
        {
            var fault = FaultFor(call);
            if (!ReferenceEquals(fault, FakeFault.None))
            {
                if (FaultReading.IsSilence(fault))
                    await Waits.ForEver(cancellationToken).ConfigureAwait(false);
                if (FaultReading.ReadFault(fault, attempt.Endpoint.Dialect, _time.GetUtcNow()) is { } failure)
                {
                    await _alarms.WaitAsync(fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
                    ReportRefusal(attempt, failure);
                    return false;
                }
            }
            return served = await WorkAsync(attempt, call, fault, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Depart(call, served);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WorkAsync(EndpointAttempt attempt, SimulatedCall call, FakeFault fault, CancellationToken cancellationToken)
    {
        var time = TimeOf(call);
        var station = _station;
        await station.EnterAsync(cancellationToken).ConfigureAwait(false);
        var began = _time.Elapsed;
        var served = false;
        try
        {
            await station.WorkAsync(time.FirstContent + fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            attempt.ReportFirstContent();
            call.FirstContentAt = began = _time.Elapsed;
            if (fault.Ending is { } ending)
            {
                if (ending.Kind == FakeEndingKind.Silence)
                    await Waits.ForEver(cancellationToken).ConfigureAwait(false);
                attempt.ReportFault(new Fault(FaultKind.PartialResponse));
                return false;
            }
            if (time.Whole > time.FirstContent)
                await station.WorkAsync(time.Whole - time.FirstContent, cancellationToken).ConfigureAwait(false);
            attempt.ReportUsage(call.InputTokens, call.OutputTokens);
            return served = true;
        }
        finally
        {
            station.Release();
            // Before the first content nothing was written; after it the answer grew evenly.
            if (!served)
                Waste(call, call.FirstContentAt == began ? Share(_time.Elapsed - began, time.Whole - time.FirstContent) : 0);
        }
    }

    private void Arrive()
    {
        Attempts++;
        PeakInFlight = Math.Max(PeakInFlight, ++InFlight);
        if (_time.Elapsed < _closedUntil)
            EarlySends++;
    }

    private void Depart(SimulatedCall call, bool served)
    {
        if (--InFlight == 0)
            _restsSince = _time.Elapsed;
        if (!served)
        {
            if (Index < 64)
                call.FailedOn |= 1UL << Index;
            return;
        }
        Answered++;
        WasAnswered?.Invoke(this);
    }

    // What the script says, and beneath it the server's own quota.
    private FakeFault FaultFor(SimulatedCall call)
    {
        var fault = Faults.ChooseFault(Request);
        if (fault.Reply is not null || fault.Exception is not null)
            return fault;
        var wait = _quota.ReserveTokens(call.InputTokens + call.OutputTokens, _time.Elapsed);
        if (wait == TimeSpan.Zero)
            return fault;
        Refused++;
        return FakeFault.Status(429).WithHeader("Retry-After", Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture));
    }

    private void ReportRefusal(EndpointAttempt attempt, Fault failure)
    {
        if (failure.RetryAfter is { } after && _time.Elapsed + after > _closedUntil)
            _closedUntil = _time.Elapsed + after;
        HasRefused?.Invoke(this, failure);
        attempt.ReportFault(failure);
    }

    private ServiceTime TimeOf(SimulatedCall call)
    {
        var time = _service.Draw(call.InputTokens, call.OutputTokens, _random) * SlownessAt(_time.Elapsed);
        return _service.Cold.After > TimeSpan.Zero ? time.After(Warming()) : time;
    }

    private TimeSpan Warming()
    {
        var now = _time.Elapsed;
        var (warming, after) = _service.Cold;
        // This request is already counted.
        if (_awakeAt == default || InFlight == 1 && _restsSince is { } since && now - since >= after)
            _awakeAt = now + warming;
        return _awakeAt > now ? _awakeAt - now : TimeSpan.Zero;
    }

    private void Waste(SimulatedCall call, double shareOfAnswer)
    {
        WastedInputTokens += call.InputTokens;
        WastedOutputTokens += (long)(call.OutputTokens * Math.Clamp(shareOfAnswer, 0, 1));
    }

    private static double Share(TimeSpan part, TimeSpan whole) => whole > TimeSpan.Zero ? part / whole : 1;

    private double SlownessAt(TimeSpan now)
    {
        var factor = 1.0;
        foreach (var (from, until, times) in _slow)
        {
            if (now >= from && now < until)
                factor *= times;
        }

        return factor;
    }
}
