namespace HaKit.Testing;

/// <summary>One part of a drill's fault: what is injected, into which upstream and when. Immutable.</summary>
/// <param name="Fault">The fault to inject.</param>
/// <param name="From">When the step starts, counted from the start of the drill's fault.</param>
/// <param name="Until">When the step ends (exclusive), counted from the start of the drill's fault.</param>
/// <param name="Upstream">The index of the upstream, from 0. Upstream 0 is the first upstream that the drill affects. Null: all upstreams.</param>
/// <param name="Probability">The probability for each request, 0 to 1. Default 1.</param>
public sealed record DrillStep(FakeFault Fault, TimeSpan From, TimeSpan Until, int? Upstream = 0, double Probability = 1)
{
    /// <summary>Gets whether the upstream refuses connections. A real server does not listen during such a step.</summary>
    public bool IsRefusal => ReferenceEquals(Fault, FakeFault.Refused);

    /// <summary>Gets the <c>Retry-After</c> of the upstream's refusal; null when the refusal has none.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
