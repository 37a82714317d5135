namespace HaKit.Failover.Waiting;

/// <summary>The action of a call.</summary>
internal enum WaitAction
{
    /// <summary>The call ends.</summary>
    GiveUp,

    /// <summary>The call goes to the endpoint that has come back. This attempt is free.</summary>
    AskReturned,

    /// <summary>The call repeats its request on an endpoint that serves other calls, and pays from the budget.</summary>
    Retry,

    /// <summary>The call takes the right to make a trial, and makes the next trial of the outage.</summary>
    Trial,

    /// <summary>The call waits until the given time, or until it is released.</summary>
    Wait,

    /// <summary>The call takes the right to make a trial, and waits until the given time or until it is released.</summary>
    WaitToAsk,

    /// <summary>The call waits until it is released, and examines the pool itself from time to time.</summary>
    WaitForRelease,
}

/// <summary>
/// Decides what a call does when no untried endpoint is left. Pure: from the prospects and the facts of the call it computes one step, by the first rule that
/// applies. Its tests are the specification of waiting; docs/failover.md describes the same in words.
/// </summary>
internal readonly record struct WaitDecision(WaitAction Action, WaitRule Rule, TimeSpan Until = default)
{
    public static WaitDecision Decide(in Prospects prospects, in WaitFacts facts)
    {
        if (EndsAtOnce(in prospects, in facts) is { } end)
            return end;
        if (StartsNow(in prospects, in facts) is { } start)
            return start;
        var wait = FindWait(in prospects, in facts);
        // If nothing can end the wait before the end of the call, the call ends now.
        if (wait.Action == WaitAction.GiveUp)
            return wait;
        if (facts.MayWaitUntil <= facts.Now)
            return new(WaitAction.GiveUp, WaitRule.MaxWait);
        return wait with { Until = Min(wait.Until, facts.MayWaitUntil) };
    }

    // Conditions that waiting does not change.
    private static WaitDecision? EndsAtOnce(in Prospects prospects, in WaitFacts facts)
    {
        if (prospects.Able == 0)
            return new(WaitAction.GiveUp, WaitRule.NotCapable);
        if (facts.Attempts >= facts.MostAttempts || !prospects.AnyAllowed || prospects.FailsAlone)
            return new(WaitAction.GiveUp, WaitRule.AttemptsUsedUp);
        if (!prospects.AnyHeals && !prospects.MayComeFree)
            return new(WaitAction.GiveUp, WaitRule.TimeDoesNotHeal);
        if (!prospects.AnyCanAnswer)
            return new(WaitAction.GiveUp, WaitRule.NoTimeToAnswer);
        return null;
    }

    // The attempts that may be sent now, the cheapest first.
    private static WaitDecision? StartsNow(in Prospects prospects, in WaitFacts facts)
    {
        if (prospects.CameBackAt <= facts.Now)
            return new(WaitAction.AskReturned, WaitRule.CameBack);
        if (RetryAt(in prospects, in facts) <= facts.Now)
            return new(WaitAction.Retry, WaitRule.Retry);
        if (facts.MayAsk && prospects.TrialAt <= facts.Now && facts.NextTrialAt <= facts.Now)
            return new(WaitAction.Trial, WaitRule.Pace);
        return null;
    }

    // Finds the earliest event that comes with time. Events after the deadline do not count.
    private static WaitDecision FindWait(in Prospects prospects, in WaitFacts facts)
    {
        var times = TimesOf(in prospects, in facts);
        if (BringsNothing(in prospects, in facts, in times))
            return new(WaitAction.GiveUp, WaitRule.BackTooLate);
        return WaitsForPlace(in facts, in times)
            ?? WaitsForNamedTime(in prospects, in facts, in times)
            ?? WaitsForPace(in prospects, in facts, in times)
            ?? WaitsForRetry(in facts, in times)
            ?? WaitsForRelease(in prospects, in facts);
    }

    private static Times TimesOf(in Prospects prospects, in WaitFacts facts) => new(
        Retry: Min(RetryAt(in prospects, in facts), prospects.CameBackAt),
        Room: prospects.RoomAt > facts.Now ? prospects.RoomAt : TimeSpan.MaxValue,
        Trial: Max(prospects.TrialAt, facts.NextTrialAt));

    private static bool BringsNothing(in Prospects prospects, in WaitFacts facts, in Times times) =>
        Min(times.Retry, times.Room) >= facts.Deadline && prospects.TrialAt >= facts.Deadline && !prospects.MayComeFree;

    private static WaitDecision? WaitsForPlace(in WaitFacts facts, in Times times) =>
        times.Room < facts.Deadline && times.Room <= Min(times.Trial, times.Retry) ? new(WaitAction.Wait, WaitRule.Place, times.Room) : null;

    private static WaitDecision? WaitsForNamedTime(in Prospects prospects, in WaitFacts facts, in Times times) =>
        prospects.TrialAt < facts.Deadline && prospects.IsTrialTimeNamed && prospects.TrialAt > facts.Now && times.Trial <= times.Retry
            ? new(WaitAction.Wait, WaitRule.NamedTime, times.Trial)
            : null;

    // A call that may make the trial holds this right until the pause between two trials (OutagePace) is over. There are two exceptions: a retry of the call is
    // due sooner, or its endpoint cannot take the trial yet. The call then waits for that time, and leaves the right to another call, which may make its trial on
    // another endpoint.
    private static WaitDecision? WaitsForPace(in Prospects prospects, in WaitFacts facts, in Times times)
    {
        if (prospects.TrialAt >= facts.Deadline || !facts.MayAsk)
            return null;
        if (times.Retry < times.Trial)
            return new(WaitAction.Wait, WaitRule.Retry, Min(times.Retry, facts.Deadline));
        return new(prospects.TrialAt <= facts.Now ? WaitAction.WaitToAsk : WaitAction.Wait, WaitRule.Pace, Min(times.Trial, facts.Deadline));
    }

    private static WaitDecision? WaitsForRetry(in WaitFacts facts, in Times times) =>
        times.Retry < facts.Deadline ? new(WaitAction.Wait, WaitRule.Retry, times.Retry) : null;

    private static WaitDecision WaitsForRelease(in Prospects prospects, in WaitFacts facts) =>
        new(WaitAction.WaitForRelease, prospects.TrialAt < facts.Deadline ? WaitRule.AnotherAsks : WaitRule.Place, facts.Deadline);

    // A call makes five retries in ordinary service, as long as the budget can pay and the number of repeats in the outage is below its limit. Its further
    // attempts are trials of the outage (OutagePace).
    private static TimeSpan RetryAt(in Prospects prospects, in WaitFacts facts) =>
        facts.HasRetryLeft && facts.CanPay && facts.HasRoomBesidePace && prospects.RetryAt < TimeSpan.MaxValue ? Max(prospects.RetryAt, facts.BackoffEnds) : TimeSpan.MaxValue;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>Holds the times of the events for which a call may wait. Never: <see cref="TimeSpan.MaxValue"/>.</summary>
    private readonly record struct Times(TimeSpan Retry, TimeSpan Room, TimeSpan Trial);
}
