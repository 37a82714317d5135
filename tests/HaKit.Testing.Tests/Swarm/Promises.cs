namespace HaKit.Testing.Tests.Swarm;

/// <summary>Compares the promises of the pool with the events of a run.</summary>
internal static class Promises
{
    // Timers count whole milliseconds.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Return = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2.1);
    private static readonly TimeSpan LongestDoubling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan PauseLength = TimeSpan.FromSeconds(5);

    public static void Check(SwarmRun run)
    {
        foreach (var call in run.Calls)
        {
            Ended(run, call);
            Patience(run, call);
            Moderation(run, call);
            if (call.IsBad)
                BadRequest(run, call);
            else if (call.CancelAt is null)
                Unharmed(run, call);
        }
        Outages(run);
        Returns(run);
        Innocents(run);
        Silence(run);
    }

    /// <summary>Checks that callers know how to handle the end of every call.</summary>
    private static void Ended(SwarmRun run, SwarmCall call)
    {
        var fine = call.Outcome switch
        {
            "served" or nameof(NoEndpointAvailableException) or nameof(DeadlineExceededException) => true,
            nameof(PartialResponseException) => call.IsStream,
            nameof(OperationCanceledException) or nameof(TaskCanceledException) => call.CancelAt <= call.Ended,
            nameof(HttpRequestException) => call.IsBad,
            // This is a plain answer that broke after content.
            "returned" => !call.IsStream,
            _ => false,
        };
        if (!fine)
            run.Broken($"call {call.Number} ended with {call.Outcome}: {call.Exception?.Message}");
    }

    /// <summary>Checks that no call waits past its deadline or its caller's cancellation.</summary>
    private static void Patience(SwarmRun run, SwarmCall call)
    {
        var late = Late + (run.Case.Pause is null ? TimeSpan.Zero : PauseLength);
        var answered = call.IsStream ? call.FirstItemAt ?? call.Ended : call.Ended;
        if (answered > call.Began + run.Case.Deadline + late)
            run.Broken($"call {call.Number} waited {(answered - call.Began)!.Value.TotalSeconds:0.000} s, and its deadline was {run.Case.Deadline.TotalSeconds} s");
        if (call.CancelAt is { } cancelled && call.Ended > cancelled + late)
            run.Broken($"call {call.Number} was cancelled at {cancelled.TotalSeconds:0.000} s and ended at {call.Ended!.Value.TotalSeconds:0.000} s");
    }

    /// <summary>
    /// Checks the number of attempts: six, under the pace of an outage a dozen and one more for each second, and one beside a silent attempt. There is none
    /// after content was delivered.
    /// </summary>
    private static void Moderation(SwarmRun run, SwarmCall call)
    {
        var bound = 6 + 12 + run.Case.Endpoints.Count + ((call.Ended ?? run.Case.Length) - call.Began).TotalSeconds;
        if (call.Attempts.Count > bound)
            run.Broken($"call {call.Number} made {call.Attempts.Count} attempts");
        for (var i = 0; i < call.Attempts.Count; i++)
        {
            if (call.Attempts[i].ShowedContent && call.Attempts.Exists(a => a.Began > call.Attempts[i].Ended))
                run.Broken($"call {call.Number} was sent again after content of it had been delivered");
        }
    }

    /// <summary>Checks that a fault of the request goes to the caller at once, without an attempt on another endpoint.</summary>
    private static void BadRequest(SwarmRun run, SwarmCall call)
    {
        if (call.Outcome == nameof(HttpRequestException) && call.Attempts.Count(a => a.Ended is not null) > 1 && !run.Case.Hedging && run.Case.Faults.Count == 0)
            run.Broken($"call {call.Number} is a bad request and was tried {call.Attempts.Count} times");
    }

    private static void Unharmed(SwarmRun run, SwarmCall call)
    {
        Punctuality(run, call);
        if (call.Outcome != "served")
            Success(run, call);
    }

    // At most a thousand calls wait.
    private static bool IsCrowdedOut(SwarmCall call) => call.Exception?.Message.Contains("too many calls are waiting", StringComparison.Ordinal) == true;

