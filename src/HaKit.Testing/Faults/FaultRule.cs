namespace HaKit.Testing;

/// <summary>
/// When a <see cref="FakeFault"/> strikes: the conditions hold together, so that "one in ten of the streamed requests
/// between the fifth and the tenth second" is one rule.
/// </summary>
/// <param name="fault">The fault to inject.</param>
public sealed class FaultRule(FakeFault fault)
{
    /// <summary>What strikes.</summary>
    public FakeFault Fault { get; } = fault ?? throw new ArgumentNullException(nameof(fault));

    /// <summary>From when, counted from the moment the rule is added; default at once.</summary>
    public TimeSpan From { get; init; }

    /// <summary>Until when (exclusive), counted from the moment the rule is added; default for ever.</summary>
    public TimeSpan Until { get; init; } = TimeSpan.MaxValue;

    /// <summary>The chance, 0 to 1, drawn anew for each request from the script's seeded source; default 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>
    /// How many requests it strikes before it is used up; default null, without end. Rules with a count form a queue: a
    /// request is struck by the first of them that applies to it.
    /// </summary>
    public int? Count { get; init; }

    /// <summary>
    /// Which requests; default null, every request for work but no probe (health, metrics, models). <c>_ => true</c>
    /// strikes probes too.
    /// </summary>
    public Func<FakeRequest, bool>? Where { get; init; }
}
