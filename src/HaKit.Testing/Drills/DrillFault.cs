namespace HaKit.Testing;

/// <summary>One row of the drill's matrix (<see cref="DrillFaults"/>): a fault of one or all upstreams for a while. Immutable.</summary>
public sealed class DrillFault
{
    private readonly Func<TimeSpan, IEnumerable<DrillStep>> _steps;

    /// <summary>Creates a custom row.</summary>
    /// <param name="name">The row's name, in lower case with hyphens.</param>
    /// <param name="description">The behaviour of the upstreams, in one line.</param>
    /// <param name="steps">Returns the steps of the fault for a given duration.</param>
    public DrillFault(string name, string description, Func<TimeSpan, IEnumerable<DrillStep>> steps)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(steps);
        (Name, Description, _steps) = (name, description, steps);
    }

    /// <summary>Gets the row's name, in lower case with hyphens.</summary>
    public string Name { get; }

    /// <summary>Gets the behaviour of the upstreams, in one line.</summary>
    public string Description { get; }

    /// <summary>Gets the duration of this fault as a multiple of the usual duration. Default 1; 0.000001 to 1,000,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of the range.</exception>
    public double LengthFactor
    {
        get;
        init
        {
            ArgumentRange.Check(value, ArgumentRange.SmallestRate, ArgumentRange.LargestRate, nameof(LengthFactor));
            field = value;
        }
    } = 1;

    /// <summary>Gets whether no upstream can serve during the fault. Then a failed call is not a fault of the component under test.</summary>
    public bool IsTotal { get; init; }

    /// <summary>Returns the steps of the fault.</summary>
    /// <param name="length">The duration of the usual fault; more than 0, at most a day. The steps last <see cref="LengthFactor"/> times as long.</param>
    /// <exception cref="ArgumentException">The fault is a custom row that has no steps, or a step with a negative <see cref="DrillStep.Upstream"/>; the message names the fault.</exception>
    public IReadOnlyList<DrillStep> Steps(TimeSpan length)
    {
        ArgumentRange.CheckAboveZero(length, SettingRange.LongestOfTimer);
        DrillStep[] steps = [.. _steps(LengthFactor * length)];
        if (steps.Length == 0)
            throw new ArgumentException($"The fault '{Name}' has no steps.");
        if (Array.Find(steps, static s => s.Upstream < 0) is { } wrong)
            throw new ArgumentException($"The fault '{Name}' has a step with Upstream {wrong.Upstream}: 0 or more is needed.");
        return steps;
    }

    /// <summary>
    /// Returns the same fault, with the same <see cref="LengthFactor"/>, for a share of the requests. Refused connections become resets, because a server cannot
    /// refuse only some connections.
    /// </summary>
    /// <param name="rate">The share of the requests that the fault affects, more than 0 and at most 1.</param>
    public DrillFault AtRate(double rate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, 1);
        var percent = (100 * rate).ToString("0.#", System.Globalization.CultureInfo.InvariantCulture);
        return new($"{Name}-{percent}%", $"{Description}, {percent} % of its requests", length =>
            _steps(length).Select(step => step with { Probability = rate, Fault = step.IsRefusal ? FakeFault.Reset : step.Fault }))
        {
            LengthFactor = LengthFactor,
            IsTotal = IsTotal && rate == 1,
        };
    }

    /// <summary>Returns <see cref="Name"/>.</summary>
    public override string ToString() => Name;
}
