using HaKit.Attempts;
using HaKit.Estimates;
using HaKit.Faults;
using HaKit.Health;

namespace HaKit.Selection;

/// <summary>The rule that admits the chosen endpoint.</summary>
internal enum Admission
{
    /// <summary>No endpoint was found.</summary>
    None,

    /// <summary>Ordinary traffic.</summary>
    Normal,

    /// <summary>The half-open trial of an endpoint whose ejection is over, or whose cooldown allows a trial. Only one call makes the trial.</summary>
    Trial,

    /// <summary>Too few endpoints are admitted, so the pool fails open: an ejected endpoint gets a call before its ejection is over.</summary>
    FailOpen,
}

/// <summary>Holds the outcome of one choice.</summary>
internal readonly record struct Choice(EndpointState? State, Admission Admission)
{
    public static Choice None => default;

    public static Choice Normal(EndpointState state) => new(state, Admission.Normal);
}

/// <summary>Describes the input of one choice: the profile of the request, and the earlier attempts of the call.</summary>
internal readonly ref struct SelectionQuery(RequestProfile profile, AttemptHistory history, TimeSpan now)
{
    public readonly RequestProfile Profile = profile;
    public readonly AttemptHistory History = history;
    public readonly TimeSpan Now = now;
    public readonly long Tokens = profile.CertainTokens;

    /// <summary>
    /// Gets the share of the request, by its estimated size, for which an endpoint must have room. 0: the estimate does not matter.
    /// </summary>
    private double LeastShare { get; init; }

    /// <summary>Gets the time within which an endpoint must be able to answer. Null: the usual times of the endpoints do not matter.</summary>
    public AnswerTime? InTime { get; init; }

    /// <summary>
    /// Gets the query for the endpoints that the profile prefers, if one of these endpoints is admitted, and the call has not tried it or still waits for its
    /// answer. Otherwise gets this query.
    /// </summary>
    /// <param name="snapshot">The endpoints.</param>
    public SelectionQuery ForPreferred(PoolSnapshot snapshot)
    {
        if (Profile.Preferred is not { } preferred)
            return this;
        var narrow = new SelectionQuery(preferred, History, Now) { InTime = InTime };
        foreach (var member in snapshot.Members)
        {
            if (member.Health.State.Admits(Now) && narrow.CanServe(member) && (!narrow.Excludes(member) || History.FindingsOf(member).IsUnderWay))
                return narrow;
        }

        return this;
    }

    /// <summary>Checks whether the pool has endpoints that the profile prefers, and whether the request still fits each of them (<see cref="Fits"/>).</summary>
    /// <param name="snapshot">The endpoints.</param>
    public bool MayPreferredServe(PoolSnapshot snapshot)
    {
        if (Profile.Preferred is not { } preferred)
            return false;
        var mayServe = false;
        foreach (var member in snapshot.Members)
        {
            if (!Requirement.Meets(member.Endpoint, preferred))
                continue;
            if (!Fits(member))
                return false;
            mayServe = true;
        }

        return mayServe;
    }

    /// <summary>
    /// Gets the same query, with the preference for endpoints that have room for the estimated size of the request. An estimate must not exclude all endpoints:
    /// if no endpoint that can serve the request has room for it, the endpoints with the most room count as large enough. An endpoint that is out of service
    /// counts too, so that the call waits for an endpoint with more room. An endpoint that an operator has taken out of service does not count.
    /// </summary>
    public SelectionQuery PreferRoom(PoolSnapshot snapshot)
    {
        if (!Profile.IsWindowEstimated || Profile.MayLackRoom)
            return this;
        var most = 0.0;
        foreach (var member in snapshot.Members)
        {
            if (most < 1 && member.Health.State.Status is not (EndpointHealthStatus.Draining or EndpointHealthStatus.ForcedDown) && CanServe(member))
                most = Math.Max(most, ShareWithRoom(member));
        }
        return this with { LeastShare = most };
    }

    /// <summary>Checks whether the endpoint meets the requirements of the request. These requirements apply even if the pool fails open.</summary>
    public bool CanServe(EndpointState state) => Requirement.Meets(state.Endpoint, Profile) && Fits(state);

    /// <summary>
    /// Checks whether the endpoint has not refused the request yet, and whether its context window is large enough. A window of unknown size is large enough,
    /// unless the prompt was too long for another endpoint that may have the same model.
    /// </summary>
    public bool Fits(EndpointState state)
    {
        if (LeastShare > 0 && ShareWithRoom(state) < LeastShare)
            return false;
        if (Tokens == 0 && History.IsFresh)
            return true;
        if (!History.IsFresh && (History.FoundTooSmall(state) || History.WasRefusedBy(state)))
            return false;
        var window = state.Endpoint.Capabilities.ContextWindow;
        if (Tokens > window)
            return false;
        // A prompt that was too long for one endpoint goes only to an endpoint that declares a larger window, or another model.
        return History.ContextWindowTooSmall is not { } tooSmall || window > tooSmall || window is null && !History.IsTooLongForModelOf(state);
    }

    /// <summary>Checks whether the request fits the endpoint (<see cref="Fits"/>), and whether the limits have room for the request.</summary>
    public bool HasPlace(EndpointState state) => Fits(state) && state.HasRoom(state.CountTokens(Profile), Now);

    // Gets the share of the request that fits into the context window and into a whole minute of the token limits, by the estimated size: 1 if all of it fits.
    private double ShareWithRoom(EndpointState state)
    {
        var share = Share(state.Endpoint.Capabilities.ContextWindow ?? long.MaxValue, Profile.WindowTokens);
        return Profile.IsInputEstimated ? Math.Min(share, Share(state.TokenLimit(), Profile.LimitTokens)) : share;

        static double Share(long room, long tokens) => room >= tokens ? 1 : (double)room / tokens;
    }

    /// <summary>
    /// Checks whether a retry must avoid the endpoint: this call has already tried the endpoint, has found a failure domain of the endpoint broken, or has less
    /// time left than the endpoint needs for an answer. The first attempt of a call avoids no endpoint.
    /// </summary>
    public bool Excludes(EndpointState state) =>
        !History.IsFresh && (History.TimesTried(state) > 0 || History.FoundBroken(state) || InTime is { } time && !time.IsPossible(state));

    /// <summary>
    /// The <see cref="OverlapWithFailures"/> of an endpoint whose account was throttled in this call. With strict tiers, a call moves to a later tier only if
    /// the earlier tiers have no endpoint with a smaller overlap.
    /// </summary>
    public const int ThrottledAccount = 4;

    /// <summary>
    /// Gets the largest overlap of the endpoint with the endpoints of this call's failed and running attempts. 0: no overlap, 1: the same provider, 2: the same
    /// region, 3: the same account or key, 4: the same account, which was throttled.
    /// </summary>
    public int OverlapWithFailures(EndpointState state)
    {
        var most = 0;
        foreach (ref readonly var entry in History.Entries)
        {
            if (entry.Fault is not { IsNeutral: true } && entry is not { Fault: null, Ended: not null })
                most = Math.Max(most, Overlap(in entry, state.Endpoint.Domains));
        }

        return most;
    }

    private static int Overlap(in AttemptHistory.Entry failed, FailureDomains other)
    {
        var domains = failed.Endpoint.Domains;
        if (domains.Shares(other, FaultReach.Account))
            return failed.Fault is { Blame: FaultBlame.Throttle } ? ThrottledAccount : 3;
        if (domains.Shares(other, FaultReach.Key))
            return 3;
        if (domains.Shares(other, FaultReach.Region))
            return 2;
        return domains.Shares(other, FaultReach.Provider) ? 1 : 0;
    }
}

