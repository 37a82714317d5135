using HaKit.Availability;

namespace HaKit.Tool.Planning;

/// <summary>The figures of the command <c>plan</c>.</summary>
/// <param name="Target">The target availability.</param>
/// <param name="Delivers">The availability of the pool without changes.</param>
/// <param name="MeetsTarget">True if this availability meets the target.</param>
/// <param name="DowntimeSeconds">The pool's downtime in the period, in seconds.</param>
/// <param name="Losses">The losses by cause.</param>
/// <param name="CheapestChanges">The cheapest changes that reach the target; null if no changes reach the target.</param>
/// <param name="CheapestCost">The cost of the cheapest changes.</param>
/// <param name="Reached">The availability with the changes; without a solution, the best possible availability.</param>
internal sealed record PlanFigures(
    string Target, string Delivers, bool MeetsTarget, double DowntimeSeconds, IReadOnlyList<PlanLoss> Losses,
    IReadOnlyList<string>? CheapestChanges, double? CheapestCost, string Reached)
{
    public bool IsReachable => CheapestChanges is not null;
}

/// <summary>The loss of a pool to one cause, as a share of the time.</summary>
internal sealed record PlanLoss(PoolLossCause Cause, double Unavailability);
