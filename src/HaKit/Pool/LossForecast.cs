namespace HaKit.Pool;

/// <summary>The predicted effect of the loss of some endpoints.</summary>
/// <param name="LostShare">The share of the calls that find no free capacity.</param>
/// <param name="Utilization">The demand divided by the remaining capacity.</param>
/// <param name="Limit">The limit that restricts the largest part of the remaining capacity.</param>
internal readonly record struct ForecastLoss(double LostShare, double Utilization, string? Limit);

/// <summary>
/// Predicts the effect of the loss of sets of endpoints. Each set is calculated once, because several domains often contain the same endpoints. For use on
/// one thread.
/// </summary>
/// <param name="scene">The pool and its load.</param>
/// <param name="carrying">The capacity of each endpoint; null for an endpoint that serves nothing.</param>
internal sealed class LossForecast(ReplayScene scene, CarryingEndpoint?[] carrying)
{
    private readonly Dictionary<string, ForecastLoss> _known = new(StringComparer.Ordinal);

    /// <param name="lost">The indexes of the lost endpoints.</param>
    public ForecastLoss CalculateLoss(IReadOnlyCollection<int> lost)
    {
        var isLost = new bool[carrying.Length];
        foreach (var place in lost)
            isLost[place] = true;
        var key = string.Create(isLost.Length, isLost, static (text, lost) =>
        {
            for (var i = 0; i < lost.Length; i++)
                text[i] = lost[i] ? '-' : '+';
        });
        if (!_known.TryGetValue(key, out var loss))
            _known.Add(key, loss = Compute(isLost));
        return loss;
    }

    private ForecastLoss Compute(bool[] isLost)
    {
        var left = new List<CarryingEndpoint>();
        for (var i = 0; i < isLost.Length; i++)
        {
            if (!isLost[i] && carrying[i] is { } endpoint)
                left.Add(endpoint);
        }
        var carried = RedundancyArithmetic.Carry(left, scene.Load.CallsPerMinute);
        return new(LostShare(isLost, carried), carried.Utilization, carried.Limit);
    }

    private double LostShare(bool[] isLost, Carried carried)
    {
        if (scene.Load.CallsPerMinute <= 0 || carried.Utilization == 0 || carried.IsAmple && !scene.Load.IsRepeated && scene.EstimatedTokens <= scene.UsedTokens)
            return 0;
        return double.IsPositiveInfinity(carried.Utilization) ? 1 : LossReplay.Run(scene, isLost).LostShare;
    }
}