    /// <summary>
    /// Checks that a call succeeds if an endpoint that may serve it was healthy, and had no cooldown, for the second half of the call's deadline.
    /// </summary>
    private static void Success(SwarmRun run, SwarmCall call)
    {
        if (call.Outcome == nameof(PartialResponseException) || call.Outcome == "returned" || IsCrowdedOut(call))
            return;
        var until = call.Began + run.Case.Deadline;
        // Calls that waited are released at a pace that follows their own successes, which takes some seconds.
        var from = until - (run.Case.Deadline / 2 > Settling ? run.Case.Deadline / 2 : Settling);
        // An endpoint that answers some calls and fails other calls may use up the attempts of a call.
        if (call.Attempts.Exists(a => run.Case.Faults.Any(f => f.Probability < 1 && f.From <= a.Began && a.Began < f.Until && (f.Endpoint is null || run.Case.Endpoints[a.Endpoint].Name == f.Endpoint))))
            return;
        // The untried endpoints may become unusable in the middle of a call, when a key is refused or a quota is used up.
        if (Array.Exists(run.Closures, all => all.Exists(c => c.Until == TimeSpan.MaxValue && c.From >= call.Began && c.From <= call.Ended)))
            return;
        // A plain answer that has not arrived cannot be distinguished from a long answer, until the endpoint's usual time is known.
        if (!call.IsStream && call.Attempts.Exists(a => a.Began < from && a.Ended > from))
            return;
        for (var i = 0; i < run.Case.Endpoints.Count; i++)
        {
            if (IsWell(run, i, from, until))
            {
                run.Broken($"call {call.Number}, begun at {call.Began.TotalSeconds:0.000} s, was lost at {call.Ended!.Value.TotalSeconds:0.000} s though e{i} was well from {from.TotalSeconds:0.000} s to {until.TotalSeconds:0.000} s: {call.Exception?.Message}");
                return;
            }
        }
    }

    /// <summary>Checks that, in an outage of all endpoints, repeated attempts are at most a tenth of the calls plus the saved retry budget.</summary>
    private static void Outages(SwarmRun run)
    {
        foreach (var outage in run.Case.Faults.Where(f => f.IsTotal))
        {
            // In the grace period after a pause of this process, no failure counts, and attempts are not slowed down.
            if (run.Case.Pause is { } pause && pause + PauseLength + PauseLength > outage.From && pause < outage.Until)
                continue;
            var begins = outage.From;
            var ends = outage.Until < run.Case.Length ? outage.Until : run.Case.Length;
            var calls = run.Calls.Count(c => c.Began < ends && !(c.Ended < begins));
            // Extra load is what is sent beyond a call's first attempt on each endpoint. Attempts that were in flight when the outage began fail too, and each
            // is sent again once.
            var attempts = run.Attempts.Where(a => a.Began >= begins && a.Began < ends).ToArray();
            var extra = attempts.Count(IsRepeat);
            var inFlight = run.Attempts.Count(a => a.Began < begins && !(a.Ended < begins));
            var bound = Math.Max(0.1 * calls, 12 + (ends - begins).TotalSeconds) + inFlight;
            if (extra > bound)
                run.Broken($"{extra} attempts beyond first ones for {calls} calls in an outage of all from {begins.TotalSeconds:0.0} s to {ends.TotalSeconds:0.0} s: more than {bound:0}");
        }
    }

    /// <summary>
    /// Checks that a call is served, or ends, soon after an endpoint that may serve it is healthy. Before that, each endpoint may get one more failed attempt
    /// at the pace of the outage, and the waiting calls are released within five seconds. Attempts that are running and silent at that time have limits of
    /// their own.
    /// </summary>
    private static void Punctuality(SwarmRun run, SwarmCall call)
    {
        if (run.Case.Pause is not null || call.Attempts.Count == 0 || call.Outcome is nameof(PartialResponseException) or "returned" || IsCrowdedOut(call))
            return;
        var last = call.Attempts[^1];
        var decided = call.Outcome == "served" ? last.Began : call.Ended!.Value;
        var from = decided - Return - LongestPause * run.Case.Endpoints.Count;
        if (from <= call.Began || call.Attempts.Exists(a => a != last && a.Ended > from && a.Ended - a.Began > Quick))
            return;
        var well = Enumerable.Range(0, run.Case.Endpoints.Count).FirstOrDefault(i => IsWell(run, i, from, decided) && !IsCooling(run, i, from), -1);
        if (well >= 0)
            run.Broken($"call {call.Number}, begun at {call.Began.TotalSeconds:0.000} s, was decided late, at {decided.TotalSeconds:0.000} s ({call.Outcome}), though e{well} was well since {from.TotalSeconds:0.000} s");
    }

