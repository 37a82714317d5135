using HaKit.Health;

namespace HaKit.Peers;

/// <summary>Holds one fresh opinion about an endpoint, of this or another replica.</summary>
internal readonly record struct FreshOpinion(PeerOpinion Opinion, ProbeLevel Level);

/// <summary>Holds the result of counting the fresh opinions about an endpoint.</summary>
/// <param name="Ejected">The number of replicas that have ejected the endpoint.</param>
/// <param name="Serving">The number of replicas that the endpoint serves, counted only if their evidence could have shown the fault.</param>
internal readonly record struct OpinionCount(int Ejected, int Serving)
{
    /// <summary>Gets whether at least two replicas, and more than half of the replicas with an opinion, have ejected the endpoint.</summary>
    public bool IsEjection => Ejected >= 2 && Ejected > Serving;
}

/// <summary>
/// Counts opinions. The ejection by one replica never counts alone, because that replica's own network may be at fault. A fixed quorum is not enough either:
/// two replicas that cannot reach an endpoint must not eject it for eighteen replicas that can.
/// </summary>
internal static class PeerMajority
{
    public static OpinionCount CountOpinions(ReadOnlySpan<FreshOpinion> opinions)
    {
        var ejected = 0;
        var level = ProbeLevel.Generating;
        foreach (var opinion in opinions)
        {
            if (opinion.Opinion == PeerOpinion.Ejected)
            {
                ejected++;
                level = opinion.Level < level ? opinion.Level : level;
            }
        }

        var serving = 0;
        foreach (var opinion in opinions)
        {
            // A probe that only connects is no evidence about an endpoint that answers 500.
            if (opinion.Opinion == PeerOpinion.Serves && opinion.Level >= level)
                serving++;
        }

        return new OpinionCount(ejected, serving);
    }
}
