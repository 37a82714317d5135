namespace HaKit.Batch.Running;

/// <summary>What a run does next.</summary>
internal enum RunAction
{
    /// <summary>It waits for a call to end, or until a time.</summary>
    Wait,

    /// <summary>It claims items.</summary>
    Claim,

    /// <summary>It starts a call that does not wait in the pool: it begins at once, or its item is put back.</summary>
    Start,

    /// <summary>It starts the one call that may wait in the pool.</summary>
    StartPatient,

    /// <summary>It ends.</summary>
    End,
}

/// <summary>What a run goes by. Immutable.</summary>
internal readonly record struct RunFacts
{
    public required TimeSpan Now { get; init; }

    /// <summary>Calls under way, the patient one included.</summary>
    public int Calls { get; init; }

    public int Window { get; init; }

    /// <summary>Is the call that may wait under way?</summary>
    public bool HasPatient { get; init; }

    /// <summary>Items that are claimed and were not tried.</summary>
    public int Ready { get; init; }

    /// <summary>Items that failed and are to be tried again.</summary>
    public int PutBack { get; init; }

    /// <summary>A call failed or found no place, and nothing was served since: there may be an outage, and only the patient call may start.</summary>
    public bool IsFailing { get; init; }

    /// <summary>Until then no call starts, because its cost could exceed the limit.</summary>
    public TimeSpan HeldUntil { get; init; }

    /// <summary>Until then the patient call does not start, because the last one failed at once.</summary>
    public TimeSpan PatientAt { get; init; }

    /// <summary>No item could be claimed; the next claim may be made then.</summary>
    public TimeSpan? ClaimAt { get; init; }

    /// <summary>All items of the store have an outcome, or no other worker can give one back.</summary>
    public bool IsExhausted { get; init; }

    /// <summary>No call is to be started any more.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Results that the consumer has not taken yet are as many as may be.</summary>
    public bool IsBacklogFull { get; init; }

    /// <summary>Results are being handed to the consumer at this moment.</summary>
    public bool IsHandingOver { get; init; }
}

/// <summary>What a run does next. Pure.</summary>
internal readonly record struct RunDecision(RunAction Action, TimeSpan Until = default)
{
    private static readonly RunDecision UntilSignalled = new(RunAction.Wait, TimeSpan.MaxValue);

    public static RunDecision Decide(in RunFacts facts)
    {
        if (facts.IsStopping)
            return facts.Calls == 0 && !facts.IsHandingOver ? new(RunAction.End) : UntilSignalled;
        if (facts.IsBacklogFull)
            return UntilSignalled;
        if (facts.Ready + facts.PutBack == 0)
            return WithoutItems(in facts);
        return Start(in facts) ?? WaitToStart(in facts);
    }

    private static RunDecision WithoutItems(in RunFacts facts)
    {
        if (facts.IsExhausted)
            return facts.Calls == 0 && !facts.IsHandingOver ? new(RunAction.End) : UntilSignalled;
        if (facts.Calls >= facts.Window)
            return UntilSignalled;
        return facts.ClaimAt is { } at && at > facts.Now ? new(RunAction.Wait, at) : new(RunAction.Claim);
    }

    // What failed while others were served goes as the patient call, with all of the pool's waiting and retries; so does a fresh item while nothing is served.
    private static RunDecision? Start(in RunFacts facts)
    {
        if (facts.Calls >= facts.Window || facts.HeldUntil > facts.Now)
            return null;
        if ((facts.PutBack > 0 || facts.IsFailing) && !facts.HasPatient && facts.PatientAt <= facts.Now)
            return new(RunAction.StartPatient);
        if (facts.IsFailing)
            return null;
        if (facts.Ready > 0)
            return new(RunAction.Start);
        return facts.IsExhausted || facts.ClaimAt > facts.Now ? null : new(RunAction.Claim);
    }

    private static RunDecision WaitToStart(in RunFacts facts)
    {
        var until = TimeSpan.MaxValue;
        if (facts.Calls >= facts.Window)
            return UntilSignalled;
        if (facts.HeldUntil > facts.Now)
            until = facts.HeldUntil;
        if (!facts.HasPatient && facts.PatientAt > facts.Now && facts.PatientAt < until)
            until = facts.PatientAt;
        if (facts.ClaimAt is { } claim && claim > facts.Now && claim < until && !facts.IsExhausted)
            until = claim;
        return new(RunAction.Wait, until);
    }
}
