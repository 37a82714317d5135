using System.Globalization;
using System.Text;

namespace HaKit.Testing;

/// <summary>What a drill in virtual time showed. Immutable.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Rows">One row for each fault, after one without any.</param>
public sealed record HaDrillResult(string Pool, IReadOnlyList<HaDrillRow> Rows)
{
    /// <summary>Whether nothing was missed.</summary>
    public bool Survived => Rows.All(static r => r.Misses.Count == 0);

    /// <summary>The table: each fault, what it did to the calls, and what was missed.</summary>
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

/// <summary>What one fault did to the calls. Immutable.</summary>
public sealed record HaDrillRow
{
    /// <summary>The fault's name; "none" for the calls before all faults.</summary>
    public required string Fault { get; init; }

    /// <summary>Calls from the fault's beginning on.</summary>
    public required int Calls { get; init; }

    /// <summary>Of them, those with the whole right answer.</summary>
    public required int Right { get; init; }

    /// <summary>Of them, those that failed and said so.</summary>
    public required int Failed { get; init; }

    /// <summary>Of them, streams that were cut after their first content and said so with a <see cref="PartialResponseException"/>.</summary>
    public required int Cut { get; init; }

    /// <summary>Of them, those that ended as if all were well, with another answer or half of it.</summary>
    public required int WrongOrHalf { get; init; }

    /// <summary>Of them, those that the fault struck at least once.</summary>
    public required int Met { get; init; }

    /// <summary>The median time of right calls that met the fault, less the healthy median; null where there were none.</summary>
    public required TimeSpan? AddedMedian { get; init; }

    /// <summary>The longest of these times.</summary>
    public required TimeSpan? AddedLongest { get; init; }

    /// <summary>Requests at the endpoints for each call.</summary>
    public required double RequestsPerCall { get; init; }

    /// <summary>What was missed, and why, one sentence each; empty when the fault was survived.</summary>
    public required IReadOnlyList<string> Misses { get; init; }
}

/// <summary>An application did not survive a drill. The message is the table.</summary>
/// <param name="result">What the drill showed.</param>
public sealed class HaDrillException(HaDrillResult result) : Exception(result?.ToString())
{
    /// <summary>What the drill showed.</summary>
    public HaDrillResult Result { get; } = result ?? throw new ArgumentNullException(nameof(result));
}
