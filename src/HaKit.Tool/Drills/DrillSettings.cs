using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>The settings of a drill.</summary>
internal sealed record DrillSettings
{
    public required IReadOnlyList<DrillFault> Faults { get; init; }

    /// <summary>Gets the number of calls per second.</summary>
    public double Rate { get; init; } = 50;

    /// <summary>Gets the share of the calls that ask for a stream, 0 to 1.</summary>
    public double StreamedShare { get; init; } = 0.5;

    /// <summary>Gets the duration of the usual fault.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the time without a fault before each fault.</summary>
    public TimeSpan Before { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets the time for which calls continue after each fault.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets the time that a caller waits for an answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    public int Seed { get; init; } = 1;

    /// <summary>Gets the ports of the upstreams; 0 selects free ports.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [0, 0, 0];
}
