namespace HaKit.Failover.Waiting;

/// <summary>
/// Decides when a call may test whether an outage is over. One waiting call at a time holds the right to make a trial. From the end of its trial to the start
/// of the next trial there is a pause: 0.1, 0.2 and 0.4 s, then the larger of 0.5 s and a tenth of the outage's age, at most 2 s. So if the trials fail at
/// once, the end of an outage is detected late by at most 0.5 s or a tenth of the outage's length, whichever is larger. This class also counts the repeats of
/// the outage. A repeat is an attempt of a call on an endpoint that the call has tried before, whether the attempt is a trial or not. The count never exceeds
/// 12 plus the outage's age in seconds. Repeats before the first call waits are not counted: the retry budget limits them. Lock-free; one for each pool.
/// </summary>
internal sealed class OutagePace
{
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SteadyPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ProbesEarly = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EarlyProbePause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestProbePause = TimeSpan.FromMilliseconds(900);

    // A pool without a retry budget makes almost no repeats. One trial in this time is allowed, because it replaces a heartbeat that generates content.
    private static readonly TimeSpan PauseWithoutBudget = TimeSpan.FromSeconds(10);

    // If a trial is silent for this long, another call may make a trial on another endpoint.
    private static readonly TimeSpan ClaimTimeout = TimeSpan.FromSeconds(2);

    // If no call has waited for this long, the next failure begins a new outage.
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(10);

    // If an outage begins within this time after the end of another outage, both are part of a flaky pool's mixed failures and successes, and the count
    // continues.
    private static readonly TimeSpan FlakyGap = TimeSpan.FromSeconds(2);

    // If an outage is younger than this, a success does not end it and does not reset the pauses: the pool is flaky, with mixed failures and successes.
    private static readonly TimeSpan ShortestOutage = TimeSpan.FromSeconds(1);

    // The promise: this number of repeats for an outage, and one more for each second of its age.
    private const int RepeatsAtOnce = 12;

    // In the first ten seconds of an outage there are up to two trials a second, but the promise above allows only one more repeat a second. So a part of the
    // first repeats is reserved for trials. Otherwise other attempts would use them up and delay the trials that find the end of the outage. The reserve falls
    // evenly to zero.
    private const double ReservedForTrials = 8;
    private static readonly TimeSpan ReservedFor = TimeSpan.FromSeconds(10);

    // The jitter only shortens a pause, because the limit on lateness is a promise.
    private const double Jitter = 0.05;

    private const long None = -1;

    private long _since = None;
    private long _from;
    private double _jitterFactor = 1;
    private long _trialSince = None;
    private int _trials;
    private int _repeats;
    private long _repeatedAt = None;
    private long _countedFrom;
    private long _openedAt;
    private long _endedAt = None;
    private int _claimed;

    /// <summary>Gets whether the pool has no retry budget. Trials are rare then.</summary>
    public bool IsWithoutBudget { get; init; }

    /// <summary>Gets when the next trial may begin; a time in the past if it may begin at once.</summary>
    /// <param name="askedAt">
    /// The time at which the endpoint of the next trial last got a request. The pause before a trial depends on the age of the outage. This age is measured at
    /// a time between <paramref name="askedAt"/> and the latest trial. So the pauses grow evenly: each pause is about a tenth of the age that the outage had at
    /// the beginning of the current round over the endpoints.
    /// </param>
    public TimeSpan NextTrialAt(TimeSpan askedAt)
    {
        if (Since is not { } since)
            return TimeSpan.Zero;
        var from = new TimeSpan(Volatile.Read(ref _from));
        var pause = IsWithoutBudget ? PauseWithoutBudget : PauseAfter(Volatile.Read(ref _trials), (askedAt > since ? from - 0.7 * (from - askedAt) : from) - since);
        var next = from + pause * Volatile.Read(ref _jitterFactor);
        var room = new TimeSpan(Volatile.Read(ref _openedAt)) + TimeSpan.FromSeconds(Volatile.Read(ref _repeats) + 1 - RepeatsAtOnce);
        return room > next ? room : next;
    }

    /// <summary>
    /// Checks whether a repeat that is not a trial may begin now. A call makes such a repeat if the retry budget pays for it, or if a probe has shown that an
    /// endpoint is back.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public bool HasRoomBeside(TimeSpan now)
    {
        if (Since is null)
            return true;
        var reserved = ReservedForTrials * Math.Max(0, 1 - (now - new TimeSpan(Volatile.Read(ref _countedFrom))) / ReservedFor);
        return Volatile.Read(ref _repeats) + 1 + reserved <= RepeatsAtOnce + (now - new TimeSpan(Volatile.Read(ref _openedAt))).TotalSeconds;
    }

    /// <summary>Counts a repeat: the call is sent again to an endpoint that it has tried.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    public void CountRepeat(TimeSpan now)
    {
        Volatile.Write(ref _repeatedAt, now.Ticks);
        Interlocked.Increment(ref _repeats);
    }

