using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A probe whose results a script defines. It succeeds at once unless a fault applies. Only rules that include probes apply (<c>where: _ => true</c>, or
/// <c>where: request => request.IsProbe</c>). Thread-safe.
/// </summary>
/// <param name="faults">The script of the probe; it can be the script of an endpoint.</param>
public sealed class ScriptedProbe(FaultScript faults) : IProbe
{
    private static readonly FakeRequest Question = new(FakeOperation.Health);
    private long _asked;

    /// <summary>Gets the faults that the probe finds.</summary>
    public FaultScript Faults { get; } = faults ?? throw new ArgumentNullException(nameof(faults));

    /// <inheritdoc/>
    public ProbeLevel Level { get; init; } = ProbeLevel.Generating;

    /// <inheritdoc/>
    public ProbePace Pace { get; init; }

    /// <summary>Gets the number of probes so far.</summary>
    public long Asked => Interlocked.Read(ref _asked);

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        Interlocked.Increment(ref _asked);
        var fault = Faults.ChooseFault(Question);
        if (FaultReading.IsSilence(fault))
            await Waits.ForEver(cancellationToken).ConfigureAwait(false);
        await Waits.DelayAsync(context.Time, fault.ToHeaders + fault.ToFirstToken, cancellationToken).ConfigureAwait(false);
        return new ProbeResult(FaultReading.ReadFault(fault, context.Endpoint.Dialect, context.Time.GetUtcNow()));
    }
}
