namespace HaKit.Testing;

/// <summary>One part of a fault of the drill: what strikes which upstream, and when. Immutable.</summary>
/// <param name="Fault">The fault to inject.</param>
/// <param name="From">From when, counted from the beginning of the drill's fault.</param>
/// <param name="Until">Until when, exclusive.</param>
/// <param name="Upstream">Which upstream, counted from 0 and from the one that the drill strikes first; null for all of them.</param>
/// <param name="Probability">The chance for each request, 0 to 1; default 1.</param>
public sealed record DrillStep(FakeFault Fault, TimeSpan From, TimeSpan Until, int? Upstream = 0, double Probability = 1)
{
    /// <summary>Whether the upstream refuses connections: a real server does not listen meanwhile.</summary>
    public bool IsRefusal => ReferenceEquals(Fault, FakeFault.Refused);

    /// <summary>How long a request waits before it may be sent again, as the upstream's refusal names it; null where none is named.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
