namespace HaKit.Testing;

/// <summary>
/// A rule for when a <see cref="FakeFault"/> applies. All conditions of a rule must hold, so one rule can express "one in ten of the streamed requests
/// between the fifth and the tenth second".
/// </summary>
/// <param name="fault">The fault to inject.</param>
public sealed class FaultRule(FakeFault fault)
{
    /// <summary>Gets the fault to inject.</summary>
    public FakeFault Fault { get; } = fault ?? throw new ArgumentNullException(nameof(fault));

    /// <summary>Gets when the rule starts to apply, counted from the moment the rule is added. Default: at once.</summary>
    public TimeSpan From { get; init; }

    /// <summary>Gets when the rule ends (exclusive), counted from the moment the rule is added. Default: never.</summary>
    public TimeSpan Until { get; init; } = TimeSpan.MaxValue;

    /// <summary>Gets the probability that the fault applies, 0 to 1. It is drawn for each request from the script's seeded source. Default 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>
    /// Gets the number of requests to which the rule applies. Default null: no limit. Rules with a count form a queue: only the first rule of the queue that
    /// matches a request applies to it.
    /// </summary>
    public int? Count { get; init; }

    /// <summary>
    /// Gets the condition on the request. Default null: every request for work, but no probe (health, metrics, models). <c>_ => true</c>
    /// includes probes.
    /// </summary>
    public Func<FakeRequest, bool>? Where { get; init; }
}