/// <summary>Describes the time that is left for an answer.</summary>
/// <param name="IsStream">True if the time ends at the first content of a stream.</param>
/// <param name="Chance">
/// The share of an endpoint's recent answers that must have taken less time than <paramref name="Left"/>. 0: the check is off, and every endpoint can answer.
/// </param>
/// <param name="Left">The time that is left.</param>
internal readonly record struct AnswerTime(bool IsStream, double Chance, TimeSpan Left)
{
    /// <summary>Checks whether the endpoint can probably answer in time. An endpoint with few recent answers can.</summary>
    public bool IsPossible(EndpointState state) => Chance == 0 || state.Times.Quantile(IsStream, Chance) is not { } usual || Left > usual;
}

/// <summary>Checks and compares the requirements of profiles: the part of a profile that determines which endpoints may serve the request.</summary>
internal static class Requirement
{
    public static bool IsNone(RequestProfile profile) =>
        ReferenceEquals(profile, RequestProfile.Default)
        || profile.Endpoints.Count == 0 && profile.Model is null && profile.Residency is null && !profile.Tools && !profile.Vision && profile.Tags.Count == 0;

    public static bool AreSame(RequestProfile one, RequestProfile other) =>
        one.Tools == other.Tools && one.Vision == other.Vision
        && string.Equals(one.Model, other.Model, StringComparison.Ordinal)
        && string.Equals(one.Residency, other.Residency, StringComparison.Ordinal)
        && one.Tags.Equals(other.Tags) && one.Endpoints.Equals(other.Endpoints);

