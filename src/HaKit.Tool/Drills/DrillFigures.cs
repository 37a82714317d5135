using HaKit.Availability;
using HaKit.Testing;

namespace HaKit.Tool.Drills;

/// <summary>Calculates the figures of an episode from its records. Pure functions.</summary>
internal static class DrillFigures
{
    private static readonly TimeSpan Bin = TimeSpan.FromMilliseconds(100);

    // A refusal takes as long to arrive as a healthy answer and a little more, and requests that are sent in that time cannot take the refusal into account. A
    // timer may also fire a little early.
    private static readonly TimeSpan OnItsWay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan TimerGrace = TimeSpan.FromMilliseconds(10);

    public static FaultReport Compute(DrillEpisode episode, TimeSpan healthyMedian, double rate)
    {
        var calls = episode.Calls;
        var right = calls.Count(c => c.Outcome == DrillOutcome.Right);
        var bounds = calls.Count == 0 ? default : Estimate.ClopperPearson(right, calls.Count);
        var met = MetBy(episode);
        var added = met.Where(c => c.Outcome == DrillOutcome.Right).Select(c => (c.Time - healthyMedian).TotalMilliseconds).Order().ToArray();
        return new FaultReport
        {
            Name = episode.Fault.Name,
            Description = episode.Fault.Description,
            Calls = calls.Count,
            Right = right,
            Success = calls.Count == 0 ? 0 : (double)right / calls.Count,
            SuccessLow = calls.Count == 0 ? 0 : 1 - bounds.Lower.Unavailability,
            SuccessHigh = calls.Count == 0 ? 0 : 1 - bounds.Upper.Unavailability,
            Failed = calls.Count(c => c.Outcome == DrillOutcome.Failed),
            Wrong = calls.Count(c => c.Outcome == DrillOutcome.Wrong),
            Half = calls.Count(c => c.Outcome == DrillOutcome.Half),
            Met = met.Count,
            AddedP50 = Percentile(added, 0.5),
            AddedP99 = Percentile(added, 0.99),
            AddedLongest = Percentile(added, 1),
            WellAgainSeconds = WellAgain(calls, episode.Began, rate)?.TotalSeconds,
            Amplification = calls.Count == 0 ? 0 : (double)episode.Requests.Count / calls.Count,
            Duplicates = Math.Max(0, episode.WholeAnswers - right),
            EarlySends = EarlySends(episode.Requests, episode.Strikes, healthyMedian),
            Why = calls.Where(c => c.Why is not null).GroupBy(c => c.Why!).OrderByDescending(g => g.Count()).Take(3).ToDictionary(g => g.Key, g => g.Count()),
            Timeline = TimelineOf(calls, episode.Began),
            LastedSeconds = (episode.Ended - episode.Began).TotalSeconds,
        };
    }

    /// <summary>Returns the median time of the right answers before the faults.</summary>
    public static TimeSpan HealthyMedian(IEnumerable<DrillEpisode> episodes)
    {
        var times = episodes.SelectMany(e => e.Before).Where(c => c.Outcome == DrillOutcome.Right).Select(c => c.Time.TotalMilliseconds).Order().ToArray();
        return TimeSpan.FromMilliseconds(Percentile(times, 0.5) ?? 0);
    }

    /// <summary>Returns the smallest value that at least the given share of all values do not exceed; null when there are no values.</summary>
    public static double? Percentile(double[] sorted, double share) =>
        sorted.Length == 0 ? null : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];

    /// <summary>
    /// Returns the time from the start of the fault after which at least 99 % of the calls of each second are right. Zero when this was true in every second;
    /// null when the last second still has fewer right calls.
    /// </summary>
    public static TimeSpan? WellAgain(IReadOnlyList<DrillCall> calls, TimeSpan began, double rate)
    {
        var second = Math.Max(1, (int)Math.Round(rate));
        if (calls.Count < second)
            return calls.All(c => c.Outcome == DrillOutcome.Right) ? TimeSpan.Zero : null;
        var bad = 0;
        int? lastBadIndex = null;
        int? lastBadInWindow = null;
        for (var i = 0; i < calls.Count; i++)
        {
            if (calls[i].Outcome != DrillOutcome.Right)
            {
                bad++;
                lastBadIndex = i;
            }
            if (i >= second && calls[i - second].Outcome != DrillOutcome.Right)
                bad--;
            if (i >= second - 1 && second - bad < 0.99 * second)
                lastBadInWindow = lastBadIndex;
        }
        if (lastBadInWindow is not { } last)
            return TimeSpan.Zero;
        // The recovery must be followed by a whole second of right answers; otherwise its end is unknown.
        return last + second < calls.Count ? calls[last + 1].Due - began : null;
    }

    /// <summary>Returns the number of requests that reached an upstream after it refused a request and before the time that the refusal named.</summary>
    /// <param name="requests">The requests that reached the upstreams.</param>
    /// <param name="strikes">The refusals of the upstreams, with the time at which each refused request arrived.</param>
    /// <param name="answerTime">The time of a healthy answer; a refusal takes as long.</param>
    public static int EarlySends(IEnumerable<UpstreamRequest> requests, IEnumerable<UpstreamStrike> strikes, TimeSpan answerTime)
    {
        var onItsWay = answerTime + OnItsWay;
        var refusals = strikes.Where(s => s.RetryAfter is not null).ToLookup(s => s.Upstream);
        return requests.Count(r => refusals[r.Upstream].Any(s => r.At > s.At + onItsWay && r.At < s.At + s.RetryAfter!.Value - TimerGrace));
    }

    private static IReadOnlyList<DrillCall> MetBy(DrillEpisode episode)
    {
        var struck = episode.Strikes.Select(s => s.Call).ToHashSet();
        var refused = episode.Steps.Where(s => s is { IsRefusal: true, Probability: 1 }).ToArray();
        return [.. episode.Calls.Where(c => struck.Contains(c.Number) || refused.Any(s => c.Due >= episode.Began + s.From && c.Due < episode.Began + s.Until))];
    }

    private static IReadOnlyList<TimelineBin> TimelineOf(IEnumerable<DrillCall> calls, TimeSpan began) =>
    [
        .. calls.GroupBy(c => (int)((c.Due - began) / Bin)).OrderBy(g => g.Key).Select(g => new TimelineBin(
            g.Key * Bin.TotalSeconds, g.Count(), g.Count(c => c.Outcome == DrillOutcome.Failed), g.Count(c => c.Outcome is DrillOutcome.Wrong or DrillOutcome.Half),
            g.Max(c => c.Time.TotalMilliseconds))),
    ];
}
