namespace HaKit.Batch.Running;

/// <summary>The next action of a run.</summary>
internal enum RunAction
{
    /// <summary>The run waits for a call to end, or until a time.</summary>
    Wait,

    /// <summary>The run claims items.</summary>
    Claim,

    /// <summary>The run starts a call that does not wait in the pool: it begins at once, or its item is put back.</summary>
    Start,

    /// <summary>The run starts the one call that may wait in the pool.</summary>
    StartPatient,

    /// <summary>
    /// The run repeats a request that was served earlier, as the one call that may wait in the pool. Its success shows that the endpoints serve.
    /// </summary>
    StartControl,

    /// <summary>The run ends.</summary>
    End,
}

/// <summary>Holds the facts for the decision. Immutable.</summary>
internal readonly record struct RunFacts
{
    public required TimeSpan Now { get; init; }

    /// <summary>Gets the number of calls in flight, including the patient call.</summary>
    public int Calls { get; init; }

    public int Window { get; init; }

    /// <summary>Gets whether the call that may wait is in flight.</summary>
    public bool HasPatient { get; init; }

    /// <summary>Gets the number of claimed items that were not tried.</summary>
    public int Ready { get; init; }

    /// <summary>Gets the number of items that failed while other items were served, and that may be tried again.</summary>
    public int PutBack { get; init; }

    /// <summary>
    /// Gets the number of failed items that must wait for their next try, because no call that began after their failure has been served yet. Until then, another
    /// try would not show whether the item or an outage is the reason for the failure.
    /// </summary>
    public int Undecided { get; init; }

    /// <summary>Gets whether a request that was served earlier is known, and may be repeated.</summary>
    public bool HasControl { get; init; }

    /// <summary>
    /// Gets whether a call has failed, or could not start an attempt at once, and no call was served since. There may be an outage, so only the patient call
    /// may start.
    /// </summary>
    public bool IsFailing { get; init; }

    /// <summary>Gets the time until which no call starts, because the cost of the next call could exceed the limit.</summary>
    public TimeSpan HeldUntil { get; init; }

    /// <summary>Gets the time until which no patient call starts, because the last patient call failed at once.</summary>
    public TimeSpan PatientAt { get; init; }

    /// <summary>Gets the time of the next claim, if the last claim got no item. Null: the run may claim at once.</summary>
    public TimeSpan? ClaimAt { get; init; }

    /// <summary>
    /// Gets whether the run can claim no further item: all items of the store have an outcome, or this worker has no items left and no other worker can return
    /// one of its items.
    /// </summary>
    public bool IsExhausted { get; init; }

    /// <summary>Gets whether no further call may be started.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Gets whether the number of results that the consumer has not read has reached its limit.</summary>
    public bool IsBacklogFull { get; init; }

    /// <summary>Gets whether results are being returned to the consumer now.</summary>
    public bool IsHandingOver { get; init; }
}

/// <summary>Decides the next step of a run. Pure.</summary>
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
            return facts.Undecided > 0 ? WithUndecided(in facts) : WithoutItems(in facts);
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

    // All items of this worker have failed. A new item would show whether the endpoints serve. If there is no new item, the run repeats a request that was served
    // earlier.
    private static RunDecision WithUndecided(in RunFacts facts)
    {
        var mayClaim = !facts.IsExhausted && facts.Calls < facts.Window;
        if (mayClaim && !(facts.ClaimAt > facts.Now))
            return new(RunAction.Claim);
        if (facts.Calls > 0)
            return mayClaim && !facts.HasPatient ? new(RunAction.Wait, facts.ClaimAt!.Value) : UntilSignalled;
        if (facts.HeldUntil > facts.Now || facts.PatientAt > facts.Now)
            return new(RunAction.Wait, facts.HeldUntil > facts.PatientAt ? facts.HeldUntil : facts.PatientAt);
        return new(facts.HasControl ? RunAction.StartControl : RunAction.StartPatient);
    }

    // The patient call is for an item that failed while other items were served, because this call uses all of the pool's waiting and retries. While no call is
    // served, a new item gets the patient call too.
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
