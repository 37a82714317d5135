namespace HaKit.Tool.Tuning;

/// <summary>The effect of one value alone on the first parts.</summary>
internal sealed record TriedValue(string Setting, string Value, TuningEffect Effect);

/// <summary>One of the later parts with the current settings and with the changes.</summary>
internal sealed record JudgedPart(string Name, PartFigures Before, PartFigures After)
{
    /// <summary>Gets the comparison: negative if the part is better with the changes, positive if it is worse.</summary>
    public int Verdict => TuningEffect.Compare(Before, After);
}

/// <summary>The result of a search. The search applies nothing.</summary>
internal sealed record TuningResult
{
    public required string Title { get; init; }

    /// <summary>Gets the number of parts on which values were tried.</summary>
    public required int PartsTried { get; init; }

    public required IReadOnlyList<TriedValue> Tried { get; init; }

    /// <summary>Gets the changes that together improved the first parts; empty when there are none.</summary>
    public required IReadOnlyList<TriedValue> Proposed { get; init; }

    /// <summary>Gets the changed settings with the old and the new value.</summary>
    public required IReadOnlyList<(string Name, string Before, string After)> Differences { get; init; }

    /// <summary>Gets the later parts; empty when nothing is proposed.</summary>
    public required IReadOnlyList<JudgedPart> Judged { get; init; }

    /// <summary>Gets the effect of the changes on the later parts; null when nothing is proposed.</summary>
    public TuningEffect? Later { get; init; }

    /// <summary>Gets whether the changes are worse in no later part and better in at least one.</summary>
    public bool Holds => Judged.Count > 0 && Judged.All(static p => p.Verdict <= 0) && Judged.Any(static p => p.Verdict < 0);
}

/// <summary>
/// Tries each value of each setting alone on the first parts. Then it combines the values that improve the result, one after another, as long as each addition
/// improves it further. Finally it compares the combination with the current settings on the later parts, which were not used for the search. Deterministic.
/// </summary>
internal sealed class TuningSearch(ITuningHistory history, double judgedShare, Action<double> progress)
{
    private readonly int _judged = Math.Clamp((int)Math.Round(history.Parts.Count * judgedShare), 1, history.Parts.Count - 2);
    private double _runs;
    private double _expected;

    private int Tried => history.Parts.Count - _judged;

    public TuningResult Run()
    {
        var settings = TunedSettings.For(history.CreateSettings());
        _expected = Tried * (1 + settings.Sum(static s => s.Count)) + 2 * _judged;
        var asIs = RunFirst(static _ => { });
        var tried = settings.Select(values => values.Select(v => (Value: v, Told: new TriedValue(v.Setting, v.Text, TuningEffect.Between(asIs, RunFirst(v.Set))))).ToArray()).ToArray();
        var proposed = new List<TriedValue>();
        var (change, current) = (new Action<EndpointPoolOptions>(static _ => { }), asIs);
        // The best value of each setting, ordered by the number of saved calls.
        var candidates = tried.Select(static values => values.Where(static v => v.Told.Effect.IsImprovement).OrderBy(static v => Rank(v.Told.Effect)).ToArray())
            .Where(static values => values.Length > 0).Select(static values => values[0]).OrderBy(static v => Rank(v.Told.Effect)).ToArray();
        _expected += Tried * Math.Max(0, candidates.Length - 1);
        foreach (var (value, told) in candidates)
        {
            var together = change + value.Set;
            var figures = RunFirst(together);
            if (!TuningEffect.Between(current, figures).IsImprovement)
                continue;
            (change, current) = (together, figures);
            proposed.Add(told);
        }
        var judged = proposed.Count > 0 ? JudgeLater(change) : [];
        progress(1);
        return new TuningResult
        {
            Title = history.Title,
            PartsTried = Tried,
            Tried = [.. tried.SelectMany(static values => values.Select(static v => v.Told))],
            Proposed = proposed,
            Differences = FindDifferences(change),
            Judged = judged,
            Later = judged.Length > 0 ? TuningEffect.Between([.. judged.Select(static j => j.Before)], [.. judged.Select(static j => j.After)]) : null,
        };
    }

    private static (double, double, double) Rank(TuningEffect effect) => (effect.Lost.Mean, effect.P99.Mean, effect.AttemptsPerCall.Mean);

    private PartFigures[] RunFirst(Action<EndpointPoolOptions> change) => [.. Enumerable.Range(0, Tried).Select(i => RunPart(i, change))];

    private JudgedPart[] JudgeLater(Action<EndpointPoolOptions> change) =>
        [.. Enumerable.Range(Tried, _judged).Select(i => new JudgedPart(history.Parts[i], RunPart(i, static _ => { }), RunPart(i, change)))];

    private PartFigures RunPart(int part, Action<EndpointPoolOptions> change)
    {
        progress(Math.Min(0.99, _runs++ / _expected));
        return history.Run(part, change);
    }

    private IReadOnlyList<(string Name, string Before, string After)> FindDifferences(Action<EndpointPoolOptions> change)
    {
        var (before, after) = (history.CreateSettings(), history.CreateSettings());
        change(after);
        return WhatIf.RecordedSettings.Differences(before, after);
    }
}