    // From the fourth refusal in a row, a named time is doubled.
    private static bool IsCooling(SwarmRun run, int endpoint, TimeSpan at) =>
        run.Closures[endpoint].Concat(run.Throttled[endpoint]).Any(c => c.From < at && (c.Until == TimeSpan.MaxValue || c.Until + LongestDoubling > at));

    // Gets whether the call was sent to the endpoint before.
    private static bool IsRepeat(SwarmAttempt attempt) => attempt.Call.Attempts.Exists(b => b.Number < attempt.Number && b.Endpoint == attempt.Endpoint);

    /// <summary>Checks that an endpoint that returns from an ejection, while other endpoints are healthy, gets a growing share.</summary>
    private static void Returns(SwarmRun run)
    {
        var window = TimeSpan.FromSeconds(3);
        var (toIt, fair, all) = (0, 0.0, 0);
        foreach (var (at, endpoint, happened) in run.Events)
        {
            if (happened is not EndpointRecovered { Before.Status: Health.EndpointHealthStatus.Ejected or Health.EndpointHealthStatus.Trial } || at + window > run.Case.Length)
                continue;
            var others = 0;
            var alike = true;
            for (var i = 0; i < run.Case.Endpoints.Count; i++)
            {
                if (i == endpoint)
                    continue;
                alike &= run.Case.Endpoints[i].Tier == run.Case.Endpoints[endpoint].Tier;
                // The endpoint has been healthy for so long that no state of an earlier fault remains.
                others += IsWell(run, i, at - TimeSpan.FromSeconds(40), at + window) ? 1 : 0;
            }
            if (!alike || others < run.Case.Endpoints.Count - 1)
                continue;
            var within = run.Attempts.Where(a => a.Began > at && a.Began <= at + window).ToArray();
            toIt += within.Count(a => a.Endpoint == endpoint);
            fair += within.Length / (double)run.Case.Endpoints.Count;
            all += within.Length;
        }
        if (toIt > 2 + 0.5 * fair + 2 * Math.Sqrt(fair))
            run.Broken($"endpoints that had just come back were given {toIt} of {all} attempts in their first three seconds, and {fair:0.0} would be their full share");
    }

    /// <summary>Checks that an endpoint that never fails is never ejected.</summary>
    private static void Innocents(SwarmRun run)
    {
        if (run.Case.Pause is not null)
            return;
        foreach (var (at, endpoint, happened) in run.Events)
        {
            if (happened is EndpointEjected ejected && IsWell(run, endpoint, TimeSpan.Zero, at))
                run.Broken($"e{endpoint} was ejected at {at.TotalSeconds:0.0} s for {ejected.Fault}, and had always been well");
        }
    }

    /// <summary>
    /// Checks that a silent stream is abandoned at its time limit. An attempt on an endpoint whose usual time is not known yet is kept, and another attempt
    /// starts beside it.
    /// </summary>
    private static void Silence(SwarmRun run)
    {
        const int SamplesToLearn = 20;
        var limit = SwarmCase.FirstContentLimit + Late + (run.Case.Pause is null ? TimeSpan.Zero : PauseLength);
        foreach (var attempt in run.Attempts)
        {
            if (attempt.Call.IsStream && !attempt.ShowedContent && attempt.Ended - attempt.Began > limit
                && !(attempt.Call.FirstItemAt <= attempt.Ended) // another attempt of the call may have served it meanwhile
                && run.Attempts.Count(a => a.Endpoint == attempt.Endpoint && a.Call.IsStream && a.ShowedContent && a.Began < attempt.Began) > SamplesToLearn)
            {
                run.Broken($"call {attempt.Call.Number} waited {(attempt.Ended - attempt.Began)!.Value.TotalSeconds:0.0} s for the first content from e{attempt.Endpoint}");
            }
        }
    }

    private static bool IsWell(SwarmRun run, int endpoint, TimeSpan from, TimeSpan until)
    {
        var name = run.Case.Endpoints[endpoint].Name;
        foreach (var fault in run.Case.Faults)
        {
            if ((fault.Endpoint is null || fault.Endpoint == name) && fault.From < until && fault.Until > from)
                return false;
        }

        foreach (var (begins, ends) in run.Closures[endpoint].Concat(run.Throttled[endpoint]))
        {
            if (begins < until && ends > from)
                return false;
        }

        return run.Case.Pause is not { } pause || pause + PauseLength < from || pause > until;
    }
}
