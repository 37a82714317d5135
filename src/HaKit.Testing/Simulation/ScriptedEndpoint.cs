using System.Runtime.CompilerServices;
using HaKit.Faults;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// An endpoint of a <see cref="TestPool"/> or a <see cref="Simulation"/>: takes its time as its <see cref="ServiceModel"/> says, and goes wrong as
/// <see cref="Faults"/> says. An error status is read by HaKit's own classifier, headers and body included, as a real answer would be. For one thread.
/// </summary>
public sealed class ScriptedEndpoint
{
    private static readonly FakeRequest Request = new(FakeOperation.Callback);

    private readonly ManualTimeProvider _time;
    private readonly Alarms _alarms;
    private readonly Random _random;
    private readonly List<(TimeSpan From, TimeSpan Until, double Factor)> _slow = [];
    private Station _station;
    private ServiceModel _service;
    private TimeSpan _closedUntil;

    internal ScriptedEndpoint(string name, ManualTimeProvider time, Alarms alarms, int seed, ServiceModel? service = null)
    {
        (Name, _time, _alarms) = (name, time, alarms);
        Faults = new FaultScript(time, seed);
        _random = new Random(seed);
        _service = service ?? ServiceModel.Fixed(TimeSpan.FromMilliseconds(100));
        _station = Station.For(_service, time, alarms);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What goes wrong, changeable at any time.</summary>
    public FaultScript Faults { get; }

    /// <summary>How long it works; default 100 ms. A change holds for the requests that come after it.</summary>
    public ServiceModel Service
    {
        get => _service;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            (_service, _station) = (value, Station.For(value, _time, _alarms));
        }
    }

    /// <summary>Attempts that reached it.</summary>
    public long Attempts { get; private set; }

    /// <summary>Attempts that it answered well.</summary>
    public long Answered { get; private set; }

    /// <summary>Attempts that came before the time that one of its earlier answers had named (Retry-After).</summary>
    public long EarlySends { get; private set; }

    /// <summary>Attempts on it at this moment.</summary>
    public int InFlight { get; private set; }

    /// <summary>The most attempts that were on it at once.</summary>
    public int PeakInFlight { get; private set; }

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
        Attempts++;
        PeakInFlight = Math.Max(PeakInFlight, ++InFlight);
        if (_time.Elapsed < _closedUntil)
            EarlySends++;
        try
        {
            var fault = Faults.For(Request);
            if (ReferenceEquals(fault, FakeFault.None))
                return await WorkAsync(attempt, call, fault, cancellationToken).ConfigureAwait(false);
            if (FaultReading.IsSilence(fault))
                await Waits.ForEver(cancellationToken).ConfigureAwait(false);
            if (FaultReading.Of(fault, attempt.Endpoint.Dialect, _time.GetUtcNow()) is not { } failure)
                return await WorkAsync(attempt, call, fault, cancellationToken).ConfigureAwait(false);
            await _alarms.WaitAsync(fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            if (failure.RetryAfter is { } after && _time.Elapsed + after > _closedUntil)
                _closedUntil = _time.Elapsed + after;
            attempt.ReportFault(failure);
            return false;
        }
        finally
        {
            InFlight--;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WorkAsync(EndpointAttempt attempt, SimulatedCall call, FakeFault fault, CancellationToken cancellationToken)
    {
        var time = _service.Draw(call.InputTokens, call.OutputTokens, _random) * SlownessAt(_time.Elapsed);
        var station = _station;
        await station.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await station.WorkAsync(time.FirstContent + fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
            attempt.ReportFirstContent();
            call.FirstContentAt = _time.Elapsed;
            if (fault.Ending is { } ending)
                return await BreakAsync(attempt, ending, cancellationToken).ConfigureAwait(false);
            if (time.Whole > time.FirstContent)
                await station.WorkAsync(time.Whole - time.FirstContent, cancellationToken).ConfigureAwait(false);
            attempt.ReportUsage(call.InputTokens, call.OutputTokens);
            Answered++;
            return true;
        }
        finally
        {
            station.Leave();
        }
    }

    private static async ValueTask<bool> BreakAsync(EndpointAttempt attempt, FakeEnding ending, CancellationToken cancellationToken)
    {
        if (ending.Kind == FakeEndingKind.Silence)
            await Waits.ForEver(cancellationToken).ConfigureAwait(false);
        attempt.ReportFault(new Fault(FaultKind.PartialResponse));
        return false;
    }

    private double SlownessAt(TimeSpan now)
    {
        var factor = 1.0;
        foreach (var (from, until, times) in _slow)
            if (now >= from && now < until)
                factor *= times;
        return factor;
    }
}

/// <summary>One call on its way: what it asks, and what was seen of it.</summary>
internal sealed class SimulatedCall
{
    public int InputTokens { get; set; }

    public int OutputTokens { get; set; }

    public TimeSpan Began { get; set; }

    public TimeSpan FirstContentAt { get; set; }
}
