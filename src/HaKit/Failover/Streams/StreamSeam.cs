using System.Globalization;
using HaKit.Faults;

namespace HaKit;

/// <summary>Describes one place at which an answer was cut and another endpoint continued it. Immutable.</summary>
public sealed record StreamSeam
{
    /// <summary>Gets the number of characters that were delivered before the cut. Null if the continuation did not report it.</summary>
    public int? AfterCharacters { get; init; }

    /// <summary>Gets the name of the endpoint whose answer was cut.</summary>
    public required string From { get; init; }

    /// <summary>Gets the name of the endpoint that continued the answer. Null if the continuation did not come from the pool.</summary>
    public string? To { get; init; }

    /// <summary>Gets the fault that cut the answer.</summary>
    public required Fault Why { get; init; }

    /// <summary>Gets the time from the cut to the first content of the rest.</summary>
    public required TimeSpan Took { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{From} → {To ?? "the application"} after {AfterCharacters?.ToString(CultureInfo.InvariantCulture) ?? "?"} characters ({Why}), {DurationText.Write(Took)}");
}