    /// <summary>
    /// Names the requirements that no endpoint meets. If there is no such requirement, names all requirements, because no endpoint meets them together. The
    /// number of tokens is a requirement too if a context window is too small for it. Null if an endpoint meets all requirements.
    /// </summary>
    public static string? NameMissing(IReadOnlyList<EndpointState> members, RequestProfile profile)
    {
        List<(string Name, RequestProfile Alone)> needs = [.. NeedsOf(profile, members)];
        if (!members.All(m => HasRoom(m.Endpoint, profile)))
        {
            var size = RequestProfile.Default with { MaxOutputTokens = profile.MaxOutputTokens, InputTokens = profile.IsWindowEstimated ? 0 : profile.InputTokens };
            needs.Add(($"room for {profile.CertainTokens} tokens in a context window", size));
        }
        if (IsMet(profile))
            return null;
        var missing = needs.Where(need => !IsMet(need.Alone)).Select(need => need.Name).ToArray();
        return missing.Length > 0 ? string.Join(", ", missing) : $"{string.Join(", ", needs.Select(n => n.Name))}, all at one endpoint";

        bool IsMet(RequestProfile need) => members.Any(m => Meets(m.Endpoint, need) && HasRoom(m.Endpoint, need));
    }

    /// <summary>Names the requirements that one endpoint does not meet, as a clause about this endpoint. Null if it meets all requirements.</summary>
    public static string? NameMissing(EndpointState member, RequestProfile profile)
    {
        if (Meets(member.Endpoint, profile) && HasRoom(member.Endpoint, profile))
            return null;
        return profile.Endpoints.Count > 0 && !profile.Endpoints.Contains(member.Endpoint.Name)
            ? "the request's profile names other endpoints"
            : $"it does not have {NameMissing([member], profile)}";
    }

    private static bool HasRoom(PoolEndpoint endpoint, RequestProfile profile) => !(profile.CertainTokens > endpoint.Capabilities.ContextWindow);

    private static IEnumerable<(string Name, RequestProfile Alone)> NeedsOf(RequestProfile profile, IReadOnlyList<EndpointState> members)
    {
        var none = RequestProfile.Default;
        if (profile.Endpoints.Count > 0)
            yield return ($"one of the endpoints '{string.Join("', '", profile.Endpoints)}' (the pool has '{string.Join("', '", members.Take(10).Select(static m => m.Endpoint.Name))}')", none with { Endpoints = profile.Endpoints });
        if (profile.Model is { } model)
            yield return ($"the model '{model}'", none with { Model = model });
        if (profile.Residency is { } residency)
            yield return ($"the residency '{residency}'", none with { Residency = residency });
        if (profile.Tools)
            yield return ("tools", none with { Tools = true });
        if (profile.Vision)
            yield return ("vision", none with { Vision = true });
        foreach (var tag in profile.Tags)
            yield return ($"the tag '{tag}'", none with { Tags = [tag] });
    }

    public static bool Meets(PoolEndpoint endpoint, RequestProfile profile)
    {
        var can = endpoint.Capabilities;
        if (profile.Endpoints.Count > 0 && !profile.Endpoints.Contains(endpoint.Name)
            || profile.Model is { } model && endpoint.Domains.Model is { } served && !string.Equals(model, served, StringComparison.Ordinal)
            || profile.Residency is { } residency && !string.Equals(residency, can.Residency, StringComparison.Ordinal)
            || profile.Tools && !can.Tools
            || profile.Vision && !can.Vision)
        {
            return false;
        }

        for (var i = 0; i < profile.Tags.Count; i++)
        {
            if (!can.Tags.Contains(profile.Tags[i]))
                return false;
        }

        return true;
    }
}
