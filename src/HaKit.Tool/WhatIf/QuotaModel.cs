namespace HaKit.Tool.WhatIf;

/// <summary>One request to an endpoint: its time, its size, and whether it was refused with 429.</summary>
internal readonly record struct QuotaSample(TimeSpan At, int Tokens, bool IsRefused);

/// <summary>A quota: a token bucket that is full at first, holds one minute's amount and fills at a constant rate.</summary>
/// <param name="PerMinute">The quota per minute.</param>
/// <param name="OfTokens">True for a quota of tokens; false for a quota of requests.</param>
internal sealed record QuotaModel(double PerMinute, bool OfTokens)
{
    private const int LeastRefusals = 5;

    // A model is accepted if its wrong predictions are at most this share of the number of refusals. They are not compared with the number of all requests: if
    // refusals are rare, a model that predicts no refusal at all would be right about almost all requests.
    private const double MostWrong = 0.25;

    /// <summary>
    /// Finds the quota that explains the refusals. Returns null if there are few refusals, or if no quota explains them. The refusals are then treated
    /// as faults of the endpoint at their recorded times.
    /// </summary>
    public static QuotaModel? Learn(IReadOnlyList<QuotaSample> samples)
    {
        var refusals = samples.Count(static s => s.IsRefused);
        if (refusals < LeastRefusals)
            return null;
        var tokens = Best(samples, ofTokens: true);
        var requests = Best(samples, ofTokens: false);
        var (model, wrong) = tokens.Wrong < requests.Wrong ? tokens : requests;
        return wrong <= MostWrong * refusals ? model : null;
    }

    private static (QuotaModel Model, int Wrong) Best(IReadOnlyList<QuotaSample> samples, bool ofTokens)
    {
        double low = 1, high = 1;
        foreach (var sample in samples)
            high += ofTokens ? sample.Tokens : 1;
        var best = (Model: new QuotaModel(high, ofTokens), Wrong: int.MaxValue);
        // The first round is a coarse scan. The other two rounds are finer scans around the best value.
        for (var round = 0; round < 3; round++)
        {
            var step = Math.Pow(high / low, 1 / 40.0);
            for (var quota = low; quota <= high * 1.0001; quota *= step)
            {
                var wrong = Wrong(samples, quota, ofTokens);
                if (wrong < best.Wrong)
                    best = (new QuotaModel(quota, ofTokens), wrong);
            }
            (low, high) = (best.Model.PerMinute / step, best.Model.PerMinute * step);
        }
        return best;
    }

    // Returns the number of wrong predictions. The bucket follows the real answers: an accepted request takes from the bucket even if the model would refuse it.
    private static int Wrong(IReadOnlyList<QuotaSample> samples, double perMinute, bool ofTokens)
    {
        var (level, at, wrong) = (perMinute, 0.0, 0);
        foreach (var sample in samples)
        {
            var now = sample.At.TotalSeconds;
            level = Math.Min(perMinute, level + perMinute / 60 * (now - at));
            at = now;
            var need = ofTokens ? sample.Tokens : 1;
            if (need > level != sample.IsRefused)
                wrong++;
            if (!sample.IsRefused)
                level = Math.Max(0, level - need);
        }
        return wrong;
    }
}
