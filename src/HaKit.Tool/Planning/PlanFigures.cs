using HaKit.Availability;

namespace HaKit.Tool.Planning;

/// <summary>The answer of <c>plan</c> as figures.</summary>
/// <param name="Target">The availability to reach.</param>
/// <param name="Delivers">What the pool delivers as it is.</param>
/// <param name="MeetsTarget">Whether that is enough.</param>
/// <param name="DowntimeSeconds">What the pool is down for in the period.</param>
/// <param name="Losses">What it loses to each cause.</param>
/// <param name="CheapestChanges">The cheapest changes that reach the target; null where none do.</param>
/// <param name="CheapestCost">Their cost.</param>
/// <param name="Reached">What they reach; without them, the limit.</param>
internal sealed record PlanFigures(
    string Target, string Delivers, bool MeetsTarget, double DowntimeSeconds, IReadOnlyList<PlanLoss> Losses,
    IReadOnlyList<string>? CheapestChanges, double? CheapestCost, string Reached)
{
    public bool IsReachable => CheapestChanges is not null;
}

/// <summary>What a pool loses to one cause, as a share of the time.</summary>
internal sealed record PlanLoss(PoolLossCause Cause, double Unavailability);
