namespace HaKit.Testing;

/// <summary>One row of the drill's matrix (<see cref="DrillFaults"/>): a fault of one or all upstreams for a while. Immutable.</summary>
public sealed class DrillFault
{
    private readonly Func<TimeSpan, IEnumerable<DrillStep>> _steps;

    /// <summary>Creates a row of your own.</summary>
    /// <param name="name">Its name, in lower case with hyphens.</param>
    /// <param name="description">What the upstreams do, in one line.</param>
    /// <param name="steps">From how long the fault lasts to what happens in that time.</param>
    public DrillFault(string name, string description, Func<TimeSpan, IEnumerable<DrillStep>> steps)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(steps);
        (Name, Description, _steps) = (name, description, steps);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What the upstreams do, in one line.</summary>
    public string Description { get; }

    /// <summary>How many times as long as the others it lasts; default 1.</summary>
    public double LengthFactor { get; init; } = 1;

    /// <summary>Whether no upstream can serve while it lasts: then calls that fail are no fault of what stands between.</summary>
    public bool IsTotal { get; init; }

    /// <summary>Gets what happens, if the usual fault lasts as long as given.</summary>
    /// <param name="length">How long the usual fault lasts; positive.</param>
    public IReadOnlyList<DrillStep> Steps(TimeSpan length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(length, TimeSpan.Zero);
        return [.. _steps(LengthFactor * length)];
    }

    /// <summary>Gets the same fault for a share of the requests. Refused connections become resets: a server either listens or does not.</summary>
    /// <param name="rate">The share of the requests that meet it, more than 0 and at most 1.</param>
    public DrillFault AtRate(double rate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, 1);
        var percent = (100 * rate).ToString("0.#", System.Globalization.CultureInfo.InvariantCulture);
        return new($"{Name}-{percent}%", $"{Description}, {percent} % of its requests", length =>
            _steps(length).Select(step => step with { Probability = rate, Fault = step.IsRefusal ? FakeFault.Reset : step.Fault }));
    }

    /// <summary><see cref="Name"/>.</summary>
    public override string ToString() => Name;
}
