using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Heartbeats;

/// <summary>A probe of your own, as a delegate. As safe for concurrent use as the delegate is.</summary>
public sealed class DelegateProbe : IProbe
{
    private readonly Func<ProbeContext, CancellationToken, ValueTask<ProbeResult>> _probe;

    /// <summary>Asks by calling the delegate.</summary>
    /// <param name="probe">Asks once. May throw: an exception is a failed beat.</param>
    public DelegateProbe(Func<ProbeContext, CancellationToken, ValueTask<ProbeResult>> probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        _probe = probe;
    }

    /// <summary>Asks by calling the delegate, which says whether all is well.</summary>
    /// <param name="isWell">Asks once. May throw: an exception is a failed beat.</param>
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
