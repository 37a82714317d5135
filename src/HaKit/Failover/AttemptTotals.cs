namespace HaKit.Failover;

/// <summary>
/// Describes the attempts of a call, or of a call and the calls for the rest of its answer. The numbers include the attempts that the list leaves out. Immutable.
/// </summary>
/// <param name="Listed">The attempts in order; if there were more than 13, the first 3 and the last 10.</param>
/// <param name="Count">The number of all attempts.</param>
/// <param name="PerhapsBilled">The number of attempts that may have been processed and billed.</param>
/// <param name="WaitRules">The waiting rules of the call itself, without the rules of the calls for the rest.</param>
internal sealed record AttemptTotals(IReadOnlyList<AttemptRecord> Listed, int Count, int PerhapsBilled, IReadOnlyList<WaitRule> WaitRules)
{
    public static AttemptTotals None { get; } = new([], 0, 0, []);

    public static AttemptTotals ReadFrom(EndpointPoolException failure) => new(failure.Attempts, failure.AttemptCount, failure.PerhapsBilled, failure.WaitRules);

    /// <summary>Adds the attempts of a call for the rest.</summary>
    public AttemptTotals Add(AttemptTotals rest)
    {
        AttemptRecord[] all = [.. Listed, .. rest.Listed];
        if (all.Length > AttemptRecord.FirstShown + AttemptRecord.LastShown)
            all = [.. all[..AttemptRecord.FirstShown], .. all[^AttemptRecord.LastShown..]];
        return this with { Listed = all, Count = Count + rest.Count, PerhapsBilled = PerhapsBilled + rest.PerhapsBilled };
    }
}
