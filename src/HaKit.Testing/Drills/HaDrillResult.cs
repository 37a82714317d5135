using System.Globalization;
using System.Text;

namespace HaKit.Testing;

/// <summary>The results of a drill in virtual time. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Rows">One row for each fault, after a first row without any fault.</param>
public sealed record HaDrillResult(string Pool, IReadOnlyList<HaDrillRow> Rows)
{
    /// <summary>Gets whether all requirements were met.</summary>
    public bool Survived => Rows.All(static r => r.Misses.Count == 0);

    /// <summary>Returns the table: each fault, its effect on the calls, and the missed requirements.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Pool '{Pool}': {Rows.Count(static r => r.Misses.Count == 0)} of {Rows.Count} survived, in virtual time.");
        text.AppendLine(CultureInfo.InvariantCulture, $"{"fault",-20}{"right",12}{"failed",8}{"cut",5}{"wrong",7}{"met",6}{"added p50",11}{"longest",10}{"requests/call",15}");
        foreach (var row in Rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{row.Fault,-20}{$"{row.Right}/{row.Calls}",12}{row.Failed,8}{row.Cut,5}{row.WrongOrHalf,7}{row.Met,6}{Seconds(row.AddedMedian),11}{Seconds(row.AddedLongest),10}{row.RequestsPerCall,15:0.00}{(row.Misses.Count > 0 ? "  <-" : "")}");
            foreach (var miss in row.Misses)
                text.AppendLine(CultureInfo.InvariantCulture, $"    {miss}");
        }
        return text.ToString();
    }

    private static string Seconds(TimeSpan? time) => time is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalSeconds:0.00} s") : "-";
}

/// <summary>The effect of one fault on the calls. Immutable.</summary>
public sealed record HaDrillRow
{
    /// <summary>Gets the fault's name; "none" for the calls before all faults.</summary>
    public required string Fault { get; init; }

    /// <summary>Gets the number of calls that began after the fault started.</summary>
    public required int Calls { get; init; }

    /// <summary>Gets how many of these calls returned the complete, correct answer.</summary>
    public required int Right { get; init; }

    /// <summary>Gets how many of these calls reported a failure.</summary>
    public required int Failed { get; init; }

    /// <summary>
    /// Gets how many of these calls were streams that were cut after their first content and reported it with a <see cref="PartialResponseException"/>.
    /// </summary>
    public required int Cut { get; init; }

    /// <summary>Gets how many of these calls reported success with a wrong or incomplete answer.</summary>
    public required int WrongOrHalf { get; init; }

    /// <summary>Gets the number of these calls that the fault affected at least once.</summary>
    public required int Met { get; init; }

    /// <summary>Gets the median time of the right calls that met the fault, minus the healthy median; null when there are no such calls.</summary>
    public required TimeSpan? AddedMedian { get; init; }

    /// <summary>Gets the longest time of the right calls that met the fault, minus the healthy median; null when there are no such calls.</summary>
    public required TimeSpan? AddedLongest { get; init; }

    /// <summary>Gets the average number of requests at the endpoints per call.</summary>
    public required double RequestsPerCall { get; init; }

    /// <summary>Gets the missed requirements with their reasons, one sentence each. Empty when all were met.</summary>
    public required IReadOnlyList<string> Misses { get; init; }
}

/// <summary>The exception of <see cref="HaDrill.SurvivesAsync"/>: an application missed requirements of a drill. The message is the table.</summary>
/// <param name="result">The results of the drill.</param>
public sealed class HaDrillException(HaDrillResult result) : Exception(result?.ToString())
{
    /// <summary>Gets the results of the drill.</summary>
    public HaDrillResult Result { get; } = result ?? throw new ArgumentNullException(nameof(result));
}
