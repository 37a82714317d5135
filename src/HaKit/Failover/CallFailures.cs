using HaKit.Estimates;
using HaKit.Selection;

namespace HaKit.Failover;

/// <summary>
/// Creates the exceptions for calls that are not served. They contain the attempts, the rule that ended the call, the reason why each endpoint could not be
/// used, and the time to come back.
/// </summary>
internal sealed class CallFailures(FailoverContext context)
{
    /// <summary>Creates the exception for a call whose deadline has passed.</summary>
    public DeadlineExceededException OutOfTime(FailoverCall call, Exception? last, TimeSpan now) =>
        new(context.Settings.Pool, call.DeadlineSpan, call.Attempts(now), RetryAfter(call, now), last, call.History.Begun, call.WaitRules(), Explain(call, now))
        {
            PerhapsBilled = call.PerhapsBilled,
        };

    /// <summary>Creates the exception for a call that no endpoint can serve now.</summary>
    public NoEndpointAvailableException NoEndpoint(FailoverCall call, string why, Exception? last, TimeSpan now) => new(
        context.Settings.Pool, why, call.Attempts(now), Explain(call, now), RetryAfter(call, now), last,
        call.History.Begun, call.WaitRules())
    {
        PerhapsBilled = call.PerhapsBilled,
    };

    private IReadOnlyList<EndpointExplanation> Explain(FailoverCall call, TimeSpan now) =>
        context.Selector.Explain(context.Snapshot, new SelectionQuery(call.Profile, call.History, now));

    /// <summary>Gets the time from now until one of the endpoints could take the request. Null if this does not depend on time alone.</summary>
    public TimeSpan? RetryAfter(FailoverCall call, TimeSpan now)
    {
        var soonest = TimeSpan.MaxValue;
        var query = new SelectionQuery(call.Profile, call.History, now).PreferRoom(context.Snapshot);
        foreach (var member in context.Snapshot.Members)
        {
            if (query.CanServe(member) && member.AvailableAt(member.CountTokens(call.Profile), now) is var at && at < soonest)
                soonest = at;
        }

        return soonest == TimeSpan.MaxValue ? null : soonest - now;
    }
}
