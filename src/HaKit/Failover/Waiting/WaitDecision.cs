namespace HaKit.Failover.Waiting;

/// <summary>What a call is to do by the decision.</summary>
internal enum WaitAction
{
    /// <summary>It ends.</summary>
    GiveUp,

    /// <summary>It asks the endpoint that has come back; free.</summary>
    AskReturned,

    /// <summary>It repeats its request on an endpoint that serves others; the budget pays.</summary>
    Retry,

    /// <summary>It takes the right to ask and makes the next trial of the outage.</summary>
    Trial,

    /// <summary>It waits until then, or until it is released.</summary>
    Wait,

    /// <summary>It takes the right to ask and waits until then, or until it is released.</summary>
    WaitToAsk,

    /// <summary>It waits until it is released, and looks for itself now and then.</summary>
    WaitForRelease,
}

/// <summary>
/// What a call does when no endpoint is left that it has not tried. Pure: the prospects and the call's facts go in, one step comes out, by the first rule that
/// applies. Its tests are the specification of waiting; docs/failover.md says the same in words.
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
        // A wait that could not be ended by anything before the call's own end is none.
        if (wait.Action == WaitAction.GiveUp)
            return wait;
        if (facts.MayWaitUntil <= facts.Now)
            return new(WaitAction.GiveUp, WaitRule.MaxWait);
        return wait with { Until = Min(wait.Until, facts.MayWaitUntil) };
    }

    // What no waiting changes.
    private static WaitDecision? EndsAtOnce(in Prospects prospects, in WaitFacts facts)
    {
        if (prospects.Able == 0)
            return new(WaitAction.GiveUp, WaitRule.NotCapable);
        if (facts.Attempts >= facts.MostAttempts || !prospects.AnyAllowed)
            return new(WaitAction.GiveUp, WaitRule.AttemptsUsedUp);
        if (!prospects.AnyHeals && !prospects.MayComeFree)
            return new(WaitAction.GiveUp, WaitRule.TimeDoesNotHeal);
        if (!prospects.AnyCanAnswer)
            return new(WaitAction.GiveUp, WaitRule.NoTimeToAnswer);
        return null;
    }

    // What may be sent at this moment, the cheapest first.
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

    // The soonest of what time brings; beyond the deadline it brings nothing.
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

    // A call that may ask holds the right to until its trial is due; if a retry is due sooner, it sleeps until then and leaves the right to another.
    private static WaitDecision? WaitsForPace(in Prospects prospects, in WaitFacts facts, in Times times)
    {
        if (prospects.TrialAt >= facts.Deadline || !facts.MayAsk)
            return null;
        return times.Trial <= times.Retry
            ? new(WaitAction.WaitToAsk, WaitRule.Pace, Min(times.Trial, facts.Deadline))
            : new(WaitAction.Wait, WaitRule.Retry, Min(times.Retry, facts.Deadline));
    }

    private static WaitDecision? WaitsForRetry(in WaitFacts facts, in Times times) =>
        times.Retry < facts.Deadline ? new(WaitAction.Wait, WaitRule.Retry, times.Retry) : null;

    private static WaitDecision WaitsForRelease(in Prospects prospects, in WaitFacts facts) =>
        new(WaitAction.WaitForRelease, prospects.TrialAt < facts.Deadline ? WaitRule.AnotherAsks : WaitRule.Place, facts.Deadline);

    // Five retries are made in ordinary service, as far as the budget pays and an outage's account has room; what is left goes by the outage's pace.
    private static TimeSpan RetryAt(in Prospects prospects, in WaitFacts facts) =>
        facts.HasRetryLeft && facts.CanPay && facts.HasRoomBesidePace && prospects.RetryAt < TimeSpan.MaxValue ? Max(prospects.RetryAt, facts.BackoffEnds) : TimeSpan.MaxValue;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>When each of what a call may wait for is due; never: <see cref="TimeSpan.MaxValue"/>.</summary>
    private readonly record struct Times(TimeSpan Retry, TimeSpan Room, TimeSpan Trial);
}
