using HaKit.Attempts;

namespace HaKit.Selection;

/// <summary>Explains choices. Has no side effects. Allocates memory; used for error messages, dashboards and the API for applications, not for calls.</summary>
internal static class SelectionExplainer
{
    /// <summary>Explains why each member would or would not be chosen.</summary>
    public static IReadOnlyList<EndpointExplanation> Explain(PoolSnapshot snapshot, SelectionPolicy policy, in SelectionQuery query)
    {
        var explanations = new EndpointExplanation[snapshot.Members.Length];
        for (var i = 0; i < explanations.Length; i++)
        {
            var member = snapshot.Members[i];
            var health = member.Health.State;
            var at = member.AvailableAt(member.CountTokens(query.Profile), query.Now);
            explanations[i] = new EndpointExplanation
            {
                Endpoint = member.Endpoint.Name,
                Tier = member.Endpoint.Tier,
                Health = health,
                Now = query.Now,
                InFlight = member.InFlight,
                Heartbeat = member.Heartbeat,
                ReportedLoad = member.ReportedLoad,
                LacksModel = member.LacksModel,
                AvailableIn = at == TimeSpan.MaxValue ? null : at - query.Now,
                NotAdmittedBy = NotAdmittedBy(member, in query),
                Missing = Requirement.NameMissing(member, query.Profile),
                Score = Score.Terms(member, in query, policy),
                SlowStartShare = health.SlowStartShare(query.Now),
                FirstContentSeconds = NullIfUnknown(member.Latency.FirstContentSeconds),
                OutputTokenSeconds = NullIfUnknown(member.Latency.OutputTokenSeconds),
                FailureEstimate = member.Failure.ProbabilityAt(query.Now),
            };
        }
        return explanations;
    }

    private static double? NullIfUnknown(double seconds) => seconds == 0 ? null : seconds;

    private static string? NotAdmittedBy(EndpointState member, in SelectionQuery query)
    {
        var health = member.Health.State;
        if (!query.CanServe(member))
            return "capability";
        if (health.IsCooling(query.Now))
            return "cooldown";
        if (!health.Admits(query.Now))
            return "health";
        if (!member.HasRoom(member.CountTokens(query.Profile), query.Now))
            return "limit";
        return query.Excludes(member) ? "tried" : null;
    }
}
