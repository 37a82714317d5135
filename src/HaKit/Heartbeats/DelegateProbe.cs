using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>Runs your own code as a probe. Probes of several endpoints may run your code at the same time, so it must be thread-safe.</summary>
public sealed class DelegateProbe : IProbe
{
    private readonly Func<ProbeContext, CancellationToken, ValueTask<ProbeResult>> _probe;

    /// <summary>Creates a probe that runs the delegate.</summary>
    /// <param name="probe">Makes one probe. It may throw: an exception is a missed heartbeat.</param>
    public DelegateProbe(Func<ProbeContext, CancellationToken, ValueTask<ProbeResult>> probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        _probe = probe;
    }

    /// <summary>Creates a probe that runs a delegate with a result of true or false.</summary>
    /// <param name="isWell">Makes one probe. It may throw: an exception is a missed heartbeat.</param>
    public DelegateProbe(Func<PoolEndpoint, CancellationToken, ValueTask<bool>> isWell)
    {
        ArgumentNullException.ThrowIfNull(isWell);
        _probe = async (context, cancellationToken) =>
            new ProbeResult(await isWell(context.Endpoint, cancellationToken).ConfigureAwait(false) ? null : new Fault(FaultKind.Unknown));
    }

    /// <inheritdoc/>
    public ProbeLevel Level { get; init; }

    /// <inheritdoc/>
    public ProbePace Pace { get; init; }

    /// <inheritdoc/>
    public TimeSpan? Timeout { get; init; }

    /// <inheritdoc/>
    public ValueTask<ProbeResult> ProbeAsync(ProbeContext context, CancellationToken cancellationToken) => _probe(context, cancellationToken);
}
