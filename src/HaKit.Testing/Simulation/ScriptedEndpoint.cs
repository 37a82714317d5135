using System.Globalization;
using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// An endpoint of a <see cref="TestPool"/> or a <see cref="Simulation"/>. Its <see cref="ServiceModel"/> gives the time of each answer; <see cref="Faults"/>
/// gives the faults. HaKit's own classifier reads the status, the headers and the body of an error, as it does for a real answer. For use on one thread.
/// </summary>
public sealed class ScriptedEndpoint
{
    private static readonly FakeRequest Request = new(FakeOperation.Callback);

    private readonly ManualTimeProvider _time;
    private readonly Alarms _alarms;
    private readonly Random _random;
    private readonly List<(TimeSpan From, TimeSpan Until, double Factor)> _slow = [];
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
        Station = Station.For(_service, time, alarms);
        _quota = new ServerQuota(_service);
        Streams = new ScriptedStreams(this, time, alarms);
    }

    /// <summary>Gets the endpoint's name.</summary>
    public string Name { get; }

    /// <summary>Gets the faults that the fake injects. They may be changed at any time.</summary>
    public FaultScript Faults { get; }

    /// <summary>Gets or sets how long the endpoint works on a request. Default 100 ms. A change applies to later requests.</summary>
    public ServiceModel Service
    {
        get => _service;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            (_service, Station, _quota) = (value, Station.For(value, _time, _alarms), new ServerQuota(value));
        }
    }

    /// <summary>Gets the number of attempts that reached the endpoint.</summary>
    public long Attempts { get; private set; }

    /// <summary>Gets the number of attempts that the endpoint answered successfully.</summary>
    public long Answered { get; private set; }

    /// <summary>Gets the number of attempts that the endpoint refused because of its <see cref="ServiceModel.Quota"/>.</summary>
    public long Refused { get; private set; }

    /// <summary>Gets the number of attempts that arrived earlier than an earlier answer allowed (Retry-After).</summary>
    public long EarlySends { get; private set; }

    /// <summary>Gets the number of attempts that the endpoint serves now.</summary>
    public int InFlight { get; private set; }

    /// <summary>Gets the largest number of attempts that the endpoint served at the same time.</summary>
    public int PeakInFlight { get; private set; }

    /// <summary>Gets the number of prompt tokens that the endpoint read for attempts that were cancelled or failed.</summary>
    public long WastedInputTokens { get; private set; }

    /// <summary>Gets the number of answer tokens that the endpoint wrote for attempts that were cancelled or failed.</summary>
    public long WastedOutputTokens { get; private set; }

    /// <summary>Gets the endpoint's index in the pool.</summary>
    internal int Index { get; init; }

    internal Station Station { get; private set; }

    /// <summary>Gets the streams of its answers.</summary>
    internal ScriptedStreams Streams { get; }

    internal Action<ScriptedEndpoint>? WasAnswered { get; set; }

    internal Action<ScriptedEndpoint, Fault>? HasRefused { get; set; }

    /// <summary>Makes the endpoint slower for requests that arrive within a period.</summary>
    /// <param name="factor">The factor by which the work increases; 0.000001 to 1,000,000.</param>
    /// <param name="from">The start of the period, on the test's clock.</param>
    /// <param name="until">The end of the period, exclusive. Default: never.</param>
    public void SlowDown(double factor, TimeSpan from = default, TimeSpan? until = null)
    {
        ArgumentRange.Check(factor, ArgumentRange.SmallestRate, ArgumentRange.LargestRate);
        _slow.Add((from, until ?? TimeSpan.MaxValue, factor));
    }

    /// <summary>Serves one attempt.</summary>
    /// <returns>True if the attempt succeeded. After a failure the call contains the fault.</returns>
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
        var station = Station;
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
            // The endpoint writes nothing before the first content, and at a constant rate after it.
            if (!served)
                Waste(call, call.FirstContentAt == began ? Share(_time.Elapsed - began, time.Whole - time.FirstContent) : 0);
        }
    }

    internal void Arrive()
    {
        Attempts++;
        PeakInFlight = Math.Max(PeakInFlight, ++InFlight);
        if (_time.Elapsed < _closedUntil)
            EarlySends++;
    }

    internal void Depart(SimulatedCall call, bool served)
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

    // Combines the faults of the script with the refusal of the server's own quota.
    internal FakeFault FaultFor(SimulatedCall call)
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

    internal void ReportRefusal(EndpointAttempt attempt, Fault failure)
    {
        if (failure.RetryAfter is { } after && _time.Elapsed + after > _closedUntil)
            _closedUntil = _time.Elapsed + after;
        HasRefused?.Invoke(this, failure);
        attempt.ReportFault(failure);
    }

    internal ServiceTime TimeOf(SimulatedCall call)
    {
        var time = _service.Draw(call.InputTokens, call.OutputTokens, _random) * SlownessAt(_time.Elapsed);
        return _service.Cold.After > TimeSpan.Zero ? time.After(Warming()) : time;
    }

    private TimeSpan Warming()
    {
        var now = _time.Elapsed;
        var (warming, after) = _service.Cold;
        // The number of requests in flight already includes this request.
        if (_awakeAt == default || InFlight == 1 && _restsSince is { } since && now - since >= after)
            _awakeAt = now + warming;
        return _awakeAt > now ? _awakeAt - now : TimeSpan.Zero;
    }

    internal void Waste(SimulatedCall call, double shareOfAnswer)
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
