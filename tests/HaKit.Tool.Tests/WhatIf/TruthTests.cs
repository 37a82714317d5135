using System.Globalization;
using System.Text;
using HaKit.Evidence;
using HaKit.Tool.WhatIf;

namespace HaKit.Tool.Tests.WhatIf;

/// <summary>Compares forecasts from recordings with worlds in which the truth is known.</summary>
public sealed class TruthTests(ITestOutputHelper output)
{
    private static readonly bool s_isEvidence = Environment.GetEnvironmentVariable("HAKIT_EVIDENCE") == "1";
    private static readonly int s_worlds = Number("HAKIT_TRUTH_WORLDS", s_isEvidence ? 50 : 2);
    private static readonly int s_calls = Number("HAKIT_TRUTH_CALLS", s_isEvidence ? 40_000 : 4_000);

    [Fact]
    public void Forecasts_are_near_the_truth_of_random_worlds()
    {
        var known = Rows(Number("HAKIT_TRUTH_FIRST", 1));
        IsNear(known);
        if (!s_isEvidence)
            return;
        // These worlds were never run while the model was built.
        var heldOut = Rows(Number("HAKIT_TRUTH_HELD_OUT", 1001));
        var page = Path.Combine(Repository.Root, "docs", "evidence", "what-if.md");
        EvidencePage.Write(page, "summary", TruthTable.Summary(known, heldOut));
        EvidencePage.Write(page, "worlds", TruthTable.Worlds(known, heldOut));
        IsEvidence(known);
        IsEvidence(heldOut);
    }

    [Fact]
    public void What_a_recording_cannot_know_is_said()
    {
        for (var seed = 1; seed <= (s_isEvidence ? 5 : 1); seed++)
        {
            foreach (var world in new[] { TruthWorlds.NeverCalled(seed, s_isEvidence ? 4000 : 1000), TruthWorlds.EjectedUnseen(seed, s_isEvidence ? 30_000 : 12_000) })
                Row(world).Forecast.IsKnown.Should().BeFalse("{0}, seed {1}", world.Story, seed);
        }
    }

    private TruthRow[] Rows(int first)
    {
        var rows = new TruthRow[s_worlds];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = Row(TruthWorlds.Random(first + i, s_calls));
            output.WriteLine(TruthTable.Line(rows[i]));
        }
        return rows;
    }

    private static void IsNear(TruthRow[] rows)
    {
        var known = rows.Where(static r => r.Forecast.IsKnown).ToArray();
        known.Average(static r => r.Error).Should().BeLessThanOrEqualTo(known.Average(static r => r.Change) / 3);
    }

    private static void IsEvidence(TruthRow[] rows)
    {
        IsNear(rows);
        var known = rows.Where(static r => r.Forecast.IsKnown).ToArray();
        rows.Count(static r => r.Change >= 0.01).Should().BeGreaterThanOrEqualTo(rows.Length / 2);
        known.Length.Should().BeGreaterThanOrEqualTo((int)(0.8 * rows.Length));
        known.Count(static r => r.IsWithin).Should().BeGreaterThanOrEqualTo((int)Math.Ceiling(0.85 * known.Length));
        TruthTable.Median(known.Select(static r => r.Width)).Should().BeLessThanOrEqualTo(0.003);
    }

    private static TruthRow Row(TruthWorld world)
    {
        var (before, recorded) = world.Record();
        var forecast = Forecast.FromWorld(recorded, world.OptionsOfB);
        return new TruthRow(world.Seed, world.Story, before.SuccessRate, world.Truth().SuccessRate, forecast);
    }

    private static int Number(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : usual;
}

/// <summary>Holds the results of one world: the availability under A and under B as they were, and under B as it was forecast.</summary>
internal sealed record TruthRow(int Seed, string Story, double A, double B, Forecast Forecast)
{
    public double Change => Math.Abs(A - B);

    public double Error => Math.Abs(Forecast.Availability - B);

    public double Width => Forecast.High - Forecast.Low;

    public bool IsWithin => B >= Forecast.Low - 1e-12 && B <= Forecast.High + 1e-12;
}

/// <summary>Writes the page with the rows.</summary>
internal static class TruthTable
{
    public static string Line(TruthRow row) => string.Create(CultureInfo.InvariantCulture,
        $"| {row.Seed} | {row.Story} | {100 * row.A:0.00} | {100 * row.B:0.00} | {Told(row)} | {Verdict(row)} |");

    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is { Length: > 0 } sorted ? sorted[sorted.Length / 2] : 0;

    public static string Summary(TruthRow[] rows, TruthRow[] heldOut)
    {
        var (a, b) = (new TruthSummary(rows), new TruthSummary(heldOut));
        return $"""
            {rows.Length + heldOut.Length} random worlds. The method of the forecast was developed with the first {rows.Length}. The others (held out) were run when the method was finished.

            | what | wanted | worlds {rows[0].Seed} to {rows[^1].Seed} | worlds {heldOut[0].Seed} to {heldOut[^1].Seed}, held out |
            |---|--:|--:|--:|
            | worlds in which the availability changes by at least 1 percentage point (pp) | half | {a.Changed} | {b.Changed} |
            | mean error of the forecast; mean error of the assumption that B changes nothing | the first at most 1/3 of the second | {a.Error} | {b.Error} |
            | 90 % intervals that hold the truth | ≥ 85 % | {a.Within} | {b.Within} |
            | median width of the intervals | ≤ 0.3 pp | {a.Width} | {b.Width} |
            | "cannot be known from this recording" | ≤ 20 % | {a.NotKnown} | {b.NotKnown} |
            """;
    }

    public static string Worlds(TruthRow[] rows, TruthRow[] heldOut)
    {
        var text = new StringBuilder();
        foreach (var (title, part) in new[] { ("Held-out worlds", heldOut), ("Worlds with which the method was developed", rows) })
        {
            text.Append(CultureInfo.InvariantCulture, $"## {title}\n\n| world | what is in it; how B differs | A | B | forecast of B and its interval | |\n|--:|---|--:|--:|---|---|\n");
            text.AppendJoin('\n', part.Select(Line)).Append("\n\n");
        }
        return text.ToString();
    }

    private static string Told(TruthRow row) => string.Create(CultureInfo.InvariantCulture,
        $"{100 * row.Forecast.Availability:0.00} ({100 * row.Forecast.Low:0.00} to {100 * row.Forecast.High:0.00})");

    private static string Verdict(TruthRow row)
    {
        if (!row.Forecast.IsKnown)
            return "cannot be known";
        return row.IsWithin ? "" : "missed";
    }
}

/// <summary>Gets the results of some worlds, as text.</summary>
internal sealed class TruthSummary(TruthRow[] rows)
{
    private readonly TruthRow[] _known = [.. rows.Where(static r => r.Forecast.IsKnown)];

    public string Changed => $"{rows.Count(static r => r.Change >= 0.01)} of {rows.Length}";

    public string Error => string.Create(CultureInfo.InvariantCulture,
        $"{100 * _known.Average(static r => r.Error):0.000} pp; {100 * _known.Average(static r => r.Change):0.000} pp");

    public string Within => $"{_known.Count(static r => r.IsWithin)} of {_known.Length}";

    public string Width => string.Create(CultureInfo.InvariantCulture, $"{100 * TruthTable.Median(_known.Select(static r => r.Width)):0.000} pp");

    public string NotKnown => $"{rows.Length - _known.Length} of {rows.Length}";
}