    /// <summary>
    /// Records that an attempt was served. If the attempt began after the failures, not all endpoints are out, and the count of repeats starts again. So while
    /// failures and successes are mixed, only the retry budget limits the repeats.
    /// </summary>
    /// <param name="began">The time at which the attempt began.</param>
    /// <param name="now">The current time on the pool's clock.</param>
    public void RecordServed(TimeSpan began, TimeSpan now)
    {
        if (Volatile.Read(ref _repeats) == 0 || began.Ticks < Volatile.Read(ref _countedFrom))
            return;
        Volatile.Write(ref _openedAt, now.Ticks);
        Volatile.Write(ref _repeats, 0);
    }

    /// <summary>Gets the start of the outage for which calls wait. Null: no outage is known.</summary>
    public TimeSpan? Since => Volatile.Read(ref _since) is not None and var ticks ? new TimeSpan(ticks) : null;

    /// <summary>Checks whether a call may take the right to make a trial now.</summary>
    public bool IsFree(TimeSpan now) => Volatile.Read(ref _claimed) == 0 || IsLapsed(Volatile.Read(ref _trialSince), now);

    /// <summary>
    /// Takes the right to make a trial. The right ends with <see cref="EndTrial"/> or <see cref="ReleaseClaim"/>, or expires if the trial stays silent.
    /// </summary>
    public bool TryClaim(TimeSpan now)
    {
        if (Interlocked.CompareExchange(ref _claimed, 1, 0) == 0)
            return true;
        var since = Volatile.Read(ref _trialSince);
        return IsLapsed(since, now) && Interlocked.CompareExchange(ref _trialSince, None, since) == since;
    }

    public void ReleaseClaim() => Volatile.Write(ref _claimed, 0);

    /// <summary>
    /// Records that a call waits because no endpoint serves it. If calls have waited until shortly before, the outage continues; otherwise a new outage begins.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="failedAt">The time at which the call failed. The first pause begins at this time.</param>
    public void BeginOutage(TimeSpan now, TimeSpan failedAt)
    {
        var since = Volatile.Read(ref _since);
        if (since != None && now.Ticks - Math.Max(Volatile.Read(ref _from), Volatile.Read(ref _repeatedAt)) < LongestGap.Ticks)
            return;
        if (Interlocked.CompareExchange(ref _since, failedAt.Ticks, since) != since)
            return;
        Volatile.Write(ref _trials, 0);
        Volatile.Write(ref _jitterFactor, 1);
        Volatile.Write(ref _from, failedAt.Ticks);
        if (since == None && Volatile.Read(ref _endedAt) is not None and var endedAt && now.Ticks - endedAt < FlakyGap.Ticks)
            return;
        Volatile.Write(ref _countedFrom, failedAt.Ticks);
        Volatile.Write(ref _openedAt, failedAt.Ticks);
        Volatile.Write(ref _repeats, 0);
    }

    /// <summary>Records that a trial begins.</summary>
    public void BeginTrial(TimeSpan now) => Volatile.Write(ref _trialSince, now.Ticks);

    /// <summary>Records that the trial has ended; the right to make trials is free again.</summary>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="random">A random number from 0 to 1, for the jitter.</param>
    public void EndTrial(TimeSpan now, double random)
    {
        Volatile.Write(ref _trialSince, None);
        Interlocked.Increment(ref _trials);
        Volatile.Write(ref _jitterFactor, 1 - Jitter * random);
        Volatile.Write(ref _from, now.Ticks);
        ReleaseClaim();
    }

    /// <summary>
    /// Records that a call of the same kind as the waiting calls was served, so the outage is over. Returns the length of the outage. Null if there was no
    /// outage, or if calls wait and the outage has only just begun.
    /// </summary>
    /// <param name="now">The current time on the pool's clock.</param>
    /// <param name="isWaitedFor">True if calls wait.</param>
    public TimeSpan? EndOutage(TimeSpan now, bool isWaitedFor)
    {
        if (Since is not { } since || isWaitedFor && now - since < ShortestOutage)
            return null;
        Volatile.Write(ref _endedAt, now.Ticks);
        Volatile.Write(ref _since, None);
        return now - since;
    }

    /// <summary>Gets the pause after this number of trials in an outage of this age, without jitter.</summary>
    public static TimeSpan PauseAfter(int trials, TimeSpan age)
    {
        if (trials < 3)
            return FirstPause * (1 << Math.Max(0, trials));
        var tenth = age / 10;
        return new TimeSpan(Math.Clamp(tenth.Ticks, SteadyPause.Ticks, LongestPause.Ticks));
    }

    /// <summary>
    /// Gets the pause between two cheap probes in an outage of this age: 0.1 s growing to 0.25 s in 10 s, and to 0.9 s in another 10 s. Such probes cost
    /// almost nothing.
    /// </summary>
    public static TimeSpan ProbePauseAt(TimeSpan age)
    {
        if (age <= ProbesEarly)
            return FirstPause + (EarlyProbePause - FirstPause) * Math.Max(0, age / ProbesEarly);
        return EarlyProbePause + (LongestProbePause - EarlyProbePause) * Math.Min(1, (age - ProbesEarly) / ProbesEarly);
    }

    private static bool IsLapsed(long since, TimeSpan now) => since != None && now.Ticks - since > ClaimTimeout.Ticks;
}
