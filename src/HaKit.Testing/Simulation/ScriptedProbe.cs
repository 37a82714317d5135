using HaKit.Health;
using HaKit.Heartbeats;
using HaKit.Testing.Wire;

namespace HaKit.Testing;

/// <summary>
/// A probe that finds what a script says: well at once, unless a fault applies. Only rules that strike probes count (<c>where: _ => true</c>, or
/// <c>where: request => request.IsProbe</c>). As safe for concurrent use as the script, which is.
/// </summary>
/// <param name="faults">What goes wrong; may be an endpoint's own script.</param>
public sealed class ScriptedProbe(FaultScript faults) : IProbe
{
    private static readonly FakeRequest Question = new(FakeOperation.Health);
    private long _asked;

    /// <summary>What it finds.</summary>
    public FaultScript Faults { get; } = faults ?? throw new ArgumentNullException(nameof(faults));

    /// <inheritdoc/>
    public ProbeLevel Level { get; init; } = ProbeLevel.Generating;

    /// <inheritdoc/>
    public ProbePace Pace { get; init; }

    /// <summary>How often it was asked.</summary>
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
