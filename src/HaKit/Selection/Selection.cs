using HaKit.Endpoints;

namespace HaKit.Selection;

/// <summary>How the chosen endpoint is to be entered.</summary>
internal enum Admission
{
    /// <summary>None was found.</summary>
    None,

    /// <summary>Ordinary traffic.</summary>
    Normal,

    /// <summary>The one trial of an ejected endpoint whose period is over.</summary>
    Trial,

    /// <summary>Too little of the pool is admitted: health is ignored.</summary>
    FailOpen,
}

/// <summary>The outcome of one choice.</summary>
internal readonly record struct Choice(EndpointState? State, Admission Admission)
{
    public static Choice None => default;
}

/// <summary>The question: which endpoint for this request, given what the call has tried.</summary>
internal readonly ref struct SelectionQuery(RequestProfile profile, AttemptHistory history, TimeSpan now)
{
    public readonly RequestProfile Profile = profile;
    public readonly AttemptHistory History = history;
    public readonly TimeSpan Now = now;

    /// <summary>Hard filters: what no panic may drop.</summary>
    public bool CanServe(EndpointState state)
    {
        var profile = Profile;
        if (ReferenceEquals(profile, RequestProfile.Default) && History.Count == 0)
            return true;
        var endpoint = state.Endpoint;
        var can = endpoint.Capabilities;
        if (profile.Endpoint is { } name && !string.Equals(name, endpoint.Name, StringComparison.Ordinal)
            || profile.Model is { } model && endpoint.Domains.Model is { } served && !string.Equals(model, served, StringComparison.Ordinal)
            || profile.Residency is { } residency && !string.Equals(residency, can.Residency, StringComparison.Ordinal)
            || profile.Tools && !can.Tools
            || profile.Vision && !can.Vision
            || can.ContextWindow is { } window && profile.Tokens > window)
            return false;
        foreach (var tag in profile.Tags)
            if (!can.Tags.Contains(tag))
                return false;
        return History.ContextWindowTooSmall is not { } tooSmall || can.ContextWindow is null || can.ContextWindow > tooSmall;
    }
}

/// <summary>A pure choice from a snapshot: no I/O, no locks, no allocation.</summary>
internal static class SelectionPipeline
{
    /// <summary>The next endpoint that this call has not tried, whose domain it has not found broken.</summary>
    public static Choice Untried(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var choice = InOrder(snapshot, in query, sparingThrottledAccounts: query.History.Count > 0);
        return choice.State is null && query.History.Count > 0 ? InOrder(snapshot, in query, sparingThrottledAccounts: false) : choice;
    }

    /// <summary>Why each member would or would not be chosen. Allocates; for errors, dashboards and people.</summary>
    public static IReadOnlyList<EndpointExplanation> Explain(PoolSnapshot snapshot, in SelectionQuery query)
    {
        var explanations = new EndpointExplanation[snapshot.Members.Length];
        for (var i = 0; i < explanations.Length; i++)
        {
            var member = snapshot.Members[i];
            var health = member.Health.State;
            var at = member.AvailableAt(query.Profile.Tokens, query.Now);
            explanations[i] = new EndpointExplanation
            {
                Endpoint = member.Endpoint.Name,
                Tier = member.Endpoint.Tier,
                Health = health,
                InFlight = member.InFlight,
                AvailableIn = at == TimeSpan.MaxValue ? null : at - query.Now,
                HeldBackBy = !query.CanServe(member) ? "capability"
                    : health.CooldownUntil > query.Now ? "cooldown"
                    : !health.Admits(query.Now) ? "health"
                    : !member.HasRoom(query.Profile.Tokens, query.Now) ? "limit"
                    : null,
            };
        }
        return explanations;
    }

    private static Choice InOrder(PoolSnapshot snapshot, in SelectionQuery query, bool sparingThrottledAccounts)
    {
        foreach (var tier in snapshot.Tiers)
        {
            var start = tier.Advance();
            for (var i = 0; i < tier.TurnLength; i++)
            {
                var state = tier.At(start + i);
                if (!query.CanServe(state) || Excluded(state, in query, sparingThrottledAccounts))
                    continue;
                if (state.Admits(query.Profile.Tokens, query.Now))
                    return new Choice(state, Admission.Normal);
                if (state.Health.State.IsTrialReady(query.Now) && state.HasRoom(query.Profile.Tokens, query.Now))
                    return new Choice(state, Admission.Trial);
            }
        }
        return Choice.None;
    }

    private static bool Excluded(EndpointState state, in SelectionQuery query, bool sparingThrottledAccounts) =>
        query.History.Count > 0
        && (query.History.TimesTried(state) > 0
            || query.History.FoundBroken(state)
            || sparingThrottledAccounts && query.History.SharesThrottledAccount(state));
}
