namespace HaKit.Pool;

/// <summary>What the loss of some endpoints would come to.</summary>
/// <param name="LostShare">The share of the calls without room.</param>
/// <param name="Utilization">How much of what is left is asked for.</param>
/// <param name="Limit">The limit that binds most of it.</param>
internal readonly record struct ForecastLoss(double LostShare, double Utilization, string? Limit);

/// <summary>Tells for sets of endpoints what their loss would come to, each set once: several domains often hold the same endpoints. For one thread.</summary>
/// <param name="scene">The pool and its load.</param>
/// <param name="carrying">What each endpoint could carry; null for one that serves nothing.</param>
internal sealed class LossForecast(ReplayScene scene, CarryingEndpoint?[] carrying)
{
    private readonly Dictionary<string, ForecastLoss> _known = new(StringComparer.Ordinal);

    /// <param name="lost">The places of the endpoints that are lost.</param>
    public ForecastLoss Lose(IReadOnlyCollection<int> lost)
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
